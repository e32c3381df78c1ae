"""What is declared, as IAM reads it; rules that hold for every role of the account."""

from collections.abc import Iterator

import pytest

from deployment.iam.documents import Arns, Place
from deployment.iam.policies import Policies, declared
from deployment.iam.policy import Granted, pattern
from deployment.roles import AccountRole, roles
from discord_agent.declaration import Grant, Kind, Ref
from discord_agent.system import SYSTEM

ARNS = Arns(SYSTEM, Place("210987654321", "eu-west-1", {"artifacts": "my-files"}))
ROLES = roles(SYSTEM)
LOGS = {"logs:CreateLogStream", "logs:PutLogEvents"}


def grants() -> Iterator[tuple[str, Grant]]:
    yield from ((key, grant) for key, role in ROLES.items() for grant in role.grants)


@pytest.mark.parametrize(
    ("ref", "arn"),
    [
        (Ref(Kind.TABLE, "executions", "index/*"), "arn:aws:dynamodb:eu-west-1:210987654321:table/discord_executions/index/*"),
        (Ref(Kind.BUCKET, "artifacts", "threads/*"), "arn:aws:s3:::my-files/threads/*"),
        (Ref(Kind.QUEUE, "messages"), "arn:aws:sqs:eu-west-1:210987654321:discord_messages.fifo"),
        (Ref(Kind.FUNCTION, "turn", ":live"), "arn:aws:lambda:eu-west-1:210987654321:function:discord-agent-turn:live"),
        (Ref(Kind.MACHINE, "simple"), "arn:aws:states:eu-west-1:210987654321:stateMachine:discord-agent-simple"),
        (Ref(Kind.ROLE, "workspace"), "arn:aws:iam::210987654321:role/discord-agent-workspace-access"),
        (Ref(Kind.LOG_GROUP, "/aws/x", ":*"), "arn:aws:logs:eu-west-1:210987654321:log-group:/aws/x:*"),
        (Ref(Kind.IMAGE, "gateway_bridge"), "arn:aws:ecr:eu-west-1:210987654321:repository/discord-agent-gateway-bridge"),
        (Ref(Kind.SECRET, "model-key"), "arn:aws:ssm:eu-west-1:210987654321:parameter/discord-agent/model-key"),
        (Ref(Kind.ANYTHING, "*"), "*"),
    ],
)  # fmt: skip
def test_a_reference_in_a_grant_is_an_arn(ref: Ref, arn: str) -> None:
    assert ARNS.resource(ref) == arn


def test_every_role_is_found_under_its_arn_with_what_it_is_granted() -> None:
    policies = declared(ARNS)
    turn = policies.roles["arn:aws:iam::210987654321:role/discord-agent-turn"]
    workspace = policies.roles["arn:aws:iam::210987654321:role/discord-agent-workspace-access"]
    assert len(policies.roles) == len(ROLES)
    assert Granted("s3:PutObject", "arn:aws:s3:::my-files/threads/*") in turn.policy.grants
    assert (turn.trusted, workspace.trusted) == ((), ("arn:aws:iam::210987654321:role/discord-agent-turn",))


def test_policies_survive_being_written_down() -> None:
    policies = declared(ARNS)
    assert Policies.from_json(policies.documents).grants() == policies.grants()


@pytest.mark.parametrize(("role", "grant"), list(grants()))
def test_a_wildcard_has_a_reason_whoever_holds_it(role: str, grant: Grant) -> None:
    assert all("*" not in action for action in grant.actions), role
    is_wide = any(ref.kind is Kind.ANYTHING or "*" in ref.path for ref in grant.resources)
    assert grant.reason or not is_wide, role


def test_the_sandbox_may_write_logs_and_nothing_else() -> None:
    (grant,) = ROLES["function/sandbox"].grants
    assert set(grant.actions) == LOGS


@pytest.mark.parametrize("role", ROLES.values(), ids=list(ROLES))
def test_nothing_is_granted_twice(role: AccountRole) -> None:
    given = [
        (action, ARNS.resource(ref)) for grant in role.grants for action in grant.actions for ref in grant.resources
    ]
    within = [
        (one, two)
        for number, one in enumerate(given)
        for other, two in enumerate(given)
        if number != other and one[0] == two[0] and pattern(two[1]).fullmatch(one[1])
    ]
    assert within == []
