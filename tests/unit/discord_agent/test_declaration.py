"""The declaration agrees with itself, with the settings the code reads, and with what lies in the repository."""

import inspect
import re
from collections import defaultdict
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from msgspec.structs import fields

import gateway_bridge.settings
from devstack.aws.names import Resolver
from discord_agent import edge, settings
from discord_agent.adapters.workspace.layout import control_key
from discord_agent.bootstrap import answers, endings, inbound, thinking, turning, wakeups, work
from discord_agent.declaration import Function, Grant, Kind, Ref, Service
from discord_agent.domain.ids import ExecutionId, ThreadId
from discord_agent.needs import RUN_ENV
from discord_agent.settings import Settings
from discord_agent.system import SYSTEM

ROOT = Path(__file__).parents[3]
FUNCTIONS = sorted(SYSTEM.functions)
OWNERS: dict[str, Function | Service] = SYSTEM.functions | SYSTEM.services
DEAD = {queue.dead_letters for queue in SYSTEM.queues.values() if queue.dead_letters}
DEAD |= {each.dead_letters for each in SYSTEM.functions.values() if each.dead_letters}
MEANT_FOR_OTHERS = {"events-dead", "failures-dead"}
"""Queues that operators and other systems read."""
GIVEN = {"DISCORD_BOT_ID": "900", "DISCORD_PUBLIC_KEY": "0" * 64}
"""The parameters without a default: every deployment has its own."""
RUNTIMES_OWN = {"PATH"}

HOLDERS: dict[Kind, dict[str, object]] = {
    Kind.TABLE: {**SYSTEM.tables},
    Kind.QUEUE: {**SYSTEM.queues},
    Kind.BUCKET: {**SYSTEM.buckets},
    Kind.FUNCTION: {**SYSTEM.functions},
    Kind.MACHINE: {**SYSTEM.machines},
    Kind.SECRET: {**SYSTEM.secrets},
    Kind.ROLE: {**SYSTEM.roles},
    Kind.PARAMETER: {**SYSTEM.parameters},
}


def handler(name: str) -> Path:
    return ROOT / "functions" / name / "handler.py"


def settings_of(name: str) -> list[type[Settings]]:
    """The models that a function or service reads its environment with, found in the code that composes it."""
    if name in SYSTEM.services:
        return [gateway_bridge.settings.BridgeSettings]
    entry = handler(name).read_text(encoding="utf-8")
    roots = {
        root.__name__.rpartition(".")[2]: root for root in (answers, endings, inbound, thinking, turning, wakeups, work)
    }
    named = re.findall(rf"\b({'|'.join(roots)})\.(\w+)", entry)
    composers = [getattr(roots[root], builder) for root, builder in named]
    composers += [edge.compose] if "edge." in entry else []
    code = "".join([entry, *map(inspect.getsource, composers)])
    return [getattr(settings, model) for model in sorted(set(re.findall(r"(\w+Settings)\.read\(", code)))]


def grants() -> Iterator[tuple[str, Grant]]:
    for owner in [*OWNERS.values(), *SYSTEM.roles.values()]:
        yield from ((owner.name, grant) for grant in owner.grants)


def references(owner: Function | Service) -> Iterator[Ref]:
    yield from (value for _, value in owner.environment if isinstance(value, Ref))
    yield from (ref for grant in owner.grants for ref in grant.resources)


@pytest.mark.parametrize("name", sorted(OWNERS))
def test_an_environment_holds_all_that_is_read_and_nothing_else(name: str) -> None:
    models = settings_of(name)
    assert models
    read = {field.encode_name: field for model in models for field in fields(model)}
    declared = [variable for variable, _ in OWNERS[name].environment]
    assert len(declared) == len(set(declared))
    assert set(declared) <= read.keys()
    assert {alias for alias, field in read.items() if field.required} - RUNTIMES_OWN <= set(declared)


@pytest.mark.parametrize("name", sorted(OWNERS))
def test_the_declared_values_are_valid_once_a_deployment_gives_its_own(name: str) -> None:
    environment = Resolver(SYSTEM, GIVEN, "http://127.0.0.1:1").environment(OWNERS[name])
    for model in settings_of(name):
        model.read({"PATH": "/usr/bin", **environment})


def test_a_variable_means_the_same_everywhere() -> None:
    meanings = defaultdict(set)
    for owner in OWNERS.values():
        for variable, value in owner.environment:
            meanings[variable].add(value)
    assert {variable: values for variable, values in meanings.items() if len(values) > 1} == {}


def test_parameters_have_the_published_defaults() -> None:
    published = {
        "BOT_USERNAME": "nepnep",
        "OTHER_BOT_USERNAME": "bot2",
        "STALENESS_MINUTES": "30",
        "PLANNER_MODEL_ID": "kimi-k2.5",
        "LOG_LEVEL": "INFO",
    }
    assert {name: SYSTEM.parameters[name] for name in published} == published


def test_every_parameter_reaches_somebody() -> None:
    used = {ref.key for owner in OWNERS.values() for ref in references(owner) if ref.kind is Kind.PARAMETER}
    assert used == set(SYSTEM.parameters)


