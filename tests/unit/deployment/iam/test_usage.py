"""What is granted and unused is explained where it is granted."""

import json
from copy import replace
from pathlib import Path

import pytest

from deployment.iam.documents import Arns, Place
from deployment.iam.policy import Granted
from deployment.iam.usage import Used, compare, read, table, wrong
from deployment.roles import roles
from devstack.aws.access.used import UsedGrants
from discord_agent.declaration import Function, Grant, Kind, Package, Queue, Ref, System
from discord_agent.domain.errors import InvalidSettings
from discord_agent.system import SYSTEM

HERE = Place("123456789012", "us-east-1")
ARN = "arn:aws:sqs:us-east-1:123456789012:work"
WORK = (Ref(Kind.QUEUE, "work"),)


def system(*grants: Grant) -> System:
    worker = Function("worker", "works", Package.CORE, 128, 1, (), grants)
    return replace(
        SYSTEM, functions={"worker": worker}, queues={"work": Queue("work")}, machines={}, services={}, roles={}
    )


def used(*actions: str, role: str = "discord-agent-worker") -> Used:
    return {role: frozenset(Granted(action, ARN) for action in actions)}


def faults(grant: Grant, notes: Used) -> list[str]:
    return [line.granted.action for line in wrong(compare(system(grant), HERE, notes))]


def test_every_action_is_to_be_used_or_explained() -> None:
    grant = Grant(("sqs:SendMessage", "sqs:ReceiveMessage"), WORK)
    assert faults(grant, used("sqs:SendMessage", "sqs:ReceiveMessage")) == []
    assert faults(grant, used("sqs:SendMessage")) == ["sqs:ReceiveMessage"]
    assert faults(replace(grant, unexercised="only on AWS"), {}) == []


def test_an_explanation_of_what_is_used_after_all_is_doubtful_and_no_fault() -> None:
    grant = Grant(("sqs:SendMessage",), WORK, unexercised="only on AWS")
    [line] = [
        each for each in compare(system(grant), HERE, used("sqs:SendMessage")) if each.granted.action[:3] == "sqs"
    ]
    assert (line.doubtful, line.wrong) == (True, "")


def test_what_others_use_does_not_count() -> None:
    assert faults(Grant(("sqs:SendMessage",), WORK), used("sqs:SendMessage", role="discord-agent-other")) == [
        "sqs:SendMessage"
    ]


def test_the_table_says_why() -> None:
    grant = Grant(("sqs:SendMessage",), WORK, unexercised="only on AWS")
    assert f"discord-agent-worker  sqs:SendMessage  {ARN}  only on AWS" in list(table(compare(system(grant), HERE, {})))


def test_the_notes_of_several_processes_are_one(tmp_path: Path) -> None:
    for action in ("sqs:SendMessage", "sqs:ReceiveMessage"):
        UsedGrants(tmp_path)("arn:aws:iam::123456789012:role/discord-agent-worker", Granted(action, ARN))
    assert read(tmp_path) == used("sqs:SendMessage", "sqs:ReceiveMessage")
    assert len(list(tmp_path.iterdir())) == 2


def test_without_notes_there_is_nothing_to_say(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match="DISCORD_AGENT_USED_GRANTS"):
        read(tmp_path)


def test_all_of_a_role_counts_what_it_needs_to_exist_included() -> None:
    lines = compare(SYSTEM, HERE, {})
    arns = Arns(SYSTEM, HERE)
    everything = [
        json.dumps([role.name, action, arns.resource(ref)])
        for role in roles(SYSTEM).values()
        for grant in role.grants
        for action in grant.actions
        for ref in grant.resources
    ]
    assert [json.dumps([each.role, each.granted.action, each.granted.resource]) for each in lines] == everything
