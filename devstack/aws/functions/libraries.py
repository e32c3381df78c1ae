"""The libraries that templates hold, by package: third-party code that every function of the package loads anyway."""

from typing import Final

from discord_agent.system import Package

_RUNTIME: Final = ("http.client", "simplejson", "snapshot_restore_py")
"""What ``awslambdaric`` imports; it is imported itself where the environment that it reads is complete."""
_CORE: Final = (
    *_RUNTIME,
    "aws_lambda_powertools.logging.formatter",
    "aws_lambda_powertools.utilities.batch",
    "boto3.dynamodb.conditions",
    "boto3.dynamodb.types",
    "boto3.s3.inject",
    "dulwich.bundle",
    "dulwich.client",
    "dulwich.graph",
    "dulwich.patch",
    "dulwich.repo",
    "httpcore",
    "httpx",
    "jinja2",
    "merge3",
    "nacl.signing",
    "pydantic.root_model",
    "yaml",
    "zstandard",
)
_SANDBOX: Final = (
    *_RUNTIME,
    "anyio.to_thread",
    "boto3.s3.inject",
    "jsonschema",
    "mcp.server.lowlevel.server",
    "mcp.server.runner",
    "pydantic.root_model",
    "zstandard",
)

LIBRARIES: Final = {
    Package.CORE: _CORE,
    Package.MODELS: (*_CORE, "mcp_types.methods", "litellm"),
    Package.SANDBOX: _SANDBOX,
}

SWITCHES: Final = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True"}
"""What libraries read from their environment while they are imported; the model adapter sets the same."""
