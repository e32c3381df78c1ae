"""What all parts of the server share, and the events they publish to gateways and playground pages."""

from collections.abc import Callable
from dataclasses import dataclass, field

from devstack.discord.access import Access
from devstack.discord.errors import Json
from devstack.discord.files import Files
from devstack.discord.records import Channel, Message
from devstack.discord.rules import Rules
from devstack.discord.snowflakes import Snowflakes
from devstack.discord.store import Store


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened in a channel; with no ``data`` the ``message`` is written out for each reader."""

    name: str
    channel: Channel
    data: Json = field(default_factory=dict)
    message: Message | None = None


@dataclass(frozen=True, slots=True)
class World:
    """The server's state and its listeners; changed only on the server's own event loop."""

    store: Store
    ids: Snowflakes
    now: Callable[[], float]
    rules: Rules
    access: Access
    files: Files
    bot_id: str
    listeners: list[Callable[[Event], None]] = field(default_factory=list)

    def publish(self, event: Event) -> None:
        """Tell every listener."""
        for listener in tuple(self.listeners):
            listener(event)
