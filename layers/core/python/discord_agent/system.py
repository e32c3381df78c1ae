"""The declaration: every table, queue, bucket, function, service, permission and state machine, as typed data.

The development stack builds itself from it; deployments, documentation and tests read it too.
"""

from typing import Final

from discord_agent.declaration import (
    PREFIX,
    Bucket,
    Function,
    Grant,
    Index,
    Kind,
    Machine,
    Package,
    Queue,
    Ref,
    Role,
    Service,
    Source,
    System,
    Table,
)

TABLES: Final = {
    "sessions": Table("discord_sessions", "thread_id", "record"),
    "executions": Table(
        "discord_executions",
        "execution_id",
        indexes=(Index("thread_id-index", "thread_id", "created_at"),),
    ),
    "messages": Table("discord-messages", "pk", "sk"),
}

QUEUES: Final = {
    "messages": Queue("discord_messages.fifo", fifo=True, visibility=180, dead_letters="messages-dead"),
    "messages-dead": Queue("discord_messages_dead.fifo", fifo=True, visibility=360),
    "wakeups": Queue("discord_wakeups", visibility=360, dead_letters="wakeups-dead"),
    "wakeups-dead": Queue("discord_wakeups_dead", visibility=360),
    "events": Queue("agentic_events", dead_letters="events-dead"),
    "events-dead": Queue("agentic_events_dead"),
}

BUCKETS: Final = {"artifacts": Bucket("discord-bot-artifacts")}

SECRETS: Final = {
    "discord-token": f"{PREFIX}/discord-token",
    "model-key": f"{PREFIX}/model-key",
    "git-credentials": f"{PREFIX}/git-credentials",
    "tool-secrets": f"{PREFIX}/tool-secrets",
}

PARAMETERS: Final = {
    "DISCORD_API_URL": "https://discord.com/api/v10",
    "DISCORD_BOT_ID": "",
    "DISCORD_PUBLIC_KEY": "",
    "BOT_USERNAME": "nepnep",
    "OTHER_BOT_USERNAME": "bot2",
    "STALENESS_MINUTES": "30",
    "DEBOUNCE_SECONDS": "2",
    "LITELLM_BASE_URL": "",
    "PLANNER_MODEL_ID": "kimi-k2.5",
    "DECISION_MODEL_ID": "gemini-2.5-flash-lite",
    "REFLECTOR_MODEL_ID": "kimi-k2.5",
    "TITLE_MODEL_ID": "gemini-2.5-flash-lite",
    "MCP_SERVERS": "",
    "LOG_LEVEL": "INFO",
}
"""Deployment parameters with their defaults (behaviour contract, section 20)."""


def _table(key: str, path: str = "") -> Ref:
    return Ref(Kind.TABLE, key, path)


def _parameters(*names: str) -> tuple[tuple[str, Ref | str], ...]:
    return tuple((name, Ref(Kind.PARAMETER, name)) for name in names)


_LOG_ENV = _parameters("LOG_LEVEL")
_STATE_ENV: tuple[tuple[str, Ref | str], ...] = (
    ("DYNAMODB_SESSIONS_TABLE", _table("sessions")),
    ("DYNAMODB_EXECUTIONS_TABLE", _table("executions")),
    ("DYNAMODB_MESSAGES_TABLE", _table("messages")),
)
_EVENTS_ENV: tuple[tuple[str, Ref | str], ...] = (("AGENTIC_EVENTS_QUEUE_URL", Ref(Kind.QUEUE, "events")),)
_BUCKET_ENV: tuple[tuple[str, Ref | str], ...] = (("S3_ARTIFACT_BUCKET", Ref(Kind.BUCKET, "artifacts")),)
_DISCORD_ENV: tuple[tuple[str, Ref | str], ...] = (
    ("DISCORD_TOKEN_SECRET", Ref(Kind.SECRET, "discord-token")),
    *_parameters("DISCORD_API_URL", "DISCORD_BOT_ID", "BOT_USERNAME"),
)
_MODEL_ENV: tuple[tuple[str, Ref | str], ...] = (
    ("MODEL_KEY_SECRET", Ref(Kind.SECRET, "model-key")),
    *_parameters("LITELLM_BASE_URL", "PLANNER_MODEL_ID", "DECISION_MODEL_ID", "REFLECTOR_MODEL_ID", "TITLE_MODEL_ID"),
)
_GIT_ENV: tuple[tuple[str, Ref | str], ...] = (("GIT_CREDENTIALS_SECRET", Ref(Kind.SECRET, "git-credentials")),)
_SANDBOX_ENV: tuple[tuple[str, Ref | str], ...] = (
    ("SANDBOX_FUNCTION", Ref(Kind.FUNCTION, "sandbox")),
    ("WORKSPACE_ROLE_ARN", Ref(Kind.ROLE, "workspace")),
)

