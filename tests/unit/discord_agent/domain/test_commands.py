from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discord_agent.domain.commands import COMMANDS, GROUPS, Command, Option, OptionKind, find, read
from discord_agent.domain.errors import InvalidInput
from discord_agent.domain.ids import ChannelId, GuildId, UserId
from discord_agent.domain.inbound import Author, CommandInvoked

PUBLISHED = {
    "status": [],
    "workspace list": ["thread_name"],
    "workspace sync": [],
    "workspace clean": [],
    "workspace upload": ["file_path"],
    "flow": ["type"],
    "logs": ["count"],
    "confidence": [],
    "escalation": [],
}
"""Behaviour contract, section 16."""

COUNTED = Command("count", "Count", options=(Option("to", "How far", OptionKind.INTEGER, least=1, most=20),))
PAID = Command("pay", "Pay", options=(Option("dollars", "How much", OptionKind.NUMBER, least=0, most=100),))
SAID = Command(
    "say", "Say", options=(Option("text", "What", required=True, most=5), Option("loud", "", OptionKind.SWITCH))
)


def _invoked(**options: str) -> CommandInvoked:
    values = tuple(options.items())
    return CommandInvoked("1", "token", "2", "x", values, ChannelId("3"), GuildId("4"), Author(UserId("5"), "ann"))


def test_the_published_commands_exist_with_their_options() -> None:
    assert {name: [option.name for option in find(name).options] for name in PUBLISHED if find(name)} == PUBLISHED  # type: ignore[union-attr]  # found in the filter


def test_every_subcommand_has_a_group_and_no_group_is_empty() -> None:
    assert {command.name.split()[0] for command in COMMANDS if " " in command.name} == set(GROUPS)


def test_no_name_is_used_twice() -> None:
    names = [command.name for command in COMMANDS]
    assert len(names) == len(set(names))


def test_required_options_come_first_as_discord_demands() -> None:
    for command in COMMANDS:
        required = [option.required for option in command.options]
        assert required == sorted(required, reverse=True), command.name


def test_values_are_read_as_what_they_are() -> None:
    assert read(COUNTED, _invoked(to="7")).number("to", 5) == 7
    assert read(COUNTED, _invoked()).number("to", 5) == 5
    assert read(PAID, _invoked(dollars="2.50")).amount("dollars") == Decimal("2.50")
    assert read(PAID, _invoked()).amount("dollars") is None
    said = read(SAID, _invoked(text=" hi ", loud="true"))
    assert (said.text("text"), said.values["loud"]) == ("hi", True)


def test_an_option_of_an_older_registration_is_left_out() -> None:
    assert read(COUNTED, _invoked(to="3", by="2")).values == {"to": 3}


@pytest.mark.parametrize(
    ("command", "options", "sentence"),
    [
        (COUNTED, {"to": "0"}, "`to` lies between 1 and 20."),
        (COUNTED, {"to": "21"}, "`to` lies between 1 and 20."),
        (COUNTED, {"to": "seven"}, "`to` is a number, not 'seven'."),
        (PAID, {"dollars": "NaN"}, "`dollars` lies between 0 and 100."),
        (PAID, {"dollars": "-Infinity"}, "`dollars` lies between 0 and 100."),
        (PAID, {"dollars": "-0.01"}, "`dollars` lies between 0 and 100."),
        (SAID, {}, "/say needs `text`."),
        (SAID, {"text": "too long"}, "`text` has at most 5 characters."),
        (
            find("flow"),
            {"type": "nonsense"},
            "`type` is one of sequential, sequential-thinking, branch, simple, breakglass.",
        ),
    ],
)
def test_what_is_missing_or_out_of_bounds_is_told_in_a_sentence(
    command: Command, options: dict[str, str], sentence: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        read(command, _invoked(**options))
    assert str(refused.value) == sentence


@given(st.sampled_from(COMMANDS), st.text(max_size=40))
def test_no_text_breaks_the_reading(command: Command, text: str) -> None:
    event = _invoked(**{option.name: text for option in command.options})
    try:
        invocation = read(command, event)
    except InvalidInput:
        return
    for option in command.options:
        value = invocation.values[option.name]
        if option.kind is OptionKind.INTEGER:
            assert isinstance(value, int)
            assert (option.least or 0) <= value <= (option.most or value)
