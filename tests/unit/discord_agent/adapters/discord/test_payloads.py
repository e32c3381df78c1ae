from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discord_agent.adapters.discord.payloads import (
    ALL_EMBEDS,
    edited_message,
    follow_up,
    new_message,
    redacted_files,
    short_nonce,
    thread_name,
)
from discord_agent.domain.errors import InvalidInput
from discord_agent.domain.posts import Button, ButtonStyle, Embed, Field, Post, UploadFile


def plain(text: str) -> str:
    return text


def hide(text: str) -> str:
    return text.replace("s3cret", "[redacted]")


def test_a_whole_post_becomes_discords_json() -> None:
    post = Post(
        content="done",
        embeds=(Embed("Title", "Text", 0x112233, (Field("a", "b"), Field("", "", inline=False)), "foot"),),
        buttons=((Button("Stop", "stop:m-1", ButtonStyle.DANGER, "🛑"), Button("Later", "x", disabled=True)),),
        files=(UploadFile("a.txt", b"hi"), UploadFile("b.bin", b"\xff")),
        reply_to="77",
    )
    assert new_message(post, "m-1/answer/0", plain) == {
        "content": "done",
        "embeds": [
            {
                "title": "Title",
                "description": "Text",
                "fields": [
                    {"name": "a", "value": "b", "inline": True},
                    {"name": "\u200b", "value": "\u200b", "inline": False},
                ],
                "footer": {"text": "foot"},
                "color": 0x112233,
            }
        ],
        "components": [
            {
                "type": 1,
                "components": [
                    {
                        "type": 2,
                        "style": 4,
                        "label": "Stop",
                        "custom_id": "stop:m-1",
                        "disabled": False,
                        "emoji": {"name": "🛑"},
                    },
                    {"type": 2, "style": 2, "label": "Later", "custom_id": "x", "disabled": True},
                ],
            }
        ],
        "allowed_mentions": {"parse": [], "replied_user": True},
        "nonce": short_nonce("m-1/answer/0"),
        "enforce_nonce": True,
        "attachments": [{"id": 0, "filename": "a.txt"}, {"id": 1, "filename": "b.bin"}],
        "message_reference": {"message_id": "77", "fail_if_not_exists": False},
    }


def test_an_edit_of_a_card_leaves_the_answer_above_it_alone() -> None:
    assert "content" not in edited_message(Post(embeds=(Embed("Decided"),)), plain)


def test_an_edit_empties_what_the_post_lacks_and_leaves_files_alone() -> None:
    assert edited_message(Post("now"), plain) == {
        "content": "now",
        "embeds": [],
        "components": [],
        "allowed_mentions": {"parse": []},
    }


def test_an_edit_cannot_bring_files() -> None:
    with pytest.raises(InvalidInput):
        edited_message(Post("now", files=(UploadFile("a", b""),)), plain)


def test_a_follow_up_is_for_one_persons_eyes_when_asked() -> None:
    assert follow_up(Post("no"), plain, ephemeral=True)["flags"] == 64
    assert "flags" not in follow_up(Post("no"), plain, ephemeral=False)
    assert "nonce" not in follow_up(Post("no"), plain, ephemeral=True)


def test_a_post_of_which_nothing_would_be_seen_is_refused() -> None:
    for nothing in (Post(), Post("  \n"), Post(embeds=(Embed(),))):
        with pytest.raises(InvalidInput):
            new_message(nothing, "n", plain)


@pytest.mark.parametrize(
    "buttons", [((Button("a", "a"),) * 6,), ((Button("a", "a"),),) * 6, ((),)], ids=["wide", "tall", "empty"]
)
def test_rows_that_discord_would_refuse_are_refused_here(buttons: tuple[tuple[Button, ...], ...]) -> None:
    with pytest.raises(InvalidInput):
        new_message(Post("x", buttons=buttons), "n", plain)


def test_secrets_are_taken_out_of_every_text_before_it_is_cut() -> None:
    edge = "x" * 1996 + "s3cret"
    post = Post(
        content=edge,
        embeds=(Embed("s3cret", "s3cret", fields=(Field("s3cret", "s3cret"),), footer="s3cret"),),
        buttons=((Button("s3cret", "stop:m-1"),),),
    )
    payload = new_message(post, "n", hide)
    assert "s3c" not in str(payload)
    assert payload["content"] == "x" * 1996 + "[re…"


def test_text_files_are_redacted_and_others_kept_byte_for_byte() -> None:
    files = (UploadFile("a.log", b"key=s3cret"), UploadFile("a.bin", b"\xff\xfes3cret"))
    assert redacted_files(files, hide) == (UploadFile("a.log", b"key=[redacted]"), files[1])


@given(st.text(), st.text())
def test_nonces_fit_and_differ_when_their_sources_do(one: str, other: str) -> None:
    assert len(short_nonce(one)) <= 25
    assert (short_nonce(one) == short_nonce(other)) == (one == other)


@given(st.text())
def test_a_threads_name_always_has_1_to_100_characters_in_one_line(name: str) -> None:
    cleaned = thread_name(name, plain)
    assert 1 <= len(cleaned) <= 100
    assert len(cleaned.splitlines()) == 1


LONG = st.integers(0, 5000).map(lambda size: "x" * size)
EMBEDS = st.builds(
    Embed,
    title=LONG,
    description=LONG,
    fields=st.lists(st.builds(Field, LONG, LONG), max_size=30).map(tuple),
    footer=LONG,
)


def weight(embed: dict[str, Any]) -> int:
    fields = sum(len(field["name"] + field["value"]) for field in embed.get("fields", ()))
    footer: str = embed.get("footer", {}).get("text", "")
    return len(embed.get("title", "")) + len(embed.get("description", "")) + fields + len(footer)


@given(LONG, st.lists(EMBEDS, max_size=12).map(tuple))
def test_every_post_is_made_to_fit_discords_limits(content: str, embeds: tuple[Embed, ...]) -> None:
    payload = new_message(Post("a" + content, embeds), "n", plain)
    assert len(payload["content"]) <= 2000
    assert len(payload["embeds"]) <= 10
    assert sum(map(weight, payload["embeds"])) <= ALL_EMBEDS
    for embed in payload["embeds"]:
        assert len(embed.get("title", "")) <= 256
        assert len(embed.get("description", "")) <= 4096
        assert len(embed.get("fields", ())) <= 25
        assert all(
            0 < len(field["name"]) <= 256 and 0 < len(field["value"]) <= 1024 for field in embed.get("fields", ())
        )
        assert len(embed.get("footer", {}).get("text", "")) <= 2048
