"""The libraries that templates hold, by package: third-party code that every function of the package loads anyway."""

from typing import Final

from discord_agent.declaration import Package

_RUNTIME: Final = ("http.client", "simplejson", "snapshot_restore_py")
"""What ``awslambdaric`` imports; it is imported itself where the environment that it reads is complete."""
_CORE: Final = (
    *_RUNTIME,
    "aws_lambda_powertools.logging.formatter",
    "aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch",
    "boto3.dynamodb.conditions",
    "boto3.dynamodb.types",
    "boto3.s3.inject",
    "httpcore",
    "httpx",
    "jinja2",
    "nacl.signing",
    "pydantic.root_model",
    "yaml",
    "backports.zstd",
)
_GIT: Final = (
    "dulwich.bundle",
    "dulwich.client",
    "dulwich.graph",
    "dulwich.patch",
    "dulwich.repo",
    "merge3",
)
_SANDBOX: Final = (
    *_RUNTIME,
    "anyio.to_thread",
    "boto3.s3.inject",
    "jsonschema",
    "mcp.server.lowlevel.server",
    "mcp.server.runner",
    "pydantic.root_model",
    "backports.zstd",
)
_MODELS: Final = (
    "litellm",
    # What litellm itself imports only when it is asked for the first time, half of all its memory.
    "anyio._backends._asyncio",
    "litellm._service_logger",
    "litellm.litellm_core_utils.default_encoding",
    "litellm.llms.fal_ai.cost_calculator",
    "litellm.llms.hosted_vllm.chat.transformation",
    "litellm.proxy.openai_files_endpoints.common_utils",
)

LIBRARIES: Final = {
    Package.CORE: _CORE,
    Package.GIT: (*_CORE, *_GIT),
    Package.MODELS: (*_CORE, *_MODELS),
    Package.SANDBOX: _SANDBOX,
}

SWITCHES: Final = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",
    "LITELLM_MODE": "PRODUCTION",
}
"""What litellm reads from its environment while it is imported: it is to fetch nothing, and to read no ``.env`` file."""
