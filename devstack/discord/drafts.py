"""Message bodies as clients send them: checked against Discord's limits, then plain values."""

import re
from dataclasses import dataclass
from typing import Any, Final

from devstack.discord import records
from devstack.discord.components import check_components
from devstack.discord.embeds import check_embeds
from devstack.discord.errors import FormFaults, Json, invalid_form
from devstack.discord.snowflakes import is_snowflake

CONTENT_LIMIT: Final = 2000
NONCE_LIMIT: Final = 25
ALLOWED_FLAGS: Final = records.SUPPRESS_EMBEDS | records.EPHEMERAL | records.SUPPRESS_NOTIFICATIONS

_USER_MENTION = re.compile(r"<@!?([0-9]{1,20})>")
_EVERYONE = re.compile(r"@(?:everyone|here)\b")


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A file of a multipart request; ``index`` is the n of ``files[n]``."""

    index: int
    filename: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class AllowedMentions:
    """Who may be notified; None in ``users`` means everybody who is mentioned."""

    users: frozenset[str] | None = None
    everyone: bool = True
    replied_user: bool = True


@dataclass(frozen=True, slots=True)
class Draft:
    """A checked body; None means that the field was not sent. ``kept`` are the attachments that an edit keeps."""

    content: str | None = None
    embeds: tuple[Json, ...] | None = None
    components: tuple[Json, ...] | None = None
    kept: tuple[str, ...] | None = None
    descriptions: tuple[tuple[int, str], ...] = ()
    files: tuple[UploadedFile, ...] = ()
    flags: int = 0
    nonce: str | int | None = None
    enforce_nonce: bool = False
    reference: Json | None = None
    fail_if_reply_is_gone: bool = True
    mentions: AllowedMentions = AllowedMentions()

    def mentioned_users(self, content: str) -> tuple[str, ...]:
        """The users a text notifies."""
        found = dict.fromkeys(_USER_MENTION.findall(content))
        return tuple(user for user in found if self.mentions.users is None or user in self.mentions.users)

    def mentions_everyone(self, content: str) -> bool:
        """Whether a text notifies everybody."""
        return self.mentions.everyone and _EVERYONE.search(content) is not None


def read_draft(body: Any, files: tuple[UploadedFile, ...] = ()) -> Draft:
    """Check a message body; ApiError 50035 names every faulty field."""
    if not isinstance(body, dict):
        raise invalid_form("_", "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
    faults = FormFaults()
    kept, descriptions = _attachments(body.get("attachments"), files, faults)
    reference = _reference(body.get("message_reference"), faults)
    draft = Draft(
        content=_content(body.get("content"), faults),
        embeds=check_embeds(body["embeds"], files, faults) if body.get("embeds") is not None else None,
        components=check_components(body["components"], faults) if body.get("components") is not None else None,
        kept=kept,
        descriptions=descriptions,
        files=files,
        flags=_flags(body.get("flags"), faults),
        nonce=_nonce(body.get("nonce"), faults),
        enforce_nonce=body.get("enforce_nonce") is True,
        reference=reference,
        fail_if_reply_is_gone=(body.get("message_reference") or {}).get("fail_if_not_exists", True) is True
        if reference
        else True,
        mentions=_allowed_mentions(body.get("allowed_mentions"), faults),
    )
    faults.raise_if_any()
    return draft


def _content(value: Any, faults: FormFaults) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        faults.wrong_type("content", "a string")
        return None
    if len(value) > CONTENT_LIMIT:
        faults.too_long("content", CONTENT_LIMIT)
    return value.strip()


def _nonce(value: Any, faults: FormFaults) -> str | int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int):
        faults.wrong_type("nonce", "a string or an integer")
        return None
    if len(str(value)) > NONCE_LIMIT:
        faults.too_long("nonce", NONCE_LIMIT)
    return value


def _flags(value: Any, faults: FormFaults) -> int:
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        faults.wrong_type("flags", "an integer")
        return 0
    if value & records.COMPONENTS_V2:
        faults.add("flags", "COMPONENTS_V2_UNSUPPORTED", "This server does not offer the second version of components.")
    return value & ALLOWED_FLAGS


def _reference(value: Any, faults: FormFaults) -> Json | None:
    if value is None:
        return None
    if not isinstance(value, dict) or not is_snowflake(str(value.get("message_id", ""))):
        faults.add("message_reference.message_id", "NUMBER_TYPE_COERCE", "Value is not snowflake.")
        return None
    return {"type": 0, "message_id": str(value["message_id"])}


def _allowed_mentions(value: Any, faults: FormFaults) -> AllowedMentions:
    if value is None:
        return AllowedMentions()
    if not isinstance(value, dict):
        faults.wrong_type("allowed_mentions", "an object")
        return AllowedMentions()
    parse = value.get("parse", [])
    users = value.get("users", [])
    if not isinstance(parse, list) or not set(map(str, parse)) <= {"users", "roles", "everyone"}:
        faults.add(
            "allowed_mentions.parse", "BASE_TYPE_CHOICES", "Value must be one of ('users', 'roles', 'everyone')."
        )
        parse = []
    if not isinstance(users, list) or not all(is_snowflake(str(user)) for user in users):
        faults.add("allowed_mentions.users", "NUMBER_TYPE_COERCE", "Value is not snowflake.")
        users = []
    if len(users) > 100:
        faults.too_long("allowed_mentions.users", 100)
    if "users" in parse and users:
        message = 'parse:["users"] and users: [ids...] are mutually exclusive.'
        faults.add("allowed_mentions", "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", message)
    return AllowedMentions(
        users=None if "users" in parse else frozenset(str(user) for user in users),
        everyone="everyone" in parse,
        replied_user=value.get("replied_user") is True,
    )


def _attachments(
    value: Any, files: tuple[UploadedFile, ...], faults: FormFaults
) -> tuple[tuple[str, ...] | None, tuple[tuple[int, str], ...]]:
    """The ids of attachments to keep, and descriptions of new files by their index."""
    if value is None:
        return None, ()
    if not isinstance(value, list):
        faults.wrong_type("attachments", "a list")
        return None, ()
    uploaded = {str(file.index) for file in files}
    kept: list[str] = []
    descriptions: list[tuple[int, str]] = []
    for position, item in enumerate(value):
        identifier = str(item.get("id", "")) if isinstance(item, dict) else ""
        if identifier in uploaded:
            descriptions.append((int(identifier), str(item.get("description") or "")))
        elif is_snowflake(identifier) and len(identifier) > 10:
            kept.append(identifier)
        else:
            faults.add(f"attachments.{position}.id", "ATTACHMENT_NOT_FOUND", "No uploaded file has this id.")
    return tuple(kept), tuple(descriptions)
