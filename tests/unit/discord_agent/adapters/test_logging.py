import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from discord_agent.adapters.logging import Handler, configure, correlated
from discord_agent.domain.redaction import MARK, Redactor

LOG = logging.getLogger("discord_agent.under_test")


class _Lines:
    """What was logged, read back from JSON."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    def all(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    def only(self) -> dict[str, Any]:
        [line] = self.all()
        return line


@pytest.fixture
def lines() -> Iterator[_Lines]:
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    levels = {name: logging.getLogger(name).level for name in ("httpx", "httpcore", "botocore", "boto3")}
    lines = _Lines()
    root.addHandler(Handler(lines.stream))
    configure("INFO", Redactor(frozenset({"correct horse"})))
    yield lines
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, each in levels.items():
        logging.getLogger(name).setLevel(each)


def test_a_line_is_one_json_object_with_its_fields(lines: _Lines) -> None:
    LOG.info("step", extra={"turn": 3})
    line = lines.only()
    assert (line["level"], line["message"], line["service"], line["turn"]) == ("INFO", "step", "discord-agent", 3)


def test_secrets_are_redacted_in_messages_fields_and_stack_traces(lines: _Lines) -> None:
    try:
        int("the correct horse")
    except ValueError:
        LOG.exception("with %s", "correct horse", extra={"where": ["correct horse"], "api_key": "abc"})
    line = lines.only()
    assert "correct horse" not in json.dumps(line)
    assert (line["message"], line["where"], line["api_key"]) == (f"with {MARK}", [MARK], MARK)
    assert MARK in line["exception"]


def test_what_is_not_json_is_redacted_as_text(lines: _Lines) -> None:
    LOG.info("step", extra={"error": ValueError("correct horse"), "raw": b"correct horse"})
    assert "correct horse" not in json.dumps(lines.only())


def test_the_run_is_named_on_every_line_logged_meanwhile(lines: _Lines) -> None:
    with correlated(execution_id="m-1", thread_id="2"):
        LOG.info("inside")
        with correlated(turn=3):
            logging.getLogger("another.library").warning("deeper", extra={"turn": 4})
    LOG.info("outside")
    inside, deeper, outside = lines.all()
    assert (inside["execution_id"], inside["thread_id"]) == ("m-1", "2")
    assert (deeper["execution_id"], deeper["turn"]) == ("m-1", 4)
    assert "execution_id" not in outside


def test_what_people_wrote_is_logged_as_its_length_only(lines: _Lines) -> None:
    LOG.info("intake", extra={"content": "my private words", "item": {"prompt": "abc"}})
    line = lines.only()
    assert (line["content"], line["item"]) == ("(16 characters)", {"prompt": "(3 characters)"})


def test_at_debug_what_people_wrote_is_shown(lines: _Lines) -> None:
    configure("DEBUG")
    LOG.debug("intake", extra={"content": "my private words"})
    assert lines.only()["content"] == "my private words"


@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
def test_libraries_that_log_addresses_and_bodies_stay_quiet(lines: _Lines, level: str) -> None:
    configure(level)
    logging.getLogger("httpx").info("HTTP Request: POST https://discord.com/api/webhooks/1/token")
    logging.getLogger("botocore.endpoint").debug("Making request with headers")
    assert lines.all() == []


def test_configuring_again_replaces_and_does_not_double(lines: _Lines) -> None:
    configure("INFO")
    configure("INFO")
    with correlated(execution_id="m-1"):
        LOG.info("once")
    assert lines.only()["execution_id"] == "m-1"


def test_handlers_of_others_are_left_alone(lines: _Lines) -> None:
    foreign = logging.StreamHandler(io.StringIO())
    logging.getLogger().addHandler(foreign)
    configure("INFO")
    LOG.info("plain")
    assert foreign.stream.getvalue() == "plain\n"


def test_a_line_says_which_trace_it_belongs_to(lines: _Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-2-3;Parent=b;Sampled=1")
    with correlated(execution_id="m-1", thread_id="2"):
        LOG.info("step")
    line = lines.only()
    assert (line["execution_id"], line["thread_id"], line["xray_trace_id"]) == ("m-1", "2", "1-2-3")
