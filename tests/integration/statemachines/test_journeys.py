"""Runs that reach their end, also when every step of the way is done, or refused, several times."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from discord_agent.domain.classification import FlowType
from discord_agent.domain.session import Decision
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
PAYLOADS = {"AwaitDecision": '"task_token"', "CarryOut": '"decision"'}
"""What tells the calls of one function by two states apart."""


@dataclass(frozen=True)
class Journey:
    """A run from question to merge, and a simple one beside it, with the errors planned for each state."""

    run: Run
    planned: Mapping[tuple[str, str], list[str]]
    main: Story
    approval: Story
    simple_run: Run
    simple: Story

    def met(self, machine: str, state: str) -> list[str]:
        story = {"sequential_thinking": self.main, "approval": self.approval, "simple": self.simple}[machine]
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
    simple = stage.ready(f"What is the {name} simple thing?", flow=FlowType.SIMPLE)
    for (machine, state), errors in planned.items():
        disturbed = simple if machine == "simple" else run
        for error in errors:
            after = error != "Conflict" and (error == "Lambda.Unknown" or not error.startswith(BEFORE_IT_RUNS))
            disturbed.fail(function_of(machine, state), error, after=after, where=PAYLOADS.get(state, ""))
    run.launch()
    simple.launch()
    run.asked()
    run.say("In English.")
    main = run.ended()
    return Journey(run, planned, main, run.decide("👍"), simple, simple.ended())


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
    assert (journey.main.status, journey.approval.status, journey.simple.status) == ("SUCCEEDED",) * 3
    assert run.endings == ["🏁 Execution Complete"]
    assert run.holder is None
    assert record.approval is not None
    assert record.approval.decision is Decision.MERGE
    assert "Merged into main" in run.card(record.approval.message_id)
    assert run.session.pending is None
    in_thread = [post for post in run.posts("") if post.channel_id == run.thread]
    assert len(in_thread) == len({"the card", "the question", "the end"})
    answers = [
        post
        for post in journey.simple_run.posts("")
        if (post.reference or {}).get("message_id") == journey.simple_run.message
    ]
    assert [answer.content for answer in answers] == ["I am a script.\n\nAn answer."]


def test_a_run_passes_through_every_state_between_question_and_merge(undisturbed: Journey) -> None:
    assert undisturbed.main.states == JOURNEY
    assert undisturbed.approval.states == ["Decided", "AwaitDecision", "CarryOut"]
    assert undisturbed.simple.states == ["Respond"]
    assert_ended_once(undisturbed)


@pytest.mark.parametrize("number", range(MOST_NAMES))
def test_an_error_that_is_retried_leaves_no_trace_but_in_the_history(disturbed: list[Journey], number: int) -> None:
    journey = disturbed[number]
    assert journey.run.stage.faults.left(journey.run.execution) == 0
    assert {state: journey.met(*state) for state in journey.planned} == journey.planned
    assert journey.main.states == JOURNEY
    assert_ended_once(journey)
    assert len(journey.run.model_calls("turn")) == len(TURNS["journey"])
