"""Steps that fail for good: the run ends in one message, with nothing left locked."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from discord_agent.domain.classification import FlowType
from discord_agent.domain.run import Outcome
from discord_agent.domain.session import ExecutionStatus
from discord_agent.steps.launch import MACHINES
from discord_agent.system import SYSTEM
from tests.support.definitions import all_tasks, function_of, states
from tests.support.histories import Story
from tests.support.stage import Run, Stage

STEPS = [(machine, state) for machine, state in all_tasks() if state not in {"Fail", "Brainstorm"}]
"""One brainstorm that fails is a voice less; test_voices.py tells of it."""
FLOWS = {machine: flow for flow, machine in MACHINES.items()}
FAILED = "❌ **Failed.**"
FOR_GOOD = "WorkspaceDamaged"
"""No Retry names it."""
LONG_WAY = {"Checkpoint", "Clarify"}
PAYLOADS = {"AwaitDecision": '"task_token"', "CarryOut": '"decision"'}
AT_A_TIME = 6

type Played = tuple[Run, Story]
type Errors = tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """A run that is going to fail: at which state, with which errors there and at Fail."""

    machine: str
    state: str
    errors: Errors = (FOR_GOOD,)
    at_fail: Errors = ()

    def __str__(self) -> str:
        return f"{self.machine}.{self.state}-{self.errors[0]}x{len(self.errors)}-{len(self.at_fail)}"


PERMANENT = [Plan(machine, state) for machine, state in STEPS]
EXHAUSTED = [
    Plan("sequential_thinking", "Prepare", tuple(clause["ErrorEquals"][:1] * (clause["MaxAttempts"] + 1)))
    for clause in states("sequential_thinking")["Prepare"]["Retry"]
]
STEP_OF = {
    "simple": "Respond",
    "branch": "Frame",
    "breakglass": "Breakglass",
    "sequential_thinking": "Plan",
    "approval": "CarryOut",
}
RETRIED_FAILURES = [
    Plan(machine, STEP_OF[machine], at_fail=("StateUnavailable", "Lambda.ServiceException", "Runtime.ExitError"))
    for machine in SYSTEM.machines
]
FAILED_FAILURES = [Plan(machine, STEP_OF[machine], at_fail=("InvalidEvent",) * 7) for machine in SYSTEM.machines]
PLANS = [*PERMANENT, *EXHAUSTED, *RETRIED_FAILURES, *FAILED_FAILURES]


def play(stage: Stage, plan: Plan) -> Played:
    length = "journey" if plan.state in LONG_WAY else "short"
    flow = FLOWS.get(plan.machine, FlowType.SEQUENTIAL)
    run = stage.ready(f"Write a {length} note for {plan}", flow=flow)
    run.fail(function_of(plan.machine, plan.state), *plan.errors, where=PAYLOADS.get(plan.state, ""))
    run.fail("fail", *plan.at_fail)
    run.launch()
    story = run.ended()
    if plan.machine != "approval":
        return run, story
    return run, run.decide("👍") if plan.state == "CarryOut" else run.decided()


@pytest.fixture(scope="module")
def played(stage: Stage) -> Mapping[Plan, Played]:
    """Every plan, played; several at a time."""
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        return dict(zip(PLANS, pool.map(lambda plan: play(stage, plan), PLANS), strict=True))


def assert_failed_once(plan: Plan, run: Run, story: Story) -> None:
    assert story.status == "FAILED"
    assert run.holder is None
    assert run.stage.faults.left(run.execution) == 0
    if plan.machine == "approval":
        assert (run.endings, run.laments) == (["🏁 Execution Complete"], 1)
    else:
        assert (run.endings, run.laments) == ([FAILED], 0)
        assert (run.record.status, run.record.outcome) == (ExecutionStatus.FAILED, Outcome.FAILED)


@pytest.mark.parametrize("plan", PERMANENT, ids=str)
def test_an_error_that_no_retry_names_ends_in_one_message(played: Mapping[Plan, Played], plan: Plan) -> None:
    run, story = played[plan]
    assert_failed_once(plan, run, story)
    assert story.error == FOR_GOOD
    assert story.states[-3:] == [plan.state, "Fail", "Failed"]
    assert story.errors(plan.state) == [FOR_GOOD]


@pytest.mark.parametrize("plan", EXHAUSTED, ids=str)
def test_retries_come_to_an_end(played: Mapping[Plan, Played], plan: Plan) -> None:
    run, story = played[plan]
    assert_failed_once(plan, run, story)
    assert story.errors(plan.state) == list(plan.errors)
    assert story.states == ["Prepare", "Fail", "Failed"]


@pytest.mark.parametrize("plan", RETRIED_FAILURES, ids=str)
def test_failing_itself_may_fail_for_a_while(played: Mapping[Plan, Played], plan: Plan) -> None:
    run, story = played[plan]
    assert_failed_once(plan, run, story)
    assert story.errors("Fail") == list(plan.at_fail)
    assert story.error == FOR_GOOD


@pytest.mark.parametrize("plan", FAILED_FAILURES, ids=str)
def test_what_fail_cannot_do_inside_the_machine_it_does_from_outside(played: Mapping[Plan, Played], plan: Plan) -> None:
    run, story = played[plan]
    assert_failed_once(plan, run, story)
    assert story.errors("Fail") == list(plan.at_fail)
    assert story.states[-1] == "Fail"