_TOOLS_ENV: tuple[tuple[str, Ref | str], ...] = (
    ("TOOL_SECRETS_SECRET", Ref(Kind.SECRET, "tool-secrets")),
    *_parameters("MCP_SERVERS"),
)

_RUN_ENV = _LOG_ENV + _STATE_ENV + _EVENTS_ENV + _DISCORD_ENV

_STATE = Grant(
    (
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
        "dynamodb:DeleteItem",
        "dynamodb:ConditionCheckItem",
        "dynamodb:Query",
    ),
    (_table("sessions"), _table("executions"), _table("executions", "index/*")),
    reason="every index of the table is for finding a thread's runs",
)
_AUDIT = Grant(("dynamodb:PutItem",), (_table("messages"),))
_READ_AUDIT = Grant(("dynamodb:Query",), (_table("messages"),))
_EVENTS = Grant(("sqs:SendMessage",), (Ref(Kind.QUEUE, "events"),))
_DISCORD = Grant(("secretsmanager:GetSecretValue",), (Ref(Kind.SECRET, "discord-token"),))
_MODEL = Grant(("secretsmanager:GetSecretValue",), (Ref(Kind.SECRET, "model-key"),))
_TOOLS = Grant(("secretsmanager:GetSecretValue",), (Ref(Kind.SECRET, "tool-secrets"),))
_GIT = Grant(("secretsmanager:GetSecretValue",), (Ref(Kind.SECRET, "git-credentials"),))
_EVERY_THREAD = "a step serves whichever thread its run is in; its lease says which one it may write to"
_READ_FILES = Grant(("s3:GetObject",), (Ref(Kind.BUCKET, "artifacts", "threads/*"),), reason=_EVERY_THREAD)
_WRITE_FILES = Grant(("s3:PutObject",), (Ref(Kind.BUCKET, "artifacts", "threads/*"),), reason=_EVERY_THREAD)
_LIST_FILES = Grant(
    ("s3:ListBucket",),
    (Ref(Kind.BUCKET, "artifacts"),),
    reason="the journal of a turn is found by prefix; without it S3 answers 403 instead of 404 for a missing key",
)
_DELETE_FILES = (
    Grant(
        ("s3:DeleteObject", "s3:DeleteObjectVersion"),
        (Ref(Kind.BUCKET, "artifacts", "threads/*"),),
        reason="whichever thread is deleted in Discord",
    ),
    Grant(
        ("s3:ListBucketVersions",),
        (Ref(Kind.BUCKET, "artifacts"),),
        reason="old versions go with a deleted thread; S3 has no narrower resource for listing",
    ),
)
_RUN = (_STATE, _AUDIT, _EVENTS, _DISCORD)


_FLOWS: Final = ("simple", "branch", "sequential_thinking", "breakglass")
"""The state machines that answer requests."""


def _consume(queue: str) -> Grant:
    return Grant(
        ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility"),
        (Ref(Kind.QUEUE, queue),),
    )


def _machines(*keys: str) -> tuple[tuple[str, Ref | str], ...]:
    return tuple((f"{key.upper()}_MACHINE_ARN", Ref(Kind.MACHINE, key)) for key in keys)


def _step(
    name: str,
    purpose: str,
    *,
    package: Package = Package.CORE,
    memory: int = 512,
    timeout: int = 60,
    environment: tuple[tuple[str, Ref | str], ...] = (),
    grants: tuple[Grant, ...] = (),
) -> Function:
    return Function(name, purpose, package, memory, timeout, _RUN_ENV + environment, _RUN + grants)


