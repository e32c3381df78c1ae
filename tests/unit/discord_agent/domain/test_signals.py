from copy import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discord_agent.domain.conversation import ToolResult
from discord_agent.domain.run import Signals, TurnStatus
from discord_agent.domain.signals import (
    after_correction,
    after_escalation,
    after_retry,
    after_score,
    after_turn,
    failure_signature,
)


def result(text: str = "", *, name: str = "shell-run_command", ok: bool = True, **facts: Any) -> ToolResult:
    return ToolResult(call_id="call", name=name, ok=ok, text=text, facts=facts)


def after(*results: ToolResult, before: Signals | None = None, status: TurnStatus = TurnStatus.CONTINUE) -> Signals:
    return after_turn(before or Signals(), results, status)


def test_the_same_failure_in_three_turns_is_counted_three_times() -> None:
    signals = Signals()
    for attempt in range(3):
        signals = after(result(f"line {attempt}: NameError: x", ok=False), before=signals)
    assert signals.same_errors == 3
    assert signals.failures == 3


def test_one_failure_counts_once_per_turn_however_often_it_happened() -> None:
    failure = result("No such file", ok=False)
    assert after(failure, failure, failure).same_errors == 1


def test_another_failure_starts_the_count_anew() -> None:
    before = after(result("No such file", ok=False), before=Signals())
    signals = after(result("Permission denied", ok=False), before=replace(before, same_errors=2))
    assert signals.same_errors == 1
    assert signals.last_error == failure_signature(result("Permission denied", ok=False))


def test_a_failure_seen_again_among_others_goes_on_counting() -> None:
    before = after(result("No such file", ok=False))
    signals = after(result("No such file", ok=False), result("Permission denied", ok=False), before=before)
    assert signals.same_errors == 2
    assert signals.last_error == before.last_error


def test_a_clean_turn_resets_the_same_errors_but_not_the_run_total() -> None:
    signals = after(result("fine"), before=after(result("No such file", ok=False)))
    assert (signals.same_errors, signals.last_error, signals.failures) == (0, "", 1)


def test_a_command_that_exits_with_an_error_is_a_failure() -> None:
    signals = after(result("1 failed", exit_code=1))
    assert (signals.tool_calls, signals.tool_successes, signals.same_errors) == (1, 0, 1)


def test_an_interrupted_call_says_nothing_about_the_model() -> None:
    signals = after(result("interrupted", ok=False, interrupted=True))
    assert (signals.tool_calls, signals.same_errors, signals.failures) == (0, 0, 0)


@pytest.mark.parametrize(
    "progress",
    [result(paths_changed=["a.py"]), result(name="file-write_file"), result(exit_code=1, paths_changed=["build.log"])],
)
def test_a_change_of_files_is_progress(progress: ToolResult) -> None:
    assert after(progress, before=Signals(no_progress_turns=4)).no_progress_turns == 0


@pytest.mark.parametrize(
    "idle",
    [result("text"), result(name="file-write_file", ok=False), result(paths_changed=[]), result("ok", exit_code=0)],
)
def test_reading_and_failed_writing_are_not_progress(idle: ToolResult) -> None:
    assert after(idle, before=Signals(no_progress_turns=4)).no_progress_turns == 5


def test_a_turn_without_tools_is_no_progress_and_forgets_the_calls_of_the_turn_before() -> None:
    signals = after(before=after(result("a"), result("b", ok=False)))
    assert (signals.tool_calls, signals.tool_successes, signals.total_tool_calls) == (0, 0, 2)
    assert signals.no_progress_turns == 2


def test_the_last_test_run_is_remembered_until_the_next() -> None:
    tested = after(result(tests={"run": 4, "passed": 1}), result(tests={"run": 4, "passed": 3}))
    assert (tested.tests_run, tested.tests_passed) == (4, 3)
    later = after(result("ls"), before=tested)
    assert (later.tests_run, later.tests_passed) == (4, 3)


@pytest.mark.parametrize("tests", [{"run": 1, "passed": 2}, {"run": 0, "passed": 0}, {"run": "4"}, {}, [], None, "all"])
def test_impossible_test_counts_are_left_out(tests: object) -> None:
    assert after(result(tests=tests)).tests_run == 0


def test_being_stuck_counts_as_an_error_of_the_run() -> None:
    assert after(status=TurnStatus.STUCK).failures == 1


def test_low_scores_count_only_when_they_follow_each_other() -> None:
    signals = after_score(after_score(Signals(), 29), 0)
    assert signals.low_confidence_streak == 2
    assert after_score(signals, 30).low_confidence_streak == 0


def test_an_escalation_forgets_the_evidence_but_keeps_the_facts() -> None:
    before = Signals(
        same_errors=3,
        last_error="x",
        no_progress_turns=5,
        corrections=2,
        low_confidence_streak=2,
        tool_calls=2,
        tests_run=3,
        tests_passed=1,
        failures=4,
        total_tool_calls=9,
    )
    assert after_escalation(before) == Signals(
        tool_calls=2, tests_run=3, tests_passed=1, failures=4, total_tool_calls=9
    )


def test_a_correction_is_counted() -> None:
    assert after_correction(Signals(corrections=1)).corrections == 2


def test_a_retry_takes_one_turn_off_both_counts_but_never_below_none() -> None:
    assert after_retry(Signals(same_errors=2, no_progress_turns=0)) == Signals(same_errors=1)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("File a.py, line 3: NameError", "File a.py, line 41: NameError"),
        ("took 0.31s\nfailed", "took   12.4s failed"),
        ("/work/abc/x.py: error", "/work/def/x.py: error"),
        ("at 0xdeadbeef1", "at 0x7fff00000"),
        ("commit 3f2a91bc not found", "commit 99d1ab0 not found"),
    ],
)
def test_failures_that_differ_in_numbers_folders_or_spacing_are_the_same(first: str, second: str) -> None:
    assert failure_signature(result(first)) == failure_signature(result(second))


@pytest.mark.parametrize(
    ("first", "second"),
    [(result("NameError: x"), result("NameError: y")), (result("boom", name="file-edit_file"), result("boom"))],
)
def test_failures_of_other_names_or_tools_differ(first: ToolResult, second: ToolResult) -> None:
    assert failure_signature(first) != failure_signature(second)


@given(st.text(max_size=5000))
def test_a_signature_stays_short(text: str) -> None:
    assert len(failure_signature(result(text))) < 250
