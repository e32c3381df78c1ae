"""Giving models what people attached: pictures as pictures, text as text."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct, field

from discord_agent.domain import pictures
from discord_agent.domain.conversation import Image, Message, Role
from discord_agent.domain.errors import DiscordRefused, DiscordUnavailable
from discord_agent.domain.hiding import shown
from discord_agent.domain.ids import ThreadId
from discord_agent.domain.inbound import Attachment
from discord_agent.domain.workspace import Manifest
from discord_agent.ports import Discord, Prompts, Workspaces

_TEXT_BYTES: Final = 60_000
_MOST_FILES: Final = 10
_CUT: Final = "\n… (cut: the file is longer)"


def pictures_among(
    workspaces: Workspaces, thread: ThreadId, manifest: Manifest, paths: Iterable[str]
) -> dict[Image, bytes]:
    """The pictures among files of a workspace, the first few of them, with their bytes."""
    small = {entry.path for entry in manifest.files if entry.size <= pictures.LARGEST}
    candidates = [path for path in paths if path in small and pictures.is_named_so(path)][: pictures.MOST]
    contents = [(path, workspaces.read(thread, manifest, path)) for path in candidates]
    found = [(pictures.picture(path, content), content) for path, content in contents]
    return {image: content for image, content in found if image is not None}


def image_bytes(
    workspaces: Workspaces, thread: ThreadId, manifest: Manifest, messages: Sequence[Message]
) -> dict[str, bytes]:
    """The bytes of a conversation's pictures, as far as the workspace still holds them as they were."""
    files = manifest.by_path()
    held = [image for image in pictures.shown_in(messages) if image.path in files]
    contents = ((image, workspaces.read(thread, manifest, image.path)) for image in held)
    return {image.path: content for image, content in contents if pictures.picture(image.path, content) == image}


def asked(
    prompts: Prompts, discord: Discord, question: str, attachments: Sequence[Attachment]
) -> tuple[Message, Mapping[str, bytes]]:
    """A question that is answered without a workspace, with what was attached to it, and its pictures' bytes."""
    if not attachments:
        return Message(Role.USER, question), {}
    given = _attached(discord, attachments)
    files = prompts.render("attached", texts=given.texts, pictures=given.images, left_out=given.left_out)
    return Message(Role.USER, f"{question}\n{files}", images=given.images), given.image_bytes


class _Attached(Struct, frozen=True):
    """``texts`` are names and contents, ``left_out`` names of what could not be given to a model."""

    images: tuple[Image, ...] = ()
    image_bytes: Mapping[str, bytes] = field(default_factory=dict)
    texts: tuple[tuple[str, str], ...] = ()
    left_out: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return shown(self, without=("image_bytes",))


def _attached(discord: Discord, attachments: Sequence[Attachment]) -> _Attached:
    """Fetch what models can be given; what cannot be had is named."""
    images: dict[Image, bytes] = {}
    texts: list[tuple[str, str]] = []
    left_out = [attachment.filename for attachment in attachments[_MOST_FILES:]]
    for attachment in attachments[:_MOST_FILES]:
        content = _content(discord, attachment)
        image = pictures.picture(attachment.filename, content) if content else None
        text = _text(content) if content and image is None else None
        if image is not None and content and len(images) < pictures.MOST:
            images[image] = content
        elif text is not None:
            texts.append((attachment.filename, text))
        else:
            left_out.append(attachment.filename)
    by_path = {image.path: content for image, content in images.items()}
    return _Attached(tuple(images), by_path, tuple(texts), tuple(left_out))


def _content(discord: Discord, attachment: Attachment) -> bytes | None:
    """A file's bytes; the question can be answered without what Discord does not give."""
    try:
        return discord.download(attachment, limit=pictures.LARGEST)
    except (DiscordRefused, DiscordUnavailable):
        return None


def _text(content: bytes) -> str | None:
    """The file as text, its beginning if it is long; None for what is no text."""
    try:
        whole = content.decode()
    except UnicodeDecodeError:
        return None
    if "\0" in whole:
        return None
    return whole if len(content) <= _TEXT_BYTES else content[:_TEXT_BYTES].decode(errors="ignore") + _CUT