_FUNCTIONS: Final = (
    Function(
        "interactions",
        "verifies and acknowledges Discord's HTTP interactions and queues them",
        Package.CORE,
        memory=512,
        timeout=10,
        environment=(
            *_parameters("DISCORD_PUBLIC_KEY"),
            ("DISCORD_MESSAGES_QUEUE_URL", Ref(Kind.QUEUE, "messages")),
        ),
        grants=(Grant(("sqs:SendMessage",), (Ref(Kind.QUEUE, "messages"),)),),
        path="/interactions",
    ),
    Function(
        "intake",
        "decides what to do with each event from Discord",
        Package.CORE,
        memory=512,
        timeout=30,
        environment=(
            *_RUN_ENV,
            *_BUCKET_ENV,
            *_parameters("OTHER_BOT_USERNAME", "STALENESS_MINUTES", "DEBOUNCE_SECONDS"),
            ("WAKEUPS_QUEUE_URL", Ref(Kind.QUEUE, "wakeups")),
            *_machines(*_FLOWS, "approval"),
        ),
        grants=(
            *_RUN,
            _consume("messages"),
            Grant(("sqs:SendMessage",), (Ref(Kind.QUEUE, "wakeups"),)),
            Grant(
                ("states:SendTaskSuccess",),
                (Ref(Kind.MACHINE, "sequential_thinking"), Ref(Kind.MACHINE, "approval")),
            ),
            Grant(
                ("states:StartExecution",),
                tuple(Ref(Kind.MACHINE, key) for key in (*_FLOWS, "approval")),
            ),
            Grant(
                ("s3:PutObject",),
                (Ref(Kind.BUCKET, "artifacts", "threads/*/workspace/control/*"),),
                reason="stop markers only, in whichever thread somebody stops a run",
            ),
            # /workspace shows, copies and empties files, /status and /confidence read what was recorded.
            _READ_FILES,
            _WRITE_FILES,
            _LIST_FILES,
            *_DELETE_FILES,
            _READ_AUDIT,
        ),
        # One at a time: what stands behind a message that fails is neither tried nor lost with it.
        sources=(Source("messages", batch_size=1),),
    ),
    Function(
        "classify",
        "gathers an author's waiting messages, classifies the request and starts its flow",
        Package.MODELS,
        memory=1024,
        timeout=60,
        environment=(*_RUN_ENV, *_MODEL_ENV, *_machines(*_FLOWS)),
        grants=(
            *_RUN,
            _MODEL,
            _consume("wakeups"),
            Grant(("states:StartExecution",), tuple(Ref(Kind.MACHINE, key) for key in _FLOWS)),
        ),
        sources=(Source("wakeups", batch_size=1),),
    ),
    _step(
        "respond",
        "answers with one completion",
        package=Package.MODELS,
        memory=1024,
        timeout=240,
        environment=_MODEL_ENV,
        grants=(_MODEL,),
    ),
    _step(
        "breakglass",
        "answers with one completion of the model that somebody named",
        package=Package.MODELS,
        memory=1024,
        timeout=180,
        environment=_MODEL_ENV,
        grants=(_MODEL,),
    ),
    _step(
        "frame",
        "puts the question that models propose options for, and names the models",
        package=Package.MODELS,
        memory=1024,
        timeout=240,
        environment=_MODEL_ENV,
        grants=(_MODEL,),
    ),
    _step(
        "brainstorm",
        "has one model propose options",
        package=Package.MODELS,
        memory=1024,
        timeout=180,
        environment=_MODEL_ENV + _BUCKET_ENV,
        grants=(_MODEL, _WRITE_FILES),
    ),
    _step(
        "consolidate",
        "merges the proposals into the options that people choose from",
        package=Package.MODELS,
        memory=1024,
        timeout=180,
        environment=_MODEL_ENV + _BUCKET_ENV,
        grants=(_MODEL, _READ_FILES),
    ),
    _step(
        "prepare",
        "takes the lease, opens the thread, posts the start card, checks out the workspace",
        timeout=180,
        memory=1024,
        environment=_BUCKET_ENV + _GIT_ENV,
        grants=(_READ_FILES, _WRITE_FILES, _LIST_FILES, _GIT),
    ),
    _step(
        "plan",
        "plans the work with what earlier runs taught",
        package=Package.MODELS,
        memory=1024,
        timeout=480,
        environment=_MODEL_ENV + _BUCKET_ENV,
        grants=(_MODEL, _READ_FILES, _WRITE_FILES, _LIST_FILES),
    ),
    _step(
        "turn",
        "runs a bounded series of model calls and tool calls",
        package=Package.MODELS,
        memory=1024,
        timeout=900,
        environment=_MODEL_ENV + _BUCKET_ENV + _SANDBOX_ENV + _TOOLS_ENV,
        grants=(
            _MODEL,
            _TOOLS,
            _READ_FILES,
            _WRITE_FILES,
            _LIST_FILES,
            Grant(("lambda:InvokeFunction",), (Ref(Kind.FUNCTION, "sandbox"),)),
            Grant(("sts:AssumeRole",), (Ref(Kind.ROLE, "workspace"),)),
        ),
    ),
    _step(
        "escalation",
        "computes confidence and moves up a model tier when the run is stuck",
        environment=_BUCKET_ENV,
        grants=(_READ_FILES, _WRITE_FILES, _LIST_FILES),
    ),
    _step("checkpoint", "saves a checkpoint that people see"),
    _step("clarify", "parks the run with a question to people"),
    _step("evaluate", "scores the run"),
    _step(
        "reflect",
        "writes down what the run taught",
        package=Package.MODELS,
        memory=1024,
        timeout=120,
        environment=_MODEL_ENV + _BUCKET_ENV,
        grants=(_MODEL, _READ_FILES, _LIST_FILES),
    ),
    _step(
        "commit",
        "makes a branch with the run's changes",
        timeout=180,
        memory=1024,
        environment=_BUCKET_ENV + _GIT_ENV,
        grants=(_READ_FILES, _WRITE_FILES, _LIST_FILES, _GIT),
    ),
    _step(
        "finish",
        "posts the answer and starts the approval",
        timeout=120,
        environment=(*_BUCKET_ENV, *_machines("approval")),
        grants=(
            _READ_FILES,
            _WRITE_FILES,
            _LIST_FILES,
            Grant(("states:StartExecution",), (Ref(Kind.MACHINE, "approval"),)),
            Grant(("states:SendTaskSuccess",), (Ref(Kind.MACHINE, "approval"),)),
        ),
    ),
    _step(
        "approval",
        "waits for people's decision on a commit and carries it out",
        timeout=180,
        memory=1024,
        environment=_BUCKET_ENV + _GIT_ENV,
        grants=(_READ_FILES, _WRITE_FILES, _LIST_FILES, _GIT),
    ),
    Function(
        "fail",
        "ends a run that could not end itself: one terminal message, no lock left",
        Package.CORE,
        memory=512,
        timeout=60,
        environment=_RUN_ENV,
        grants=(*_RUN, _consume("messages-dead"), _consume("wakeups-dead")),
        sources=(Source("messages-dead", batch_size=1), Source("wakeups-dead", batch_size=1)),
        on_execution_status=True,
    ),
    Function(
        "sandbox",
        "runs the model's tools on a thread's files, without any rights of its own",
        Package.SANDBOX,
        memory=2048,
        timeout=600,
        environment=(),
        grants=(),
        tenant_isolated=True,
    ),
)

