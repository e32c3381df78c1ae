"""Structured logs without secrets: one JSON object per line, made by Powertools.

Every line is redacted as a whole, stack traces included. What people or models wrote is no business of the logs:
fields that hold it are reduced to their length unless the level is DEBUG.
"""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

from discord_agent.domain.redaction import Redactor

SERVICE: Final = "discord-agent"

USER_TEXT: Final = frozenset(
    {"answer", "arguments", "content", "messages", "output", "prompt", "question", "request", "response", "text"}
)
"""Names of fields that hold what people or models wrote."""

_LOUD: Final = dict.fromkeys(("LiteLLM", "boto3", "botocore", "httpcore", "httpx"), logging.WARNING)
"""Libraries that log every call, addresses and headers included, and the level from which they may speak."""

_correlation: ContextVar[dict[str, Any] | None] = ContextVar("correlation", default=None)


@contextmanager
def correlated(**fields: Any) -> Iterator[None]:
    """Add fields, such as ``execution_id`` and ``thread_id``, to every line logged meanwhile."""
    token = _correlation.set((_correlation.get() or {}) | fields)
    try:
        yield
    finally:
        _correlation.reset(token)


def correlation() -> dict[str, Any]:
    """The fields that are added to every line just now."""
    return dict(_correlation.get() or {})


class Handler(logging.StreamHandler[Any]):
    """Our own handler on the root logger, where Lambda's runtime has put none."""


def configure(level: str, redactor: Redactor | None = None) -> None:
    """Send all logs, through Lambda's handler where there is one, as redacted JSON; calling again replaces this."""
    root = logging.getLogger()
    root.setLevel(level)
    formatter = LambdaPowertoolsFormatter(
        json_serializer=_Serializer(redactor or Redactor(), shows_user_text=root.level <= logging.DEBUG),
        utc=True,
        use_rfc3339=True,
        service=SERVICE,
    )
    for handler in _handlers(root):
        handler.setFormatter(formatter)
        handler.filters[:] = [each for each in handler.filters if not isinstance(each, _Correlate)]
        handler.addFilter(_Correlate())
    for name, loudest in _LOUD.items():
        logging.getLogger(name).setLevel(max(loudest, root.level))


def _handlers(root: logging.Logger) -> list[logging.Handler]:
    ours = [
        handler
        for handler in root.handlers
        if isinstance(handler, Handler) or type(handler).__module__.startswith("awslambdaric")
    ]
    if not ours:
        ours = [Handler()]
        root.addHandler(ours[0])
    return ours


class _Correlate(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        for name, value in correlation().items():
            record.__dict__.setdefault(name, value)
        return True


class _Serializer:
    """Turns a line's fields into JSON."""

    def __init__(self, redactor: Redactor, *, shows_user_text: bool) -> None:
        self._redactor = redactor
        self._shows_user_text = shows_user_text

    def __call__(self, fields: Any) -> str:
        # Through JSON first: what is not JSON is text only then, and must be redacted as such.
        data = json.loads(json.dumps(fields, default=str))
        if not self._shows_user_text:
            data = _without_user_text(data)
        return json.dumps(self._redactor.data(data))


def _without_user_text(data: Any) -> Any:
    match data:
        case dict():
            return {
                name: f"({len(str(value))} characters)" if name in USER_TEXT else _without_user_text(value)
                for name, value in data.items()
            }
        case list():
            return [_without_user_text(item) for item in data]
    return data
