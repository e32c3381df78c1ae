from pathlib import Path

import pytest

from discord_agent.sandbox.reports import test_results as results_of

SUITES = (
    '<?xml version="1.0"?><testsuites>'
    '<testsuite name="a" tests="5" failures="1" errors="1" skipped="1"/>'
    '<testsuite name="b" tests="2" failures="0" errors="0" skipped="0"/>'
    "</testsuites>"
)
BOMB = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><testsuites><testsuite tests="1"/>&b;</testsuites>'


def test_results_are_summed_over_suites_without_skipped_tests(tmp_path: Path) -> None:
    report = tmp_path / "junit.xml"
    report.write_text(SUITES)
    assert results_of(report) == {"run": 6, "passed": 4}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not xml",
        "<testsuites/>",
        '<testsuite tests="many"/>',
        '<testsuite tests="1" failures="2"/>',
        BOMB,
        SUITES[:-5],
    ],
)
def test_an_unusable_report_gives_no_results(tmp_path: Path, text: str) -> None:
    report = tmp_path / "junit.xml"
    report.write_text(text)
    assert results_of(report) is None


def test_a_report_that_is_missing_or_huge_gives_no_results(tmp_path: Path) -> None:
    report = tmp_path / "junit.xml"
    assert results_of(report) is None
    report.write_text(SUITES + " " * (9 * 1024 * 1024))
    assert results_of(report) is None
