"""What the documentation says of the system is what the system is."""

from pathlib import Path

import pytest

from deployment.documentation import pages
from discord_agent.domain.errors import InvalidInput
from discord_agent.system import SYSTEM

ROOT = Path(__file__).parents[4]
PAGE = f"Before.\n<!-- generated: one. Change what it is made of, then {pages.REMEDY}. -->\nold\n<!-- end: one -->\nAfter.\n"


def test_no_generated_part_is_out_of_date() -> None:
    assert [str(path) for path in pages.stale(SYSTEM, ROOT)] == [], pages.REMEDY


def test_only_what_stands_between_the_marks_is_replaced() -> None:
    once = pages.renewed(PAGE, {"one": "new \\1"})
    assert once.startswith("Before.\n<!-- generated: one.")
    assert once.endswith("<!-- end: one -->\nAfter.\n")
    assert "new \\1" in once
    assert "old" not in once
    assert pages.renewed(once, {"one": "new \\1"}) == once


@pytest.mark.parametrize("page", ["", PAGE * 2])
def test_a_page_without_its_marks_or_with_two_of_them_is_refused(page: str) -> None:
    with pytest.raises(InvalidInput, match="end: one"):
        pages.renewed(page, {"one": "new"})
