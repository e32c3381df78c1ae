import pytest
from hypothesis import given
from hypothesis import strategies as st

from discord_agent.sandbox.editing import Edited, edit
from discord_agent.sandbox.outcome import ToolRefused

CODE = "def f():\n    if x:\n        return 1\n    return 2\n"


@given(st.text(), st.text(min_size=1), st.text(), st.text())
def test_a_text_that_occurs_once_is_replaced_and_nothing_else(before: str, old: str, new: str, after: str) -> None:
    text = f"{before}{old}{after}"
    if text.count(old) != 1 or old == new or "\r\n" in text:
        return
    assert edit(text, old, new) == Edited(f"{before}{new}{after}", 1)


def test_a_text_that_occurs_twice_is_refused_with_its_lines() -> None:
    with pytest.raises(ToolRefused, match="2 times, at lines 1, 3"):
        edit("a\nb\na\n", "a", "c")


def test_every_occurrence_is_replaced_on_request() -> None:
    assert edit("a\nb\na\n", "a", "c", everywhere=True) == Edited("c\nb\nc\n", 2)


def test_wrong_indentation_is_forgiven_and_mended() -> None:
    edited = edit(CODE, "if x:\n    return 1", "if y:\n    return 3")
    assert edited == Edited("def f():\n    if y:\n        return 3\n    return 2\n", 1, tolerant=True)


def test_too_much_indentation_is_forgiven_and_mended() -> None:
    edited = edit(CODE, "        if x:\n            return 1", "        if y:\n            return 3")
    assert edited.text == "def f():\n    if y:\n        return 3\n    return 2\n"


def test_spaces_at_line_ends_are_forgiven() -> None:
    assert edit("a  \nb\n", "a\nb", "c\nd").text == "c\nd\n"


def test_a_tolerant_match_must_be_unique() -> None:
    with pytest.raises(ToolRefused, match="occurs 2 times, at lines 1, 3"):
        edit("  a\nb\n\ta\n", "    a", "c")


def test_a_text_that_is_not_there_is_refused_with_the_nearest_lines() -> None:
    with pytest.raises(ToolRefused) as refusal:
        edit(CODE, "        return 11", "x")
    assert "    3          return 1" in str(refusal.value)


def test_a_text_like_nothing_in_the_file_is_refused() -> None:
    with pytest.raises(ToolRefused, match="read the file again"):
        edit(CODE, "zzzzqqqq", "x")


def test_windows_line_ends_are_kept() -> None:
    assert edit("a\r\nb\r\nc\r\n", "a\nb", "x\ny").text == "x\r\ny\r\nc\r\n"


@pytest.mark.parametrize("old", ["\n", "   "])
def test_white_space_alone_is_never_matched_tolerantly(old: str) -> None:
    with pytest.raises(ToolRefused):
        edit("abc", old, "x")


def test_replacing_a_text_by_itself_is_refused() -> None:
    with pytest.raises(ToolRefused):
        edit("abc", "b", "b")


def test_a_large_file_is_edited_without_searching_it_for_similar_lines() -> None:
    with pytest.raises(ToolRefused, match="too long to search"):
        edit("line\n" * 50_000, "other", "x")
