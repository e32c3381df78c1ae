from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from discord_agent.adapters.discord.inbound import BotIdentity
from discord_agent.adapters.logging import correlation
from discord_agent.domain import measures
from discord_agent.domain.ids import UserId
from discord_agent.domain.inbound import ButtonPressed, CommandInvoked, Inbound
from discord_agent.envelope import INTERACTION_CREATE, Envelope
from discord_agent.queue_events import InboundEvents
from tests.support.clock import ManualClock
from tests.support.fakes.discord import FakeDiscord
from tests.support.fakes.effects import Effects
from tests.support.fakes.outside import FakeMetrics

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
INTERACTION = {"id": "5", "application_id": "6", "token": "secret", "channel_id": "40", "user": {"id": "2"}}
BUTTON = INTERACTION | {"type": 3, "data": {"custom_id": "stop:m-100"}, "message": {"id": "110"}}
COMMAND = INTERACTION | {"type": 2, "data": {"name": "status"}}
AUTOCOMPLETE = INTERACTION | {"type": 4, "data": {"name": "status"}}


class Listener:
    """Remembers what it is handed, and whether it was acknowledged by then."""

    def __init__(self) -> None:
        self.discord = FakeDiscord(Effects())
        self.clock = ManualClock(NOW + timedelta(seconds=3))
        self.metrics = FakeMetrics()
        self.handled: list[tuple[Inbound, int]] = []
        self.logged: list[dict[str, Any]] = []

    def __call__(self, event: Inbound) -> None:
        self.handled.append((event, len(self.discord.acknowledged)))
        self.logged.append(correlation())

    def hears(self, envelope: Envelope) -> None:
        InboundEvents(self, BotIdentity(UserId("1")), self.discord, self.clock, self.metrics)(envelope.write())


@pytest.mark.parametrize(("data", "kind", "answers"), [(BUTTON, ButtonPressed, False), (COMMAND, CommandInvoked, True)])
def test_an_interaction_of_the_gateway_is_acknowledged_before_it_is_handled(
    data: dict[str, Any], kind: type[Inbound], answers: bool
) -> None:
    listener = Listener()
    listener.hears(Envelope.of_dispatch(INTERACTION_CREATE, data, NOW))
    assert listener.discord.acknowledged == [("5", "secret", answers)]
    [(event, acknowledged)] = listener.handled
    assert isinstance(event, kind)
    assert acknowledged == 1


@pytest.mark.parametrize("data", [BUTTON, COMMAND])
def test_an_interaction_of_the_endpoint_was_acknowledged_there(data: dict[str, Any]) -> None:
    listener = Listener()
    listener.hears(Envelope.of_interaction(data, NOW))
    assert listener.discord.acknowledged == []
    assert len(listener.handled) == 1


def test_what_nobody_handles_is_not_acknowledged() -> None:
    listener = Listener()
    listener.hears(Envelope.of_dispatch(INTERACTION_CREATE, AUTOCOMPLETE, NOW))
    listener.hears(Envelope.of_dispatch("TYPING_START", {}, NOW))
    assert (listener.discord.acknowledged, listener.handled) == ([], [])


def test_it_is_measured_how_long_an_event_waited() -> None:
    listener = Listener()
    listener.hears(Envelope.of_interaction(BUTTON, NOW))
    listener.hears(Envelope.of_interaction(BUTTON, NOW + timedelta(seconds=5)))
    assert listener.metrics.of(measures.QUEUE_AGE) == [3.0, 0.0]


def test_what_is_logged_meanwhile_is_found_by_the_thread() -> None:
    listener = Listener()
    listener.hears(Envelope.of_interaction(BUTTON, NOW))
    assert listener.logged == [{"thread_id": "40"}]
    assert correlation() == {}
