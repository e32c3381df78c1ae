"""The adapters a step may need, each made on first use."""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config

from discord_agent.adapters.clock import SystemClock
from discord_agent.adapters.discord.inbound import BotIdentity
from discord_agent.adapters.dynamodb.audit import DynamoAuditLog
from discord_agent.adapters.dynamodb.budgets import DynamoBudgets
from discord_agent.adapters.dynamodb.executions import DynamoExecutions
from discord_agent.adapters.dynamodb.leases import DynamoLeases
from discord_agent.adapters.dynamodb.memories import DynamoInsights, DynamoReflections
from discord_agent.adapters.dynamodb.sessions import DynamoSessions
from discord_agent.adapters.dynamodb.store import Store
from discord_agent.adapters.events import SqsEvents
from discord_agent.adapters.folders import find_root
from discord_agent.adapters.late import late
from discord_agent.adapters.logging import configure
from discord_agent.adapters.machines import StepFunctionsMachines
from discord_agent.adapters.metering import meter
from discord_agent.adapters.metrics import EmfMetrics
from discord_agent.adapters.secrets import ParameterStoreSecrets
from discord_agent.adapters.tools.stopping import StopMarkers
from discord_agent.adapters.wakeups import SqsWakeups
from discord_agent.domain import measures
from discord_agent.domain.conversation import Purpose
from discord_agent.domain.ids import UserId
from discord_agent.domain.redaction import Redactor
from discord_agent.entrypoint import tracer
from discord_agent.ports import Repositories, ToolBox
from discord_agent.settings import RepositorySettings, RunSettings, TurnSettings
from discord_agent.steps.chronicle import Chronicle
from discord_agent.steps.terminal import Terminal

if TYPE_CHECKING:
    from discord_agent.adapters.discord.rest import RestDiscord
    from discord_agent.adapters.llm.registry import ModelRegistry
    from discord_agent.adapters.prompts import TemplatePrompts

_AWS: Final = Config(retries={"mode": "standard", "max_attempts": 4}, connect_timeout=3, read_timeout=20)

type Variables = Mapping[str, str]


