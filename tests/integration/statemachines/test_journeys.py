"""Runs that reach their end, also when every step of the way is done, or refused, several times."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from discord_agent.domain.classification import FlowType
from discord_agent.domain.session import Decision
from discord_agent.steps.launch import MACHINES
from tests.support.definitions import all_tasks, clauses, function_of
from tests.support.histories import Story
from tests.support.scripts import TURNS
from tests.support.stage import Run, Stage

PATH = ["Turn", "Escalation", "Route"]
JOURNEY = [
    *("Prepare", "Plan"),
    *(PATH * 5),
    "Checkpoint",
    *(PATH * 2),
    "Clarify",
    *PATH,
    *("Evaluate", "Reflect", "Commit", "Finish"),
]
STEPS = [(machine, state) for machine, state in all_tasks() if state != "Fail"]
MOST_NAMES = max(
    len(body["ErrorEquals"]) for machine, state in STEPS for clause, body in clauses(machine, state)
    if clause.kind == "Retry"
)  # fmt: skip
BEFORE_IT_RUNS = "Lambda."
PAYLOADS = {"AwaitDecision": '"task_token"', "CarryOut": '"decision"', "Brainstorm": '"voice": {"number": 1'}
"""What tells the calls of one function apart: by two states, or by one that is entered twice at the same time."""


@dataclass(frozen=True)
class Journey:
    """A run from question to merge, one of each other flow beside it, with the errors planned for each state."""

    run: Run
    planned: Mapping[tuple[str, str], list[str]]
    main: Story
    approval: Story
    beside: Mapping[str, tuple[Run, Story]]

    def met(self, machine: str, state: str) -> list[str]:
        story = {"sequential_thinking": self.main, "approval": self.approval}.get(machine) or self.beside[machine][1]
        return story.errors(state)


def planned_errors(number: int) -> dict[tuple[str, str], list[str]]:
    """One error of each Retry clause of each state: the ``number``-th that the clause names."""
    return {
        (machine, state): [
            body["ErrorEquals"][number]
            for clause, body in clauses(machine, state)
            if clause.kind == "Retry" and number < len(body["ErrorEquals"])
        ]
        for machine, state in STEPS
    }


def travel(stage: Stage, name: str, planned: Mapping[tuple[str, str], list[str]]) -> Journey:
    run = stage.ready(f"Write a note on the {name} journey")
    others = {
        MACHINES[flow]: stage.ready(f"What is the {name} simple thing?", flow=flow)
        for flow in (FlowType.SIMPLE, FlowType.BRANCH, FlowType.BREAKGLASS)
    }
    for (machine, state), errors in planned.items():
        disturbed = others.get(machine, run)
        for error in errors:
            after = error != "Conflict" and (error == "Lambda.Unknown" or not error.startswith(BEFORE_IT_RUNS))
            disturbed.fail(function_of(machine, state), error, after=after, where=PAYLOADS.get(state, ""))
    run.launch()
    run.asked()
    run.say("In English.")
    main = run.ended()
    for other in others.values():
        other.launch()
    beside = {machine: (other, other.ended()) for machine, other in others.items()}
    return Journey(run, planned, main, run.decide("👍"), beside)


@pytest.fixture(scope="module")
def undisturbed(stage: Stage) -> Journey:
    return travel(stage, "undisturbed", {})


@pytest.fixture(scope="module")
def disturbed(stage: Stage, undisturbed: Journey) -> Iterator[list[Journey]]:
    """A journey for each position in the lists of retried errors, all at the same time."""
    with ThreadPoolExecutor(MOST_NAMES) as pool:
        travels = [pool.submit(travel, stage, f"{n}th", planned_errors(n)) for n in range(MOST_NAMES)]
        yield [each.result() for each in travels]


def assert_ended_once(journey: Journey) -> None:
    run, record = journey.run, journey.run.record
    stories = (journey.main, journey.approval, *(story for _, story in journey.beside.values()))
    assert {story.status for story in stories} == {"SUCCEEDED"}
    assert run.endings == ["🏁 Execution Complete"]
    assert run.holder is None
    assert record.approval is not None
    assert record.approval.decision is Decision.MERGE
    assert "Merged into main" in run.card(record.approval.message_id)
    assert run.session.pending is None
    in_thread = [post for post in run.posts("") if post.channel_id == run.thread]
    assert len(in_thread) == len({"the card", "the question", "the end"})
    for machine in ("simple", "breakglass"):
        assert _replies(journey.beside[machine][0]) == ["I am a script.\n\nAn answer."]
    weighed, _ = journey.beside["branch"]
    assert len(_replies(weighed)) == 1
    assert weighed.endings == ["🏁 Execution Complete"]
    assert [option.title for option in weighed.record.options] == ["The first way", "The second way"]


def _replies(run: Run) -> list[str]:
    return [post.content for post in run.posts("") if (post.reference or {}).get("message_id") == run.message]


def test_a_run_passes_through_every_state_between_question_and_merge(undisturbed: Journey) -> None:
    assert undisturbed.main.states == JOURNEY
    assert undisturbed.approval.states == ["Decided", "AwaitDecision", "CarryOut"]
    beside = {machine: story.states for machine, (_, story) in undisturbed.beside.items()}
    assert beside == {
        "simple": ["Respond"],
        "branch": ["Frame", "Voices", "Brainstorm", "Brainstorm", "Consolidate"],
        "breakglass": ["Breakglass"],
    }
    assert_ended_once(undisturbed)


@pytest.mark.parametrize("number", range(MOST_NAMES))
def test_an_error_that_is_retried_leaves_no_trace_but_in_the_history(disturbed: list[Journey], number: int) -> None:
    journey = disturbed[number]
    assert journey.run.stage.faults.left(journey.run.execution) == 0
    assert {state: journey.met(*state) for state in journey.planned} == journey.planned
    assert journey.main.states == JOURNEY
    assert_ended_once(journey)
    assert len(journey.run.model_calls("turn")) == len(TURNS["journey"])
