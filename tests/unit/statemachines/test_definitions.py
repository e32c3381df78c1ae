"""The state machines' definitions hold the rules that every flow lives by."""

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from jsonata import Jsonata

import discord_agent
from devstack.aws.interpreter.definition import compile_definition
from devstack.aws.names import function_arn
from discord_agent.domain import errors
from discord_agent.domain.errors import AgentError, TransientError
from discord_agent.domain.run import Next
from discord_agent.statemachines import placeholders, substituted
from discord_agent.steps import escalation
from discord_agent.system import SYSTEM
from tests.support.definitions import (
    FOLDER,
    all_clauses,
    all_states,
    all_tasks,
    definition,
    expressions,
    function_of,
    normal_targets,
    states,
    targets,
    text,
)

MACHINES = sorted(SYSTEM.machines)
TASKS = all_tasks()
STEPS = [(machine, name) for machine, name in TASKS if name != "Fail"]
CLAUSES = list(all_clauses())

SERVICE_ERRORS = {
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
}
"""What AWS documents to retry for every Lambda task."""
LOST_CALLS = {"Lambda.Unknown", "Runtime.ExitError", "Sandbox.Timedout", "States.Timeout"}
"""How a call ends whose environment died or whose time was over."""
ENDS_OF_WAITING = {"Clarify": [["States.Timeout"]], "AwaitDecision": [["States.Timeout", "Conflict"]]}
"""What ends the wait for a token without an answer, and goes on instead of failing."""
ONE_OF_SEVERAL = {"Brainstorm": "Silent"}
"""What fails by itself, and where it ends: the others go on."""
TOKEN = "{% $states.context.Task.Token %}"
RUN = "{% $states.input %}"
APPROVAL = {"run": "{% $states.input.run %}", "message_id": "{% $states.input.message_id %}", "task_token": TOKEN}


def waits_for_token(machine: str, name: str) -> bool:
    return str(states(machine)[name]["Resource"]).endswith(".waitForTaskToken")


def leaves(kind: type[AgentError]) -> Iterator[type[AgentError]]:
    below = kind.__subclasses__()
    if not below:
        yield kind
    for each in below:
        yield from leaves(each)


def test_every_declared_machine_has_a_definition_and_every_definition_is_declared() -> None:
    assert {path.name.removesuffix(".asl.json") for path in FOLDER.glob("*.asl.json")} == set(MACHINES)


@pytest.mark.parametrize("machine", MACHINES)
def test_a_machine_calls_exactly_the_functions_it_declares(machine: str) -> None:
    assert placeholders(text(machine)) == set(SYSTEM.machines[machine].functions)
    assert set(SYSTEM.machines[machine].functions) <= SYSTEM.functions.keys()


@pytest.mark.parametrize("machine", MACHINES)
def test_the_interpreter_accepts_the_definition(machine: str) -> None:
    arns = {name: function_arn(SYSTEM.functions[name].physical_name) for name in SYSTEM.machines[machine].functions}
    compile_definition(substituted(text(machine), arns))


@pytest.mark.parametrize("machine", MACHINES)
def test_a_machine_speaks_jsonata_and_ends_in_the_end(machine: str) -> None:
    assert definition(machine)["QueryLanguage"] == "JSONata"
    assert isinstance(definition(machine)["TimeoutSeconds"], int)
    longest_wait = max(state.get("TimeoutSeconds", 0) for state in states(machine).values())
    assert definition(machine)["TimeoutSeconds"] > longest_wait


@pytest.mark.parametrize("machine", MACHINES)
def test_every_state_is_reached(machine: str) -> None:
    reached, to_visit = set[str](), [definition(machine)["StartAt"]]
    while to_visit:
        name = to_visit.pop()
        if name not in reached:
            reached.add(name)
            to_visit.extend(targets(states(machine)[name]))
    assert reached == states(machine).keys()


@pytest.mark.parametrize("machine", MACHINES)
def test_only_tasks_choices_maps_and_ends_are_paid_for(machine: str) -> None:
    assert {state["Type"] for state in states(machine).values()} <= {"Task", "Choice", "Map", "Succeed", "Fail"}


@pytest.mark.parametrize(("machine", "name"), TASKS)
def test_a_task_waits_longer_than_its_function_runs(machine: str, name: str) -> None:
    function = SYSTEM.functions[function_of(machine, name)]
    assert states(machine)[name]["TimeoutSeconds"] > function.timeout


@pytest.mark.parametrize(("machine", "name"), STEPS)
def test_a_step_survives_what_the_service_and_the_outside_world_do(machine: str, name: str) -> None:
    service, outside, *others = (set(clause["ErrorEquals"]) for clause in states(machine)[name]["Retry"])
    assert service == SERVICE_ERRORS
    assert outside == {leaf.__name__ for leaf in leaves(TransientError)}
    # A lost answer to a parked call may have parked the run already: its time-out is the end of the waiting.
    expected = [] if waits_for_token(machine, name) else [LOST_CALLS]
    assert [clause for clause in others if clause != {"Conflict"}] == expected


