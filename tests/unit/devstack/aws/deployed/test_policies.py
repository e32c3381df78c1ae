"""Which services a function's own policy lets in."""

import json
from typing import Any

import pytest

from devstack.aws.deployed.policies import lets_in

ACCOUNT = "123456789012"
RULE = f"arn:aws:events:us-east-1:{ACCOUNT}:rule/status"


def statement(**changes: Any) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Resource": "arn:aws:lambda:us-east-1:123456789012:function:fail:live",
        "Condition": {"ArnLike": {"AWS:SourceArn": "arn:aws:events:*:*:rule/status"}},
        **changes,
    }


def verdict(*statements: dict[str, Any]) -> bool:
    policy = json.dumps({"Statement": statements})
    return lets_in(policy, service="events.amazonaws.com", source=RULE, account=ACCOUNT)


def test_a_service_is_let_in_for_its_source() -> None:
    assert verdict(statement())
    assert verdict(statement(Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}, "ArnEquals": {}}))


@pytest.mark.parametrize(
    "changes",
    [
        {"Principal": {"Service": "apigateway.amazonaws.com"}},
        {"Principal": {"AWS": ACCOUNT}},
        {"Action": "lambda:GetFunction"},
        {"Condition": {"ArnLike": {"AWS:SourceArn": "arn:aws:events:*:*:rule/other"}}},
        {"Condition": {"StringEquals": {"aws:SourceAccount": "210987654321"}}},
        {"Condition": {"ArnLike": {"aws:PrincipalArn": "*"}}},
        {"Condition": {"Bool": {"AWS:SourceArn": RULE}}},
    ],
)
def test_another_service_source_account_or_action_is_not(changes: dict[str, Any]) -> None:
    assert not verdict(statement(**changes))


def test_without_statements_and_against_a_deny_nobody_is() -> None:
    assert not verdict()
    assert not verdict(statement(), statement(Effect="Deny", Condition={"Bool": {"aws:SecureTransport": "false"}}))
