"""What goes into each layer, and what is left out of it with the reason."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Left:
    """Something that is not packed: distributions by name, or files by pattern below the layer's ``python`` folder."""

    what: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Libraries:
    """A layer of third-party distributions: those of ``requirements`` that no layer ``beneath`` holds.

    Of ``files_emptied``, which are JSON, an empty object is packed.
    """

    requirements: str
    beneath: tuple[str, ...]
    distributions_left: tuple[Left, ...]
    files_left: tuple[Left, ...]
    files_emptied: tuple[Left, ...] = ()


RUNTIME: Final = Left(
    ("boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3"),
    "the Lambda runtime brings the SDK and what it needs",
)
_BUILDING: Final = Left(("pycparser",), "cffi parses C with it when an extension is built")
_SUITES: Final = Left(
    ("**/tests/**", "**/test/**", "**/*.pyi", "**/*.c", "**/*.h", "**/*.pyx", "bin/**", ".lock"),
    "test suites, type stubs, sources of compiled parts, scripts and what uv leaves behind: nothing imports them",
)

_UTILITIES: Final = (
    "auth_alpha",
    "batch",
    "circuit_breaker",
    "data_classes",
    "data_masking",
    "feature_flags",
    "idempotency",
    "kafka",
    "parameters",
    "parser",
    "streaming",
    "validation",
)
_CORE_LEFT: Final = (
    _SUITES,
    Left(
        (
            "aws_lambda_powertools/event_handler/**",
            *(f"aws_lambda_powertools/utilities/{part}/**" for part in _UTILITIES),
        ),
        "of Powertools the formatter of logs and the writer of metrics are used",
    ),
    Left(("yaml/_yaml*.so", "_yaml/**"), "the safe loader in Python reads our one small file"),
    Left(("cffi/**",), "extensions are not built here; the part that runs them is _cffi_backend"),
    Left(("anyio/pytest_plugin.py", "anyio/_backends/_trio.py"), "neither pytest nor trio is here"),
    Left(("httpx/_main.py",), "the command line of httpx"),
)
_PROXY: Final = (
    "_experimental/out",
    "agent_endpoints",
    "client",
    "db",
    "guardrails/content_filter_data",
    "guardrails/guardrail_hooks",
    "lens",
    "management_endpoints",
    "management_helpers",
    "policy_engine",
    "roi_calculator",
    "swagger",
)

LIBRARIES: Final = {
    "core-dependencies": Libraries(
        "core",
        beneath=(),
        distributions_left=(RUNTIME, _BUILDING),
        files_left=_CORE_LEFT,
    ),
    "git-dependencies": Libraries(
        "git",
        beneath=("core-dependencies",),
        distributions_left=(RUNTIME,),
        files_left=(
            _SUITES,
            Left(("dulwich/cli.py", "dulwich/porcelain/**"), "git's command line"),
        ),
    ),
    "models-dependencies": Libraries(
        "models",
        beneath=("core-dependencies",),
        distributions_left=(
            RUNTIME,
            _BUILDING,
            Left(("hf-xet", "huggingface-hub", "fsspec", "filelock", "tqdm"), "no model is fetched from a hub"),
            Left(("tokenizers",), "tokens are bounded by our own rule and counted by the provider"),
            Left(("uvicorn", "python-multipart"), "the client side of MCP serves nothing"),
        ),
        files_left=(
            _SUITES,
            Left(("pydantic/v1/**", "pydantic/mypy.py"), "version 1 of pydantic, and its part in type checks"),
            Left(tuple(f"litellm/proxy/{part}/**" for part in _PROXY), "litellm's own server, which we do not run"),
            Left(("litellm/proxy/_lazy_openapi_snapshot.json",), "the description of that server's API"),
            Left(
                ("litellm/litellm_core_utils/tokenizers/ec7223a39ce59f226a68acc30dc1af2788490e15",),
                "the tokens of models from before GPT-4",
            ),
            Left(
                ("litellm/llms/huggingface/huggingface_llms_metadata/*.txt",),
                "which models one provider serves, for embeddings",
            ),
            Left(
                ("litellm/rust_bridge/*.so",), "litellm's optional engine, 37 MB: without it the same is done in Python"
            ),
        ),
        files_emptied=(
            Left(
                ("litellm/litellm_core_utils/tokenizers/anthropic_tokenizer.json",),
                "litellm reads and writes these 1.8 MB at every start, for its engine and for tokenizers, which are left out",
            ),
        ),
    ),
}
