"""What is remembered about a thread, its waiting messages and its runs."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from discord_agent.domain.classification import Classification, FlowType
from discord_agent.domain.cloud import CloudUse
from discord_agent.domain.hiding import shown
from discord_agent.domain.ids import (
    ChannelId,
    CommitSha,
    ExecutionId,
    GuildId,
    ManifestId,
    MessageId,
    ModelName,
    ThreadId,
    UserId,
)
from discord_agent.domain.inbound import Attachment
from discord_agent.domain.interrupts import Interrupt, without_mention
from discord_agent.domain.money import Cost, Usage, Usd
from discord_agent.domain.options import Option
from discord_agent.domain.run import INITIAL_CONFIDENCE, Commit, HandedOn, Outcome, Resumption, RunState, Waiting


class Lease(Struct, frozen=True):
    """The right to change a thread; ``fence`` grows with every acquisition and every step attempt."""

    thread_id: ThreadId
    owner: ExecutionId
    fence: int
    expires_at: datetime


class Objection(Struct, frozen=True):
    """What a person held against a run that had ended; ``reason`` is in their own words, "" when they gave none."""

    execution_id: ExecutionId
    by: UserId
    at: datetime
    reason: str = ""


class LastRun(Struct, frozen=True):
    """How the previous run of a thread went, for the next plan."""

    trajectory: str
    score: int
    task_completion: int
    code_quality: int
    efficiency: float
    issues: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()
    reasoning: str = ""


class Cleaned(Struct, frozen=True):
    """The workspace as it was before people emptied it with a command, so that they can have it back."""

    command: str
    manifest_id: ManifestId
    base: CommitSha | None = None
    dirty: bool = False


class FlowOverride(Struct, frozen=True):
    """The flow that somebody chose for their own next message; BREAKGLASS only by a person who may use it."""

    flow: FlowType
    by: UserId


class Session(Struct, frozen=True):
    """A thread's memory between runs; ``parked`` names the run that waits for an answer there.

    ``base`` is the commit the workspace started from; ``dirty`` says that the workspace holds work of an
    ended run that is on no branch yet; ``pending`` is the branch that waits for a decision. ``rejection`` (of a
    commit) and ``dislike`` (a 👎) are evidence that the next run of the thread reflects on and then takes away.
    ``escalations`` are the newest ones of its runs, oldest first.
    ``author_model`` wrote the thread's last commit, so another model reviews it.
    ``summary`` tells what was said up to the message ``summarized_through``; ``topics`` are newest first.
    """

    thread_id: ThreadId
    guild_id: GuildId | None = None
    parent_channel_id: ChannelId | None = None
    confidence: int = INITIAL_CONFIDENCE
    topic: str = ""
    has_progress: bool = False
    base: CommitSha | None = None
    dirty: bool = False
    pending: Commit | None = None
    parked: ExecutionId | None = None
    last_message: str = ""
    last_run: LastRun | None = None
    imported_attachments: tuple[str, ...] = ()
    resume: Resumption | None = None
    rejection: Objection | None = None
    dislike: Objection | None = None
    topics: tuple[str, ...] = ()
    summary: str = ""
    summarized_through: MessageId | None = None
    flow_override: FlowOverride | None = None
    cleaned: Cleaned | None = None
    escalations: tuple[HandedOn, ...] = ()
    author_model: ModelName | None = None


class ItemKind(StrEnum):
    """Why a message waits in the inbox."""

    REQUEST = "request"
    STEER = "steer"


class InboxItem(Struct, frozen=True):
    """A message waiting to be taken up; ``forced`` when the bot was mentioned or a command was used.

    ``interrupt`` is what a person wants of the run ``concerns``, besides being heard; it dies with that run.
    ``breakglass`` says that its author was found to be allowed to address a model by its alias.
    """

    thread_id: ThreadId
    message_id: MessageId
    author_id: UserId
    author_name: str
    content: str
    kind: ItemKind
    received_at: datetime
    forced: bool = False
    guild_id: GuildId | None = None
    attachments: tuple[Attachment, ...] = ()
    interrupt: Interrupt | None = None
    concerns: ExecutionId | None = None
    breakglass: bool = False

    def interrupting(self, execution: ExecutionId) -> Interrupt | None:
        """What the person wants of this run; None when the message was for another, or only to be heard."""
        return self.interrupt if self.concerns == execution else None

    @property
    def said(self) -> str:
        """The text; a mention at the beginning that only addresses the bot is no part of it."""
        return without_mention(self.content) if self.forced else self.content


class ExecutionStatus(StrEnum):
    """Life of an execution row."""

    PENDING = "pending"
    PROCESSING = "processing"
    PARKED = "parked"
    COMPLETED = "completed"
    FAILED = "failed"


class Decision(StrEnum):
    """What people decided about a commit."""

    MERGE = "merge"
    REJECT = "reject"
    EXPIRE = "expire"
    SUPERSEDE = "supersede"


class Approval(Struct, frozen=True):
    """A commit that waits for a decision; ``task_token`` is a credential and never leaves storage."""

    commit: Commit
    message_id: MessageId
    task_token: str = ""
    decision: Decision | None = None
    decided_by: UserId | None = None

    def __repr__(self) -> str:
        return shown(self, without=("task_token",))


class Reasons(Struct, frozen=True):
    """Why a run is what it is: each a clause for people, such as "chosen with /flow"; "" when nobody decided yet."""

    flow: str = ""
    role: str = ""
    model: str = ""


class ExecutionRecord(Struct, frozen=True):
    """One run as people and later steps find it again; ``request`` is the person's text, ``task_token`` a credential.

    ``reached`` is the run after its last saved turn: what a failure that comes without its state goes by. ``alias``
    is how a breakglass request named its model, ``brief`` what models were asked to propose options for, and
    ``options`` are what the run showed people to choose from.
    ``stronger_than`` is the model that this try is to work with a stronger one than, "" for the usual one.
    """

    execution_id: ExecutionId
    thread_id: ThreadId
    channel_id: ChannelId
    message_id: MessageId
    author_id: UserId
    author_name: str
    flow: FlowType
    request: str
    created_at: datetime
    guild_id: GuildId | None = None
    status: ExecutionStatus = ExecutionStatus.PENDING
    attachments: tuple[Attachment, ...] = ()
    card_message_id: MessageId | None = None
    stop_requested_by: UserId | None = None
    stop_requested_at: datetime | None = None
    task_token: str = ""
    question: str = ""
    waiting: Waiting = Waiting.ANSWER
    needed: Usd = Usd()
    question_message_id: MessageId | None = None
    approval: Approval | None = None
    outcome: Outcome | None = None
    terminal_message_id: MessageId | None = None
    manifest_id: ManifestId | None = None
    turns: int = 0
    usage: Usage = Usage()
    cost: Cost = Cost()
    cloud: CloudUse = CloudUse()
    classification: Classification | None = None
    completed_at: datetime | None = None
    reached: RunState | None = None
    escalations: tuple[HandedOn, ...] = ()
    stronger_than: ModelName | None = None
    resumes: Resumption | None = None
    reasons: Reasons = Reasons()
    alias: str = ""
    brief: str = ""
    options: tuple[Option, ...] = ()

    def __repr__(self) -> str:
        return shown(self, without=("task_token",))
