import pytest

from discord_agent.domain.conversation import Image, Message, Role
from discord_agent.domain.pictures import LARGEST, is_named_so, picture, shown_in

PNG = b"\x89PNG\r\n\x1a\n..."


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
    ],
)
def test_what_a_file_holds_says_which_picture_it_is(content: bytes, media_type: str) -> None:
    assert picture("any.name", content) == Image("any.name", media_type)


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7", b"<svg/>", b"RIFF\x00\x00\x00\x00WAVE", PNG.ljust(LARGEST + 1)])
def test_what_no_provider_takes_is_no_picture(content: bytes) -> None:
    assert picture("cat.png", content) is None


def test_names_tell_which_files_are_worth_a_look() -> None:
    assert [is_named_so(path) for path in ("a/B.PNG", "c.jpeg", "png", "d.svg", "e.py")] == [
        True,
        True,
        False,
        False,
        False,
    ]


def test_a_picture_that_is_shown_twice_counts_once() -> None:
    cat, dog = Image("cat.png", "image/png"), Image("dog.png", "image/png")
    messages = [Message(Role.USER, images=(cat,)), Message(Role.USER, images=(dog, cat))]

    assert shown_in(messages) == (cat, dog)
