import pytest

from discord_agent.domain.fences import Fence, Span, open_after, spans


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain `code` and ``more``", []),
        ("a ```b``` c", [Span(2, 9)]),
        ("```py\nx\n```", [Span(0, 11)]),
        ("````\n```\n````", [Span(0, 13)]),
        ("```py\nx", [Span(0, 7, Fence(3, "py"))]),
        ("```a b\nx", [Span(0, 8, Fence(3, ""))]),
    ],
)
def test_code_blocks_are_found(text: str, expected: list[Span]) -> None:
    assert list(spans(text)) == expected


def test_a_text_may_begin_inside_a_block() -> None:
    assert list(spans("x\n```\ny", Fence())) == [Span(0, 5)]
    assert open_after("x", Fence(3, "py")) == Fence(3, "py")
    assert open_after("x\n```", Fence(3, "py")) is None


def test_a_block_is_opened_and_closed_as_it_was() -> None:
    assert (Fence(4, "py").opening, Fence(4, "py").closing) == ("````py\n", "\n````")
