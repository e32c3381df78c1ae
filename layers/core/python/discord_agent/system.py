"""The declaration: every table, queue, bucket, function, service, permission and state machine, as typed data.

The development stack builds itself from it; deployments, documentation and tests read it too.
"""

from dataclasses import replace
from typing import Final

from discord_agent.choices import PARAMETERS, SETTINGS
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
from discord_agent.needs import (
    AUDIT,
    BUCKET_ENV,
    CLOSE,
    DELETE_FILES,
    DISCORD,
    EVENTS,
    FLOWS,
    GIT,
    GIT_ENV,
    HEAR,
    HOLD,
    KNOW,
    LEARN,
    LET_GO,
    LIST_FILES,
    LOG_ENV,
    MODEL,
    MODEL_ENV,
    NEWEST,
    NOTHING_MISSES,
    OWN_REPOSITORY,
    PAY,
    READ_AUDIT,
    READ_FILES,
    RUN_ENV,
    SANDBOX_ENV,
    TOOLS,
    TOOLS_ENV,
    WRITE_FILES,
    Environment,
    answer,
    consume,
    executions,
    invoke,
    machines,
    parameters,
    sessions,
    start,
    table,
)
from discord_agent.operations import alarms

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
    "failures-dead": Queue("discord_failures_dead"),
}

BUCKETS: Final = {"artifacts": Bucket("discord-bot-artifacts")}

SECRETS: Final = {
    "discord-token": f"/{PREFIX}/discord-token",
    "model-key": f"/{PREFIX}/model-key",
    "git-credentials": f"/{PREFIX}/git-credentials",
    "tool-secrets": f"/{PREFIX}/tool-secrets",
}


def _step(
    name: str,
    purpose: str,
    *,
    package: Package = Package.CORE,
    memory: int = 512,
    timeout: int = 60,
    environment: Environment = (),
    grants: tuple[Grant, ...] = (),
) -> Function:
    return Function(name, purpose, package, memory, timeout, RUN_ENV + environment, (AUDIT, *grants))


