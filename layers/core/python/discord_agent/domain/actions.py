"""What can be done about an event from Discord, and the facts that decide which."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from discord_agent.domain import policy
from discord_agent.domain.ids import CommitSha, ExecutionId, MessageId, ThreadId, UserId
from discord_agent.domain.inbound import Author
from discord_agent.domain.policy import Denied, GuildSettings, Place
from discord_agent.domain.session import Decision, ExecutionRecord, ItemKind

SEEN: Final = "👀"


@dataclass(frozen=True, slots=True)
class Situation:
    """The facts a decision rests on.

    ``running`` holds the thread's lease, ``parked`` waits there for an answer. ``concerned`` is the run that a
    button names, or one of whose messages (live card, commit card, terminal message) was reacted to; messages of
    the bot only. ``debounce`` is the deployment's.
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

    @property
    def at_work(self) -> ExecutionRecord | None:
        """The run that works or waits in the thread."""
        return self.running or self.parked

    def is_parked(self, run: ExecutionRecord) -> bool:
        """Whether ``run`` is the one that waits for an answer."""
        return self.parked is not None and self.parked.execution_id == run.execution_id

    def refusal(self, action: policy.Action, actor: Author, run: ExecutionRecord | None = None) -> str:
        """Why the policy does not let ``actor`` do this about ``run``; "" if it does."""
        verdict = policy.decide(
            action,
            actor,
            self.settings,
            self.place,
            requester=run.author_id if run else None,
            secondary_bot=self.secondary_bot,
        )
        return verdict.sentence if isinstance(verdict, Denied) else ""


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Show that the message was seen."""

    emoji: str = SEEN


@dataclass(frozen=True, slots=True)
class Enqueue:
    """Put the message into the thread's inbox; ``forced`` requests are always answered."""

    kind: ItemKind
    forced: bool = False


@dataclass(frozen=True, slots=True)
class Wake:
    """Classify the author's waiting messages after a delay."""

    delay: timedelta


@dataclass(frozen=True, slots=True)
class Answer:
    """Give a parked run the answer it waits for."""

    execution: ExecutionId
    text: str


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop exactly this run."""

    execution: ExecutionId


@dataclass(frozen=True, slots=True)
class Decide:
    """Merge or reject exactly this commit."""

    execution: ExecutionId
    sha: CommitSha
    decision: Decision


@dataclass(frozen=True, slots=True)
class Restart:
    """Start a recorded request anew, from the workspace as it is."""

    execution: ExecutionId


@dataclass(frozen=True, slots=True)
class Vote:
    """Count a person's opinion of a message; 0 takes it back."""

    value: int


@dataclass(frozen=True, slots=True)
class EditQueued:
    """Change a message that waits in the inbox."""

    message: MessageId
    content: str


@dataclass(frozen=True, slots=True)
class DropQueued:
    """Take a message out of the inbox."""

    message: MessageId


@dataclass(frozen=True, slots=True)
class CleanUp:
    """Forget a thread."""

    thread: ThreadId


@dataclass(frozen=True, slots=True)
class Offer:
    """Ask whether a request that waited too long is still wanted."""


@dataclass(frozen=True, slots=True)
class Reshow:
    """Show the commit card of a run again: somebody decided on an outdated one."""

    execution: ExecutionId


@dataclass(frozen=True, slots=True)
class Refuse:
    """Tell the person why not; only them, where that is possible."""

    sentence: str


@dataclass(frozen=True, slots=True)
class Ignore:
    """Do nothing; ``reason`` is for the logs."""

    reason: str


type Action = (
    Acknowledge
    | Enqueue
    | Wake
    | Answer
    | Stop
    | Decide
    | Restart
    | Vote
    | EditQueued
    | DropQueued
    | CleanUp
    | Offer
    | Reshow
    | Refuse
    | Ignore
)
type Actions = tuple[Action, ...]


def is_since(message: MessageId, run: ExecutionRecord) -> bool:
    """Whether a message is the run's request or later: what is older was never meant for this run."""
    return int(message) >= int(run.message_id)
