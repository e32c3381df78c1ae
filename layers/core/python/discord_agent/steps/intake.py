"""What happens at once with an event from Discord; nothing here waits for a model."""

import logging
from copy import replace
from datetime import timedelta
from typing import assert_never

from msgspec import Struct

from discord_agent.domain import cards, intake, thread_cards
from discord_agent.domain.actions import (
    SEEN,
    Acknowledge,
    Action,
    Answer,
    Choose,
    CleanUp,
    Decide,
    DropQueued,
    EditQueued,
    Enqueue,
    Extend,
    Forget,
    Ignore,
    Invoke,
    KeepReason,
    Offer,
    Refuse,
    Reshow,
    Restart,
    Rewind,
    Situation,
    Steer,
    Stop,
    Vote,
    Wake,
    Withdraw,
)
from discord_agent.domain.classification import FlowType
from discord_agent.domain.errors import Conflict, DiscordRefused, InvalidInput
from discord_agent.domain.ids import ChannelId, ExecutionId, MessageId, ThreadId, execution_for_message
from discord_agent.domain.inbound import (
    Author,
    ButtonPressed,
    CommandInvoked,
    Inbound,
    InboundMessage,
    MessageDeleted,
    MessageEdited,
    Reaction,
    ThreadDeleted,
)
from discord_agent.domain.interrupts import Interrupt, plain_emoji
from discord_agent.domain.posts import Post
from discord_agent.domain.session import Decision, ExecutionRecord, InboxItem, ItemKind
from discord_agent.ports import Clock, Discord, Executions, Machines, Sessions, StopMarkers, Wakeups, Workspaces
from discord_agent.steps.chronicle import Chronicle
from discord_agent.steps.commands.answering import Commands
from discord_agent.steps.launch import settle
from discord_agent.steps.levers import Lever, Levers
from discord_agent.steps.opinions import Opinions
from discord_agent.steps.restarting import Restart as Restarting
from discord_agent.steps.situation import Happening, Situations

_LOG = logging.getLogger(__name__)
_AT_ONCE = timedelta(0)


