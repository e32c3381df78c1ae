"""What functions need of the system: variables of their environment, and rights; the words the declaration is written in."""

from typing import Final

from discord_agent.declaration import ALIAS, Grant, Kind, Ref

type Environment = tuple[tuple[str, Ref | str], ...]
"""Variables by name, and what they hold."""


def table(key: str, path: str = "") -> Ref:
    """A table, or what ``path`` names of it."""
    return Ref(Kind.TABLE, key, path)


def parameters(*names: str) -> Environment:
    """Variables that hold the deployment parameters of the same names."""
    return tuple((name, Ref(Kind.PARAMETER, name)) for name in names)


LOG_ENV = parameters("LOG_LEVEL")
STATE_ENV: Environment = (
    ("DYNAMODB_SESSIONS_TABLE", table("sessions")),
    ("DYNAMODB_EXECUTIONS_TABLE", table("executions")),
    ("DYNAMODB_MESSAGES_TABLE", table("messages")),
)
EVENTS_ENV: Environment = (("AGENTIC_EVENTS_QUEUE_URL", Ref(Kind.QUEUE, "events")),)
BUCKET_ENV: Environment = (("S3_ARTIFACT_BUCKET", Ref(Kind.BUCKET, "artifacts")),)
DISCORD_ENV: Environment = (
    ("DISCORD_TOKEN_SECRET", Ref(Kind.SECRET, "discord-token")),
    *parameters("DISCORD_API_URL", "DISCORD_BOT_ID", "BOT_USERNAME"),
)
MODEL_ENV: Environment = (
    ("MODEL_KEY_SECRET", Ref(Kind.SECRET, "model-key")),
    *parameters("LITELLM_BASE_URL", "PLANNER_MODEL_ID", "DECISION_MODEL_ID", "REFLECTOR_MODEL_ID", "TITLE_MODEL_ID"),
)
GIT_ENV: Environment = (("GIT_CREDENTIALS_SECRET", Ref(Kind.SECRET, "git-credentials")),)
SANDBOX_MEMORY: Final = 2048
SANDBOX_ENV: Environment = (
    ("SANDBOX_FUNCTION", Ref(Kind.FUNCTION, "sandbox")),
    ("SANDBOX_MEMORY_MB", str(SANDBOX_MEMORY)),
    ("WORKSPACE_ROLE_ARN", Ref(Kind.ROLE, "workspace")),
)

TOOLS_ENV: Environment = (
    ("TOOL_SECRETS_SECRET", Ref(Kind.SECRET, "tool-secrets")),
    *parameters("MCP_SERVERS"),
)

RUN_ENV = LOG_ENV + STATE_ENV + EVENTS_ENV + DISCORD_ENV

KNOW = ("GetItem", "UpdateItem")
"""Read something and change it, or add to it."""
HOLD = ("UpdateItem", "ConditionCheckItem")
"""Take and renew a lease, and write what is conditional on it."""
PAY = ("GetItem", "PutItem", "UpdateItem")
"""Set money aside for a call of a model, and settle it."""
CLOSE = ("Query", "UpdateItem")
"""Find money that a run left open, and settle it."""
HEAR = ("Query", "UpdateItem", "DeleteItem")
"""Take messages up from a thread's inbox; a tombstone stays."""
LEARN = ("Query", "PutItem", "UpdateItem")
"""Keep lessons."""


def sessions(*uses: tuple[str, ...]) -> Grant:
    """What one does with the table of sessions, each use a tuple of operations."""
    return _items("sessions", *uses)


def executions(*uses: tuple[str, ...]) -> Grant:
    """The same of the rows of runs."""
    return _items("executions", *uses)


def _items(key: str, *uses: tuple[str, ...]) -> Grant:
    operations = dict.fromkeys(operation for use in uses for operation in use)
    return Grant(tuple(f"dynamodb:{operation}" for operation in operations), (table(key),))