_FUNCTIONS: Final = (
    Function(
        "interactions",
        "verifies and acknowledges Discord's HTTP interactions and queues them",
        Package.CORE,
        memory=512,
        timeout=10,
        environment=(
            *parameters("DISCORD_PUBLIC_KEY"),
            ("DISCORD_MESSAGES_QUEUE_URL", Ref(Kind.QUEUE, "messages")),
        ),
        grants=(Grant(("sqs:SendMessage",), (Ref(Kind.QUEUE, "messages"),)),),
        path="/interactions",
        reserved=20,
    ),
    Function(
        "intake",
        "decides what to do with each event from Discord",
        Package.CORE,
        memory=512,
        timeout=30,
        environment=(
            *RUN_ENV,
            *BUCKET_ENV,
            *parameters("OTHER_BOT_USERNAME", "STALENESS_MINUTES", "DEBOUNCE_SECONDS"),
            ("WAKEUPS_QUEUE_URL", Ref(Kind.QUEUE, "wakeups")),
            *machines(*FLOWS, "approval"),
        ),
        grants=(
            AUDIT,
            DISCORD,
            *consume("messages"),
            sessions(KNOW, HOLD, HEAR, LEARN),
            executions(KNOW, ("PutItem",)),
            NEWEST,
            Grant(("sqs:SendMessage",), (Ref(Kind.QUEUE, "wakeups"),)),
            answer("sequential_thinking", "approval"),
            start("simple", "sequential_thinking", "approval"),
            start("branch", "breakglass", unexercised="no story here takes up a run of these flows again"),
            # /workspace shows, copies and empties files, /status and /confidence read what was recorded; stop markers.
            READ_FILES,
            WRITE_FILES,
            LIST_FILES,
            *DELETE_FILES,
            READ_AUDIT,
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
        environment=(*RUN_ENV, *MODEL_ENV, *machines(*FLOWS)),
        grants=(
            AUDIT,
            DISCORD,
            MODEL,
            *consume("wakeups"),
            sessions(KNOW, PAY, HEAR),
            executions(("GetItem", "PutItem")),
            start(*FLOWS),
        ),
        sources=(Source("wakeups", batch_size=1),),
    ),
    _step(
        "respond",
        "answers with one completion",
        package=Package.MODELS,
        memory=1024,
        timeout=240,
        environment=MODEL_ENV,
        grants=(EVENTS, DISCORD, MODEL, sessions(KNOW, PAY, CLOSE), executions(KNOW)),
    ),
    _step(
        "breakglass",
        "answers with one completion of the model that somebody named",
        package=Package.MODELS,
        memory=1024,
        timeout=180,
        environment=MODEL_ENV,
        grants=(EVENTS, DISCORD, MODEL, sessions(KNOW, PAY, CLOSE), executions(KNOW)),
    ),
    _step(
        "frame",
        "puts the question that models propose options for, and names the models",
        package=Package.MODELS,
        memory=1024,
        timeout=240,
        environment=MODEL_ENV,
        grants=(EVENTS, DISCORD, MODEL, sessions(KNOW, PAY), executions(KNOW)),
    ),
    _step(
        "brainstorm",
        "has one model propose options",
        package=Package.MODELS,
        memory=1024,
        timeout=180,
        environment=MODEL_ENV + BUCKET_ENV,
        grants=(DISCORD, MODEL, sessions(PAY), executions(("GetItem",)), WRITE_FILES),
    ),
    _step(
        "consolidate",
        "merges the proposals into the options that people choose from",
        package=Package.MODELS,
        memory=1024,
        timeout=180,
        environment=MODEL_ENV + BUCKET_ENV,
        grants=(EVENTS, DISCORD, MODEL, sessions(PAY, CLOSE), executions(KNOW), READ_FILES),
    ),
    _step(
        "prepare",
        "takes the lease, opens the thread, posts the start card, checks out the workspace",
        package=Package.GIT,
        timeout=180,
        memory=1024,
        environment=BUCKET_ENV + GIT_ENV,
        grants=(EVENTS, DISCORD, sessions(KNOW, HOLD), executions(KNOW), READ_FILES, WRITE_FILES, LIST_FILES, GIT),
    ),
    _step(
        "plan",
        "plans the work with what earlier runs taught",
        package=Package.MODELS,
        memory=1024,
        timeout=480,
        environment=MODEL_ENV + BUCKET_ENV,
        grants=(
            DISCORD,
            MODEL,
            sessions(KNOW, HOLD, PAY, LEARN),
            LET_GO,
            executions(KNOW),
            READ_FILES,
            WRITE_FILES,
            LIST_FILES,
        ),
    ),
    _step(
        "turn",
        "runs a bounded series of model calls and tool calls",
        package=Package.MODELS,
        memory=1024,
        timeout=900,
        environment=MODEL_ENV + BUCKET_ENV + SANDBOX_ENV + TOOLS_ENV,
        grants=(
            EVENTS,
            DISCORD,
            MODEL,
            TOOLS,
            sessions(KNOW, HOLD, PAY, CLOSE, HEAR),
            executions(KNOW),
            READ_FILES,
            WRITE_FILES,
            LIST_FILES,
            invoke("sandbox"),
            Grant(("sts:AssumeRole",), (Ref(Kind.ROLE, "workspace"),)),
        ),
    ),
    _step(
        "escalation",
        "computes confidence and moves up a model tier when the run is stuck",
        environment=BUCKET_ENV,
        grants=(EVENTS, DISCORD, sessions(KNOW, HOLD), executions(KNOW), READ_FILES, WRITE_FILES, LIST_FILES),
    ),
    _step(
        "checkpoint",
        "saves a checkpoint that people see",
        grants=(DISCORD, sessions(HOLD), executions(("UpdateItem",))),
    ),
    _step("clarify", "parks the run with a question to people", grants=(DISCORD, sessions(HOLD), executions(KNOW))),
    _step("evaluate", "scores the run", grants=(sessions(KNOW, HOLD),)),
    _step(
        "reflect",
        "writes down what the run taught",
        package=Package.MODELS,
        memory=1024,
        timeout=120,
        environment=MODEL_ENV + BUCKET_ENV,
        grants=(MODEL, sessions(KNOW, HOLD, PAY, LEARN), LET_GO, READ_FILES, LIST_FILES),
    ),
    _step(
        "commit",
        "makes a branch with the run's changes",
        package=Package.GIT,
        timeout=180,
        memory=1024,
        environment=BUCKET_ENV + GIT_ENV,
        grants=(EVENTS, sessions(KNOW, HOLD), READ_FILES, WRITE_FILES, LIST_FILES, GIT),
    ),
    _step(
        "finish",
        "posts the answer and starts the approval",
        timeout=120,
        environment=(*BUCKET_ENV, *machines("approval")),
        grants=(
            EVENTS,
            DISCORD,
            sessions(KNOW, HOLD, CLOSE),
            executions(KNOW),
            NEWEST,
            READ_FILES,
            WRITE_FILES,
            NOTHING_MISSES,
            start("approval"),
            answer("approval"),
        ),
    ),
    _step(
        "approval",
        "waits for people's decision on a commit and carries it out",
        package=Package.GIT,
        timeout=180,
        memory=1024,
        environment=BUCKET_ENV + GIT_ENV,
        grants=(EVENTS, DISCORD, sessions(KNOW, HOLD), executions(KNOW), OWN_REPOSITORY, NOTHING_MISSES, GIT),
    ),
    Function(
        "fail",
        "ends a run that could not end itself: one terminal message, no lock left",
        Package.CORE,
        memory=512,
        timeout=60,
        environment=RUN_ENV,
        grants=(
            AUDIT,
            EVENTS,
            DISCORD,
            *consume("messages-dead"),
            *consume("wakeups-dead"),
            sessions(KNOW, CLOSE, HEAR),
            executions(KNOW),
            replace(NEWEST, unexercised="every event that is lost here mentions the bot"),
        ),
        sources=(Source("messages-dead", batch_size=1), Source("wakeups-dead", batch_size=1)),
        on_execution_status=True,
        dead_letters="failures-dead",
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
        *LOG_ENV,
        ("DISCORD_TOKEN_SECRET", Ref(Kind.SECRET, "discord-token")),
        *parameters("DISCORD_API_URL", "DISCORD_BOT_ID", "OTHER_BOT_USERNAME"),
        ("DISCORD_MESSAGES_QUEUE_URL", Ref(Kind.QUEUE, "messages")),
        ("DYNAMODB_SESSIONS_TABLE", table("sessions")),
    ),
    grants=(
        DISCORD,
        Grant(("sqs:SendMessage",), (Ref(Kind.QUEUE, "messages"),)),
        Grant(("dynamodb:UpdateItem",), (table("sessions"),)),
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
    settings=SETTINGS,
    alarms={alarm.name: alarm for alarm in alarms(QUEUES)},
)


def thread_prefix(thread_id: str) -> str:
    """Where a thread's objects lie in the bucket."""
    return f"threads/{thread_id}/"
