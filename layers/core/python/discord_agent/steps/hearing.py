"""What people say to a run while it works, and what they want of it."""

from typing import Final

from msgspec import Struct

from discord_agent.domain import interrupts, pictures
from discord_agent.domain.conversation import Image, Message, Role
from discord_agent.domain.interrupts import Interrupt
from discord_agent.domain.run import RunState
from discord_agent.domain.session import InboxItem, ItemKind
from discord_agent.domain.workspace import Manifest
from discord_agent.ports import Discord, JournaledRound, Prompts, Sessions, Workspaces
from discord_agent.steps import uploads
from discord_agent.steps.chronicle import Chronicle

ENDING: Final = frozenset({Interrupt.CLARIFY, Interrupt.ESCALATE})
"""These end a turn before the model is asked again."""


class Heard(Struct, frozen=True):
    """The items that wait, what the model is told of them, and the interrupts among them."""

    items: tuple[InboxItem, ...]
    messages: tuple[Message, ...]
    interrupts: tuple[Interrupt, ...]


class Hearing(Struct, frozen=True):
    """The inbox of a run."""

    sessions: Sessions
    prompts: Prompts
    discord: Discord
    workspaces: Workspaces
    chronicle: Chronicle

    def listen(self, run: RunState) -> Heard:
        """What waits now; it stays in the inbox until it is safe in the journal."""
        items = self.sessions.waiting(run.thread_id, ItemKind.STEER)
        messages = (self._as_message(item, run) for item in items)
        wanted = (_wanted(item, run) for item in items)
        return Heard(
            items,
            tuple(message for message in messages if message is not None),
            tuple(interrupt for interrupt in wanted if interrupt is not None),
        )

    def heard_in(self, run: RunState, entry: JournaledRound) -> tuple[InboxItem, ...]:
        """What a journalled round has heard of what still waits."""
        was_addressed = bool(entry.heard or entry.interrupts)
        items = self.sessions.waiting(run.thread_id, ItemKind.STEER) if was_addressed else ()
        return tuple(item for item in items if self._is_in(item, run, entry))

    def take_in(self, run: RunState, items: tuple[InboxItem, ...], manifest: Manifest) -> Manifest:
        """The workspace with the files that came with what was heard."""
        attachments = [attachment for item in items for attachment in item.attachments]
        files = uploads.fetch(self.discord, self.chronicle, run, attachments) if attachments else {}
        return self.workspaces.add_files(run.thread_id, manifest, files) if files else manifest

    def forget(self, run: RunState, entry: JournaledRound) -> None:
        """Take out of the inbox what a journalled round has heard."""
        self.sessions.remove(self.heard_in(run, entry))

    def has_unheard(self, run: RunState) -> bool:
        """Whether people said something that no round was given yet."""
        return bool(self.sessions.waiting(run.thread_id, ItemKind.STEER))

    def _is_in(self, item: InboxItem, run: RunState, entry: JournaledRound) -> bool:
        message = self._as_message(item, run)
        return message in entry.heard if message is not None else _wanted(item, run) in entry.interrupts

    def _as_message(self, item: InboxItem, run: RunState) -> Message | None:
        said = _said(item, run)
        if not said and not item.attachments and item.interrupt is not None:
            return None
        text = self.prompts.render(
            "heard",
            message_id=item.message_id,
            author=item.author_name,
            content=said,
            files=[uploads.place(attachment) for attachment in item.attachments],
        )
        return Message(Role.USER, text, images=_pictures(item))


def _pictures(item: InboxItem) -> tuple[Image, ...]:
    """What Discord says are pictures; they are looked at before they are sent to a model."""
    named = (Image(uploads.place(attachment), attachment.content_type) for attachment in item.attachments)
    return tuple(image for image in named if image.media_type in pictures.MEDIA_TYPES)[: pictures.MOST]


def _said(item: InboxItem, run: RunState) -> str:
    """The text without the word that made it an interrupt; a button or a reaction has none."""
    interruption = interrupts.from_text(item.said)
    is_marked = interruption is not None and interruption.kind is item.interrupting(run.execution_id)
    return interruption.message if interruption is not None and is_marked else item.said.strip()


def _wanted(item: InboxItem, run: RunState) -> Interrupt | None:
    """What is wanted besides being heard; whoever clarifies something in the same breath only wants to be heard."""
    interrupt = item.interrupting(run.execution_id)
    is_clarification = interrupt is Interrupt.CLARIFY and bool(_said(item, run))
    return None if is_clarification else interrupt
