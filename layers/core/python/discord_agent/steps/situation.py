"""Loading the facts that a decision about an inbound event rests on."""

from collections.abc import Callable
from copy import replace
from datetime import timedelta

from msgspec import Struct

from discord_agent.domain import interrupts
from discord_agent.domain.actions import Situation
from discord_agent.domain.ids import ChannelId, ExecutionId, GuildId, MessageId, ThreadId, UserId
from discord_agent.domain.inbound import ButtonPressed, CommandInvoked, InboundMessage, Reaction
from discord_agent.domain.policy import GuildSettings, Place, Reading
from discord_agent.domain.session import ExecutionRecord, Session
from discord_agent.ports import Clock, Discord, Executions, Leases, Sessions

type Happening = InboundMessage | Reaction | ButtonPressed | CommandInvoked


class Deployment(Struct, frozen=True):
    """What the deployment says, whatever the guild's settings."""

    bot_id: UserId
    secondary_bot: str
    staleness: timedelta
    debounce: timedelta
    breakglass_aliases: tuple[str, ...] = ()


class Situations(Struct, frozen=True):
    """Loads a Situation with as few reads as the event needs."""

    discord: Discord
    leases: Leases
    sessions: Sessions
    executions: Executions
    clock: Clock
    deployment: Deployment

    def of(self, event: Happening) -> Situation:
        """The facts about a message, a reaction, a button or a command."""
        thread = ThreadId(event.channel_id)
        session = self.sessions.get(thread)
        settings = self.sessions.settings(event.guild_id)
        place = self._place(event.channel_id, event.guild_id, session, settings)
        return replace(self._found(thread, session, settings, place), concerned=self._concerned(event, thread))

    def of_thread(self, thread: ThreadId, guild: GuildId | None) -> Situation:
        """The facts about a thread, whoever did something there."""
        session = self.sessions.get(thread)
        place = Place(ChannelId(thread), guild, session.parent_channel_id, is_thread=True, joined=True)
        return self._found(thread, session, self.sessions.settings(guild), place)

    def _found(self, thread: ThreadId, session: Session, settings: GuildSettings, place: Place) -> Situation:
        return Situation(
            bot_id=self.deployment.bot_id,
            settings=settings,
            place=place,
            now=self.clock.now(),
            staleness=self.deployment.staleness,
            debounce=self.deployment.debounce,
            running=self._record(self.leases.holder(thread)),
            parked=self._record(session.parked),
            secondary_bot=self.deployment.secondary_bot,
            breakglass_aliases=self.deployment.breakglass_aliases,
            rejection=session.rejection,
            flow_override=session.flow_override,
        )

    def _place(self, channel: ChannelId, guild: GuildId | None, session: Session, settings: GuildSettings) -> Place:
        """Threads the bot works in are known; Discord is asked only where the settings tell channels apart."""
        parent = session.parent_channel_id
        if parent is not None:
            return Place(channel, guild, parent, is_thread=True, joined=True)
        depends_on_channel = settings.channels_allowed or settings.channels or settings.reading is Reading.GENERAL
        if guild is not None and depends_on_channel:
            return self.discord.place(channel)
        return Place(channel, guild)

    def _concerned(self, event: Happening, thread: ThreadId) -> ExecutionRecord | None:
        match event:
            case ButtonPressed(execution_id=execution):
                return self._record(execution)
            case Reaction(message_id=message):
                return self._first(thread, lambda record: message in _messages_of(record))
            case CommandInvoked():
                return self._first(thread, lambda _: True)
            case InboundMessage(content=content) if interrupts.taking_up(content):
                return self._first(thread, lambda _: True)
            case _:
                return None

    def _first(self, thread: ThreadId, fits: Callable[[ExecutionRecord], bool]) -> ExecutionRecord | None:
        """By the index to find it, then as it is stored: the index may lag by a second."""
        found = next((record for record in self.executions.newest(thread) if fits(record)), None)
        return self._record(found.execution_id) if found else None

    def _record(self, execution: ExecutionId | None) -> ExecutionRecord | None:
        return self.executions.get(execution) if execution else None


def _messages_of(record: ExecutionRecord) -> tuple[MessageId | None, ...]:
    approval = record.approval.message_id if record.approval else None
    return record.card_message_id, record.question_message_id, record.terminal_message_id, approval
