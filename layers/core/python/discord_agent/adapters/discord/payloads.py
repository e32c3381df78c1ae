"""Posts into Discord's JSON: redacted first, then cut to Discord's limits, and never pinging anybody unasked."""

import hashlib
from collections.abc import Callable, Iterable
from typing import Any, Final

from discord_agent.domain.errors import InvalidInput
from discord_agent.domain.posts import Button, ButtonStyle, Embed, Field, Post, UploadFile

type Redact = Callable[[str], str]
type Payload = dict[str, Any]

CONTENT_LIMIT: Final = 2000
EMBEDS: Final = 10
EMBED_TITLE: Final = 256
EMBED_DESCRIPTION: Final = 4096
EMBED_FIELDS: Final = 25
FIELD_NAME: Final = 256
FIELD_VALUE: Final = 1024
EMBED_FOOTER: Final = 2048
ALL_EMBEDS: Final = 6000
LABEL_LIMIT: Final = 80
ROWS: Final = 5
BUTTONS_PER_ROW: Final = 5
FILES: Final = 10
NONCE_LIMIT: Final = 25
THREAD_NAME_LIMIT: Final = 100

EPHEMERAL: Final = 1 << 6
DEFERRED_MESSAGE: Final = 5
DEFERRED_UPDATE: Final = 6
_INVISIBLE: Final = "\u200b"
"""Discord refuses empty field names and values; this one takes no room."""

_STYLES: Final = {
    ButtonStyle.PRIMARY: 1,
    ButtonStyle.SECONDARY: 2,
    ButtonStyle.SUCCESS: 3,
    ButtonStyle.DANGER: 4,
}


def new_message(post: Post, nonce: str, redact: Redact) -> Payload:
    """The body that sends a post; InvalidInput if nothing would be seen of it."""
    payload = _visible(post, redact) | {"nonce": short_nonce(nonce), "enforce_nonce": True}
    if post.files:
        payload["attachments"] = _attachments(post.files)
    if post.reply_to is not None:
        payload["message_reference"] = {"message_id": post.reply_to, "fail_if_not_exists": False}
        payload["allowed_mentions"] = {"parse": [], "replied_user": True}
    return payload


def edited_message(post: Post, redact: Redact) -> Payload:
    """The body that replaces embeds and buttons, and the text if the post has one; what it leaves out stays.

    A card under an answer is edited without knowing the answer.
    """
    if post.files:
        raise InvalidInput("an edit keeps a message's files; new ones need a new message")
    payload = _visible(post, redact)
    return payload if post.content else {name: value for name, value in payload.items() if name != "content"}


def follow_up(post: Post, redact: Redact, *, ephemeral: bool) -> Payload:
    """The body that answers a deferred interaction; webhooks know neither nonces nor replies."""
    payload = _visible(post, redact)
    if post.files:
        payload["attachments"] = _attachments(post.files)
    return payload | {"flags": EPHEMERAL} if ephemeral else payload


def redacted_files(files: Iterable[UploadFile], redact: Redact) -> tuple[UploadFile, ...]:
    """The files with secrets taken out of those that are text."""
    return tuple(_redacted_file(file, redact) for file in files)


def thread_name(name: str, redact: Redact) -> str:
    """A thread's name in one line and within 1 to 100 characters."""
    return _cut(" ".join(redact(name).split()), THREAD_NAME_LIMIT) or "thread"


def short_nonce(nonce: str) -> str:
    """A nonce of the length Discord takes that differs wherever ``nonce`` differs."""
    return hashlib.sha256(nonce.encode()).hexdigest()[:NONCE_LIMIT]


def _visible(post: Post, redact: Redact) -> Payload:
    embeds = [embed for embed in (_embed(embed, redact) for embed in post.embeds) if embed]
    content = _cut(redact(post.content), CONTENT_LIMIT)
    if not (content.strip() or embeds or post.buttons or post.files):
        raise InvalidInput("a message needs content, an embed, a button or a file")
    if len(post.files) > FILES:
        raise InvalidInput(f"a message carries at most {FILES} files")
    return {
        "content": content,
        "embeds": _fit_together(embeds[:EMBEDS]),
        "components": _rows(post.buttons, redact),
        "allowed_mentions": {"parse": []},
    }


def _embed(embed: Embed, redact: Redact) -> Payload:
    title, description, footer = redact(embed.title), redact(embed.description), redact(embed.footer)
    payload: Payload = {}
    if title:
        payload["title"] = _cut(title, EMBED_TITLE)
    if description:
        payload["description"] = _cut(description, EMBED_DESCRIPTION)
    if embed.fields:
        payload["fields"] = [_field(field, redact) for field in embed.fields[:EMBED_FIELDS]]
    if footer:
        payload["footer"] = {"text": _cut(footer, EMBED_FOOTER)}
    return payload | {"color": embed.colour} if payload else {}


def _field(field: Field, redact: Redact) -> Payload:
    return {
        "name": _cut(redact(field.name), FIELD_NAME) or _INVISIBLE,
        "value": _cut(redact(field.value), FIELD_VALUE) or _INVISIBLE,
        "inline": field.inline,
    }


def deferral(*, answers: bool) -> Payload:
    """The first answer to an interaction: "thinking …" for its person alone, or nothing to be seen."""
    return {"type": DEFERRED_MESSAGE, "data": {"flags": EPHEMERAL}} if answers else {"type": DEFERRED_UPDATE}


def _fit_together(embeds: list[Payload]) -> list[Payload]:
    """Shorten descriptions, then drop fields, from the last embed on, until all texts together fit."""
    excess = sum(map(_weight, embeds)) - ALL_EMBEDS
    for embed in reversed(embeds):
        description = embed.get("description", "")
        if excess > 0 and description:
            kept = max(len(description) - excess, 1)
            excess -= len(description) - kept
            embed["description"] = _cut(description, kept)
    for embed in reversed(embeds):
        fields = embed.get("fields", [])
        while excess > 0 and fields:
            dropped = fields.pop()
            excess -= len(dropped["name"]) + len(dropped["value"])
    while excess > 0:
        excess -= _weight(embeds.pop())
    return embeds


def _weight(embed: Payload) -> int:
    fields = sum(len(field["name"]) + len(field["value"]) for field in embed.get("fields", []))
    footer = len(embed.get("footer", {}).get("text", ""))
    return len(embed.get("title", "")) + len(embed.get("description", "")) + fields + footer


def _rows(rows: tuple[tuple[Button, ...], ...], redact: Redact) -> list[Payload]:
    if len(rows) > ROWS or any(not 1 <= len(row) <= BUTTONS_PER_ROW for row in rows):
        raise InvalidInput(f"buttons come in at most {ROWS} rows of 1 to {BUTTONS_PER_ROW}")
    return [{"type": 1, "components": [_button(button, redact) for button in row]} for row in rows]


def _button(button: Button, redact: Redact) -> Payload:
    payload: Payload = {
        "type": 2,
        "style": _STYLES[button.style],
        "label": _cut(redact(button.label), LABEL_LIMIT),
        "custom_id": button.custom_id,
        "disabled": button.disabled,
    }
    return payload | {"emoji": {"name": button.emoji}} if button.emoji else payload


def _attachments(files: tuple[UploadFile, ...]) -> list[Payload]:
    return [{"id": index, "filename": file.name} for index, file in enumerate(files)]


def _redacted_file(file: UploadFile, redact: Redact) -> UploadFile:
    try:
        text = file.content.decode()
    except UnicodeDecodeError:
        return file
    return UploadFile(file.name, redact(text).encode())


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
