"""The product on a stage: real handlers, state machines and adapters, a scripted model, and clocks that run fast."""

import tempfile
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from devstack.aws.declared import Declared
from devstack.aws.functions.faults import FunctionFaults
from devstack.aws.names import execution_arn, role_arn
from devstack.aws.stack import LocalAws
from devstack.discord.records import DEFAULT_MESSAGE, REPLY, Message
from devstack.discord.rules import relaxed
from devstack.discord.seed import ADA_ID, GENERAL_ID
from devstack.discord.server import DiscordServer
from devstack.git import GitServer
from devstack.model.log import LoggedCall
from devstack.model.script import Script
from devstack.model.server import ModelServer
from devstack.options import ROOT, SAMPLE
from discord_agent.adapters.clock import SystemClock
from discord_agent.adapters.dynamodb.audit import DynamoAuditLog
from discord_agent.adapters.dynamodb.executions import DynamoExecutions
from discord_agent.adapters.dynamodb.leases import DynamoLeases
from discord_agent.adapters.dynamodb.sessions import DynamoSessions
from discord_agent.adapters.dynamodb.store import Store
from discord_agent.adapters.inbound_queue import SqsInboundQueue
from discord_agent.adapters.machines import StepFunctionsMachines
from discord_agent.declaration import System
from discord_agent.domain.classification import Classification, FlowType, TaskType
from discord_agent.domain.ids import (
    ChannelId,
    ExecutionId,
    GuildId,
    MessageId,
    ThreadId,
    UserId,
    decision_owner,
    execution_for_message,
)
from discord_agent.domain.policy import Action, GuildSettings, People, Permit
from discord_agent.domain.redaction import Redactor
from discord_agent.domain.session import ExecutionRecord, Session
from discord_agent.steps.launch import MACHINES, launch
from discord_agent.system import SYSTEM
from tests.support.bridges import RunningBridge
from tests.support.eventually import eventually
from tests.support.histories import Story, story

ENDINGS = ("🏁 Execution Complete", "⏹️ **Stopped**", "⚠️ **Not finished**", "💬 **I need you**", "❌ **Failed.**")
"""Every terminal message of an agent's run holds exactly one of these."""
DECISION_FAILED = "The decision could not be carried out."

_PATIENCE = 90.0
_PAUSE = 0.03
_TIME_SCALE = 0.01
_KEY = "stage"
_TASKS = {
    FlowType.SIMPLE: TaskType.TECHNICAL_QA,
    FlowType.SEQUENTIAL: TaskType.CODING,
    FlowType.BRANCH: TaskType.ARCHITECTURE,
    FlowType.BREAKGLASS: TaskType.GENERAL,
}
_ALIAS = "opus"


