"""The environment of each function as typed structs, read once when the function starts; nothing else reads it."""

import os
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Annotated, Any, Literal, Self, get_args, get_origin

from msgspec import Meta, Struct, ValidationError, convert, field
from msgspec.structs import FieldInfo, fields

from discord_agent.domain.errors import InvalidSettings

type LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]


class Settings(Struct, frozen=True, kw_only=True):
    """Base of all, whose fields are named after variables: unknown ones are ignored, missing ones named.

    Defaults are the declaration's (``PARAMETERS`` in ``choices.py``). A field has one here only where an empty
    parameter, which is not set at all, means something. A function reads each model that it needs.
    """

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Self:
        """Read from environment variables; InvalidSettings names each bad one and the remedy."""
        values: dict[str, Any] = {}
        faults: list[str] = []
        for each in fields(cls):
            try:
                values |= _value(each, environ)
            except ValidationError as error:
                faults.append(f"{each.encode_name}: {error}")
        if faults:
            raise InvalidSettings(f"set these environment variables: {'; '.join(faults)}")
        return cls(**values)


def _value(of: FieldInfo, environ: Mapping[str, str]) -> dict[str, Any]:
    """The field with its value, {} where its default is taken."""
    if of.encode_name in environ:
        return {of.name: convert(_read(environ[of.encode_name].strip(), of.type), of.type)}
    if of.required:
        raise ValidationError("it is missing")
    return {}


def _read(text: str, wanted: Any) -> str | int | float:
    """Environments hold nothing but texts: one that is to be a number becomes one if it can."""
    kind = get_args(wanted)[0] if get_origin(wanted) is Annotated else wanted
    with suppress(ValueError):
        return int(text) if kind is int else float(text) if kind is float else text
    return text


class HostSettings(Settings, frozen=True, kw_only=True):
    """What runs the process; without a memory size in MB it is not Lambda, and costs nothing per second."""

    memory_mb: Annotated[int, Meta(ge=0)] = field(default=0, name="AWS_LAMBDA_FUNCTION_MEMORY_SIZE")


class TraceSettings(Settings, frozen=True, kw_only=True):
    """Where Lambda's X-Ray daemon listens, "" where there is none, and which trace the invocation belongs to."""

    daemon: str = field(default="", name="AWS_XRAY_DAEMON_ADDRESS")
    header: str = field(default="", name="_X_AMZN_TRACE_ID")


class RunSettings(Settings, frozen=True, kw_only=True):
    """What every step of a run needs: where the state lies, and how to reach Discord.

    Without a queue no agentic events are sent. The bot's token lies in Parameter Store under ``token_secret``.
    """

    sessions_table: str = field(name="DYNAMODB_SESSIONS_TABLE")
    executions_table: str = field(name="DYNAMODB_EXECUTIONS_TABLE")
    messages_table: str = field(name="DYNAMODB_MESSAGES_TABLE")
    events_queue_url: str = field(default="", name="AGENTIC_EVENTS_QUEUE_URL")
    token_secret: str = field(name="DISCORD_TOKEN_SECRET")
    api_url: str = field(name="DISCORD_API_URL")
    bot_id: str = field(name="DISCORD_BOT_ID")
    bot_username: str = field(name="BOT_USERNAME")
    log_level: LogLevel = field(name="LOG_LEVEL")


class WorkspaceSettings(RunSettings, frozen=True, kw_only=True):
    """Steps that read or write what lies in the bucket, workspaces among it."""

    bucket: str = field(name="S3_ARTIFACT_BUCKET")


class RepositorySettings(WorkspaceSettings, frozen=True, kw_only=True):
    """Steps that speak to git hosts; the credentials lie in Parameter Store under ``credentials_secret``."""

    credentials_secret: str = field(name="GIT_CREDENTIALS_SECRET")


class ModelSettings(Settings, frozen=True, kw_only=True):
    """How to reach models: a gateway, or the providers; the key lies in Parameter Store under ``key_secret``."""

    key_secret: str = field(name="MODEL_KEY_SECRET")
    base_url: str = field(default="", name="LITELLM_BASE_URL")
    planner: str = field(name="PLANNER_MODEL_ID")
    decision: str = field(name="DECISION_MODEL_ID")
    reflector: str = field(name="REFLECTOR_MODEL_ID")
    title: str = field(name="TITLE_MODEL_ID")


class InteractionsSettings(Settings, frozen=True, kw_only=True):
    """The interactions endpoint."""

    public_key: Annotated[str, Meta(min_length=64, max_length=64)] = field(name="DISCORD_PUBLIC_KEY")
    queue_url: str = field(name="DISCORD_MESSAGES_QUEUE_URL")


class MachineSettings(Settings, frozen=True, kw_only=True):
    """The state machines that answer requests."""

    simple_machine: str = field(name="SIMPLE_MACHINE_ARN")
    branch_machine: str = field(name="BRANCH_MACHINE_ARN")
    breakglass_machine: str = field(name="BREAKGLASS_MACHINE_ARN")
    sequential_machine: str = field(name="SEQUENTIAL_THINKING_MACHINE_ARN")

    @property
    def flow_machines(self) -> dict[str, str]:
        """Their ARNs by name."""
        return {
            "simple": self.simple_machine,
            "branch": self.branch_machine,
            "breakglass": self.breakglass_machine,
            "sequential_thinking": self.sequential_machine,
        }


class IntakeSettings(WorkspaceSettings, frozen=True, kw_only=True):
    """Intake; ``endpoint`` is where AWS is elsewhere than at Amazon, so that Amazon's console shows nothing of it."""

    endpoint: str = field(default="", name="AWS_ENDPOINT_URL")
    approval_machine: str = field(name="APPROVAL_MACHINE_ARN")
    wakeups_queue_url: str = field(name="WAKEUPS_QUEUE_URL")
    other_bot_username: str = field(default="", name="OTHER_BOT_USERNAME")
    staleness_minutes: Annotated[int, Meta(ge=1)] = field(name="STALENESS_MINUTES")
    debounce_seconds: Annotated[float, Meta(ge=0, le=900)] = field(name="DEBOUNCE_SECONDS")

    @property
    def staleness(self) -> timedelta:
        """How old a message may be."""
        return timedelta(minutes=self.staleness_minutes)

    @property
    def debounce(self) -> timedelta:
        """How long to wait for a further message of the same author."""
        return timedelta(seconds=self.debounce_seconds)


class TurnSettings(WorkspaceSettings, frozen=True, kw_only=True):
    """Turn; the sandbox's memory in MB says what its calls cost."""

    sandbox_function: str = field(name="SANDBOX_FUNCTION")
    sandbox_memory: Annotated[int, Meta(gt=0)] = field(name="SANDBOX_MEMORY_MB")
    workspace_role_arn: str = field(name="WORKSPACE_ROLE_ARN")
    tool_secrets: str = field(name="TOOL_SECRETS_SECRET")
    mcp_servers: str = field(default="", name="MCP_SERVERS")


class FinishSettings(WorkspaceSettings, frozen=True, kw_only=True):
    """Finish."""

    approval_machine: str = field(name="APPROVAL_MACHINE_ARN")


class SandboxSettings(Settings, frozen=True, kw_only=True):
    """The sandbox, which knows nothing but where programs are found."""

    path: str = field(name="PATH")


def environment() -> Mapping[str, str]:
    """The process environment; the only place that reads it."""
    return os.environ  # noqa: TID251 - this is that place
