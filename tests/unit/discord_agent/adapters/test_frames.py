"""Frames give back what went in, and nothing else passes for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discord_agent.adapters.frames import DamagedFrame, compress, content_size, decompress


@given(st.binary(max_size=4096))
def test_a_frame_knows_its_size_and_gives_back_its_content(content: bytes) -> None:
    frame = compress(content)
    assert content_size(frame) == len(content)
    assert decompress(frame, len(content)) == content


@given(st.binary(min_size=1, max_size=4096))
def test_content_larger_than_allowed_is_refused(content: bytes) -> None:
    with pytest.raises(DamagedFrame):
        decompress(compress(content), len(content) - 1)


def test_a_frame_that_was_cut_off_is_refused() -> None:
    with pytest.raises(DamagedFrame):
        decompress(compress(b"content" * 100)[:-1], 1000)


@pytest.mark.parametrize("read", [content_size, lambda frame: decompress(frame, 100)])
def test_something_else_is_refused(read: object) -> None:
    assert callable(read)
    with pytest.raises(DamagedFrame):
        read(b"something else entirely")
