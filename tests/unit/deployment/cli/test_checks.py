"""Checks run side by side; none hides what another one found."""

import threading
from collections.abc import Iterator

from deployment.cli.checks import Check, Finding, Level, examine, fail, holds, ok, warn
from discord_agent.domain.errors import InvalidSettings


def look(*findings: Finding) -> Iterator[Finding]:
    yield from findings


def test_findings_come_in_the_order_of_the_checks_while_they_run_side_by_side() -> None:
    second_ran = threading.Event()

    def first() -> Iterator[Finding]:
        assert second_ran.wait(5)
        yield ok("first", "well")

    def second() -> Iterator[Finding]:
        second_ran.set()
        yield warn("second", "so so", "do")

    found = examine([Check("first", first), Check("second", second)])
    assert [each.name for each in found] == ["first", "second"]
    assert holds(found)


def test_what_hangs_is_unknown_and_not_well() -> None:
    never = threading.Event()

    def hangs() -> Iterator[Finding]:
        never.wait()
        yield ok("hangs", "well")

    found = examine([Check("hangs", hangs), Check("other", lambda: look(ok("other", "well")))], seconds=0.2)
    assert [(each.name, each.level) for each in found] == [("hangs", Level.UNKNOWN), ("other", Level.OK)]
    assert not holds(found)
    never.set()


def test_an_error_of_ours_is_a_failure_with_its_remedy() -> None:
    def raises() -> Iterator[Finding]:
        raise InvalidSettings("no region: set AWS_REGION")

    assert examine([Check("account", raises)]) == [fail("account", "no region", "set AWS_REGION")]


def test_any_other_error_is_unknown_and_its_words_are_not_repeated() -> None:
    def raises() -> Iterator[Finding]:
        raise ValueError("a secret in it")

    (found,) = examine([Check("odd", raises)])
    assert (found.level, "secret" in found.what) == (Level.UNKNOWN, False)
    assert not holds([found])
