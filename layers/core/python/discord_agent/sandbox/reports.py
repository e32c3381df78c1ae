"""Test results from a JUnit file that a command wrote; the file is the model's, so it is read with suspicion."""

from pathlib import Path
from typing import Final
from xml.parsers import expat

_MAX_BYTES: Final = 8 * 1024 * 1024


class _Refused(Exception):
    pass


def test_results(report: Path) -> dict[str, int] | None:
    """{"run", "passed"} summed over the suites, skipped tests left out; None if there is no usable report."""
    if not report.is_file() or report.stat().st_size > _MAX_BYTES:
        return None
    suites: list[dict[str, str]] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if name == "testsuite":
            suites.append(attributes)

    def refuse(*_: object) -> None:
        raise _Refused

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    # Entities can make a small file enormous, and no report needs a document type.
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(report.read_bytes(), True)  # noqa: FBT003 - expat takes it by position only
        run = sum(_count(suite, "tests") - _count(suite, "skipped") for suite in suites)
        bad = sum(_count(suite, "failures") + _count(suite, "errors") for suite in suites)
    except (expat.ExpatError, _Refused, ValueError):
        return None
    consistent = bool(suites) and 0 <= bad <= run
    return {"run": run, "passed": run - bad} if consistent else None


def _count(suite: dict[str, str], name: str) -> int:
    return int(suite.get(name, "0"))
