"""What surrounds every step in a Lambda: settings, composition once per environment, parsing, logging."""

import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import replace
from functools import lru_cache, wraps
from typing import Any, Protocol

from msgspec.structs import asdict

from discord_agent.adapters.clock import SystemClock
from discord_agent.adapters.codec import from_json, to_json
from discord_agent.adapters.logging import correlated
from discord_agent.adapters.metering import meter
from discord_agent.adapters.tracing import XRayTracer
from discord_agent.domain.cloud import CloudUse
from discord_agent.domain.errors import InvalidEvent
from discord_agent.domain.run import RunState, Voice
from discord_agent.settings import HostSettings, TraceSettings, environment

type Event = dict[str, Any]
type Handler = Callable[[Event, "Context"], Any]
type Build[Step] = Callable[[Mapping[str, str]], Step]

_LOG = logging.getLogger(__name__)


class Context(Protocol):
    """What is used of the Lambda context."""

    aws_request_id: str


def composed[Step](build: Build[Step]) -> Callable[[], Step]:
    """Compose a step on its first use, once: the runtime writes a trace id into the environment for every event."""
    return lru_cache(maxsize=1)(lambda: build(environment()))


def accounted[Result](handler: Callable[[Event, "Context"], Result]) -> Callable[[Event, "Context"], Result]:
    """The handler, which says in one line of the log what each event took of AWS, in CloudUse's counts."""

    @wraps(handler)
    def accounting(event: Event, context: Context) -> Result:
        before = meter().total
        try:
            return handler(event, context)
        finally:
            taken = asdict(meter().total - before)
            _LOG.info("took", extra={f"aws_{name}": count for name, count in taken.items() if count})

    return accounting


def run_step(build: Build[Callable[[RunState], RunState]], *, transitions: int = 1) -> Handler:
    """A handler that takes a run and returns it changed, with what that took of AWS added to it.

    ``transitions`` are the states that the machine enters for this step.
    """
    step, host = composed(build), composed(HostSettings.read)

    def handler(event: Event, context: Context) -> Event:
        play, run = step(), from_json(RunState, event)
        with at_work(run, context):
            after, used = _metered(lambda: play(run), host().memory_mb, transitions)
            result: Event = to_json(replace(after, cloud=run.cloud + used))
        return result

    return accounted(handler)


def voice_step(build: Build[Callable[[RunState, Voice], Voice]]) -> Handler:
    """A handler that takes ``{run, voice}`` and returns the voice with what came of it, and what that took of AWS."""
    step, host = composed(build), composed(HostSettings.read)

    def handler(event: Event, context: Context) -> Event:
        play, run, voice = step(), run_of(event), from_json(Voice, event.get("voice"))
        with at_work(run, context, voice=voice.number):
            after, used = _metered(lambda: play(run, voice), host().memory_mb, transitions=1)
            result: Event = to_json(replace(after, cloud=used))
        return result

    return accounted(handler)


def tracer() -> XRayTracer:
    """What tells Lambda's X-Ray daemon of spans, whichever invocation they belong to."""
    variables = environment()
    daemon = TraceSettings.read(variables).daemon
    return XRayTracer(daemon, lambda: TraceSettings.read(variables).header, SystemClock())


@contextmanager
def at_work(run: RunState, context: Context, **fields: int) -> Iterator[None]:
    """Find by execution and thread what is logged and traced meanwhile; ``fields`` narrow it further."""
    named: dict[str, str | int] = {
        "execution_id": run.execution_id,
        "thread_id": run.thread_id,
        "turn": run.turn,
        **fields,
    }
    with correlated(**named, request_id=context.aws_request_id), tracer().span("step", **named):
        _LOG.info("step")
        yield


def _metered[Result](play: Callable[[], Result], memory_mb: int, transitions: int) -> tuple[Result, CloudUse]:
    """What a step gives, and what it took of AWS."""
    before, began = meter().total, time.monotonic()
    after = play()
    lasted = round((time.monotonic() - began) * 1000)
    used = CloudUse(mb_ms=memory_mb * lasted, invocations=1, transitions=transitions)
    return after, used + (meter().total - before)


def run_of(event: Event) -> RunState:
    """The run inside an event that carries more than the run."""
    return from_json(RunState, event.get("run"))


def text_of(event: Event, name: str) -> str:
    """A required text of an event."""
    value = event.get(name)
    if not isinstance(value, str) or not value:
        raise InvalidEvent(f"the event needs a text {name!r}")
    return value


def queue_step(build: Build[Callable[[str], None]], *, fifo: bool) -> Handler:
    """A handler that consumes a queue message by message; what fails goes back to the queue, in order if FIFO.

    Powertools has the same, but loads the events of every service and pydantic's parsers with it.
    """
    step = composed(build)

    def handler(event: Event, _context: Context) -> Event:
        handle = step()
        records = event.get("Records")
        if not isinstance(records, list):
            raise InvalidEvent("the event holds no messages of a queue")
        return {"batchItemFailures": [{"itemIdentifier": name} for name in _failed(handle, records, fifo=fifo)]}

    return accounted(handler)


def _failed(handle: Callable[[str], None], records: list[Event], *, fifo: bool) -> Iterator[str]:
    """The messages that go back: those that failed, and in a FIFO queue what stands behind one in its group."""
    stopped: set[str] = set()
    for record in records:
        group = record["attributes"]["MessageGroupId"] if fifo else ""
        if group not in stopped and _handled(handle, record):
            continue
        if fifo:
            stopped.add(group)
        yield record["messageId"]


def _handled(handle: Callable[[str], None], record: Event) -> bool:
    try:
        handle(record["body"])
    except Exception:  # noqa: BLE001 - whatever it is, the queue gives the message again, and buries it in the end
        _LOG.exception("a message of the queue failed")
        return False
    return True


def bodies(event: Event) -> list[str]:
    """The bodies of queue messages in an event, [] when it is not from a queue."""
    records = event.get("Records")
    return [record["body"] for record in records] if isinstance(records, list) else []


def json_object(text: str) -> Event:
    """A JSON object; InvalidEvent otherwise."""
    try:
        data = json.loads(text)
    except ValueError as error:
        raise InvalidEvent("not JSON") from error
    if not isinstance(data, dict):
        raise InvalidEvent("not a JSON object")
    return data
