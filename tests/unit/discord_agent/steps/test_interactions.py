import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from discord_agent.domain.errors import StateUnavailable
from discord_agent.envelope import Envelope, Kind
from discord_agent.steps.interactions import HttpRequest, HttpResponse, Interactions

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class StoppedClock:
    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return 0.0


@dataclass
class Queue:
    down: bool = False
    taken: list[Envelope] = field(default_factory=list)

    def put(self, envelope: Envelope, *, occurrence: str = "") -> None:
        if self.down:
            raise StateUnavailable("no answer")
        self.taken.append(envelope)


def ask(payload: object, *, queue: Queue | None = None, genuine: bool = True) -> HttpResponse:
    def check(headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
        return genuine and now == NOW

    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return Interactions(check, queue or Queue(), StoppedClock())(HttpRequest({}, body))


def test_a_ping_is_answered() -> None:
    assert ask({"type": 1}) == HttpResponse(200, {"type": 1})


@pytest.mark.parametrize(
    ("kind", "deferral"), [(2, {"type": 5, "data": {"flags": 64}}), (3, {"type": 6})], ids=["command", "button"]
)
def test_commands_and_buttons_are_queued_whole_and_deferred(kind: int, deferral: dict[str, object]) -> None:
    queue = Queue()
    payload = {"id": "5", "type": kind, "channel_id": "20", "token": "t", "data": {"name": "status"}}
    assert ask(payload, queue=queue) == HttpResponse(200, deferral)
    assert queue.taken == [Envelope(kind=Kind.INTERACTION, event="INTERACTION_CREATE", data=payload, received_at=NOW)]


@pytest.mark.parametrize("kind", [1, 2, 3, 4, 99])
def test_what_is_not_genuine_gets_401_and_is_not_queued(kind: int) -> None:
    queue = Queue()
    assert ask({"type": kind}, queue=queue, genuine=False).status == 401
    assert queue.taken == []


@pytest.mark.parametrize("body", [b"", b"\xff", b"[]", b"null", b"{"])
def test_a_signed_body_that_is_no_object_gets_400(body: bytes) -> None:
    assert ask(body).status == 400


def test_autocomplete_is_answered_inline() -> None:
    assert ask({"type": 4}) == HttpResponse(200, {"type": 8, "data": {"choices": []}})


@pytest.mark.parametrize("kind", [5, 99, None, "2"])
def test_an_unknown_kind_is_told_so_and_not_queued(kind: object) -> None:
    queue = Queue()
    response = ask({"type": kind}, queue=queue)
    assert (response.status, response.body["type"], response.body["data"]["flags"]) == (200, 4, 64)
    assert queue.taken == []


@pytest.mark.parametrize("kind", [2, 3])
def test_when_the_queue_is_down_the_person_is_told_instead_of_deferred(kind: int) -> None:
    response = ask({"id": "5", "type": kind, "channel_id": "20"}, queue=Queue(down=True))
    assert (response.status, response.body["type"]) == (200, 4)
    assert "try again" in response.body["data"]["content"]
