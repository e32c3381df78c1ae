"""Definitions as they are deployed."""

import pytest

from discord_agent.domain.errors import InvalidInput
from discord_agent.statemachines import placeholders, substituted


def test_placeholders_become_arns_and_nothing_else_changes() -> None:
    definition = '{"a": "${turn}", "b": "{% $turn & $states.input %}", "c": "${turn}${fail}"}'
    assert placeholders(definition) == {"turn", "fail"}
    assert (
        substituted(definition, {"turn": "T", "fail": "F", "other": "O"})
        == '{"a": "T", "b": "{% $turn & $states.input %}", "c": "TF"}'
    )


def test_a_function_without_an_arn_is_named() -> None:
    with pytest.raises(InvalidInput, match="calls fail"):
        substituted('"${turn} ${fail}"', {"turn": "T"})