class Intake(Struct, frozen=True):
    """Carries out what the pure decision asks for; every action may be repeated when an event is redelivered."""

    situations: Situations
    discord: Discord
    sessions: Sessions
    executions: Executions
    machines: Machines
    markers: StopMarkers
    wakeups: Wakeups
    chronicle: Chronicle
    clock: Clock
    commands: Commands
    restart: Restarting
    levers: Levers
    opinions: Opinions
    workspaces: Workspaces

    def __call__(self, event: Inbound) -> None:
        """Handle one event."""
        for action in intake.decide(event, self._situation(event)):
            _LOG.info("intake", extra={"action": type(action).__name__})
            self._carry_out(action, event)

    def _situation(self, event: Inbound) -> Situation:
        match event:
            case ThreadDeleted(thread_id=thread, guild_id=guild):
                return self.situations.of_thread(thread, guild)
            case MessageEdited(channel_id=channel) | MessageDeleted(channel_id=channel):
                return self.situations.of_thread(ThreadId(channel), None)
            case _:
                return self.situations.of(event)

    def _carry_out(self, action: Action, event: Inbound) -> None:  # noqa: C901, PLR0912 - one arm per action
        match action, event:
            case Ignore(reason), _:
                _LOG.info("ignored", extra={"reason": reason})
            case Acknowledge(emoji), InboundMessage(channel_id=channel, id=message):
                self._acknowledge(channel, message, emoji)
            case Enqueue(), InboundMessage():
                self.sessions.put(self._item(event, action))
            case Wake(delay), InboundMessage(channel_id=channel):
                self.wakeups.schedule(ThreadId(channel), event.author.id, event.id, delay)
            case Answer(), InboundMessage() | ButtonPressed() | Reaction():
                self._answer(action, event)
            case Steer(), InboundMessage() | ButtonPressed() | Reaction() | CommandInvoked():
                self._steer(action, event)
            case Stop(execution), _:
                self._stop(execution, event)
            case Decide(), InboundMessage() | ButtonPressed() | Reaction():
                self._decide(action, event.author)
            case Restart(), ButtonPressed() | Reaction() | InboundMessage() | CommandInvoked():
                self._restart(action, event)
            case Extend() | Rewind() | Forget() | Choose(), ButtonPressed() | Reaction() | CommandInvoked():
                self._pull(action, event)
            case KeepReason(text), InboundMessage():
                self.opinions.reason(event, text)
            case Vote(), Reaction():
                self.opinions.vote(event, action)
            case EditQueued(message, content), MessageEdited():
                self.sessions.edit(ThreadId(event.channel_id), message, content)
            case DropQueued(message), MessageDeleted():
                self.sessions.drop(ThreadId(event.channel_id), message)
            case Withdraw(message), InboundMessage() | Reaction():
                self._withdraw(message, event)
            case CleanUp(thread), _:
                # The session first: whoever is still at work there may write nothing more.
                self.sessions.delete(thread)
                self.workspaces.delete(thread)
                self.chronicle.note(thread, None, "thread_deleted")
            case Offer(), InboundMessage():
                self._offer(event)
            case Reshow(execution), _:
                self._reshow(execution)
            case Invoke(invocation, place), CommandInvoked():
                self.commands(event, invocation, place)
            case Refuse(sentence), InboundMessage() | Reaction() | ButtonPressed() | CommandInvoked():
                self._refuse(sentence, event)
            case _:
                raise TypeError(f"{type(action).__name__} does not go with {type(event).__name__}")

    def _acknowledge(self, channel: ChannelId, message: MessageId, emoji: str) -> None:
        """Show that it was seen; a message that is gone by now needs no sign."""
        try:
            self.discord.react(channel, message, emoji)
        except DiscordRefused as error:
            _LOG.warning("not acknowledged", extra={"status": error.status, "code": error.code})

    def _item(self, message: InboundMessage, wanted: Enqueue) -> InboxItem:
        return InboxItem(
            ThreadId(message.channel_id),
            message.id,
            message.author.id,
            message.author.name,
            message.content,
            wanted.kind,
            self.clock.now(),
            forced=wanted.forced,
            guild_id=message.guild_id,
            attachments=message.attachments,
            breakglass=wanted.breakglass,
        )

    def _answer(self, answer: Answer, event: Happening) -> None:
        """The answer is safe in the inbox before the run is woken."""
        record = self.executions.get(answer.execution)
        thread = record.thread_id if record else ThreadId(event.channel_id)
        self.sessions.put(self._word(thread, answer.execution, answer.text, answer.interrupt, event))
        self.chronicle.note(thread, answer.execution, "answer", actor=event.author.id, interrupt=answer.interrupt)
        self._wake(answer.execution)

    def _steer(self, steer: Steer, event: Happening) -> None:
        """Leave word for the run's next round."""
        record = self.executions.get(steer.execution)
        if record is None:
            return
        thread = record.thread_id
        self.sessions.put(self._word(thread, steer.execution, steer.text, steer.interrupt, event))
        self.chronicle.note(thread, steer.execution, "steer", actor=event.author.id, interrupt=steer.interrupt)
        match event:
            case Reaction(channel_id=channel, message_id=message):
                self._acknowledge(channel, message, SEEN)
            case ButtonPressed():
                self._tell(event, "Noted: the run hears it before its next step.")
            case _:
                pass

    def _word(
        self, thread: ThreadId, execution: ExecutionId, text: str, interrupt: Interrupt | None, event: Happening
    ) -> InboxItem:
        return InboxItem(
            thread,
            _occasion(event),
            event.author.id,
            event.author.name,
            text,
            ItemKind.STEER,
            self.clock.now(),
            attachments=event.attachments if isinstance(event, InboundMessage) else (),
            interrupt=interrupt,
            concerns=execution if interrupt else None,
        )

    def _wake(self, execution: ExecutionId) -> None:
        """Let a parked run go on; it takes its mark off the thread itself, once it holds the lease."""
        try:
            token = self.executions.unpark(execution)
        except Conflict:
            return
        self.machines.succeed(token, {})

    def _withdraw(self, message: MessageId | None, event: InboundMessage | Reaction) -> None:
        """Drop requests that wait to be classified, and stop those that were just handed to a machine."""
        thread = ThreadId(event.channel_id)
        waiting = self.sessions.waiting(thread, ItemKind.REQUEST)
        own = tuple(item.message_id for item in waiting if item.author_id == event.author.id)
        meant = own if message is None else (message,)
        # A message that this overtakes finds a tombstone.
        dropped = [self.sessions.drop(thread, one) for one in meant]
        begun = [record for record in self.executions.newest(thread) if _is_meant(record, message, event)]
        for record in begun:
            self._stop(record.execution_id, event)
        if any(dropped) or begun:
            self.chronicle.note(thread, None, "withdrawn", actor=event.author.id, messages=list(meant))
            self._acknowledge(event.channel_id, _message_of(event), SEEN)
        elif isinstance(event, InboundMessage) and event.mentions_bot:
            self._refuse("There is nothing to stop here.", event)

    def _stop(self, execution: ExecutionId, event: Inbound) -> None:
        """The flag ends the run between rounds, the marker ends a command that runs, the token a parked one."""
        actor = None if isinstance(event, ThreadDeleted | MessageEdited | MessageDeleted) else event.author.id
        record = self.executions.get(execution)
        if record is None:
            return
        if self.executions.request_stop(execution, actor or self.situations.deployment.bot_id):
            self.markers.stop(record.thread_id, execution)
            self.chronicle.note(record.thread_id, execution, "stop_requested", actor=actor)
            if not isinstance(event, ThreadDeleted):
                self.discord.send(
                    ChannelId(record.thread_id), Post(cards.STOP_NOTICE), nonce=f"{execution}/stop-notice"
                )
        self._wake(execution)

    def _decide(self, decision: Decide, actor: Author) -> None:
        """Record a decision and have it carried out; the same one again counts while it was not carried out."""
        record = self.executions.get(decision.execution)
        if record is None or record.approval is None:
            return
        pending = self.sessions.get(record.thread_id).pending
        is_carried_out = pending is None or pending.sha != decision.sha
        if record.approval.decision is not None and is_carried_out:
            return
        try:
            token = self.executions.decide(decision.execution, decision.sha, decision.decision, actor.id)
        except Conflict:
            _LOG.info("decided already", extra={"execution_id": decision.execution})
            return
        if decision.decision is Decision.REJECT:
            self.opinions.rejected(record, actor.id)
        # The machine may have begun to wait since the row was read.
        settle(self.machines, record, replace(record.approval, task_token=token), decision.decision, actor.id)

    def _restart(self, restart: Restart, event: Happening) -> None:
        """Start a run's next try, once; an event that is delivered again finds it there."""
        record = self.executions.get(restart.execution)
        if record is None:
            return
        if record.classification is None:
            self._take_up_offer(record, event)
            return
        author = event.author
        if not self.restart(record, author.id, author.name, actor=author.id, stronger=restart.stronger):
            self._refuse("This was tried again already; go on from the newest message.", event)

    def _pull(self, lever: Lever, event: Happening) -> None:
        """What cannot be done is told with its reason; an answered command has said already that it is done."""
        record = self.executions.get(lever.execution)
        if record is None:
            return
        try:
            sentence = self.levers.pull(lever, record, event.author)
        except (InvalidInput, Conflict) as error:
            self._refuse(str(error), event)
            return
        if isinstance(lever, Rewind):
            post = thread_cards.rewound(event.author.id, lever.turn)
            self.discord.send(ChannelId(record.thread_id), post, nonce=f"{_occasion(event)}/rewound")
        if isinstance(event, ButtonPressed):
            self._tell(event, sentence)

    def _take_up_offer(self, record: ExecutionRecord, event: Happening) -> None:
        item = InboxItem(
            record.thread_id,
            record.message_id,
            record.author_id,
            record.author_name,
            record.request,
            ItemKind.REQUEST,
            self.clock.now(),
            forced=True,
            guild_id=record.guild_id,
            attachments=record.attachments,
        )
        self.sessions.put(item)
        self.chronicle.note(record.thread_id, None, "offer_taken", actor=event.author.id)
        self.wakeups.schedule(record.thread_id, record.author_id, record.message_id, _AT_ONCE)

    def _offer(self, message: InboundMessage) -> None:
        offered = ExecutionId(f"offer-{execution_for_message(message.id)}")
        thread = ThreadId(message.channel_id)
        self.executions.create(
            ExecutionRecord(
                offered,
                thread,
                message.channel_id,
                message.id,
                message.author.id,
                message.author.name,
                FlowType.SIMPLE,
                message.content,
                self.clock.now(),
                guild_id=message.guild_id,
                attachments=message.attachments,
            )
        )
        self.discord.send(message.channel_id, cards.offer(offered, message.id), nonce=f"{offered}/offer")

    def _reshow(self, execution: ExecutionId) -> None:
        record = self.executions.get(execution)
        approval = record.approval if record else None
        if record is None or approval is None:
            return
        embeds, buttons = cards.commit_card(execution, approval.commit)
        self.discord.edit(ChannelId(record.thread_id), approval.message_id, Post(embeds=embeds, buttons=buttons))

    def _refuse(self, sentence: str, event: Happening) -> None:
        self.chronicle.note(ThreadId(event.channel_id), None, "refused", actor=event.author.id, sentence=sentence)
        match event:
            case ButtonPressed():
                self._tell(event, sentence)
            case CommandInvoked():
                self.commands.tell(event, Post(sentence))
            case InboundMessage(channel_id=channel, id=message):
                self.discord.send(channel, Post(sentence, reply_to=message), nonce=f"m-{message}/refused")
            case Reaction(channel_id=channel, message_id=message, author=author):
                self.discord.send(channel, Post(f"<@{author.id}> {sentence}"), nonce=f"m-{message}/{author.id}/refused")
            case _:
                assert_never(event)

    def _tell(self, press: ButtonPressed, sentence: str) -> None:
        """Only the person who pressed it sees it."""
        self.discord.answer(press.application_id, press.token, Post(sentence))


def _is_meant(record: ExecutionRecord, message: MessageId | None, event: InboundMessage | Reaction) -> bool:
    """Whether a run has not ended and answers ``message``, or one that the person wrote before this."""
    is_own = record.author_id == event.author.id and int(record.message_id) < int(_message_of(event))
    is_asked_for = is_own if message is None else record.message_id == message
    return is_asked_for and record.outcome is None and record.classification is not None


def _message_of(event: InboundMessage | Reaction) -> MessageId:
    return event.id if isinstance(event, InboundMessage) else event.message_id


def _occasion(event: Happening) -> MessageId:
    """Under which id the inbox keeps what a person wants: the same for every delivery of one event.

    A reaction has no id of its own: one person's sign under one message counts once.
    """
    match event:
        case InboundMessage(id=message):
            return message
        case ButtonPressed(interaction_id=interaction) | CommandInvoked(interaction_id=interaction):
            return MessageId(interaction)
        case Reaction(message_id=message, author=author, emoji=emoji):
            sign = "-".join(f"{ord(character):x}" for character in plain_emoji(emoji))
            return MessageId(f"{message}-{author.id}-{sign}")
        case _:
            assert_never(event)
