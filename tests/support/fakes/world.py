"""Every fake wired to every step, around one request in one guild."""

from collections.abc import Mapping
from copy import replace
from dataclasses import dataclass, field
from datetime import timedelta

from discord_agent import ports
from discord_agent.domain.classification import AgentRole, Classification, Complexity, FlowType, TaskType
from discord_agent.domain.conversation import Message, ModelReply, Purpose, Role
from discord_agent.domain.ids import ChannelId, ExecutionId, GuildId, MessageId, ThreadId, UserId
from discord_agent.domain.interrupts import Interrupt
from discord_agent.domain.policy import Place
from discord_agent.domain.posts import Post
from discord_agent.domain.redaction import Redactor
from discord_agent.domain.run import Next, RunState
from discord_agent.domain.session import ExecutionRecord, ExecutionStatus, InboxItem, ItemKind
from discord_agent.domain.workspace import Manifest
from discord_agent.steps.answering import Answering
from discord_agent.steps.approval import AwaitDecision, CarryOut
from discord_agent.steps.brainstorm import Brainstorm
from discord_agent.steps.breakglass import Breakglass
from discord_agent.steps.checkpoint import Checkpoint
from discord_agent.steps.chronicle import Chronicle
from discord_agent.steps.clarify import Clarify
from discord_agent.steps.classify import Classify
from discord_agent.steps.commands.answering import Commands
from discord_agent.steps.commands.asked import UseCase
from discord_agent.steps.commands.catalogue import Outside, use_cases
from discord_agent.steps.commit import MakeCommit
from discord_agent.steps.compaction import Compaction
from discord_agent.steps.consolidate import Consolidate
from discord_agent.steps.escalation import Escalation
from discord_agent.steps.evaluate import Evaluate
from discord_agent.steps.extending import Extend
from discord_agent.steps.fail import Fail
from discord_agent.steps.finish import Finish
from discord_agent.steps.frame import Frame
from discord_agent.steps.hearing import Hearing
from discord_agent.steps.intake import Intake
from discord_agent.steps.levers import Levers
from discord_agent.steps.opinions import Opinions
from discord_agent.steps.plan import Plan
from discord_agent.steps.planner import Planner
from discord_agent.steps.prepare import Prepare
from discord_agent.steps.recall import Recall
from discord_agent.steps.reflect import Reflect
from discord_agent.steps.reflecting import Reflector
from discord_agent.steps.respond import Respond
from discord_agent.steps.restarting import Restart
from discord_agent.steps.resuming import Resuming
from discord_agent.steps.rewinding import Rewind
from discord_agent.steps.rounds import Rounds
from discord_agent.steps.situation import Deployment, Situations
from discord_agent.steps.spending import Spending
from discord_agent.steps.terminal import Terminal
from discord_agent.steps.turn import DEFAULT_LIMITS, Turn, TurnLimits
from tests.support.clock import ManualClock
from tests.support.fakes.discord import FakeDiscord
from tests.support.fakes.effects import Effects
from tests.support.fakes.memory import FakeInsights, FakeReflections
from tests.support.fakes.models import LADDER, FakeModels, FakePrompts, ScriptedModel
from tests.support.fakes.money import FakeBudgets
from tests.support.fakes.outside import (
    FakeAudit,
    FakeConsole,
    FakeEvents,
    FakeMachines,
    FakeMetrics,
    FakeStopMarkers,
    FakeWakeups,
)
from tests.support.fakes.state import FakeExecutions, FakeLeases, FakeProposals, FakeSessions
from tests.support.fakes.workspace import FakeJournal, FakeRepositories, FakeToolBox, FakeWorkspaces

GUILD = GuildId("100000000000000001")
CHANNEL = ChannelId("200000000000000002")
MESSAGE = MessageId("300000000000000003")
THREAD = ThreadId(MESSAGE)
"""A thread that is opened on a message has the message's id."""
ADA = UserId("400000000000000004")
BOB = UserId("500000000000000005")
BOT = UserId("800000000000000008")
DEPLOYMENT = Deployment(
    BOT, "bot2", staleness=timedelta(minutes=30), debounce=timedelta(seconds=2), breakglass_aliases=("opus",)
)
EXECUTION = ExecutionId(f"m-{MESSAGE}")
REQUEST = "Let people log in with a token"
FILES = {"auth.py": b"def login(): ...\n", "test_auth.py": b"def test_login(): ...\n"}
OPENING = (Message(Role.SYSTEM, "You write Python."), Message(Role.USER, REQUEST))