class Stage:
    """Everything but the processes of functions, granted what ``system`` says; ``stories`` collects what ran on it."""

    def __init__(self, script: Script, *, system: System = SYSTEM) -> None:
        self.faults = FunctionFaults()
        self.stories: dict[str, Story] = {}
        self._folder = tempfile.TemporaryDirectory()
        # Unlike a folder of the server's own it is still there when the server is stopped and started again.
        self.git = GitServer(Path(self._folder.name))
        self.model = ModelServer(script, key=_KEY)
        self.discord = DiscordServer(data=None, port=0, rules=relaxed())
        declared = Declared(
            system,
            root=ROOT,
            parameters={
                "DISCORD_API_URL": self.discord.api_url,
                "DISCORD_BOT_ID": self.discord.bot_id,
                "DISCORD_PUBLIC_KEY": self.discord.public_key,
                "LITELLM_BASE_URL": self.model.url,
                "DEBOUNCE_SECONDS": "0",
                "LOG_LEVEL": "ERROR",
            },
            secrets={
                "discord-token": self.discord.token,
                "model-key": _KEY,
                "git-credentials": "{}",
                "tool-secrets": "{}",
            },
        )
        self.aws = LocalAws(declared, mode="in_process", time_scale=_TIME_SCALE, faults=self.faults)
        self._cleanup = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as starting:
            starting.enter_context(self._folder)
            for part in (self.git, self.model, self.discord, self.aws):
                part.start()
                starting.callback(part.stop)
            self._connect(starting)
            self._cleanup = starting.pop_all()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End everything; nothing happens the second time."""
        self._cleanup.close()

    def _connect(self, cleanup: ExitStack) -> None:
        clock, store = SystemClock(), Store(self.aws.client("dynamodb"))
        sessions, executions = (SYSTEM.tables[key].name for key in ("sessions", "executions"))
        self.sessions = DynamoSessions(store, sessions, clock)
        self.executions = DynamoExecutions(store, executions, sessions, clock)
        self.audit = DynamoAuditLog(store, SYSTEM.tables["messages"].name, Redactor())
        self.leases = DynamoLeases(store, sessions, clock)
        arns = {key: self.aws.machine_arn(key) for key in SYSTEM.machines}
        self.machines = StepFunctionsMachines(self.aws.client("stepfunctions"), arns)
        self.repository = self.git.import_folder(SAMPLE)
        permit = Permit(Action.BREAKGLASS, People(users=(UserId(ADA_ID),)))
        self.sessions.put_settings(
            GuildId(self.discord.guild_id), GuildSettings(repository=self.repository, permits=(permit,))
        )
        self.discord.set_interactions_endpoint(self.aws.api_url + SYSTEM.functions["interactions"].path)
        http = cleanup.enter_context(httpx.Client(timeout=5))
        own = self.aws.clients_of(role_arn(SYSTEM.services["gateway_bridge"].physical_name))
        queue = _Inbound(own.dynamodb(), own.sqs(), self.aws.queue_url("messages"))
        bridge = RunningBridge(self.discord, queue, http)
        cleanup.callback(bridge.stop)
        eventually(lambda: bridge.is_ready, seconds=_PATIENCE)

    def say(self, text: str, channel: str = GENERAL_ID) -> "Run":
        """Ask for something as a person does: a message that mentions the bot."""
        message = self.discord.post(ADA_ID, channel, f"<@{self.discord.bot_id}> {text}").id
        return Run(self, MessageId(message), ThreadId(message if channel == GENERAL_ID else channel))

    def ready(self, request: str, *, flow: FlowType = FlowType.SEQUENTIAL, thread: ThreadId | None = None) -> "Run":
        """A request that was classified but not started; its message is one that the bot overheard."""
        channel = ChannelId(thread or GENERAL_ID)
        message = MessageId(self.discord.post(ADA_ID, GENERAL_ID, request).id)
        works_in = ThreadId(message) if flow is FlowType.SEQUENTIAL and not thread else ThreadId(channel)
        run = Run(self, message, works_in, flow)
        self.executions.create(
            ExecutionRecord(
                run.execution,
                ThreadId(channel),
                channel,
                message,
                UserId(ADA_ID),
                "Ada",
                flow=flow,
                request=request,
                created_at=SystemClock().now(),
                guild_id=GuildId(self.discord.guild_id),
                classification=Classification(should_respond=True, reason="a test", task_type=_TASKS[flow]),
                alias=_ALIAS if flow is FlowType.BREAKGLASS else "",
            )
        )
        return run

    def start(self, request: str, *, flow: FlowType = FlowType.SEQUENTIAL, thread: ThreadId | None = None) -> "Run":
        """Start a classified request."""
        run = self.ready(request, flow=flow, thread=thread)
        run.launch()
        return run

    def arn(self, machine: str, execution: str) -> str:
        """An execution's ARN."""
        return execution_arn(SYSTEM.machines[machine].physical_name, execution)

    def story_so_far(self, machine: str, execution: str) -> Story:
        """What an execution has done, whether it has ended or not."""
        client, arn = self.aws.client("stepfunctions"), self.arn(machine, execution)
        description = client.describe_execution(executionArn=arn)
        pages = client.get_paginator("get_execution_history").paginate(executionArn=arn)
        return story(machine, description, [event for page in pages for event in page["events"]])

    def ended(self, machine: str, execution: str) -> Story:
        """Wait until an execution has ended and everybody who has to know has dealt with it."""
        arn = self.arn(machine, execution)
        try:
            eventually(lambda: self._has_ended(arn), seconds=_PATIENCE, pause=_PAUSE)
        except AssertionError as error:
            error.add_note(f"{machine} {execution}: {self._whereabouts(machine, execution)}")
            raise
        found = self.story_so_far(machine, execution)
        self.stories[arn] = found
        return found

    def _has_ended(self, arn: str) -> bool:
        client = self.aws.client("stepfunctions")
        try:
            status = client.describe_execution(executionArn=arn)["status"]
        except client.exceptions.ExecutionDoesNotExist:
            return False
        return status != "RUNNING" and self.aws.is_settled(arn)

    def _whereabouts(self, machine: str, execution: str) -> str:
        try:
            story = self.story_so_far(machine, execution)
        except self.aws.client("stepfunctions").exceptions.ExecutionDoesNotExist:
            return "never started"
        return f"{story.status}, {[(visit.state, visit.errors) for visit in story.visits]}"


