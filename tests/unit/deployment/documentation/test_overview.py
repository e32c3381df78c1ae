"""The pictures of the whole system show what is declared."""

import re
from copy import replace
from pathlib import Path

import pytest

from deployment.documentation import lifetimes, overview
from deployment.documentation.rights import rights
from discord_agent.declaration import PREFIX, Function, Grant, Kind, Package, Ref
from discord_agent.domain.errors import InvalidInput
from discord_agent.system import SYSTEM

ROOT = Path(__file__).parents[4]
EDGE = re.compile(r'^\s+(\w+) (?:-->|-\.->)(?:\|"(.*?)"\|)? (\w+)$', re.MULTILINE)


def arrows(picture: str) -> set[tuple[str, str, str]]:
    return {(source, label, target) for source, label, target in EDGE.findall(picture)}


def ids(picture: str) -> set[str]:
    return set(re.findall(r"^\s+(?:subgraph )?(\w+)[\[({]", picture, re.MULTILINE))


def with_function(*grants: Grant) -> Function:
    return Function("extra", "does more", Package.CORE, 512, 60, (), grants)


@pytest.mark.parametrize("picture", [overview.travel(SYSTEM), overview.keeping(SYSTEM), lifetimes.picture(SYSTEM)])
def test_arrows_join_boxes_that_there_are(picture: str) -> None:
    ends = {end for source, _, target in arrows(picture) for end in (source, target)}
    assert ends
    assert ends <= ids(picture)


def test_every_queue_machine_function_and_service_is_in_the_picture() -> None:
    picture = overview.travel(SYSTEM)
    steps = {name for machine in SYSTEM.machines.values() for name in machine.functions}
    names = {queue.name for queue in SYSTEM.queues.values()} | SYSTEM.machines.keys() | SYSTEM.functions.keys() | steps
    assert [name for name in names | SYSTEM.services.keys() if name not in picture] == []


def test_a_request_is_seen_to_travel_from_people_to_the_machines() -> None:
    assert {
        ("people", "WebSocket", "service_gateway_bridge"),
        ("service_gateway_bridge", "sends to", "queue_messages"),
        ("queue_messages", "", "function_intake"),
        ("function_intake", "sends to", "queue_wakeups"),
        ("queue_wakeups", "", "function_classify"),
        ("function_classify", "starts", "flows"),
        ("queue_wakeups", "discord_wakeups_dead", "function_fail"),
        ("machine_sequential_thinking", "", "function_sandbox"),
    } <= arrows(overview.travel(SYSTEM))


def test_a_new_right_is_a_new_arrow() -> None:
    send = Grant(("sqs:SendMessage",), (Ref(Kind.QUEUE, "wakeups"),))
    system = replace(SYSTEM, functions=SYSTEM.functions | {"extra": with_function(send)})
    added = arrows(overview.travel(system)) - arrows(overview.travel(SYSTEM))
    assert added == {("function_extra", "sends to", "queue_wakeups")}


def test_who_only_reads_a_store_is_told_from_who_writes_to_it() -> None:
    read = Grant(("s3:GetObject",), (Ref(Kind.BUCKET, "artifacts", "threads/*"),))
    system = replace(SYSTEM, functions={"extra": with_function(read)}, services={}, roles={}, machines={})
    assert arrows(overview.keeping(system)) == {("party_0", "only reads", "bucket_artifacts")}


def test_an_action_that_nobody_described_is_an_error() -> None:
    system = replace(
        SYSTEM, functions={"extra": with_function(Grant(("sns:Publish",), (Ref(Kind.TABLE, "messages"),)))}
    )
    with pytest.raises(InvalidInput, match="sns:Publish"):
        rights(system)


def test_stacks_refer_to_the_data_and_the_data_to_nothing() -> None:
    assert {(source, target) for source, _, target in arrows(lifetimes.picture(SYSTEM))} == {
        ("agent", "data"),
        ("edge", "agent"),
        ("bridge", "data"),
        ("observability", "agent"),
        ("observability", "data"),
    }


def test_the_stacks_are_those_of_the_cdk_with_their_order() -> None:
    made = re.findall(
        r'_stack\(app, "(\w+)", "[^"]*"((?:, \w+)*)\)', (ROOT / "cdk" / "app.py").read_text(encoding="utf-8")
    )
    assert tuple(f"{PREFIX}-{name}" for name, _ in made) == lifetimes.STACKS
    after = {(name, each) for name, needed in made for each in needed.split(", ") if each}
    assert after == {(source, target) for source, _, target in arrows(lifetimes.picture(SYSTEM))}
