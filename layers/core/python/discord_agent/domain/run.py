"""The state of a run as it travels through a state machine: a few KB, everything large is a key."""

from datetime import datetime
from enum import StrEnum
from typing import Final

from msgspec import Struct

from discord_agent.domain.classification import AgentRole, Complexity, FlowType, TaskType
from discord_agent.domain.cloud import CloudUse
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
from discord_agent.domain.money import Cost, Usage, Usd
from discord_agent.domain.policy import Verbosity

INITIAL_CONFIDENCE: Final = 80
"""Of a run and of a thread that nobody judged yet."""

DEFAULT_SELF_REPORT: Final = 70
"""What a model is taken to think of its work until it says so."""

DEFAULT_TOPIC: Final = "general-task"


class Next(StrEnum):
    """Where the state machine goes next; the only field it routes on."""

    PLAN = "plan"
    TURN = "turn"
    CHECKPOINT = "checkpoint"
    CLARIFY = "clarify"
    EVALUATE = "evaluate"
    END = "end"


class Outcome(StrEnum):
    """How a run ended; each has exactly one terminal message."""

    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"
    OUT_OF_TURNS = "out_of_turns"
    OUT_OF_BUDGET = "out_of_budget"
    NEEDS_YOU = "needs_you"


class TurnStatus(StrEnum):
    """How the last turn ended."""

    CONTINUE = "continue"
    STUCK = "stuck"
    COMPLETE = "complete"
    NEEDS_CLARIFICATION = "needs_clarification"


class Waiting(StrEnum):
    """What a parked run waits for."""

    ANSWER = "answer"
    MONEY = "money"


class Signals(Struct, frozen=True):
    """Counters that confidence and escalation are computed from; ``domain.signals`` moves them on.

    ``tool_calls`` and ``tool_successes`` are the last turn's, ``total_tool_calls`` and ``failures`` the whole run's;
    the tests are those of the last test run seen. ``repeats`` counts turns in a row that ended going round in circles,
    ``steps`` are the newest calls as ``domain.stuck`` tells them apart.
    """

    same_errors: int = 0
    last_error: str = ""
    no_progress_turns: int = 0
    corrections: int = 0
    low_confidence_streak: int = 0
    tool_calls: int = 0
    tool_successes: int = 0
    tests_run: int = 0
    tests_passed: int = 0
    failures: int = 0
    total_tool_calls: int = 0
    repeats: int = 0
    steps: tuple[str, ...] = ()


class HandedOn(Struct, frozen=True):
    """A run went on with a stronger model; ``turn`` is the one after which, ``reason`` a clause for people."""

    turn: int
    before: ModelName
    after: ModelName
    reason: str
    at: datetime
    execution_id: ExecutionId | None = None


class Commit(Struct, frozen=True):
    """A commit made for a run; ``delicate`` are those of its files that change what runs elsewhere."""

    sha: CommitSha
    branch: str
    message: str
    files: tuple[str, ...]
    base: CommitSha
    delicate: tuple[str, ...] = ()


class StepFailure(Struct, frozen=True):
    """What a state machine's catcher saw."""

    error: str
    cause: str = ""


class Resumption(Struct, frozen=True):
    """Where a run goes on: after a turn of an earlier execution in the same thread.

    ``present`` is what the workspace was before people went back to that turn; None when they did not.
    """

    execution_id: ExecutionId
    turn: int
    present: ManifestId | None = None


class Voice(Struct, frozen=True):
    """One of the models that propose options side by side, counted from 1; ``failure`` says why it has none."""

    number: int
    model: ModelName
    card_message_id: MessageId | None = None
    usage: Usage = Usage()
    cost: Cost = Cost()
    cloud: CloudUse = CloudUse()
    failure: StepFailure | None = None


class RunState(Struct, frozen=True):
    """One run; ``thread_id`` is where it works, ``channel_id`` and ``message_id`` where it was asked for.

    ``waiting`` says what a parked run waits for (``needed``: how much money its next call may take; ``asked_for_money``:
    how often it has), ``wants_stronger`` that somebody asked for a stronger model.
    """

    execution_id: ExecutionId
    thread_id: ThreadId
    channel_id: ChannelId
    message_id: MessageId
    author_id: UserId
    guild_id: GuildId | None = None
    flow: FlowType = FlowType.SIMPLE
    task_type: TaskType = TaskType.GENERAL
    role: AgentRole = AgentRole.PYTHON_CODER
    complexity: Complexity = Complexity.MEDIUM
    model: ModelName = ModelName("")
    topic: str = DEFAULT_TOPIC
    turn: int = 0
    max_turns: int = 0
    rounds: int = 0
    confidence: int = INITIAL_CONFIDENCE
    reported_confidence: int = DEFAULT_SELF_REPORT
    status: TurnStatus = TurnStatus.CONTINUE
    signals: Signals = Signals()
    escalations: int = 0
    usage: Usage = Usage()
    cost: Cost = Cost()
    cloud: CloudUse = CloudUse()
    files_changed: tuple[str, ...] = ()
    manifest_id: ManifestId | None = None
    card_message_id: MessageId | None = None
    card_lines: tuple[str, ...] = ()
    verbosity: Verbosity = Verbosity.NORMAL
    card_edited_at: datetime | None = None
    started_at: str = ""
    options: tuple[str, ...] = ()
    question: str = ""
    waiting: Waiting = Waiting.ANSWER
    needed: Usd = Usd()
    asked_for_money: int = 0
    wants_stronger: bool = False
    summary: str = ""
    send_files: tuple[str, ...] = ()
    score: int | None = None
    commit: Commit | None = None
    outcome: Outcome | None = None
    next: Next = Next.PLAN
    failure: StepFailure | None = None
    resumes: Resumption | None = None
    must_compact: bool = False
    compacted_at: int = 0
    told: tuple[str, ...] = ()
    lesson: str = ""
    lesson_id: str = ""
    voices: tuple[Voice, ...] = ()

    @property
    def opened_in_place(self) -> bool:
        """Whether the run works where it was asked for, instead of in a thread of its own."""
        return str(self.thread_id) == str(self.channel_id)
