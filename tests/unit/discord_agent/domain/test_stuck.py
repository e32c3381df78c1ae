from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discord_agent.domain import stuck
from discord_agent.domain.conversation import ToolCall, ToolResult
from discord_agent.domain.run import Signals, TurnStatus
from discord_agent.domain.signals import after_escalation, after_turn

type Done = tuple[ToolCall, ToolResult]


def did(arguments: str, text: str = "", *, name: str = "bash", ok: bool = True, **facts: Any) -> Done:
    return ToolCall("", name, arguments), ToolResult("", name, ok=ok, text=text, facts=facts)


LISTS, READS = did('{"command": "ls"}', "a.py"), did('{"path": "a.py"}', "x = 1", name="read_file")
EDITS = did('{"path": "a.py"}', "changed", name="edit_file", paths_changed=["a.py"])
GREEN = did('{"command": "pytest"}', "5 passed", tests={"run": 5, "passed": 5}, exit_code=0)
RED = did('{"command": "pytest"}', "1 failed", tests={"run": 5, "passed": 4}, exit_code=1)


def turn(signals: Signals, *done: Done) -> Signals:
    """The signals after a turn of these calls, each with an id of its own."""
    calls = [ToolCall(f"c{at}", call.name, call.arguments) for at, (call, _) in enumerate(done)]
    results = [
        ToolResult(f"c{at}", result.name, ok=result.ok, text=result.text, facts=result.facts)
        for at, (_, result) in enumerate(done)
    ]
    return after_turn(signals, results, TurnStatus.CONTINUE, calls=calls)


def circle(*done: Done) -> str:
    return stuck.circle(turn(Signals(), *done).steps)


@pytest.mark.parametrize(
    ("done", "name"),
    [
        ((LISTS,) * 3, "the same call with the same result 3 times in a row"),
        ((EDITS, LISTS, LISTS, LISTS), "the same call with the same result 3 times in a row"),
        ((RED, RED, RED), "the same call with the same result 3 times in a row"),
        ((LISTS, READS) * 3, "the same two calls in turn, 3 times"),
        ((EDITS, RED) * 3, "the same two calls in turn, 3 times"),
        (
            tuple(did(f'{{"command": "./{path}"}}', "No such file", ok=False) for path in "abcd"),
            "the same error from 4 calls in a row",
        ),
    ],
)
def test_a_run_that_does_the_same_again_and_again_goes_round_in_circles(done: tuple[Done, ...], name: str) -> None:
    assert circle(*done) == name


@pytest.mark.parametrize(
    "done",
    [
        (),
        (LISTS, LISTS),
        (LISTS, LISTS, READS),
        (LISTS, READS) * 2,
        (LISTS, READS, EDITS) * 2,
        tuple(did('{"command": "make status"}', f"{left} left") for left in (3, 2, 1)),
        tuple(did('{"path": "a.py"}', text, name="edit_file", ok=False) for text in ("one", "two", "three", "four")),
        tuple(did(f'{{"command": "./{path}"}}', "done") for path in "abcd"),
    ],
)
def test_a_run_that_gets_new_results_does_not(done: tuple[Done, ...]) -> None:
    assert circle(*done) == ""


@pytest.mark.parametrize("done", [(GREEN,) * 6, (RED, RED, GREEN), (EDITS, GREEN) * 3])
def test_a_test_that_passes_is_progress_however_often_it_is_run(done: tuple[Done, ...]) -> None:
    assert circle(*done) == ""


def test_arguments_are_the_same_in_any_order_and_failures_with_any_number() -> None:
    one = did('{"command": "ls", "timeout_seconds": 5}', "line 1: 0x1f is wrong", ok=False)
    other = did('{"timeout_seconds": 5, "command": "ls"}', "line 2: 0xab is wrong", ok=False)
    assert circle(one, other, one)


def test_turns_that_end_in_a_circle_are_counted_until_one_does_not() -> None:
    signals = turn(Signals(), LISTS)
    assert signals.repeats == 0
    for count in (0, 1, 2, 3):
        signals = turn(signals, LISTS)
        assert signals.repeats == count
    assert turn(signals, READS).repeats == 0
    assert turn(signals).repeats == 0


def test_a_stronger_model_starts_without_the_circle_of_the_weaker_one() -> None:
    signals = after_escalation(turn(Signals(), LISTS, LISTS, LISTS))
    assert (signals.repeats, signals.steps) == (0, ())
    assert turn(signals, LISTS, LISTS).repeats == 0


def test_interrupted_calls_are_no_part_of_a_circle() -> None:
    interrupted = did('{"command": "ls"}', "a.py", ok=False, interrupted=True)
    assert turn(turn(Signals(), LISTS, LISTS), interrupted).repeats == 0


dones = st.builds(
    did, st.sampled_from(["{}", '{"a": 1}', "no json"]), st.text(max_size=5), ok=st.booleans(), name=st.just("bash")
)


@given(st.lists(dones, max_size=30))
def test_what_is_remembered_stays_small_and_decides_as_the_whole_would(done: list[Done]) -> None:
    signals = Signals()
    marks: list[str] = []
    for one in done:
        signals = turn(signals, one)
        marks.append(signals.steps[-1])
        assert stuck.circle(signals.steps) == stuck.circle(marks)
    assert len(signals.steps) <= stuck.REMEMBERED
    assert sum(map(len, signals.steps)) <= 30 * stuck.REMEMBERED
