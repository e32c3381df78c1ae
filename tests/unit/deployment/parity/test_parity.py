"""A template and a state that say the same are equal; whatever is changed in either is found, or refused."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deployment.parity import state
from deployment.parity.command import run
from deployment.parity.errors import NotComparable
from deployment.parity.exceptions import unmeant
from deployment.parity.inventory import Inventory, differences, inventory
from deployment.parity.kinds.all import KINDS, MAPPED
from deployment.parity.place import Place
from deployment.parity.template import Template
from tests.support.mutations import Path as Place_
from tests.support.mutations import changed, leaves

HERE = Place("aws", "us-east-1", "123456789012")
QUEUE_ARN = "arn:aws:sqs:us-east-1:123456789012:work"
TLS = {"Bool": {"aws:SecureTransport": "false"}}
DENY = {"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "sqs:*", "Condition": TLS}

TEMPLATE: dict[str, Any] = {
    "Resources": {
        "Queue": {
            "Type": "AWS::SQS::Queue",
            "Properties": {"QueueName": "work", "VisibilityTimeout": 60, "MessageRetentionPeriod": 86400},
        },
        "QueuePolicy": {
            "Type": "AWS::SQS::QueuePolicy",
            "Properties": {
                "Queues": [{"Ref": "Queue"}],
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [{**DENY, "Resource": {"Fn::GetAtt": ["Queue", "Arn"]}}],
                },
            },
        },
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "RoleName": "worker",
                "AssumeRolePolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Action": "sts:AssumeRole",
                            "Principal": {"Service": "lambda.amazonaws.com"},
                        }
                    ],
                },
                "Policies": [
                    {
                        "PolicyName": "declared",
                        "PolicyDocument": {
                            "Version": "2012-10-17",
                            "Statement": [
                                {
                                    "Effect": "Allow",
                                    "Action": ["sqs:SendMessage", "sqs:ReceiveMessage"],
                                    "Resource": [
                                        {
                                            "Fn::Join": [
                                                "",
                                                [
                                                    "arn:",
                                                    {"Ref": "AWS::Partition"},
                                                    ":sqs:",
                                                    {"Ref": "AWS::Region"},
                                                    ":",
                                                    {"Fn::Sub": "${AWS::AccountId}:work"},
                                                ],
                                            ]
                                        }
                                    ],
                                }
                            ],
                        },
                    }
                ],
            },
        },
        "Network": {
            "Type": "AWS::EC2::VPC",
            "Properties": {"CidrBlock": "10.0.0.0/24", "Tags": [{"Key": "Name", "Value": "here"}]},
        },
        "Subnet": {
            "Type": "AWS::EC2::Subnet",
            "Properties": {
                "VpcId": {"Ref": "Network"},
                "CidrBlock": "10.0.0.0/26",
                "AvailabilityZone": {"Fn::Select": ["1", {"Fn::GetAZs": ""}]},
            },
        },
    }
}
STATE: dict[str, Any] = {
    "values": {
        "root_module": {
            "resources": [
                {
                    "address": "aws_sqs_queue.work",
                    "mode": "managed",
                    "type": "aws_sqs_queue",
                    "values": {
                        "arn": QUEUE_ARN,
                        "id": "https://sqs.us-east-1.amazonaws.com/123456789012/work",
                        "url": "https://sqs.us-east-1.amazonaws.com/123456789012/work",
                        "name": "work",
                        "name_prefix": "",
                        "fifo_queue": False,
                        "visibility_timeout_seconds": 60,
                        "message_retention_seconds": 86400,
                        "sqs_managed_sse_enabled": True,
                        "policy": json.dumps(
                            {"Version": "2012-10-17", "Statement": [{**DENY, "Resource": [QUEUE_ARN]}]}
                        ),
                        "tags": None,
                    },
                },
                {
                    "address": "aws_vpc.here",
                    "mode": "managed",
                    "type": "aws_vpc",
                    "values": {
                        "id": "vpc-1",
                        "cidr_block": "10.0.0.0/24",
                        "tags": {"Name": "here"},
                        "ipv6_cidr_block": "",
                    },
                },
            ],
            "child_modules": [
                {
                    "resources": [
                        {
                            "address": "module.role.aws_iam_role.this",
                            "mode": "managed",
                            "type": "aws_iam_role",
                            "values": {
                                "arn": "arn:aws:iam::123456789012:role/worker",
                                "name": "worker",
                                "path": "/",
                                "assume_role_policy": json.dumps(
                                    {
                                        "Version": "2012-10-17",
                                        "Statement": [
                                            {
                                                "Effect": "Allow",
                                                "Action": ["sts:AssumeRole"],
                                                "Principal": {"Service": ["lambda.amazonaws.com"]},
                                            }
                                        ],
                                    }
                                ),
                            },
                        },
                        {
                            "address": "module.role.aws_iam_role_policy.this",
                            "mode": "managed",
                            "type": "aws_iam_role_policy",
                            "values": {
                                "name": "declared",
                                "role": "worker",
                                "policy": json.dumps(
                                    {
                                        "Version": "2012-10-17",
                                        "Statement": [
                                            {"Effect": "Allow", "Action": "sqs:ReceiveMessage", "Resource": QUEUE_ARN},
                                            {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": QUEUE_ARN},
                                        ],
                                    }
                                ),
                            },
                        },
                        {
                            "address": "aws_subnet.here",
                            "mode": "managed",
                            "type": "aws_subnet",
                            "values": {
                                "id": "subnet-1",
                                "vpc_id": "vpc-1",
                                "cidr_block": "10.0.0.0/26",
                                "availability_zone": "us-east-1b",
                            },
                        },
                        {"address": "data.aws_region.here", "mode": "data", "type": "aws_region", "values": {}},
                    ]
                }
            ],
        }
    }
}


def of_state(shown: dict[str, Any]) -> Inventory:
    read = state.read(shown)
    return inventory(entry for resource in read.resources for entry in state.entries(resource, read))


def of_template(body: dict[str, Any]) -> Inventory:
    return inventory(Template(body, HERE).entries())


def resources(
    module: dict[str, Any], path: Place_ = ("values", "root_module")
) -> Iterator[tuple[Place_, dict[str, Any]]]:
    for place, each in enumerate(module.get("resources", ())):
        yield (*path, "resources", place), each
    for place, each in enumerate(module.get("child_modules", ())):
        yield from resources(each, (*path, "child_modules", place))


OF_STATE = [
    (*path, "values", *leaf)
    for path, each in resources(STATE["values"]["root_module"])
    if each["mode"] == "managed"
    for leaf in leaves(each["values"])
    if leaf[0] not in MAPPED[each["type"]].computed
]
OF_TEMPLATE = list(leaves(TEMPLATE))


def test_what_both_tools_deploy_is_equal_however_they_write_it() -> None:
    assert differences(of_template(TEMPLATE), of_state(STATE)) == []


@pytest.mark.parametrize("path", OF_STATE, ids=lambda path: ".".join(map(str, path)))
def test_whatever_is_changed_in_a_state_is_found_or_refused(path: Place_) -> None:
    try:
        found = unmeant(differences(of_template(TEMPLATE), of_state(changed(STATE, path))))
    except NotComparable:
        return
    assert found


@pytest.mark.parametrize("path", OF_TEMPLATE, ids=lambda path: ".".join(map(str, path)))
def test_whatever_is_changed_in_a_template_is_found_or_refused(path: Place_) -> None:
    try:
        found = unmeant(differences(of_template(changed(TEMPLATE, path)), of_state(STATE)))
    except NotComparable:
        return
    assert found


@pytest.mark.parametrize("missing", list(TEMPLATE["Resources"]))
def test_a_resource_that_one_side_does_not_have_is_found_or_refused(missing: str) -> None:
    fewer = {"Resources": {name: each for name, each in TEMPLATE["Resources"].items() if name != missing}}
    try:
        found = differences(of_template(fewer), of_state(STATE))
    except NotComparable as error:
        assert missing in str(error)  # noqa: PT017 (only where something refers to it)
        return
    assert found


def test_a_type_that_nothing_knows_is_refused_by_name_on_either_side() -> None:
    with pytest.raises(NotComparable, match="AWS::Glue::Job"):
        of_template({"Resources": {"Job": {"Type": "AWS::Glue::Job", "Properties": {}}}})
    unknown = {"address": "aws_glue_job.x", "mode": "managed", "type": "aws_glue_job", "values": {}}
    more = [*STATE["values"]["root_module"]["resources"], unknown]
    with pytest.raises(NotComparable, match="aws_glue_job"):
        of_state({"values": {"root_module": {"resources": more}}})


def test_a_property_that_nothing_knows_is_refused_by_name() -> None:
    strange = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "q", "Colour": "red"}}}}
    with pytest.raises(NotComparable, match="Colour"):
        of_template(strange)


def test_every_kind_can_be_written_by_both_tools() -> None:
    written = {part.kind for mapped in MAPPED.values() for part in mapped.parts}
    assert written | {"stack"} == KINDS.keys()


def test_the_command_fails_where_the_two_differ(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "one.template.json").write_text(json.dumps(TEMPLATE), encoding="utf-8")
    shown = tmp_path / "state.json"
    shown.write_text(json.dumps(STATE), encoding="utf-8")
    assert run(tmp_path, shown) == 0
    first = ("values", "root_module", "resources", 0, "values", "visibility_timeout_seconds")
    shown.write_text(json.dumps(changed(STATE, first)), encoding="utf-8")
    assert run(tmp_path, shown) == 1
    assert "queue work: VisibilityTimeout" in capsys.readouterr().out
