"""What an environment is expected to hold, in an account and a region."""

from deployment import settings
from deployment.cli.expected import Expected
from discord_agent.declaration import Function, Kind, Package, Ref
from discord_agent.system import SYSTEM

RIGHT = {
    "TABLE": "discord_sessions",
    "BUCKET": "discord-bot-artifacts-123456789012-eu-west-1",
    "QUEUE": "https://sqs.eu-west-1.amazonaws.com/123456789012/agentic_events",
    "FUNCTION": "discord-agent-sandbox:live",
    "MACHINE": "arn:aws:states:eu-west-1:123456789012:stateMachine:discord-agent-approval:live",
    "ROLE": "arn:aws:iam::123456789012:role/discord-agent-workspace-access",
    "SECRET": "/discord-agent/model-key",
    "BOT_USERNAME": "ada",
    "TEXT": "as it is",
}
OWNER = Function(
    "one",
    "of each",
    Package.CORE,
    memory=128,
    timeout=3,
    environment=(
        ("TABLE", Ref(Kind.TABLE, "sessions")),
        ("BUCKET", Ref(Kind.BUCKET, "artifacts")),
        ("QUEUE", Ref(Kind.QUEUE, "events")),
        ("FUNCTION", Ref(Kind.FUNCTION, "sandbox")),
        ("MACHINE", Ref(Kind.MACHINE, "approval")),
        ("ROLE", Ref(Kind.ROLE, "workspace")),
        ("SECRET", Ref(Kind.SECRET, "model-key")),
        ("BOT_USERNAME", Ref(Kind.PARAMETER, "BOT_USERNAME")),
        ("EMPTY", Ref(Kind.PARAMETER, "DISCORD_BOT_ID")),
        ("TEXT", "as it is"),
    ),
    grants=(),
)


def expected(region: str = "eu-west-1", **given: str) -> Expected:
    return Expected(SYSTEM, settings.chosen(SYSTEM, {"bot_username": "ada", **given}), "123456789012", region)


def test_every_kind_of_reference_means_what_both_tools_make_of_it() -> None:
    assert expected().wrong_variables(OWNER, RIGHT | {"FURTHER": "variables are nobody's business"}) == []


def test_each_variable_that_is_not_as_declared_is_named() -> None:
    for name in RIGHT:
        assert expected().wrong_variables(OWNER, RIGHT | {name: "another"}) == [name]
        assert expected().wrong_variables(OWNER, {k: v for k, v in RIGHT.items() if k != name}) == [name]
    assert expected().wrong_variables(OWNER, RIGHT | {"EMPTY": "is not"}) == ["EMPTY"]


def test_a_chosen_bucket_and_another_partition_count() -> None:
    chosen = expected("cn-north-1", artifact_bucket="mine")
    assert chosen.bucket == "mine"
    assert chosen.live(SYSTEM.machines["simple"]).startswith("arn:aws-cn:states:cn-north-1:123456789012:")