def test_conflicts_are_waited_for_where_a_step_takes_a_lease_or_follows_a_parked_one() -> None:
    retried = {
        (machine, name)
        for machine, name in STEPS
        for clause in states(machine)[name]["Retry"]
        if clause["ErrorEquals"] == ["Conflict"]
    }
    after_parking = {("sequential_thinking", name) for name in targets(states("sequential_thinking")["Clarify"])}
    taking = {("sequential_thinking", "Prepare"), ("approval", "CarryOut")}
    assert retried == taking | after_parking - {("sequential_thinking", "Fail")}


@pytest.mark.parametrize(("machine", "name"), TASKS)
def test_retries_spread_out_and_come_to_an_end(machine: str, name: str) -> None:
    for clause in states(machine)[name]["Retry"]:
        assert clause["JitterStrategy"] == "FULL"
        assert clause["BackoffRate"] > 1
        assert clause["IntervalSeconds"] <= clause["MaxDelaySeconds"]
        assert clause["MaxAttempts"] > 0


@pytest.mark.parametrize(("machine", "name"), STEPS)
def test_whatever_else_a_step_meets_goes_to_fail(machine: str, name: str) -> None:
    *others, last = states(machine)[name]["Catch"]
    assert (last["ErrorEquals"], last["Next"]) == (["States.ALL"], ONE_OF_SEVERAL.get(name, "Fail"))
    assert [clause["ErrorEquals"] for clause in others] == ENDS_OF_WAITING.get(name, [])
    assert (name in ENDS_OF_WAITING) == waits_for_token(machine, name)
    assert "'failure'" in last["Output"]


@pytest.mark.parametrize("machine", MACHINES)
def test_failing_is_tried_again_whatever_happens_and_shows_in_the_status(machine: str) -> None:
    fail, failed = states(machine)["Fail"], states(machine)["Failed"]
    assert [clause["ErrorEquals"] for clause in fail["Retry"]] == [["States.ALL"]]
    assert "Catch" not in fail
    assert fail["Next"] == "Failed"
    assert failed["Type"] == "Fail"


@pytest.mark.parametrize(("clause", "body"), CLAUSES, ids=[str(clause) for clause, _ in CLAUSES])
def test_a_clause_names_errors_that_exist_and_wildcards_alone(clause: object, body: Mapping[str, Any]) -> None:
    names = body["ErrorEquals"]
    ours = {name for name, kind in vars(errors).items() if inspect.isclass(kind) and issubclass(kind, AgentError)}
    assert set(names) <= SERVICE_ERRORS | LOST_CALLS | ours | {"States.ALL"}
    assert len(names) == len(set(names))
    assert "States.ALL" not in names or len(names) == 1


def test_no_error_worth_a_retry_hides_behind_a_name_that_no_machine_knows() -> None:
    for module in pkgutil.walk_packages(discord_agent.__path__, "discord_agent."):
        importlib.import_module(module.name)
    unknown = {leaf.__qualname__ for leaf in leaves(TransientError) if leaf.__module__ != errors.__name__}
    assert not unknown


def test_the_choice_after_a_turn_knows_every_way_that_escalation_may_choose() -> None:
    tree = ast.parse(inspect.getsource(escalation))
    chosen = {
        Next[node.attr]
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Next"
    }
    route = states("sequential_thinking")["Route"]
    ways = {rule["Condition"]: rule["Next"] for rule in route["Choices"]}
    taken = {way: ways.get(f"{{% $states.input.next = '{way}' %}}", route["Default"]) for way in chosen}
    assert taken == {
        Next.TURN: "Turn",
        Next.CHECKPOINT: "Checkpoint",
        Next.CLARIFY: "Clarify",
        Next.EVALUATE: "Evaluate",
    }


def test_a_turn_costs_three_transitions_and_a_run_ten_more_at_most() -> None:
    machine = states("sequential_thinking")
    loop, name = ["Turn"], next(iter(normal_targets(machine["Turn"])))
    while name != "Turn":
        loop.append(name)
        name = next(iter(normal_targets(machine[name]))) if machine[name]["Type"] == "Task" else "Turn"
    assert "Turn" in set(normal_targets(machine[loop[-1]]))
    assert len(loop) <= 3
    fixed, name = list[str](), definition("sequential_thinking")["StartAt"]
    while name is not None:
        fixed.append(name)
        name = machine[name].get("Default", machine[name].get("Next"))
    assert len(set(fixed) - set(loop)) <= 10


@pytest.mark.parametrize(("machine", "name"), all_states())
def test_expressions_compile(machine: str, name: str) -> None:
    for expression in expressions(states(machine)[name]):
        Jsonata(expression)


@pytest.mark.parametrize(("machine", "name"), TASKS)
def test_nothing_but_the_run_and_what_a_token_needs_is_passed_on(machine: str, name: str) -> None:
    state = states(machine)[name]
    payload = state["Arguments"]["Payload"]
    assert state["Arguments"].keys() == {"FunctionName", "Payload"}
    if waits_for_token(machine, name):
        assert payload in ({"run": RUN, "task_token": TOKEN}, APPROVAL)
    else:
        assert (payload, state["Output"]) in ((RUN, "{% $states.result.Payload %}"), (RUN, RUN))
    assert "Assign" not in state
