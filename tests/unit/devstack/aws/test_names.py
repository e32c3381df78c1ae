"""Names and environments of the declaration."""

import pytest

from devstack.aws.errors import StackError
from devstack.aws.names import Resolver
from discord_agent.declaration import Function, Kind, Package, Ref, System
from discord_agent.domain.errors import InvalidSettings
from discord_agent.system import SYSTEM

RESOLVER = Resolver(SYSTEM, {"DISCORD_BOT_ID": "77"}, "http://127.0.0.1:1")


def environment_of(*environment: tuple[str, Ref | str]) -> dict[str, str]:
    nothing = Resolver(System({}, {}, {}, {}, {}, {}, {}), {}, "http://127.0.0.1:1")
    return nothing.environment(Function("f", "x", Package.CORE, 128, 1, environment, ()))


def test_empty_values_are_left_out() -> None:
    assert environment_of(("EMPTY", ""), ("GIVEN", "x")) == {"GIVEN": "x"}


def test_given_parameters_come_before_the_defaults() -> None:
    environment = RESOLVER.environment(SYSTEM.functions["prepare"])
    assert (environment["DISCORD_BOT_ID"], environment["BOT_USERNAME"]) == ("77", "nepnep")


def test_a_reference_to_nothing_names_variable_and_function() -> None:
    with pytest.raises(StackError, match="TABLE of f refers to the table none"):
        environment_of(("TABLE", Ref(Kind.TABLE, "none")))


def test_an_undeclared_parameter_names_the_remedy() -> None:
    with pytest.raises(InvalidSettings, match="add it to PARAMETERS"):
        environment_of(("X", Ref(Kind.PARAMETER, "X")))
