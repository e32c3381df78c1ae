"""The bodies of queue messages, brought to the steps that handle them."""

from collections.abc import Callable

from msgspec import Struct

from discord_agent.adapters.codec import from_json
from discord_agent.adapters.discord.inbound import BotIdentity, parse
from discord_agent.adapters.logging import correlated
from discord_agent.domain import measures
from discord_agent.domain.inbound import ButtonPressed, CommandInvoked, Inbound, Wakeup
from discord_agent.entrypoint import json_object
from discord_agent.envelope import Envelope, Kind, group_id
from discord_agent.ports import Clock, Discord, Metrics


class InboundEvents(Struct, frozen=True):
    """Reads envelopes; what Discord sends and the bot has no use for is dropped.

    An interaction that came in over the gateway is acknowledged here, any other by the endpoint it was posted to.
    """

    handle: Callable[[Inbound], None]
    bot: BotIdentity
    discord: Discord
    clock: Clock
    metrics: Metrics

    def __call__(self, body: str) -> None:
        """Handle one message; InvalidEvent for garbage, which ends among the dead letters."""
        envelope = Envelope.read(body)
        waited = (self.clock.now() - envelope.received_at).total_seconds()
        self.metrics.record(measures.QUEUE_AGE, max(waited, 0.0))
        event = parse(envelope.event, envelope.data, self.bot)
        if event is None:
            return
        with correlated(thread_id=group_id(envelope.event, envelope.data)):
            if envelope.kind is Kind.DISPATCH and isinstance(event, ButtonPressed | CommandInvoked):
                self.discord.acknowledge(event.interaction_id, event.token, answers=isinstance(event, CommandInvoked))
            self.handle(event)


class WakeupEvents(Struct, frozen=True):
    """Reads wake-ups."""

    handle: Callable[[Wakeup], None]

    def __call__(self, body: str) -> None:
        """Handle one message."""
        wakeup = from_json(Wakeup, json_object(body))
        with correlated(thread_id=wakeup.thread_id):
            self.handle(wakeup)