class Parts:
    """The adapters a step may need, each made on first use."""

    def __init__(self, settings: RunSettings) -> None:
        self._settings = settings
        self._clients: dict[tuple[str, Config], Any] = {}
        self.clock = SystemClock()
        self.metrics = EmfMetrics(self.clock)
        self.tracer = tracer()
        self.secrets = ParameterStoreSecrets(self.client("ssm"), self.clock)
        self.redactor = Redactor(self.secrets.known)
        configure(settings.log_level, self.redactor)
        self.bot = BotIdentity(UserId(settings.bot_id), settings.bot_username)

    def client(self, service: str, config: Config = _AWS) -> Any:
        """One client per service, made when it is first used."""
        return self._clients.setdefault((service, config), late(lambda: self._make(service, config=config)))

    @cached_property
    def _make(self) -> Callable[..., Any]:
        """Makes clients whose calls are counted."""
        session = boto3.session.Session()
        meter().watch(session.events)
        return session.client

    @cached_property
    def _store(self) -> Store:
        return Store(self.client("dynamodb"))

    @cached_property
    def leases(self) -> DynamoLeases:
        return DynamoLeases(self._store, self._settings.sessions_table, self.clock)

    @cached_property
    def sessions(self) -> DynamoSessions:
        return DynamoSessions(self._store, self._settings.sessions_table, self.clock)

    @cached_property
    def reflections(self) -> DynamoReflections:
        return DynamoReflections(self._store, self._settings.sessions_table, self.clock)

    @cached_property
    def insights(self) -> DynamoInsights:
        return DynamoInsights(self._store, self._settings.sessions_table, self.clock)

    @cached_property
    def executions(self) -> DynamoExecutions:
        tables = (self._settings.executions_table, self._settings.sessions_table)
        return DynamoExecutions(self._store, *tables, self.clock)

    @cached_property
    def budgets(self) -> DynamoBudgets:
        return DynamoBudgets(self._store, self._settings.sessions_table, self.sessions, self.clock)

    @cached_property
    def audit(self) -> DynamoAuditLog:
        return DynamoAuditLog(self._store, self._settings.messages_table, self.redactor)

    @cached_property
    def chronicle(self) -> Chronicle:
        events = SqsEvents(self.client("sqs"), self._settings.events_queue_url, self.clock, self.redactor)
        return Chronicle(self.audit, events, self.clock, self.metrics)

    @cached_property
    def discord(self) -> "RestDiscord":
        return late(self._connect)

    def _connect(self) -> "RestDiscord":
        from discord_agent.adapters.discord.rest import RestDiscord  # noqa: PLC0415 - most messages are for somebody else

        return RestDiscord.connect(
            api_url=self._settings.api_url,
            token=lambda: self.secrets.get(self._settings.token_secret),
            bot=self.bot,
            redact=self.redactor.text,
            redact_files=self.redactor.code,
            on_limited=lambda: self.metrics.record(measures.RATE_LIMITS),
        )

    @cached_property
    def terminal(self) -> Terminal:
        return Terminal(self.discord, self.executions, self.chronicle, self.budgets)

    def machines(self, **arns: str) -> StepFunctionsMachines:
        return StepFunctionsMachines(self.client("stepfunctions"), arns)

    def wakeups(self, url: str) -> SqsWakeups:
        return SqsWakeups(self.client("sqs"), url)

    def markers(self, bucket: str) -> StopMarkers:
        return StopMarkers(self.client("s3"), bucket)

    @cached_property
    def prompts(self) -> "TemplatePrompts":
        from discord_agent.adapters.prompts import TemplatePrompts  # noqa: PLC0415 - intake asks no model

        return TemplatePrompts(find_root())

    def registry(self, purposes: Mapping[Purpose, str] | None = None) -> "ModelRegistry":
        from discord_agent.adapters.llm.registry import ModelRegistry  # noqa: PLC0415 - most functions need no model

        return ModelRegistry.load(find_root() / "models.yaml", purposes=purposes)

    def toolbox(self, settings: TurnSettings) -> ToolBox:
        from discord_agent.adapters.tools.access import WorkspaceCredentials  # noqa: PLC0415 - only turn speaks to the sandbox
        from discord_agent.adapters.tools.definitions import parse_servers  # noqa: PLC0415
        from discord_agent.adapters.tools.sandbox import LAMBDA_CONFIG, SandboxTools  # noqa: PLC0415
        from discord_agent.adapters.tools.servers import ToolServers  # noqa: PLC0415
        from discord_agent.adapters.tools.toolbox import Tools  # noqa: PLC0415
        from discord_agent.adapters.tools.vault import ToolSecrets  # noqa: PLC0415

        functions = self.client("lambda", LAMBDA_CONFIG)
        meter().watch_invocations(functions.meta.events, settings.sandbox_memory)
        sandbox = SandboxTools(
            functions,
            settings.sandbox_function,
            settings.bucket,
            WorkspaceCredentials(self.client("sts"), settings.workspace_role_arn, settings.bucket, self.clock),
            self.tracer,
        )
        secrets = ToolSecrets(lambda: self.secrets.get(settings.tool_secrets))
        servers = ToolServers(parse_servers(settings.mcp_servers), secrets, self.clock)
        return Tools(sandbox, servers, secrets, self.sessions, self.clock)

    def repositories(self, settings: RepositorySettings) -> Repositories:
        from discord_agent.adapters.git.repositories import DulwichRepositories  # noqa: PLC0415 - three functions need git

        return DulwichRepositories(
            self.client("s3"),
            settings.bucket,
            self.clock,
            lambda: self.secrets.get(settings.credentials_secret),
            self.redactor.leaks,
        )
