"""Names and environments of the declaration."""

import pytest

from devstack.aws.errors import StackError
from devstack.aws.names import Resolver
from discord_agent.domain.errors import InvalidSettings
from discord_agent.system import SYSTEM, Function, Kind, Package, Ref, System

RESOLVER = Resolver(SYSTEM, {"DISCORD_BOT_ID": "77"}, "http://127.0.0.1:1")


def with_environment(*environment: tuple[str, Ref | str]) -> Resolver:
    function = Function("f", "x", Package.CORE, 128, 1, environment, ())
    return Resolver(System({}, {}, {}, {}, {"f": function}, {}, {}), {}, "http://127.0.0.1:1")


def test_every_function_of_the_declaration_has_an_environment_without_empty_values() -> None:
    for name in SYSTEM.functions:
        environment = RESOLVER.environment(name)
        assert all(environment.values()), name


def test_given_parameters_come_before_the_defaults() -> None:
    environment = RESOLVER.environment("prepare")
    assert (environment["DISCORD_BOT_ID"], environment["BOT_USERNAME"]) == ("77", "nepnep")


def test_a_reference_to_nothing_names_variable_and_function() -> None:
    with pytest.raises(StackError, match="TABLE of function f refers to the table none"):
        with_environment(("TABLE", Ref(Kind.TABLE, "none"))).environment("f")


def test_an_undeclared_parameter_names_the_remedy() -> None:
    with pytest.raises(InvalidSettings, match="add it to PARAMETERS"):
        with_environment(("X", Ref(Kind.PARAMETER, "X"))).environment("f")
