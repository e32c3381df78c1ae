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
    """A layer of third-party distributions: those of ``requirements`` that no layer ``beneath`` holds."""

    requirements: str
    beneath: tuple[str, ...]
    distributions_left: tuple[Left, ...]
    files_left: tuple[Left, ...]


RUNTIME: Final = Left(
    ("boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3"),
    "the Lambda runtime brings the SDK and what it needs",
)
_BUILDING: Final = Left(("pycparser",), "cffi parses C with it when an extension is built")
_SUITES: Final = Left(
    ("**/tests/**", "**/test/**", "**/*.pyi", "**/*.c", "**/*.h", "**/*.pyx", "bin/**"),
    "test suites, type stubs, sources of compiled parts and scripts: nothing imports them",
)

LIBRARIES: Final = {
    "core-dependencies": Libraries(
        "core",
        beneath=(),
        distributions_left=(RUNTIME, _BUILDING),
        files_left=(_SUITES,),
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
            Left(
                ("litellm/proxy/_experimental/out/**", "litellm/proxy/swagger/**"), "the pages of litellm's own server"
            ),
            Left(
                ("litellm/rust_bridge/*.so",), "litellm's optional engine, 37 MB: without it the same is done in Python"
            ),
        ),
    ),
}
