"""Carrying out an application's answers: the first one, changes of it, and follow-ups for a quarter of an hour."""

from copy import replace
from dataclasses import dataclass
from typing import Any, Final

from devstack.discord import records
from devstack.discord.chat import Chat, Origin
from devstack.discord.drafts import Draft, UploadedFile, read_draft
from devstack.discord.errors import ApiError, Json, invalid_form, unknown
from devstack.discord.records import Channel, Interaction, Message, User
from devstack.discord.snowflakes import at
from devstack.discord.world import World

MESSAGE: Final = 4
DEFERRED_MESSAGE: Final = 5
DEFERRED_UPDATE: Final = 6
UPDATE_MESSAGE: Final = 7
_FOR_COMPONENTS: Final = frozenset({DEFERRED_UPDATE, UPDATE_MESSAGE})
_COMMAND: Final = 2


@dataclass(frozen=True, slots=True)
class Responses:
    """What an interaction's token gives the right to do."""

    world: World
    chat: Chat

    def respond(self, interaction: Interaction, body: Json) -> None:
        """Carry out the first answer; ApiError 50035 for one that does not fit the interaction."""
        kind = body.get("type")
        data = body.get("data") or {}
        if kind not in {MESSAGE, DEFERRED_MESSAGE, DEFERRED_UPDATE, UPDATE_MESSAGE}:
            raise invalid_form("type", "BASE_TYPE_CHOICES", "This server offers the types (4, 5, 6, 7).")
        if kind in _FOR_COMPONENTS and interaction.message_id is None:
            raise invalid_form(
                "type", "INTERACTION_RESPONSE_TYPE_INVALID", "Only a component's message can be updated."
            )
        if kind == DEFERRED_MESSAGE and set(data) - {"flags"}:
            raise invalid_form("data", "INTERACTION_DEFER_DATA", "A deferral carries no data but the ephemeral flag.")
        with self.world.store.transaction():
            answered = replace(interaction, response=kind, original_id=interaction.message_id)
            self.world.store.put(answered)
            original = self._carry_out(answered, read_draft(data))
            self.world.store.put(replace(answered, original_id=original))

    def find(self, application_id: str, token: str) -> Interaction:
        """The interaction of a token; 50027 once it is over, 10015 before it was answered."""
        if application_id != self.world.bot_id:
            raise unknown("Webhook")
        oldest = at(self.world.now() - self.world.rules.interaction_life)
        alive = self.world.store.everything(Interaction, since=str(max(oldest, 0)))
        interaction = next((found for found in alive if found.token == token), None)
        if interaction is None:
            raise ApiError(401, 50027, "Invalid Webhook Token")
        if interaction.response is None:
            raise unknown("Webhook")
        return interaction

    def message(self, interaction: Interaction, message_id: str) -> Message:
        """The original answer (``@original``) or a follow-up."""
        identifier = interaction.original_id if message_id == "@original" else message_id
        message = self.world.store.get(Message, identifier) if identifier and identifier.isdigit() else None
        belongs = message is not None and (
            message.interaction_id == interaction.id or message.id == interaction.original_id
        )
        if message is None or message.deleted or not belongs:
            raise unknown("Message")
        return message

    def edit(self, interaction: Interaction, message_id: str, draft: Draft) -> Message:
        """Change the original answer or a follow-up."""
        return self.chat.change(self.message(interaction, message_id), self._channel(interaction), draft)

    def delete(self, interaction: Interaction, message_id: str) -> None:
        """Delete the original answer or a follow-up."""
        self.chat.remove(self.message(interaction, message_id), self._channel(interaction))

    def follow_up(self, interaction: Interaction, body: Any, files: tuple[UploadedFile, ...]) -> Message:
        """Send one more message; the first one after a deferral takes its place, as Discord still does."""
        draft = read_draft(body, files)
        original = self.world.store.get(Message, interaction.original_id or "0")
        if original is not None and original.flags & records.LOADING:
            return self.chat.change(original, self._channel(interaction), draft)
        return self.chat.send(self._bot(), interaction.parent, draft, self._origin(interaction, draft))

    def _carry_out(self, interaction: Interaction, draft: Draft) -> str | None:
        """Apply the first answer and return the id of the original message."""
        match interaction.response:
            case response if response == DEFERRED_UPDATE:
                return interaction.message_id
            case response if response == UPDATE_MESSAGE:
                return self.edit(interaction, "@original", draft).id
            case response if response == DEFERRED_MESSAGE:
                return self._thinking(interaction, draft).id
            case _:
                origin = self._origin(interaction, draft)
                return self.chat.send(self._bot(), interaction.parent, draft, origin).id

    def _thinking(self, interaction: Interaction, draft: Draft) -> Message:
        channel = self._channel(interaction)
        origin = self._origin(interaction, draft)
        message = Message(
            id=self.world.ids.next(),
            parent=channel.id,
            author_id=self.world.bot_id,
            created_at=self.world.now(),
            type=origin.type,
            flags=records.LOADING | (records.EPHEMERAL if origin.visible_to else 0),
            interaction_id=interaction.id,
            webhook=True,
            visible_to=origin.visible_to,
        )
        self.chat.add(message, channel)
        return message

    def _origin(self, interaction: Interaction, draft: Draft) -> Origin:
        kind = records.CHAT_INPUT_COMMAND if interaction.type == _COMMAND else records.DEFAULT_MESSAGE
        visible_to = interaction.user_id if draft.flags & records.EPHEMERAL else None
        return Origin(interaction.id, kind, visible_to)

    def _channel(self, interaction: Interaction) -> Channel:
        return self.world.access.channel(interaction.parent)

    def _bot(self) -> User:
        return self.world.access.user(self.world.bot_id)
