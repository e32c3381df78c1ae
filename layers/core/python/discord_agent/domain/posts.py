"""What the bot shows in Discord, as plain values that adapters turn into API payloads."""

from enum import StrEnum

from msgspec import Struct


class ButtonStyle(StrEnum):
    """How a button looks."""

    PRIMARY = "primary"
    SECONDARY = "secondary"
    SUCCESS = "success"
    DANGER = "danger"


class Button(Struct, frozen=True):
    """A button; ``custom_id`` is what comes back when it is pressed (at most 100 characters)."""

    label: str
    custom_id: str
    style: ButtonStyle = ButtonStyle.SECONDARY
    emoji: str = ""
    disabled: bool = False


class Field(Struct, frozen=True):
    """A named value inside an embed."""

    name: str
    value: str
    inline: bool = True


class Embed(Struct, frozen=True):
    """A card; ``colour`` is 0xRRGGBB."""

    title: str = ""
    description: str = ""
    colour: int = 0x5865F2
    fields: tuple[Field, ...] = ()
    footer: str = ""


class UploadFile(Struct, frozen=True):
    """A file to attach."""

    name: str
    content: bytes


class Post(Struct, frozen=True):
    """A message to send or to edit in; mentions never ping anybody but ``reply_to``'s author."""

    content: str = ""
    embeds: tuple[Embed, ...] = ()
    buttons: tuple[tuple[Button, ...], ...] = ()
    files: tuple[UploadFile, ...] = ()
    reply_to: str | None = None
