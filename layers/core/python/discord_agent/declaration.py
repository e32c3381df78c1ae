"""What a system is made of: tables, queues, functions, permissions and machines, as types."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

PREFIX: Final = "discord-agent"
ALIAS: Final = "live"
"""The alias through which functions and state machines are called: it points to the version that was deployed last."""
STATUS_RULE: Final = f"{PREFIX}-execution-status"
"""The EventBridge rule that matches executions of our machines which failed, timed out or were aborted."""


@dataclass(frozen=True, slots=True)
class Table:
    """A DynamoDB table, on demand, with point-in-time recovery and a TTL attribute; all keys are strings."""

    name: str
    partition_key: str
    sort_key: str | None = None
    indexes: tuple["Index", ...] = ()
    ttl_attribute: str = "ttl"


@dataclass(frozen=True, slots=True)
class Index:
    """A global secondary index that projects everything."""

    name: str
    partition_key: str
    sort_key: str


@dataclass(frozen=True, slots=True)
class Queue:
    """An SQS queue; times in seconds. ``dead_letters`` names the queue for what failed ``max_receives`` times."""

    name: str
    fifo: bool = False
    visibility: int = 30
    retention: int = 14 * 86400
    dead_letters: str | None = None
    max_receives: int = 3


@dataclass(frozen=True, slots=True)
class Bucket:
    """An S3 bucket: encrypted, versioned, TLS only, no public access; objects expire after ``expiry_days``."""

    name: str
    expiry_days: int = 30


class Kind(StrEnum):
    """What a reference points to."""

    TABLE = "table"
    QUEUE = "queue"
    BUCKET = "bucket"
    FUNCTION = "function"
    MACHINE = "machine"
    SECRET = "secret"
    ROLE = "role"
    PARAMETER = "parameter"
    LOG_GROUP = "log_group"
    IMAGE = "image"
    SETTING = "setting"
    ANYTHING = "anything"


@dataclass(frozen=True, slots=True)
class Ref:
    """A reference to something declared here (by its key), or to a deployment parameter; resolved when deployed.

    In an environment a table, bucket and secret resolve to the name, a function to its name with the alias, a queue to
    the URL, a machine to the ARN of its alias, and a role to the ARN. In a grant all resolve to ARNs, a log group by its
    name, an image to the repository that a service's or function's image lies in, and anything to ``*``; ``path`` narrows a bucket, adds a table's indexes, or the alias of what is called by it.
    """

    kind: Kind
    key: str
    path: str = ""


@dataclass(frozen=True, slots=True)
class Grant:
    """IAM actions on resources; ``reason`` explains a wildcard or anything else a reviewer would ask about.

    ``unexercised`` says why none of it is ever used on the development stack, "" if it is.
    """

    actions: tuple[str, ...]
    resources: tuple[Ref, ...]
    reason: str = ""
    unexercised: str = ""


@dataclass(frozen=True, slots=True)
class Role:
    """A role that functions assume to hand out less than they have; a session policy narrows it further."""

    name: str
    purpose: str
    assumed_by: tuple[str, ...]
    grants: tuple[Grant, ...]


class Package(StrEnum):
    """How a function is packed: which dependencies it may import."""

    CORE = "core"
    GIT = "git"
    MODELS = "models"
    SANDBOX = "sandbox"


LAYERS: Final = {
    Package.CORE: ("core", "core-dependencies"),
    Package.GIT: ("core", "core-dependencies", "git-dependencies"),
    Package.MODELS: ("core", "core-dependencies", "models-dependencies"),
    Package.SANDBOX: (),
}
"""The layers that functions of a package are made of; the sandbox is a container image instead."""


@dataclass(frozen=True, slots=True)
class Source:
    """A queue that a function consumes."""

    queue: str
    batch_size: int = 10
    maximum_concurrency: int = 10


@dataclass(frozen=True, slots=True)
class Function:
    """A Lambda function: memory in MB, timeout in seconds; ``environment`` maps variable names to values.

    ``path`` is where an HTTP API hands POST requests to it, "" for nowhere. ``dead_letters`` is the queue for
    asynchronous events that no attempt could handle. ``reserved`` keeps and bounds its concurrency.
    """

    name: str
    purpose: str
    package: Package
    memory: int
    timeout: int
    environment: tuple[tuple[str, Ref | str], ...]
    grants: tuple[Grant, ...]
    sources: tuple[Source, ...] = ()
    path: str = ""
    tenant_isolated: bool = False
    on_execution_status: bool = False
    dead_letters: str | None = None
    reserved: int | None = None

    @property
    def physical_name(self) -> str:
        """The function's name in AWS."""
        return f"{PREFIX}-{self.name}"

    @property
    def log_group(self) -> str:
        """Where its logs go."""
        return f"/aws/lambda/{self.physical_name}"


