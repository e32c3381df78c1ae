import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from discord_agent.domain import fences
from discord_agent.domain.chunking import LIMIT, cut, pieces, posts, split

DISCORD_LIMIT = 2000
markdown = st.lists(
    st.sampled_from(["```", "```python\n", "````\n", "`", "\n", "word ", "x" * 300, "line of text\n" * 30, "a" * 1899])
).map("".join)


def with_newline_at(index: int, length: int) -> str:
    return "x" * index + "\n" + "x" * (length - index - 1)


@pytest.mark.parametrize(
    ("text", "lengths"),
    [
        ("", []),
        ("x" * 1900, [1900]),
        ("x" * 1901, [1900, 1]),
        (with_newline_at(1400, 2401), [1401, 1000]),
        (with_newline_at(1300, 2401), [1900, 501]),
        (with_newline_at(1330, 2401), [1900, 501]),
        (with_newline_at(1331, 2401), [1332, 1069]),
        (with_newline_at(1900, 2401), [1901, 500]),
        (with_newline_at(1901, 2401), [1900, 501]),
        (with_newline_at(1900, 1901), [1901]),
    ],
)
def test_a_text_is_cut_after_a_late_newline_else_at_the_limit(text: str, lengths: list[int]) -> None:
    assert [len(piece) for piece in pieces(text)] == lengths


@given(st.one_of(markdown, st.text(max_size=6000)))
def test_the_pieces_joined_are_the_text_and_none_is_too_long(text: str) -> None:
    found = pieces(text)
    assert "".join(found) == text
    assert all(0 < len(piece.removesuffix("\n")) <= LIMIT for piece in found if piece != "\n")


@given(st.one_of(markdown, st.text(max_size=6000)))
@example("`" * 5000)
@example("```" + "x" * 5000)
def test_no_message_is_longer_than_discord_allows_even_with_fences_added(text: str) -> None:
    assert all(0 < len(part.removesuffix("\n")) <= DISCORD_LIMIT for part in split(text))


@given(st.integers(1, 300), st.sampled_from(["", "python", "c++"]))
def test_a_cut_code_block_is_closed_and_opened_again_with_its_language(lines: int, language: str) -> None:
    code = [f"call_number({number})" for number in range(lines)]
    parts = split("\n".join(["Before.", f"```{language}", *code, "```", "After."]))
    blocks = [block for part in parts for block in fences.spans(part)]
    assert all(block.fence is None for block in blocks)
    shown = [line for part in parts for line in part.splitlines() if line.startswith("call_number")]
    assert shown == code
    assert sum(part.count(f"```{language}\n") for part in parts) >= len(parts) - 1


@given(st.integers(1, 60))
def test_no_empty_code_block_is_left_where_a_cut_meets_a_fence(shift: int) -> None:
    text = "x" * (1900 - shift) + "\n```python\nprint()\n```\n" + "y" * 1880 + "\n```\nlast\n```"
    for part in split(text):
        for block in fences.spans(part):
            assert part[block.start : block.end].strip("`\n").removeprefix("python").strip()


def test_blank_messages_are_left_out() -> None:
    assert split(" \n\n") == ()
    assert posts("") == ()


def test_a_very_long_answer_is_sent_as_a_file_with_its_beginning() -> None:
    text = "A sentence of an answer.\n" * 800
    (post,) = posts(text)
    (file,) = post.files
    assert file.content.decode() == text
    assert post.content.startswith("A sentence of an answer.")
    assert len(post.content) <= DISCORD_LIMIT


def test_an_answer_of_five_messages_is_sent_as_messages() -> None:
    parts = posts("x" * 5 * LIMIT)
    assert [len(part.content) for part in parts] == [LIMIT] * 5
    assert not any(part.files for part in parts)


@given(st.one_of(markdown, st.text(max_size=500)), st.integers(40, 3000))
def test_a_cut_text_fits_and_leaves_no_code_block_open(text: str, limit: int) -> None:
    shortened = cut(text, limit)
    assert len(shortened) <= limit
    assert fences.open_after(shortened) is None


@given(st.text(alphabet="ab \n", max_size=100))
def test_a_short_text_is_not_cut(text: str) -> None:
    assert cut(text, 100) == text