LET_GO = Grant(
    ("dynamodb:DeleteItem",),
    (table("sessions"),),
    unexercised="only a thread's sixth lesson and a guild's twenty-first push the oldest out",
)
NEWEST = Grant(
    ("dynamodb:Query",),
    (table("executions", "index/*"),),
    reason="every index of the table is for finding a thread's runs",
)
AUDIT = Grant(("dynamodb:PutItem",), (table("messages"),))
READ_AUDIT = Grant(("dynamodb:Query",), (table("messages"),))
EVENTS = Grant(("sqs:SendMessage",), (Ref(Kind.QUEUE, "events"),))
DISCORD = Grant(("ssm:GetParameter",), (Ref(Kind.SECRET, "discord-token"),))
MODEL = Grant(("ssm:GetParameter",), (Ref(Kind.SECRET, "model-key"),))
TOOLS = Grant(("ssm:GetParameter",), (Ref(Kind.SECRET, "tool-secrets"),))
GIT = Grant(("ssm:GetParameter",), (Ref(Kind.SECRET, "git-credentials"),))
EVERY_THREAD = "a step serves whichever thread its run is in; its lease says which one it may write to"
READ_FILES = Grant(("s3:GetObject",), (Ref(Kind.BUCKET, "artifacts", "threads/*"),), reason=EVERY_THREAD)
WRITE_FILES = Grant(("s3:PutObject",), (Ref(Kind.BUCKET, "artifacts", "threads/*"),), reason=EVERY_THREAD)
LIST_FILES = Grant(
    ("s3:ListBucket",),
    (Ref(Kind.BUCKET, "artifacts"),),
    reason="the journal of a turn is found by prefix; without it S3 answers 403 instead of 404 for a missing key",
)
OWN_REPOSITORY = Grant(
    ("s3:GetObject", "s3:PutObject"),
    (Ref(Kind.BUCKET, "artifacts", "threads/*/git/*"),),
    reason="a decision is about whichever thread's commit it is; a thread may keep its repository here",
)
NOTHING_MISSES = Grant(
    ("s3:ListBucket",),
    (Ref(Kind.BUCKET, "artifacts"),),
    reason="without it S3 answers 403 instead of 404 for a missing key",
    unexercised="what is read was written by the steps before; only a lost object would tell",
)
DELETE_FILES = (
    Grant(
        ("s3:DeleteObjectVersion",),
        (Ref(Kind.BUCKET, "artifacts", "threads/*"),),
        reason="whichever thread is deleted in Discord",
    ),
    Grant(
        ("s3:ListBucketVersions",),
        (Ref(Kind.BUCKET, "artifacts"),),
        reason="old versions go with a deleted thread; S3 has no narrower resource for listing",
    ),
)

FLOWS: Final = ("simple", "branch", "sequential_thinking", "breakglass")
"""The state machines that answer requests."""


def consume(queue: str) -> tuple[Grant, ...]:
    """What it takes to be fed from a queue."""
    fed_from = (Ref(Kind.QUEUE, queue),)
    scaling = "Lambda asks when a mapping is made and while it scales; the pollers here have no need to"
    return (
        Grant(("sqs:ReceiveMessage", "sqs:DeleteMessage"), fed_from),
        Grant(("sqs:GetQueueAttributes",), fed_from, unexercised=scaling),
    )


def machines(*keys: str) -> Environment:
    """Variables that hold machines' ARNs."""
    return tuple((f"{key.upper()}_MACHINE_ARN", Ref(Kind.MACHINE, key)) for key in keys)


def start(*keys: str, unexercised: str = "") -> Grant:
    """What it takes to start executions of machines."""
    machines = tuple(Ref(Kind.MACHINE, key, f":{ALIAS}") for key in keys)
    return Grant(("states:StartExecution",), machines, unexercised=unexercised)


def answer(*keys: str) -> Grant:
    """What it takes to answer tasks of machines that wait for it.

    AWS's reference names no resource for this; its denials name the machine, and a policy on the machine's ARN was seen to
    let calls of functions through (aws/aws-cdk, pull request 8486).
    """
    return Grant(("states:SendTaskSuccess",), tuple(Ref(Kind.MACHINE, key) for key in keys))


def invoke(*keys: str) -> Grant:
    """What it takes to call functions."""
    return Grant(("lambda:InvokeFunction",), tuple(Ref(Kind.FUNCTION, key, f":{ALIAS}") for key in keys))
