"""What can be done about an event from Discord, and the facts that decide which."""

from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from discord_agent.domain import policy
from discord_agent.domain.commands import Invocation
from discord_agent.domain.ids import CommitSha, ExecutionId, MessageId, ThreadId, UserId
from discord_agent.domain.inbound import Author
from discord_agent.domain.interrupts import Interrupt
from discord_agent.domain.policy import Denied, GuildSettings, Place
from discord_agent.domain.run import Waiting
from discord_agent.domain.session import Decision, ExecutionRecord, FlowOverride, ItemKind, Objection

SEEN: Final = "👀"


class Situation(Struct, frozen=True):
    """The facts a decision rests on.

    ``running`` holds the thread's lease, ``parked`` waits there for an answer. ``concerned`` is the run that a
    button names, or one of whose messages (live card, question, commit card, terminal message) was reacted to, messages
    of the bot only; for a command or a bare word that takes a run up again, the thread's newest. ``debounce`` is the deployment's. ``rejection`` is the thread's latest one;
    ``flow_override`` is what somebody chose for their next message there.
    """

    bot_id: UserId
    settings: GuildSettings
    place: Place
    now: datetime
    staleness: timedelta
    debounce: timedelta
    running: ExecutionRecord | None = None
    parked: ExecutionRecord | None = None
    concerned: ExecutionRecord | None = None
    secondary_bot: str = ""
    breakglass_aliases: tuple[str, ...] = ()
    rejection: Objection | None = None
    flow_override: FlowOverride | None = None

    @property
    def at_work(self) -> ExecutionRecord | None:
        """The run that works or waits in the thread."""
        return self.running or self.parked

    def is_parked(self, run: ExecutionRecord) -> bool:
        """Whether ``run`` is the one that waits here, for an answer or for money."""
        return self.parked is not None and self.parked.execution_id == run.execution_id

    def awaits_money(self, run: ExecutionRecord) -> bool:
        """Whether ``run`` waits until it may spend more: no answer helps it."""
        return self.is_parked(run) and run.waiting is Waiting.MONEY

    def is_at_work(self, run: ExecutionRecord) -> bool:
        """Whether ``run`` is the one that works here, instead of waiting."""
        return self.running is not None and self.running.execution_id == run.execution_id and not self.is_parked(run)

    def refusal(self, action: policy.Action, actor: Author, run: ExecutionRecord | None = None) -> str:
        """Why the policy does not let ``actor`` do this about ``run``; "" if it does."""
        return self.refusal_about(action, actor, run.author_id if run else None)

    def refusal_about(self, action: policy.Action, actor: Author, requester: UserId | None) -> str:
        """Why the policy does not let ``actor`` do this about what ``requester`` asked for; "" if it does."""
        verdict = policy.decide(
            action,
            actor,
            self.settings,
            self.place,
            requester=requester,
            secondary_bot=self.secondary_bot,
        )
        return verdict.sentence if isinstance(verdict, Denied) else ""


class Acknowledge(Struct, frozen=True):
    """Show that the message was seen."""

    emoji: str = SEEN


class Enqueue(Struct, frozen=True):
    """Put the message into the thread's inbox; ``forced`` requests are always answered.

    ``breakglass``: it names a model, and its author may.
    """

    kind: ItemKind
    forced: bool = False
    breakglass: bool = False


class Wake(Struct, frozen=True):
    """Classify the author's waiting messages after a delay."""

    delay: timedelta


class Answer(Struct, frozen=True):
    """Give a parked run the answer it waits for; ``interrupt`` is what the person wants besides."""

    execution: ExecutionId
    text: str
    interrupt: Interrupt | None = None


class Steer(Struct, frozen=True):
    """Tell a run at work, before its next round, what is wanted of it; ``text`` is what was said with it."""

    execution: ExecutionId
    interrupt: Interrupt
    text: str = ""


class Stop(Struct, frozen=True):
    """Stop exactly this run."""

    execution: ExecutionId


class Decide(Struct, frozen=True):
    """Merge or reject exactly this commit."""

    execution: ExecutionId
    sha: CommitSha
    decision: Decision


class Restart(Struct, frozen=True):
    """Start a recorded request anew, from the workspace as it is; ``stronger``: with a stronger model than before."""

    execution: ExecutionId
    stronger: bool = False


class Extend(Struct, frozen=True):
    """Allow a run to spend more."""

    execution: ExecutionId


class Rewind(Struct, frozen=True):
    """Go back to the state after a turn of a run."""

    execution: ExecutionId
    turn: int


class Forget(Struct, frozen=True):
    """Forget an insight that a run taught."""

    execution: ExecutionId
    insight: str


class Choose(Struct, frozen=True):
    """Carry out one of the options that a run showed, counted from 1."""

    execution: ExecutionId
    option: int


class KeepReason(Struct, frozen=True):
    """Remember why somebody rejected a commit."""

    text: str


class Vote(Struct, frozen=True):
    """Count a person's opinion of a message; 0 takes it back. ``about`` is the ended run that a 👎 was for."""

    value: int
    about: ExecutionId | None = None


class EditQueued(Struct, frozen=True):
    """Change a message that waits in the inbox."""

    message: MessageId
    content: str


class DropQueued(Struct, frozen=True):
    """Take a message out of the inbox."""

    message: MessageId


class Withdraw(Struct, frozen=True):
    """Take back requests that have not begun: the one in ``message``, None for all that the person made here."""

    message: MessageId | None = None


class CleanUp(Struct, frozen=True):
    """Forget a thread."""

    thread: ThreadId


class Offer(Struct, frozen=True):
    """Ask whether a request that waited too long is still wanted."""


class Reshow(Struct, frozen=True):
    """Show the commit card of a run again: somebody decided on an outdated one."""

    execution: ExecutionId


class Invoke(Struct, frozen=True):
    """Answer a slash command that may be used here."""

    invocation: Invocation
    place: Place


class Refuse(Struct, frozen=True):
    """Tell the person why not; only them, where that is possible."""

    sentence: str


class Ignore(Struct, frozen=True):
    """Do nothing; ``reason`` is for the logs."""

    reason: str


type Action = (
    Acknowledge
    | Enqueue
    | Wake
    | Answer
    | Steer
    | Stop
    | Decide
    | Restart
    | Extend
    | Rewind
    | Forget
    | Choose
    | KeepReason
    | Vote
    | EditQueued
    | DropQueued
    | Withdraw
    | CleanUp
    | Offer
    | Reshow
    | Invoke
    | Refuse
    | Ignore
)
type Actions = tuple[Action, ...]


def is_since(message: MessageId, run: ExecutionRecord) -> bool:
    """Whether a message is the run's request or later: what is older was never meant for this run."""
    return int(message) >= int(run.message_id)
