"""The adapters a step may need, each made on first use."""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config

from discord_agent.adapters.clock import SystemClock
from discord_agent.adapters.discord.inbound import BotIdentity
from discord_agent.adapters.discord.rest import RestDiscord
from discord_agent.adapters.dynamodb.audit import DynamoAuditLog
from discord_agent.adapters.dynamodb.budgets import DynamoBudgets
from discord_agent.adapters.dynamodb.executions import DynamoExecutions
from discord_agent.adapters.dynamodb.leases import DynamoLeases
from discord_agent.adapters.dynamodb.memories import DynamoInsights, DynamoReflections
from discord_agent.adapters.dynamodb.sessions import DynamoSessions
from discord_agent.adapters.dynamodb.store import Store
from discord_agent.adapters.events import SqsEvents
from discord_agent.adapters.folders import find_root
from discord_agent.adapters.journal import S3Journal
from discord_agent.adapters.late import Late
from discord_agent.adapters.llm.registry import ModelRegistry
from discord_agent.adapters.logging import configure
from discord_agent.adapters.machines import StepFunctionsMachines
from discord_agent.adapters.metering import meter
from discord_agent.adapters.metrics import EmfMetrics
from discord_agent.adapters.proposals import S3Proposals
from discord_agent.adapters.secrets import ParameterStoreSecrets
from discord_agent.adapters.tools.stopping import StopMarkers
from discord_agent.adapters.tracing import TracedModel
from discord_agent.adapters.wakeups import SqsWakeups
from discord_agent.adapters.workspace.store import S3Workspaces
from discord_agent.domain import measures
from discord_agent.domain.conversation import Purpose
from discord_agent.domain.ids import UserId
from discord_agent.domain.redaction import Redactor
from discord_agent.entrypoint import tracer
from discord_agent.ports import LanguageModel, Repositories, ToolBox
from discord_agent.settings import ModelSettings, RepositorySettings, RunSettings, TurnSettings
from discord_agent.steps.chronicle import Chronicle
from discord_agent.steps.recall import Recall
from discord_agent.steps.reflecting import Reflector
from discord_agent.steps.spending import Spending
from discord_agent.steps.terminal import Terminal

if TYPE_CHECKING:
    from discord_agent.adapters.prompts import TemplatePrompts

_AWS: Final = Config(retries={"mode": "standard", "max_attempts": 4}, connect_timeout=3, read_timeout=20)

type Variables = Mapping[str, str]


