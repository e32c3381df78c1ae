"""Settings of all tests."""

import pytest
from hypothesis import settings

settings.register_profile("default", deadline=None)  # no timing decides a test
settings.load_profile("default")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name what this machine could not run, so that a green run is not taken for more than it is."""
    reasons = {_reason(report) for report in terminalreporter.getreports("skipped") if _reason(report)}
    for reason in sorted(reasons):
        terminalreporter.write_line(f"NOT RUN: {reason}", yellow=True)


def _reason(report: pytest.TestReport) -> str:
    return str(report.longrepr[2]).removeprefix("Skipped: ") if isinstance(report.longrepr, tuple) else ""
