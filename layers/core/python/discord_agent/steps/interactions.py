"""Discord's signed HTTP posts: acknowledged within three seconds, queued before they are acknowledged."""

import json
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct, field

from discord_agent.domain.errors import StateUnavailable
from discord_agent.envelope import Envelope

if TYPE_CHECKING:
    # All ports together bring most of the domain with them, a sixth of this endpoint's start.
    from discord_agent.ports import Clock, InboundQueue

_LOG = logging.getLogger(__name__)
_EPHEMERAL: Final = 1 << 6


class InteractionType(IntEnum):
    """What Discord posts."""

    PING = 1
    COMMAND = 2
    COMPONENT = 3
    AUTOCOMPLETE = 4


class ResponseType(IntEnum):
    """How it may be answered."""

    PONG = 1
    MESSAGE = 4
    DEFERRED_MESSAGE = 5
    DEFERRED_UPDATE = 6
    CHOICES = 8


class HttpRequest(Struct, frozen=True):
    """A request; ``body`` as it came over the wire."""

    headers: Mapping[str, str]
    body: bytes


class HttpResponse(Struct, frozen=True):
    """A response with a JSON body."""

    status: int
    body: dict[str, Any] = field(default_factory=dict)


class Interactions(Struct, frozen=True):
    """Verify, acknowledge, queue; everything else is ``intake``'s."""

    genuine: Callable[[Mapping[str, str], bytes, datetime], bool]
    queue: "InboundQueue"
    clock: "Clock"

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The answer to a request; 401 for whatever Discord did not sign, as Discord itself tests."""
        if not self.genuine(request.headers, request.body, self.clock.now()):
            return HttpResponse(401, {"error": "invalid request signature"})
        interaction = _object(request.body)
        if interaction is None:
            return HttpResponse(400, {"error": "not a JSON object"})
        return self._answer(interaction)

    def _answer(self, interaction: dict[str, Any]) -> HttpResponse:
        match interaction.get("type"):
            case InteractionType.PING:
                return HttpResponse(200, {"type": ResponseType.PONG})
            case InteractionType.AUTOCOMPLETE:
                return HttpResponse(200, {"type": ResponseType.CHOICES, "data": {"choices": []}})
            case InteractionType.COMMAND:
                deferral = {"type": ResponseType.DEFERRED_MESSAGE, "data": {"flags": _EPHEMERAL}}
                return self._queued(interaction, deferral)
            case InteractionType.COMPONENT:
                return self._queued(interaction, {"type": ResponseType.DEFERRED_UPDATE})
            case _:
                return _told("This is not something I can do.")

    def _queued(self, interaction: dict[str, Any], deferral: dict[str, Any]) -> HttpResponse:
        try:
            self.queue.put(Envelope.of_interaction(interaction, self.clock.now()))
        except StateUnavailable:
            _LOG.exception("interaction not queued")
            return _told("I could not take this up just now. Nothing was changed; please try again in a moment.")
        return HttpResponse(200, deferral)


def _told(sentence: str) -> HttpResponse:
    data = {"content": sentence, "flags": _EPHEMERAL, "allowed_mentions": {"parse": []}}
    return HttpResponse(200, {"type": ResponseType.MESSAGE, "data": data})


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        parsed = json.loads(body)
    except ValueError:
        return None
    return parsed if isinstance(parsed, dict) else None