@pytest.mark.parametrize("name", sorted(OWNERS | SYSTEM.roles))
def test_every_reference_leads_to_something_declared(name: str) -> None:
    owner = OWNERS.get(name)
    found = (
        list(references(owner)) if owner else [ref for grant in SYSTEM.roles[name].grants for ref in grant.resources]
    )
    assert [ref for ref in found if ref.key not in HOLDERS[ref.kind]] == []


@pytest.mark.parametrize("name", sorted(OWNERS))
def test_whoever_is_told_of_a_resource_may_use_it_and_nothing_else(name: str) -> None:
    owner = OWNERS[name]
    told = {
        (ref.kind, ref.key) for _, ref in owner.environment if isinstance(ref, Ref) and ref.kind is not Kind.PARAMETER
    }
    sources = owner.sources if isinstance(owner, Function) else ()
    consumed = {(Kind.QUEUE, source.queue) for source in sources}
    # A task is answered by its token: nobody needs the machine's ARN for that.
    granted = {
        (ref.kind, ref.key)
        for grant in owner.grants
        if grant.actions != ("states:SendTaskSuccess",)
        for ref in grant.resources
    }
    assert granted <= told | consumed
    # Every step of a run has the same variables, whether it writes to all that they name or not.
    assert told - granted - consumed <= {(ref.kind, ref.key) for _, ref in RUN_ENV if isinstance(ref, Ref)}


@pytest.mark.parametrize(("owner", "grant"), list(grants()))
def test_a_wildcard_has_a_reason(owner: str, grant: Grant) -> None:
    assert all("*" not in action for action in grant.actions)
    is_wide = any("*" in ref.path for ref in grant.resources)
    assert grant.reason or not is_wide, owner


def test_stop_markers_lie_where_intake_may_put_them() -> None:
    paths = [
        ref.path
        for grant in SYSTEM.functions["intake"].grants
        for ref in grant.resources
        if ref.kind is Kind.BUCKET and "s3:PutObject" in grant.actions
    ]
    marker = control_key(ThreadId("1"), ExecutionId("m-1"))
    assert any(fnmatchcase(marker, path) for path in paths)


def test_a_role_is_assumed_by_exactly_those_who_may() -> None:
    for key, role in SYSTEM.roles.items():
        may = {
            name
            for name, owner in OWNERS.items()
            for grant in owner.grants
            if "sts:AssumeRole" in grant.actions and Ref(Kind.ROLE, key) in grant.resources
        }
        assert may == set(role.assumed_by)


@pytest.mark.parametrize("key", sorted(SYSTEM.queues))
def test_every_queue_but_those_of_dead_letters_has_dead_letters(key: str) -> None:
    queue = SYSTEM.queues[key]
    assert (queue.dead_letters is None) == (key in DEAD)
    if queue.dead_letters is not None:
        dead = SYSTEM.queues[queue.dead_letters]
        assert dead.fifo == queue.fifo
        assert dead.retention >= queue.retention


def test_dead_letters_are_read_by_somebody() -> None:
    consumed = {source.queue for function in SYSTEM.functions.values() for source in function.sources}
    assert DEAD - consumed == MEANT_FOR_OTHERS


def test_a_message_is_not_delivered_again_while_its_function_may_still_retry() -> None:
    for function in SYSTEM.functions.values():
        for source in function.sources:
            assert SYSTEM.queues[source.queue].visibility >= 6 * function.timeout, (function.name, source.queue)


def test_every_function_has_its_folder_and_sample_events_and_there_are_no_others() -> None:
    handlers = {path.parent.name for path in (ROOT / "functions").glob("*/handler.py")}
    samples = {path.parent.name for path in (ROOT / "events").glob("*/*.json")}
    assert handlers == samples == set(FUNCTIONS)


def test_every_function_is_called_by_something() -> None:
    in_machines = {name for machine in SYSTEM.machines.values() for name in machine.functions}
    invoked = {
        ref.key
        for owner in OWNERS.values()
        for grant in owner.grants
        if "lambda:InvokeFunction" in grant.actions
        for ref in grant.resources
    }
    called = {
        function.name
        for function in SYSTEM.functions.values()
        if function.sources or function.path or function.on_execution_status
    }
    assert in_machines | invoked | called == set(FUNCTIONS)


def test_the_architecture_page_names_everything_there_is() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    queues = {queue.name for key, queue in SYSTEM.queues.items() if key not in DEAD}
    resources = {table.name for table in SYSTEM.tables.values()} | {bucket.name for bucket in SYSTEM.buckets.values()}
    names = {*OWNERS, *SYSTEM.machines, *queues, *resources}
    assert {name for name in names if name not in page} == set()


def test_physical_names_are_unique() -> None:
    for names in (
        [table.name for table in SYSTEM.tables.values()],
        [queue.name for queue in SYSTEM.queues.values()],
        [owner.physical_name for owner in OWNERS.values()],
        [*SYSTEM.secrets.values()],
    ):
        assert len(names) == len(set(names))
