"""Words and emoji by which people steer a run (behaviour contract, section 11)."""

import re
from enum import StrEnum
from typing import Final

from msgspec import Struct


class Interrupt(StrEnum):
    """What a person wants of a run."""

    STOP = "STOP"
    CLARIFY = "CLARIFY"
    RETRY = "RETRY"
    CONTINUE = "CONTINUE"
    WRONG = "WRONG"
    ESCALATE = "ESCALATE"


_WORDS: Final = {word.value: word for word in Interrupt} | {"WAIT": Interrupt.STOP}
_EMOJI: Final = {
    "🛑": Interrupt.STOP,
    "💬": Interrupt.CLARIFY,
    "🔄": Interrupt.RETRY,
    "✅": Interrupt.CONTINUE,
    "❌": Interrupt.WRONG,
    "🚀": Interrupt.ESCALATE,
}
_AGAIN: Final = frozenset({Interrupt.RETRY, Interrupt.CONTINUE, Interrupt.ESCALATE})
_START = re.compile(rf"\s*({'|'.join(_WORDS)})\b[\s:,.!-]*", re.IGNORECASE)
_LEADING_MENTION = re.compile(r"\A\s*<@!?\d+>")
_VARIANTS = re.compile("[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]")


class Interruption(Struct, frozen=True):
    """An interrupt and the rest of the message."""

    kind: Interrupt
    message: str = ""


def from_text(text: str) -> Interruption | None:
    """The interrupt a message begins with, after a mention if there is one; only whole words count."""
    said = without_mention(text)
    word = _START.match(said)
    return Interruption(_WORDS[word[1].upper()], said[word.end() :].strip()) if word else None


def taking_up(text: str) -> Interruption | None:
    """The bare word at which a run that fell short is tried again; with more words it is a request."""
    found = from_text(text)
    return found if found is not None and found.kind in _AGAIN and not found.message else None


def from_emoji(emoji: str) -> Interrupt | None:
    """The interrupt an emoji stands for."""
    return _EMOJI.get(plain_emoji(emoji))


def plain_emoji(emoji: str) -> str:
    """An emoji without skin tone and presentation."""
    return _VARIANTS.sub("", emoji)


def without_mention(text: str) -> str:
    """A message without the mention it begins with."""
    return _LEADING_MENTION.sub("", text, count=1).strip()