@dataclass
class World:
    """All fakes of one test, and a builder per step."""

    effects: Effects = field(default_factory=Effects)
    clock: ManualClock = field(default_factory=ManualClock)

    def __post_init__(self) -> None:
        effects = self.effects
        self.discord = FakeDiscord(effects, {CHANNEL: Place(CHANNEL, GUILD, name="general")})
        self.leases = FakeLeases(effects, self.clock)
        self.sessions = FakeSessions(effects, self.leases)
        self.executions = FakeExecutions(effects, self.leases, self.clock)
        self.reflections = FakeReflections(effects, self.leases)
        self.insights = FakeInsights(effects)
        self.audit = FakeAudit(effects)
        self.events = FakeEvents(effects)
        self.metrics = FakeMetrics()
        self.console = FakeConsole()
        self.machines = FakeMachines(effects)
        self.markers = FakeStopMarkers(effects)
        self.proposals = FakeProposals(effects)
        self.wakeups = FakeWakeups(effects)
        self.workspaces = FakeWorkspaces(effects)
        self.toolbox = FakeToolBox(effects, self.workspaces)
        self.repositories = FakeRepositories(effects, self.workspaces)
        self.journal = FakeJournal(effects)
        self.model = ScriptedModel(effects)
        self.models = FakeModels()
        self.prompts = FakePrompts()
        self.budgets = FakeBudgets(effects, self.sessions, self.clock)
        self.spending = Spending(self.model, self.models, self.budgets, self.metrics)
        self.chronicle = Chronicle(self.audit, self.events, self.clock, self.metrics)
        self.terminal = Terminal(self.discord, self.executions, self.chronicle, self.budgets)

    # --- the request and how far it got -------------------------------------------------------------------------

    def requested(self, *, flow: FlowType = FlowType.SEQUENTIAL, **changes: object) -> RunState:
        """A run as it enters its state machine, with its row."""
        classification = Classification(True, "asked", task_type=TaskType.CODING)
        record = ExecutionRecord(
            EXECUTION, ThreadId(CHANNEL), CHANNEL, MESSAGE, ADA, "Ada", flow, REQUEST, self.clock.now(),
            guild_id=GUILD, classification=classification,
        )  # fmt: skip
        self.executions.rows[EXECUTION] = replace(record, **changes)  # type: ignore[arg-type]  # fields by name
        return RunState(
            EXECUTION, record.thread_id, CHANNEL, MESSAGE, ADA, guild_id=GUILD, flow=flow,
            task_type=classification.task_type, role=AgentRole.PYTHON_CODER, complexity=Complexity.MEDIUM,
        )  # fmt: skip

    def working(self, **changes: object) -> RunState:
        """A run between two turns: prepared, planned, its lease held."""
        run = self.requested(thread_id=THREAD, status=ExecutionStatus.PROCESSING)
        self.discord.start_thread(CHANNEL, MESSAGE, "Log in with a token")
        base = self.repositories.begin(FILES)
        manifest = replace(self.workspaces.with_files(Manifest(), FILES), base=base)
        head = self.workspaces.save(THREAD, manifest, expected=None)
        run = replace(
            run,
            thread_id=THREAD,
            model=LADDER[0],
            topic="token-login",
            max_turns=20,
            manifest_id=head.manifest_id,
            card_message_id=self.discord.send(ChannelId(THREAD), Post("card"), nonce=f"{EXECUTION}/card"),
            started_at=self.clock.now().isoformat(),
            next=Next.TURN,
        )
        self.executions.update(EXECUTION, card_message_id=run.card_message_id)
        self.sessions.update(THREAD, guild_id=GUILD, parent_channel_id=CHANNEL, base=base)
        self.leases.acquire(THREAD, EXECUTION)
        self.journal.save_context(run, ports.Context(OPENING, turn=0))
        self.effects.names.clear()
        return replace(run, **changes)  # type: ignore[arg-type]  # fields by name

    def plays(self, *replies: ModelReply, purpose: Purpose = Purpose.TURN) -> None:
        """Give the model its script."""
        self.model.script[purpose] = list(replies)

    def steer(self, text: str, *, number: int = 1, interrupt: Interrupt | None = None) -> InboxItem:
        """Somebody writes into the thread while the run works, or wants something of it."""
        item = InboxItem(
            THREAD, MessageId(f"60000000000000000{number}"), BOB, "Bob", text, ItemKind.STEER, self.clock.now(),
            interrupt=interrupt, concerns=EXECUTION if interrupt else None,
        )  # fmt: skip
        self.sessions.put(item)
        return item

    @property
    def row(self) -> ExecutionRecord:
        """The run's row."""
        return self.executions.rows[EXECUTION]

    @property
    def messages(self) -> tuple[Message, ...]:
        """The message list that the next turn starts from."""
        return self.journal.contexts[EXECUTION].messages

    # --- steps, each built anew as in a new process ---------------------------------------------------------------

    def intake(self) -> Intake:
        situations = Situations(self.discord, self.leases, self.sessions, self.executions, self.clock, DEPLOYMENT)
        return Intake(
            situations, self.discord, self.sessions, self.executions, self.machines, self.markers, self.wakeups,
            self.chronicle, self.clock, self.commands(), self.restart(), self.levers(),
            Opinions(self.sessions, self.discord, self.chronicle, self.clock), self.workspaces,
        )  # fmt: skip

    def levers(self) -> Levers:
        rewind = Rewind(self.workspaces, self.journal, self.leases, self.sessions, self.chronicle)
        return Levers(self.extend(), rewind, self.insights, self.machines, self.executions, self.clock)

    def use_cases(self) -> Mapping[str, UseCase]:
        outside = Outside(
            self.discord, self.leases, self.sessions, self.executions, self.workspaces, self.audit, self.budgets,
            self.reflections, self.insights, self.clock, Redactor(), self.console,
        )  # fmt: skip
        return use_cases(outside)

    def commands(self) -> Commands:
        return Commands(self.use_cases().__getitem__, self.discord, self.chronicle)

    def restart(self) -> Restart:
        return Restart(self.executions, self.machines, self.chronicle, self.clock)

    def extend(self) -> Extend:
        return Extend(self.budgets, self.executions, self.machines, self.restart(), self.chronicle)

    def classify(self) -> Classify:
        return Classify(
            self.spending, self.models, self.prompts, self.recall(), self.discord, self.sessions, self.executions,
            self.machines, self.chronicle, self.clock,
        )  # fmt: skip

    def prepare(self) -> Prepare:
        return Prepare(
            self.discord, self.leases, self.sessions, self.executions, self.workspaces, self.repositories,
            self.chronicle, self.clock,
        )  # fmt: skip

    def plan(self) -> Plan:
        return Plan(
            self.spending, self.models, self.prompts, self.workspaces, self.journal, self.leases, self.sessions,
            self.reflections, self.insights, self.executions, self.discord, self.chronicle, self.clock,
            Resuming(self.models, self.prompts, self.journal, self.sessions, self.executions, self.chronicle),
            self.recall(), self.reflector(),
            Planner(self.models, self.prompts, self.reflections, self.discord, self.chronicle, self.clock),
        )  # fmt: skip

    def turn(self, limits: TurnLimits = DEFAULT_LIMITS) -> Turn:
        hearing = Hearing(self.sessions, self.prompts, self.discord, self.workspaces, self.chronicle)
        rounds = Rounds(self.toolbox, self.workspaces, self.journal, self.leases, hearing, self.chronicle)
        return Turn(
            rounds, self.spending, self.compaction(), self.workspaces, self.journal, self.leases, self.sessions,
            self.executions, self.discord, self.prompts, self.chronicle, self.clock, limits,
        )  # fmt: skip

    def rewind(self) -> Rewind:
        return Rewind(self.workspaces, self.journal, self.leases, self.sessions, self.chronicle)

    def compaction(self) -> Compaction:
        return Compaction(self.models, self.prompts, self.chronicle)

    def escalation(self) -> Escalation:
        return Escalation(
            self.models, self.journal, self.leases, self.sessions, self.executions, self.discord, self.prompts,
            self.chronicle, self.clock,
        )  # fmt: skip

    def checkpoint(self) -> Checkpoint:
        return Checkpoint(self.leases, self.executions, self.discord, self.chronicle, self.clock)

    def clarify(self) -> Clarify:
        return Clarify(self.leases, self.executions, self.sessions, self.discord, self.chronicle)

    def evaluate(self) -> Evaluate:
        return Evaluate(self.leases, self.sessions, self.chronicle)

    def reflect(self) -> Reflect:
        return Reflect(self.spending, self.leases, self.reflector())

    def recall(self) -> Recall:
        return Recall(self.discord, self.sessions, self.models, self.prompts, self.chronicle)

    def reflector(self) -> Reflector:
        return Reflector(
            self.models, self.prompts, self.journal, self.sessions, self.reflections, self.insights, self.executions,
            self.chronicle, self.clock,
        )  # fmt: skip

    def commit(self) -> MakeCommit:
        return MakeCommit(
            self.leases, self.sessions, self.executions, self.workspaces, self.repositories, self.chronicle
        )

    def finish(self) -> Finish:
        return Finish(
            self.discord, self.leases, self.sessions, self.executions, self.workspaces, self.machines, self.terminal,
            self.chronicle, self.clock,
        )  # fmt: skip

    def await_decision(self) -> AwaitDecision:
        return AwaitDecision(self.executions)

    def carry_out(self) -> CarryOut:
        return CarryOut(self.discord, self.leases, self.sessions, self.executions, self.repositories, self.chronicle)

    def fail(self) -> Fail:
        return Fail(self.discord, self.leases, self.sessions, self.executions, self.terminal, self.chronicle)

    def respond(self) -> Respond:
        return Respond(self.answering(), self.models, self.prompts, self.discord, self.recall())

    def breakglass(self) -> Breakglass:
        return Breakglass(self.answering(), self.models, self.prompts, self.recall())

    def answering(self) -> Answering:
        return Answering(
            self.spending, self.discord, self.executions, self.terminal, self.chronicle, self.clock, Redactor()
        )

    def frame(self) -> Frame:
        return Frame(
            self.spending, self.models, self.prompts, self.discord, self.sessions, self.executions, self.chronicle,
            self.clock, self.recall(),
        )  # fmt: skip

    def brainstorm(self) -> Brainstorm:
        return Brainstorm(
            self.spending, self.prompts, self.discord, self.executions, self.proposals, self.chronicle, self.clock,
            Redactor(),
        )  # fmt: skip

    def consolidate(self) -> Consolidate:
        return Consolidate(
            self.spending, self.prompts, self.discord, self.executions, self.proposals, self.terminal, self.chronicle,
            self.clock, Redactor(),
        )  # fmt: skip

    def conforms(self) -> tuple[object, ...]:
        """The fakes as the ports they stand for: the type checker proves that they are."""
        discord: ports.Discord = self.discord
        model: ports.LanguageModel = self.model
        models: ports.Models = self.models
        prompts: ports.Prompts = self.prompts
        toolbox: ports.ToolBox = self.toolbox
        markers: ports.StopMarkers = self.markers
        proposals: ports.Proposals = self.proposals
        wakeups: ports.Wakeups = self.wakeups
        workspaces: ports.Workspaces = self.workspaces
        journal: ports.Journal = self.journal
        leases: ports.Leases = self.leases
        sessions: ports.Sessions = self.sessions
        reflections: ports.Reflections = self.reflections
        insights: ports.Insights = self.insights
        executions: ports.Executions = self.executions
        audit: ports.AuditLog = self.audit
        events: ports.Events = self.events
        machines: ports.Machines = self.machines
        metrics: ports.Metrics = self.metrics
        console: ports.Console = self.console
        repositories: ports.Repositories = self.repositories
        budgets: ports.Budgets = self.budgets
        return (
            discord, model, models, prompts, toolbox, markers, proposals, wakeups, workspaces, journal, leases, sessions, executions,
            reflections, insights, audit, events, machines, metrics, console, repositories, budgets,
        )  # fmt: skip
