"""The gateway bridge's process: ``python -m gateway_bridge``."""

import asyncio
import logging
import os
import random
import signal
import socket
import sys
from typing import Final

import boto3
import httpx
from botocore.config import Config

from discord_agent.adapters.clock import SystemClock
from discord_agent.adapters.discord.client import RestClient
from discord_agent.adapters.dynamodb.store import Store
from discord_agent.adapters.inbound_queue import SqsInboundQueue
from discord_agent.adapters.metrics import EmfMetrics
from discord_agent.adapters.secrets import ParameterStoreSecrets
from discord_agent.domain import measures
from discord_agent.domain.errors import AgentError
from discord_agent.settings import environment
from gateway_bridge.bridge import Bridge, Pace, Ports
from gateway_bridge.conversation import Credentials
from gateway_bridge.counters import Counters, JsonLines
from gateway_bridge.health import serve_health
from gateway_bridge.relevance import Relevance
from gateway_bridge.settings import BridgeSettings
from gateway_bridge.store import ShardStore

_LOG = logging.getLogger("gateway_bridge")
_AWS: Final = Config(connect_timeout=3, read_timeout=10, retries={"total_max_attempts": 2, "mode": "standard"})


def read_token(name: str) -> str:
    """The bot's token, read once: a rotated one needs a new session anyway."""
    return ParameterStoreSecrets(boto3.client("ssm", config=_AWS), SystemClock()).get(name)


def compose(settings: BridgeSettings) -> Bridge:
    """The bridge with its real adapters."""
    clock = SystemClock()
    token = read_token(settings.token_secret)
    owner = f"{socket.gethostname()}/{os.getpid()}/{random.SystemRandom().getrandbits(32):08x}"
    http = httpx.Client(timeout=httpx.Timeout(10, connect=3))
    metrics = EmfMetrics(clock)
    ports = Ports(
        queue=SqsInboundQueue(boto3.client("sqs", config=_AWS), settings.queue_url),
        rest=RestClient(
            http,
            api_url=settings.api_url,
            token=lambda: token,
            on_limited=lambda: metrics.record(measures.RATE_LIMITS),
        ),
        store=ShardStore(
            Store(boto3.client("dynamodb", config=_AWS)),
            settings.sessions_table,
            bot_id=settings.bot_id,
            shard_id=settings.shard_id,
            owner=owner,
            now=clock.now,
        ),
        metrics=metrics,
        now=clock.now,
    )
    credentials = Credentials(token, settings.intents, (settings.shard_id, settings.shard_count))
    relevance = Relevance(settings.bot_id, settings.other_bot_username)
    return Bridge(ports, credentials, relevance, Counters(), Pace(lease=settings.lease_seconds))


async def serve(settings: BridgeSettings) -> None:
    """Run until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    bridge = compose(settings)
    server = await serve_health(settings.health_host, settings.health_port, bridge.conditions, SystemClock().now)
    port = next(iter(server.sockets)).getsockname()[1]
    _LOG.info("health is served", extra={"host": settings.health_host, "port": port})
    async with server:
        await bridge.run(stop)


def log_as_json(level: str) -> None:
    """Log lines as JSON on stderr; libraries only when something is wrong (websockets logs tokens at DEBUG)."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    _LOG.setLevel(level)


def main() -> int:
    """Exit code 0 after a stop, 1 when the bridge cannot go on."""
    try:
        settings = BridgeSettings.read(environment())
        log_as_json(settings.log_level)
        asyncio.run(serve(settings))
    except AgentError as error:
        _LOG.critical("%s: %s", type(error).__name__, error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
