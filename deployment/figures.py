"""What a deployment needs beside the declaration: the doors, the network and the rules around it, as data.

Both tools read these, so that neither has a figure of its own.
"""

from dataclasses import dataclass
from typing import Final

from discord_agent.declaration import PREFIX, STATUS_RULE


@dataclass(frozen=True, slots=True)
class Api:
    """The HTTP API that Discord calls; requests per second beyond ``rate`` and ``burst`` are turned away."""

    name: str = PREFIX
    stage: str = "$default"
    log_group: str = f"/aws/apigateway/{PREFIX}"
    rate: int = 50
    burst: int = 100
    payload_format: str = "2.0"
    access_log: tuple[tuple[str, str], ...] = (
        ("requestId", "$context.requestId"),
        ("requestTime", "$context.requestTime"),
        ("routeKey", "$context.routeKey"),
        ("status", "$context.status"),
        ("responseLatency", "$context.responseLatency"),
        ("integrationError", "$context.integrationErrorMessage"),
    )


@dataclass(frozen=True, slots=True)
class Network:
    """Where the bridge stands: public subnets, since Discord is outside and a NAT gateway costs more than the bridge."""

    name: str = PREFIX
    cidr: str = "10.80.0.0/24"
    subnets: tuple[str, ...] = ("10.80.0.0/26", "10.80.0.64/26")
    egress_port: int = 443


@dataclass(frozen=True, slots=True)
class StatusRule:
    """Tells of executions that ended in one of ``statuses``; what cannot be told goes to the queue ``dead_letters``."""

    name: str = STATUS_RULE
    statuses: tuple[str, ...] = ("FAILED", "TIMED_OUT", "ABORTED")
    dead_letters: str = "failures-dead"
    attempts: int = 185
    maximum_age: int = 86400


@dataclass(frozen=True, slots=True)
class Rollout:
    """How a service is replaced: stopped first, since two bridges would be two sessions of one shard; in percent."""

    minimum_healthy: int = 0
    maximum: int = 100
    platform: str = "1.4.0"


@dataclass(frozen=True, slots=True)
class Health:
    """How a container is asked whether it lives; seconds. ECS does not read the Dockerfile's own HEALTHCHECK."""

    command: tuple[str, ...] = (
        "CMD",
        "python",
        "-c",
        "import urllib.request as r; r.urlopen('http://127.0.0.1:8080/health', timeout=2)",
    )
    interval: int = 30
    timeout: int = 5
    retries: int = 3
    start_period: int = 30


@dataclass(frozen=True, slots=True)
class Figures:
    """All of them; ``policy`` is the name of each role's inline policy, ``incomplete_upload_days`` how long a bucket keeps uploads that never ended."""

    api: Api = Api()
    network: Network = Network()
    status_rule: StatusRule = StatusRule()
    rollout: Rollout = Rollout()
    health: Health = Health()
    cluster: str = PREFIX
    alarm_topic: str = f"{PREFIX}-alarms"
    dashboard: str = PREFIX
    policy: str = "declared"
    machine_log_level: str = "ALL"
    images_kept: int = 5
    incomplete_upload_days: int = 1
    handler: str = "handler.handler"
    runtime: str = "python3.13"


FIGURES: Final = Figures()