@dataclass(frozen=True, slots=True)
class Run:
    """One request on the stage."""

    stage: Stage
    message: MessageId
    thread: ThreadId
    flow: FlowType = FlowType.SEQUENTIAL

    @property
    def execution(self) -> ExecutionId:
        """The run's name."""
        return execution_for_message(self.message)

    @property
    def machine(self) -> str:
        """The state machine that plays it."""
        return MACHINES[self.flow]

    @property
    def record(self) -> ExecutionRecord:
        """Its row."""
        found = self.stage.executions.get(self.execution)
        assert found is not None
        return found

    @property
    def session(self) -> Session:
        """What is remembered of its thread."""
        return self.stage.sessions.get(self.thread)

    def launch(self) -> None:
        """Start it."""
        launch(self.stage.machines, self.record)

    def fail(self, function: str, *errors: str, times: int = 1, after: bool = False, where: str = "") -> None:
        """Disturb this run's next calls of a function; ``where`` is a further text that their payload holds."""
        only = (str(self.execution), where) if where else (str(self.execution),)
        self.stage.faults.fail_next(function, *errors, times=times, after=after, only=only)

    def ended(self) -> Story:
        """Wait for its end."""
        return self.stage.ended(self.machine, self.execution)

    def decided(self) -> Story:
        """Wait for the end of the approval of its commit."""
        return self.stage.ended("approval", decision_owner(self.execution))

    def until(self, holds: Callable[[ExecutionRecord], object]) -> ExecutionRecord:
        """Wait until something holds of its row."""

        def found() -> ExecutionRecord | None:
            record = self.stage.executions.get(self.execution)
            return record if record is not None and holds(record) else None

        found_record = eventually(found, seconds=_PATIENCE, pause=_PAUSE)
        assert found_record is not None
        return found_record

    def posts(self, *texts: str) -> list[Message]:
        """The bot's messages that hold one of the texts, in the thread and where it was asked."""
        places = {self.thread, ThreadId(self.record.channel_id)}
        return [
            message
            for place in places
            for message in self.stage.discord.messages(place)
            if message.author_id == self.stage.discord.bot_id
            and message.type in {DEFAULT_MESSAGE, REPLY}
            and any(text in message.content for text in texts)
        ]

    @property
    def endings(self) -> list[str]:
        """Its terminal messages, each by how it says the run ended."""
        return [ending for ending in ENDINGS for post in self.posts(ending) if self.execution in post.content]

    @property
    def laments(self) -> int:
        """How many messages say that the decision on its commit could not be carried out."""
        return sum(self.execution in post.content for post in self.posts(DECISION_FAILED))

    def card(self, message: MessageId | None) -> str:
        """The texts of the cards under a message."""
        found = next(each for each in self.stage.discord.messages(self.thread) if each.id == message)
        return "\n".join(_texts(found.embeds))

    def asked(self) -> None:
        """Wait until the run is parked with its question."""
        self.until(lambda record: record.task_token)
        eventually(lambda: self.session.parked == self.execution and self.holder is None, seconds=_PATIENCE)

    def say(self, text: str) -> None:
        """Write into the thread as the person who asked."""
        self.stage.discord.post(ADA_ID, self.thread, text)

    def react(self, message: MessageId, emoji: str) -> None:
        """React as the person who asked."""
        self.stage.discord.react(ADA_ID, self.thread, message, emoji)

    def decide(self, emoji: str) -> Story:
        """React to the commit card, and wait for what comes of it."""
        record = self.until(lambda record: record.approval and record.approval.task_token)
        assert record.approval is not None
        self.react(record.approval.message_id, emoji)
        return self.decided()

    @property
    def holder(self) -> ExecutionId | None:
        """Who holds the thread."""
        return self.stage.leases.holder(self.thread)

    def model_calls(self, purpose: str) -> list[LoggedCall]:
        """The calls of the model for this run, if nobody else asks with the same words."""
        asked = self.record.request
        return [call for call in self.stage.model.calls if call.purpose == purpose and asked in str(call.messages)]


@dataclass(frozen=True, slots=True)
class _Inbound:
    """The deployed queue, for a bridge."""

    dynamodb: Any
    sqs: Any
    url: str

    def put(self, envelope: Any, *, occurrence: str = "") -> None:
        """Queue an event."""
        SqsInboundQueue(self.sqs, self.url).put(envelope, occurrence=occurrence)


def _texts(value: object) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
