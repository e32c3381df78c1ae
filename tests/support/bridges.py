"""A gateway bridge under test, its queue, and a look into both."""

import asyncio
import threading
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

import httpx

from devstack.discord.server import DiscordServer
from discord_agent.adapters.discord.client import RestClient
from discord_agent.adapters.dynamodb.store import Store
from discord_agent.adapters.inbound_queue import SqsInboundQueue
from discord_agent.domain.errors import StateUnavailable
from discord_agent.envelope import Envelope
from discord_agent.holdings import TABLES
from gateway_bridge.bridge import Bridge, Pace, Ports
from gateway_bridge.conversation import Credentials
from gateway_bridge.counters import Counters
from gateway_bridge.relevance import Relevance
from gateway_bridge.settings import DEFAULT_INTENTS
from gateway_bridge.state import State, read_state, write_state
from gateway_bridge.store import ShardStore
from tests.support.data_plane import client
from tests.support.eventually import eventually
from tests.support.fakes.outside import FakeMetrics

SESSIONS = TABLES["sessions"].name
BRISK = Pace(first_backoff=0.05, longest_backoff=0.5, invalid_session=(0.0, 0.05), flush=5.0, lease=1.0)


@dataclass
class InboundQueueUnderTest:
    """A FIFO queue of its own; ``is_down`` makes it refuse."""

    endpoint: str
    is_down: bool = False
    url: str = field(init=False)

    def __post_init__(self) -> None:
        self._sqs = client("sqs", self.endpoint)
        self.dynamodb = client("dynamodb", self.endpoint)
        name = f"{uuid.uuid4().hex}.fifo"
        self.url = self._sqs.create_queue(QueueName=name, Attributes={"FifoQueue": "true"})["QueueUrl"]
        self._real = SqsInboundQueue(self._sqs, self.url)

    def put(self, envelope: Envelope, *, occurrence: str = "") -> None:
        """Queue an event, unless down."""
        if self.is_down:
            raise StateUnavailable("switched off")
        self._real.put(envelope, occurrence=occurrence)

    def take(self) -> list[tuple[Envelope, str]]:
        """What lies in the queue, in order, with each message's group; the queue is empty then."""
        taken: list[tuple[Envelope, str]] = []
        while True:
            answer = self._sqs.receive_message(
                QueueUrl=self.url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]
            )
            for message in answer.get("Messages", []):
                taken.append((Envelope.read(message["Body"]), message["Attributes"]["MessageGroupId"]))
                self._sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
            if not answer.get("Messages"):
                return taken

    def stored_state(self, server: DiscordServer) -> State:
        """What the bridge stored of its shard."""
        item = self.dynamodb.get_item(TableName=SESSIONS, Key=_key(server), ConsistentRead=True)["Item"]
        return read_state(item["state"]["S"])

    def store_state(self, server: DiscordServer, state: State) -> None:
        """Replace it."""
        self.dynamodb.update_item(
            TableName=SESSIONS,
            Key=_key(server),
            UpdateExpression="SET #s = :s",
            ExpressionAttributeNames={"#s": "state"},
            ExpressionAttributeValues={":s": {"S": write_state(state)}},
        )

    def contents(self, *, until: str, seconds: float = 10) -> list[str]:
        """The texts of the messages that arrive, up to and including ``until``."""
        arrived: list[str] = []

        def is_complete() -> bool:
            arrived.extend(str(envelope.data.get("content", envelope.event)) for envelope, _ in self.take())
            return until in arrived

        eventually(is_complete, seconds=seconds)
        return arrived


class Inbound(Protocol):
    """Where a bridge puts events, and the tables in which it keeps its state."""

    @property
    def dynamodb(self) -> Any:
        """A client of DynamoDB."""
        ...

    def put(self, envelope: Envelope, *, occurrence: str = "") -> None:
        """Queue an event."""
        ...


class RunningBridge:
    """A bridge on an event loop in a thread of its own."""

    def __init__(self, server: DiscordServer, queue: Inbound, http: httpx.Client, **options: Any) -> None:
        self.counters = Counters()
        self.metrics = FakeMetrics()
        self.error: BaseException | None = None
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        store = ShardStore(
            Store(queue.dynamodb),
            SESSIONS,
            bot_id=options.get("namespace", server.bot_id),
            shard_id=0,
            owner=uuid.uuid4().hex,
            now=_now,
        )
        rest = RestClient(http, api_url=server.api_url, token=lambda: server.token)
        self.bridge = Bridge(
            Ports(queue, rest, store, self.metrics, _now),
            Credentials(options.get("token", server.token), options.get("intents", DEFAULT_INTENTS), (0, 1)),
            Relevance(server.bot_id),
            self.counters,
            options.get("pace", BRISK),
        )
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    @property
    def is_ready(self) -> bool:
        """Whether every condition of readiness holds."""
        return all(self.bridge.conditions().values())

    def stop(self) -> None:
        """What SIGTERM does; nothing if it has ended."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
        self.join()

    def join(self) -> None:
        """Wait for its end."""
        self._thread.join(20)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            try:
                runner.run(self.bridge.run(self._stop))
            except Exception as error:  # noqa: BLE001 - handed to the test's thread
                self.error = error


@contextmanager
def bridge(server: DiscordServer, queue: InboundQueueUnderTest, **options: Any) -> Iterator[RunningBridge]:
    """A bridge that is ready, stopped in good order at the end."""
    with closing(httpx.Client(timeout=5)) as http:
        running = RunningBridge(server, queue, http, **options)
        try:
            if options.get("wait", True):
                eventually(lambda: running.is_ready, seconds=15)
            yield running
        finally:
            running.stop()


def _key(server: DiscordServer) -> dict[str, Any]:
    return {"thread_id": {"S": f"bridge#{server.bot_id}"}, "record": {"S": "shard#0"}}


def _now() -> datetime:
    return datetime.now(UTC)