_MACHINES: Final = (
    Machine("simple", ("respond", "fail")),
    Machine("branch", ("frame", "brainstorm", "consolidate", "fail")),
    Machine("breakglass", ("breakglass", "fail")),
    Machine(
        "sequential_thinking",
        (
            "prepare",
            "plan",
            "turn",
            "escalation",
            "checkpoint",
            "clarify",
            "evaluate",
            "reflect",
            "commit",
            "finish",
            "fail",
        ),
    ),
    Machine("approval", ("approval", "fail")),
)

_BRIDGE: Final = Service(
    "gateway_bridge",
    "forwards what happens in Discord to the queue of inbound events",
    "gateway_bridge/Dockerfile",
    cpu=256,
    memory=512,
    environment=(
        *_LOG_ENV,
        ("DISCORD_TOKEN_SECRET", Ref(Kind.SECRET, "discord-token")),
        *_parameters("DISCORD_API_URL", "DISCORD_BOT_ID", "OTHER_BOT_USERNAME"),
        ("DISCORD_MESSAGES_QUEUE_URL", Ref(Kind.QUEUE, "messages")),
        ("DYNAMODB_SESSIONS_TABLE", _table("sessions")),
    ),
    grants=(
        _DISCORD,
        Grant(("sqs:SendMessage",), (Ref(Kind.QUEUE, "messages"),)),
        Grant(("dynamodb:UpdateItem",), (_table("sessions"),)),
    ),
    health_port=8080,
    stop_timeout=30,
)

ROLES: Final = {
    "workspace": Role(
        f"{PREFIX}-workspace-access",
        "what the sandbox may reach, narrowed per call to one thread and execution",
        assumed_by=("turn",),
        grants=(
            Grant(
                ("s3:GetObject",),
                (
                    Ref(Kind.BUCKET, "artifacts", "threads/*/workspace/packs/*"),
                    Ref(Kind.BUCKET, "artifacts", "threads/*/workspace/git/base.bundle"),
                    Ref(Kind.BUCKET, "artifacts", "threads/*/workspace/control/*"),
                ),
                reason="the session policy of each call names one thread and one execution",
            ),
            Grant(
                ("s3:PutObject",),
                (Ref(Kind.BUCKET, "artifacts", "threads/*/workspace/packs/*"),),
                reason="the session policy of each call names one thread, and lets packs be added only",
            ),
            Grant(
                ("s3:ListBucket",),
                (Ref(Kind.BUCKET, "artifacts"),),
                reason="without it S3 answers 403 instead of 404 while there is no stop marker or bundle",
            ),
        ),
    ),
}

SYSTEM: Final = System(
    tables=TABLES,
    queues=QUEUES,
    buckets=BUCKETS,
    secrets=SECRETS,
    functions={function.name: function for function in _FUNCTIONS},
    machines={machine.name: machine for machine in _MACHINES},
    roles=ROLES,
    parameters=PARAMETERS,
    services={_BRIDGE.name: _BRIDGE},
)


def thread_prefix(thread_id: str) -> str:
    """Where a thread's objects lie in the bucket."""
    return f"threads/{thread_id}/"