class Parts:
    """The adapters a step may need, each made on first use."""

    def __init__(self, settings: RunSettings) -> None:
        self._settings = settings
        self._session = boto3.session.Session()
        self._clients: dict[tuple[str, Config], Any] = {}
        meter().watch(self._session.events)
        self.clock = SystemClock()
        self.metrics = EmfMetrics(self.clock)
        self.tracer = tracer()
        self.secrets = ParameterStoreSecrets(self._client("ssm"), self.clock)
        self.redactor = Redactor(self.secrets.known)
        configure(settings.log_level, self.redactor)
        self.bot = BotIdentity(UserId(settings.bot_id), settings.bot_username)

    def _client(self, service: str, config: Config = _AWS) -> Any:
        """One client per service, made when it is first used."""
        make: Callable[..., Any] = self._session.client
        return self._clients.setdefault((service, config), Late(lambda: make(service, config=config)))

    @cached_property
    def _store(self) -> Store:
        return Store(self._client("dynamodb"))

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
        events = SqsEvents(self._client("sqs"), self._settings.events_queue_url, self.clock, self.redactor)
        return Chronicle(self.audit, events, self.clock, self.metrics)

    @cached_property
    def discord(self) -> RestDiscord:
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
        return StepFunctionsMachines(self._client("stepfunctions"), arns)

    def wakeups(self, url: str) -> SqsWakeups:
        return SqsWakeups(self._client("sqs"), url)

    def workspaces(self, bucket: str) -> S3Workspaces:
        return S3Workspaces(self._client("s3"), bucket)

    def journal(self, bucket: str) -> S3Journal:
        return S3Journal(self._client("s3"), bucket)

    def proposals(self, bucket: str) -> S3Proposals:
        return S3Proposals(self._client("s3"), bucket)

    def markers(self, bucket: str) -> StopMarkers:
        return StopMarkers(self._client("s3"), bucket)

    @cached_property
    def prompts(self) -> "TemplatePrompts":
        from discord_agent.adapters.prompts import TemplatePrompts  # noqa: PLC0415 - intake asks no model

        return TemplatePrompts(find_root())

    def registry(self, purposes: Mapping[Purpose, str] | None = None) -> ModelRegistry:
        return ModelRegistry.load(find_root() / "models.yaml", purposes=purposes)

    def models(self, settings: ModelSettings) -> tuple[LanguageModel, ModelRegistry, "TemplatePrompts"]:
        """What it takes to ask a model."""
        from discord_agent.adapters.llm.access import ModelAccess  # noqa: PLC0415 - half of the functions ask no model
        from discord_agent.adapters.llm.model import LiteLLMModel  # noqa: PLC0415

        registry = self.registry(
            {
                Purpose.DECIDE: settings.decision,
                Purpose.PLAN: settings.planner,
                Purpose.REFLECT: settings.reflector,
                Purpose.TITLE: settings.title,
            }
        )

        def access() -> ModelAccess:
            return ModelAccess.from_secret(self.secrets.get(settings.key_secret), settings.base_url)

        # What is missing is told before money is set aside for a call.
        access()
        model = LiteLLMModel(registry, access, on_fault=lambda: self.metrics.record(measures.MODEL_FAULTS))
        return TracedModel(model, self.tracer), registry, self.prompts

    def spending(self, settings: ModelSettings) -> tuple[Spending, ModelRegistry, "TemplatePrompts"]:
        """What it takes to ask a model and pay for it."""
        model, registry, prompts = self.models(settings)
        return Spending(model, registry, self.budgets, self.metrics), registry, prompts

    def recall(self, models: ModelRegistry, prompts: "TemplatePrompts") -> Recall:
        """What tells a thread's history."""
        return Recall(self.discord, self.sessions, models, prompts, self.chronicle, self.redactor)

    def reflector(self, models: ModelRegistry, prompts: "TemplatePrompts", bucket: str) -> Reflector:
        """What learns from evidence."""
        return Reflector(
            models,
            prompts,
            self.journal(bucket),
            self.sessions,
            self.reflections,
            self.insights,
            self.executions,
            self.chronicle,
            self.clock,
            self.redactor,
        )

    def toolbox(self, settings: TurnSettings) -> ToolBox:
        from discord_agent.adapters.tools.access import WorkspaceCredentials  # noqa: PLC0415 - only turn speaks to the sandbox
        from discord_agent.adapters.tools.definitions import parse_servers  # noqa: PLC0415
        from discord_agent.adapters.tools.sandbox import LAMBDA_CONFIG, SandboxTools  # noqa: PLC0415
        from discord_agent.adapters.tools.servers import ToolServers  # noqa: PLC0415
        from discord_agent.adapters.tools.toolbox import Tools  # noqa: PLC0415
        from discord_agent.adapters.tools.vault import ToolSecrets  # noqa: PLC0415

        functions = self._client("lambda", LAMBDA_CONFIG)
        meter().watch_invocations(functions.meta.events, settings.sandbox_memory)
        sandbox = SandboxTools(
            functions,
            settings.sandbox_function,
            settings.bucket,
            WorkspaceCredentials(self._client("sts"), settings.workspace_role_arn, settings.bucket, self.clock),
            self.tracer,
        )
        secrets = ToolSecrets(lambda: self.secrets.get(settings.tool_secrets))
        servers = ToolServers(parse_servers(settings.mcp_servers), secrets, self.clock)
        return Tools(sandbox, servers, secrets, self.sessions, self.clock)

    def repositories(self, settings: RepositorySettings) -> Repositories:
        from discord_agent.adapters.git.repositories import DulwichRepositories  # noqa: PLC0415 - three functions need git

        return DulwichRepositories(
            self._client("s3"),
            settings.bucket,
            self.clock,
            lambda: self.secrets.get(settings.credentials_secret),
            self.redactor.leaks,
        )