@dataclass(frozen=True, slots=True)
class Service:
    """A container that always runs, one at a time: CPU in 1/1024 of a core, memory in MB, times in seconds.

    It serves ``/health`` and ``/ready`` on ``health_port``; SIGTERM gives it ``stop_timeout`` to end in good order.
    """

    name: str
    purpose: str
    dockerfile: str
    cpu: int
    memory: int
    environment: tuple[tuple[str, Ref | str], ...]
    grants: tuple[Grant, ...]
    health_port: int
    stop_timeout: int

    @property
    def physical_name(self) -> str:
        """The service's name in AWS."""
        return f"{PREFIX}-{self.name.replace('_', '-')}"

    @property
    def log_group(self) -> str:
        """Where its logs go."""
        return f"/aws/ecs/{self.physical_name}"


@dataclass(frozen=True, slots=True)
class Machine:
    """A Standard state machine; its definition is ``statemachines/<name>.asl.json`` and calls ``functions``."""

    name: str
    functions: tuple[str, ...]

    @property
    def physical_name(self) -> str:
        """The machine's name in AWS."""
        return f"{PREFIX}-{self.name}"

    @property
    def log_group(self) -> str:
        """Where its logs go; under this prefix AWS keeps the policy that lets it write from growing with each machine."""
        return f"/aws/vendedlogs/states/{self.physical_name}"


@dataclass(frozen=True, slots=True)
class Setting:
    """A choice of whoever deploys; ``choices`` are its values, () for any text."""

    default: str
    purpose: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Metric:
    """A CloudWatch metric; a reference in its ``dimensions`` resolves to the name of what it refers to."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, Ref | str], ...] = ()


class Comparison(StrEnum):
    """How a figure must lie to the threshold for an alarm to sound."""

    AT_LEAST = "GreaterThanOrEqualToThreshold"
    BELOW = "LessThanThreshold"


class Missing(StrEnum):
    """What an alarm makes of periods without data."""

    GOOD = "notBreaching"
    BAD = "breaching"
    UNCHANGED = "ignore"


@dataclass(frozen=True, slots=True)
class Alarm:
    """A CloudWatch alarm on one metric, which is what it is charged for; ``period`` in seconds.

    It sounds once the metric's ``statistic`` was so compared to ``threshold`` in ``periods`` periods on end. A reference
    as the threshold is a setting. ``runbook`` is the heading in docs/RUNBOOK.md that says what to do. ``only_with`` is
    the setting that must be ``true`` for the alarm to exist, "" for always.
    """

    name: str
    purpose: str
    runbook: str
    metric: Metric
    statistic: str
    comparison: Comparison
    threshold: float | Ref
    period: int = 300
    periods: int = 1
    missing: Missing = Missing.GOOD
    only_with: str = ""

    @property
    def physical_name(self) -> str:
        """The alarm's name in AWS."""
        return f"{PREFIX}-{self.name}"

    @property
    def anchor(self) -> str:
        """Where the runbook says what to do."""
        words = "".join(letter for letter in self.runbook.lower() if letter.isalnum() or letter in " -")
        return f"docs/RUNBOOK.md#{words.replace(' ', '-')}"

    @property
    def description(self) -> str:
        """What people read when it sounds."""
        return f"{self.purpose}. What to do: {self.anchor}"


@dataclass(frozen=True, slots=True)
class System:
    """Everything there is, by key; ``log_retention`` in days."""

    tables: dict[str, Table]
    queues: dict[str, Queue]
    buckets: dict[str, Bucket]
    secrets: dict[str, str]
    functions: dict[str, Function]
    machines: dict[str, Machine]
    parameters: dict[str, str]
    services: dict[str, Service] = field(default_factory=dict)
    roles: dict[str, Role] = field(default_factory=dict)
    settings: dict[str, Setting] = field(default_factory=dict)
    alarms: dict[str, Alarm] = field(default_factory=dict)
    log_retention: int = 30
