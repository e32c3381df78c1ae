"""The environment of each function as a typed model, read once when the function starts; nothing else reads it."""

import os
from collections.abc import Mapping
from datetime import timedelta
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from discord_agent.domain.errors import InvalidSettings

type LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]


class Settings(BaseModel):
    """Base of all: unknown variables are ignored, missing ones named.

    Defaults are the declaration's (``PARAMETERS`` in ``choices.py``). A field has one here only where an empty
    parameter, which is not set at all, means something.
    """

    # Each function reads one or two of these models; the others are never built.
    model_config = ConfigDict(frozen=True, extra="ignore", str_strip_whitespace=True, defer_build=True)

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Self:
        """Read from environment variables; InvalidSettings names each bad one and the remedy."""
        try:
            return cls.model_validate(dict(environ))
        except ValidationError as error:
            faults = "; ".join(f"{fault['loc'][0]}: {fault['msg']}" for fault in error.errors())
            raise InvalidSettings(f"set these environment variables: {faults}") from error


class HostSettings(Settings):
    """What runs the process; without a memory size in MB it is not Lambda, and costs nothing per second."""

    memory_mb: int = Field(0, alias="AWS_LAMBDA_FUNCTION_MEMORY_SIZE", ge=0)


class TraceSettings(Settings):
    """Where Lambda's X-Ray daemon listens, "" where there is none, and which trace the invocation belongs to."""

    daemon: str = Field("", alias="AWS_XRAY_DAEMON_ADDRESS")
    header: str = Field("", alias="_X_AMZN_TRACE_ID")


class StateSettings(Settings):
    """Where the state lies; without a queue no agentic events are sent."""

    sessions_table: str = Field(alias="DYNAMODB_SESSIONS_TABLE")
    executions_table: str = Field(alias="DYNAMODB_EXECUTIONS_TABLE")
    messages_table: str = Field(alias="DYNAMODB_MESSAGES_TABLE")
    events_queue_url: str = Field("", alias="AGENTIC_EVENTS_QUEUE_URL")


class DiscordSettings(Settings):
    """How to reach Discord; the token lies in Parameter Store under ``token_secret``."""

    token_secret: str = Field(alias="DISCORD_TOKEN_SECRET")
    api_url: str = Field(alias="DISCORD_API_URL")
    bot_id: str = Field(alias="DISCORD_BOT_ID")
    bot_username: str = Field(alias="BOT_USERNAME")


class BucketSettings(Settings):
    """Where the workspaces lie."""

    bucket: str = Field(alias="S3_ARTIFACT_BUCKET")


class ModelSettings(Settings):
    """How to reach models: a gateway, or the providers; the key lies in Parameter Store under ``key_secret``."""

    key_secret: str = Field(alias="MODEL_KEY_SECRET")
    base_url: str = Field("", alias="LITELLM_BASE_URL")
    planner: str = Field(alias="PLANNER_MODEL_ID")
    decision: str = Field(alias="DECISION_MODEL_ID")
    reflector: str = Field(alias="REFLECTOR_MODEL_ID")
    title: str = Field(alias="TITLE_MODEL_ID")


class GitSettings(Settings):
    """How to reach git hosts; the credentials lie in Parameter Store under ``credentials_secret``."""

    credentials_secret: str = Field(alias="GIT_CREDENTIALS_SECRET")


class RunSettings(StateSettings, DiscordSettings):
    """What every step of a run needs."""

    log_level: LogLevel = Field(alias="LOG_LEVEL")


class InteractionsSettings(Settings):
    """The interactions endpoint."""

    public_key: str = Field(alias="DISCORD_PUBLIC_KEY", min_length=64, max_length=64)
    queue_url: str = Field(alias="DISCORD_MESSAGES_QUEUE_URL")


class MachineSettings(Settings):
    """The state machines that answer requests."""

    simple_machine: str = Field(alias="SIMPLE_MACHINE_ARN")
    branch_machine: str = Field(alias="BRANCH_MACHINE_ARN")
    breakglass_machine: str = Field(alias="BREAKGLASS_MACHINE_ARN")
    sequential_machine: str = Field(alias="SEQUENTIAL_THINKING_MACHINE_ARN")

    @property
    def flow_machines(self) -> dict[str, str]:
        """Their ARNs by name."""
        return {
            "simple": self.simple_machine,
            "branch": self.branch_machine,
            "breakglass": self.breakglass_machine,
            "sequential_thinking": self.sequential_machine,
        }


class IntakeSettings(RunSettings, BucketSettings, MachineSettings):
    """Intake; ``endpoint`` is where AWS is elsewhere than at Amazon, so that Amazon's console shows nothing of it."""

    endpoint: str = Field("", alias="AWS_ENDPOINT_URL")

    approval_machine: str = Field(alias="APPROVAL_MACHINE_ARN")
    wakeups_queue_url: str = Field(alias="WAKEUPS_QUEUE_URL")
    other_bot_username: str = Field("", alias="OTHER_BOT_USERNAME")
    staleness_minutes: int = Field(alias="STALENESS_MINUTES", ge=1)
    debounce_seconds: float = Field(alias="DEBOUNCE_SECONDS", ge=0, le=900)

    @property
    def staleness(self) -> timedelta:
        """How old a message may be."""
        return timedelta(minutes=self.staleness_minutes)

    @property
    def debounce(self) -> timedelta:
        """How long to wait for a further message of the same author."""
        return timedelta(seconds=self.debounce_seconds)


class ClassifySettings(RunSettings, ModelSettings, MachineSettings):
    """Classify."""


class RespondSettings(RunSettings, ModelSettings):
    """Steps that ask a model and need no bucket: respond, breakglass and frame."""


class WorkspaceSettings(RunSettings, BucketSettings):
    """Steps that read or write what lies in the bucket."""


class RepositorySettings(WorkspaceSettings, GitSettings):
    """Steps that speak to git hosts: prepare, commit and approval."""


class ThinkingSettings(WorkspaceSettings, ModelSettings):
    """Steps that ask a model and need the bucket: plan, reflect, brainstorm and consolidate."""


class TurnSettings(ThinkingSettings):
    """Turn; the sandbox's memory in MB says what its calls cost."""

    sandbox_function: str = Field(alias="SANDBOX_FUNCTION")
    sandbox_memory: int = Field(alias="SANDBOX_MEMORY_MB", gt=0)
    workspace_role_arn: str = Field(alias="WORKSPACE_ROLE_ARN")
    tool_secrets: str = Field(alias="TOOL_SECRETS_SECRET")
    mcp_servers: str = Field("", alias="MCP_SERVERS")


class FinishSettings(WorkspaceSettings):
    """Finish."""

    approval_machine: str = Field(alias="APPROVAL_MACHINE_ARN")


class SandboxSettings(Settings):
    """The sandbox, which knows nothing but where programs are found."""

    path: str = Field(alias="PATH")


def environment() -> Mapping[str, str]:
    """The process environment; the only place that reads it."""
    return os.environ  # noqa: TID251 - this is that place
