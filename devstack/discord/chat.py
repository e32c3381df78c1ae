"""Messages and reactions: what people and the bot can do, checked, stored and published."""

from copy import replace
from dataclasses import dataclass
from itertools import count

from devstack.discord import records
from devstack.discord.drafts import Draft, UploadedFile
from devstack.discord.errors import ApiError, Json, empty_message, invalid_form, too_large, unknown
from devstack.discord.files import clean_filename, content_type_of
from devstack.discord.payloads import Payloads, emoji_json
from devstack.discord.permissions import Permission
from devstack.discord.records import Attachment, Channel, Edit, Message, User
from devstack.discord.snowflakes import at, is_snowflake
from devstack.discord.world import Event, World

REACTIONS_LIMIT = 20
_PAGE = 100


@dataclass(frozen=True, slots=True)
class Origin:
    """What an interaction adds to the message that answers it."""

    interaction_id: str
    type: int = records.DEFAULT_MESSAGE
    visible_to: str | None = None


@dataclass(frozen=True, slots=True)
class Chat:
    """Operations on messages; each checks the actor's permissions and raises ApiError."""

    world: World
    payloads: Payloads

    def message(self, channel_id: str, message_id: str) -> Message:
        """A message that exists; 10008 otherwise."""
        message = self.world.store.get(Message, message_id) if is_snowflake(message_id) else None
        if message is None or message.deleted or message.channel_id != channel_id:
            raise unknown("Message")
        return message

    def send(self, author: User, channel_id: str, draft: Draft, origin: Origin | None = None) -> Message:
        """Send a message; an enforced nonce seen within minutes returns the first message instead."""
        world = self.world
        channel = world.access.channel(channel_id)
        if origin is None:
            world.access.require_send(author, channel)
        if draft.enforce_nonce and (first := self._same_nonce(author, draft.nonce)):
            return first
        channel = self._reopen(author, channel)
        _check_sizes(draft.files, world.rules.file_size)
        reference, reply_to = self._reply(channel, draft)
        if not (draft.content or draft.embeds or draft.components or draft.files):
            raise empty_message()
        content = draft.content or ""
        mentions = dict.fromkeys(draft.mentioned_users(content))
        if reply_to and (draft.mentions.replied_user or not author.bot):
            mentions[reply_to.author_id] = None
        kind = origin.type if origin else records.REPLY if reference else records.DEFAULT_MESSAGE
        is_ephemeral = origin is not None and origin.visible_to is not None
        with world.store.transaction():
            message = Message(
                id=world.ids.next(),
                parent=channel.id,
                author_id=author.id,
                created_at=world.now(),
                type=kind,
                content=content,
                flags=draft.flags & ~records.EPHEMERAL | (records.EPHEMERAL if is_ephemeral else 0),
                nonce=draft.nonce,
                embeds=draft.embeds or (),
                components=draft.components or (),
                attachments=self._store_files(channel, draft),
                mentions=tuple(mentions),
                mention_everyone=draft.mentions_everyone(content),
                reference=reference,
                interaction_id=origin.interaction_id if origin else None,
                webhook=origin is not None,
                visible_to=origin.visible_to if origin else None,
            )
            self.add(message, channel)
        return message

    def add(self, message: Message, channel: Channel) -> None:
        """Store a finished message and publish it."""
        self.world.store.put(message)
        if message.visible_to is None:
            counted = channel.message_count + 1
            self.world.store.put(replace(channel, last_message_id=message.id, message_count=counted))
        self.world.publish(Event("MESSAGE_CREATE", channel, message=message))

    def edit(self, actor: User, channel_id: str, message_id: str, draft: Draft) -> Message:
        """Change one's own message; fields that were not sent stay."""
        channel = self.world.access.channel(channel_id)
        self.world.access.require(actor, channel)
        message = self.message(channel_id, message_id)
        if message.author_id != actor.id:
            raise ApiError(403, 50005, "Cannot edit a message authored by another user")
        if channel.archived:
            raise ApiError(400, 50083, "Thread is archived")
        return self.change(message, channel, draft)

    def change(self, message: Message, channel: Channel, draft: Draft) -> Message:
        """Apply an edit whose right was checked."""
        _check_sizes(draft.files, self.world.rules.file_size)
        kept = message.attachments if draft.kept is None else tuple(a for a in message.attachments if a in draft.kept)
        content = message.content if draft.content is None else draft.content
        now = self.world.now()
        with self.world.store.transaction():
            edited = replace(
                message,
                content=content,
                embeds=message.embeds if draft.embeds is None else draft.embeds,
                components=message.components if draft.components is None else draft.components,
                attachments=(*kept, *self._store_files(channel, draft)),
                flags=message.flags & ~records.LOADING,
                mentions=draft.mentioned_users(content) if draft.content is not None else message.mentions,
                # The answer that takes the place of "thinking …" does not count as an edit for those who read it.
                edited_at=None if message.flags & records.LOADING else now,
                edit_count=message.edit_count + 1,
            )
            if not (edited.content or edited.embeds or edited.components or edited.attachments):
                raise empty_message()
            self.world.store.put(edited)
            history = Edit(self.world.ids.next(), message.id, now, edited.content, edited.embeds, edited.components)
            self.world.store.put(history)
        self.world.publish(Event("MESSAGE_UPDATE", channel, message=edited))
        return edited

    def delete(self, actor: User, channel_id: str, message_id: str) -> None:
        """Delete one's own message, or with the permission anybody's."""
        channel = self.world.access.channel(channel_id)
        self.world.access.require(actor, channel)
        message = self.message(channel_id, message_id)
        if message.author_id != actor.id:
            self.world.access.require(actor, channel, Permission.MANAGE_MESSAGES)
        self.remove(message, channel)

    def remove(self, message: Message, channel: Channel) -> None:
        """Delete a message whose right was checked; a tombstone remembers its nonce."""
        with self.world.store.transaction():
            for attachment in message.attachments:
                self.world.store.delete(Attachment, attachment)
                self.world.store.delete_file(attachment)
            emptied = replace(message, deleted=True, content="", embeds=(), components=(), attachments=())
            self.world.store.put(emptied)
        guild = {"guild_id": channel.guild_id} if channel.guild_id else {}
        data = {"id": message.id, "channel_id": channel.id, **guild}
        self.world.publish(Event("MESSAGE_DELETE", channel, data, message=message))

    def history(
        self, actor: User, channel_id: str, *, limit: int, before: str | None = None, after: str | None = None
    ) -> list[Message]:
        """Messages that an actor may read, newest first; with ``after`` the oldest ones beyond it."""
        channel = self.world.access.channel(channel_id)
        self.world.access.require(actor, channel, Permission.READ_MESSAGE_HISTORY)
        found: list[Message] = []
        bound = int(after) if after is not None else int(before or 2**63 - 1)
        fetch = self.world.store.oldest_after if after is not None else self.world.store.newest_before
        while len(found) < limit:
            page = fetch(Message, channel_id, bound, _PAGE)
            found += [message for message in page if not message.deleted and message.visible_to in {None, actor.id}]
            if len(page) < _PAGE:
                break
            bound = int(page[-1].id)
        return sorted(found[:limit], key=lambda message: int(message.id), reverse=True)

    def react(self, actor: User, channel_id: str, message_id: str, emoji: str) -> None:
        """Add a reaction; repeating it changes nothing."""
        channel, message = self._reactable(actor, channel_id, message_id, emoji)
        users = next((reaction["users"] for reaction in message.reactions if reaction["emoji"] == emoji), None)
        if users is not None and actor.id in users:
            return
        if users is None:
            self.world.access.require(actor, channel, Permission.ADD_REACTIONS)
            if len(message.reactions) >= REACTIONS_LIMIT:
                raise ApiError(400, 30010, f"Maximum number of reactions reached ({REACTIONS_LIMIT})")
            reactions = (*message.reactions, {"emoji": emoji, "users": [actor.id]})
        else:
            reactions = tuple(
                {**reaction, "users": [*reaction["users"], actor.id]} if reaction["emoji"] == emoji else reaction
                for reaction in message.reactions
            )
        self.world.store.put(replace(message, reactions=reactions))
        self._publish_reaction("MESSAGE_REACTION_ADD", channel, message, actor.id, emoji)

    def unreact(self, actor: User, channel_id: str, message_id: str, emoji: str, *, user_id: str | None = None) -> None:
        """Take a reaction back; somebody else's needs the permission."""
        channel, message = self._reactable(actor, channel_id, message_id, emoji)
        owner = user_id or actor.id
        if owner != actor.id:
            self.world.access.require(actor, channel, Permission.MANAGE_MESSAGES)
        changed = [
            {**reaction, "users": [user for user in reaction["users"] if user != owner]}
            if reaction["emoji"] == emoji
            else reaction
            for reaction in message.reactions
        ]
        remaining = tuple(reaction for reaction in changed if reaction["users"])
        if remaining == message.reactions:
            return
        self.world.store.put(replace(message, reactions=remaining))
        self._publish_reaction("MESSAGE_REACTION_REMOVE", channel, message, owner, emoji)

    def reactors(self, actor: User, channel_id: str, message_id: str, emoji: str) -> list[User]:
        """Who reacted with an emoji, by id."""
        _, message = self._reactable(actor, channel_id, message_id, emoji)
        users: list[str] = next((item["users"] for item in message.reactions if item["emoji"] == emoji), [])
        return sorted((self.world.access.user(user) for user in users), key=lambda user: int(user.id))

    def typing(self, actor: User, channel_id: str) -> None:
        """Show that somebody is writing."""
        channel = self.world.access.channel(channel_id)
        self.world.access.require_send(actor, channel)
        guild = {"guild_id": channel.guild_id} if channel.guild_id else {}
        data = {"channel_id": channel.id, "user_id": actor.id, "timestamp": int(self.world.now()), **guild}
        self.world.publish(Event("TYPING_START", channel, data))

    def _reactable(self, actor: User, channel_id: str, message_id: str, emoji: str) -> tuple[Channel, Message]:
        channel = self.world.access.channel(channel_id)
        self.world.access.require(actor, channel, Permission.READ_MESSAGE_HISTORY)
        if not _is_emoji(emoji):
            raise unknown("Emoji")
        return channel, self.message(channel_id, message_id)

    def _publish_reaction(self, name: str, channel: Channel, message: Message, user: str, emoji: str) -> None:
        data: Json = {
            "user_id": user,
            "channel_id": channel.id,
            "message_id": message.id,
            "emoji": emoji_json(emoji),
            "burst": False,
            "type": 0,
        }
        if channel.guild_id:
            data["guild_id"] = channel.guild_id
            data["member"] = self.payloads.member(self.world.access.user(user), with_user=True)
        if name == "MESSAGE_REACTION_ADD":
            data["message_author_id"] = message.author_id
        else:
            data.pop("member", None)
        self.world.publish(Event(name, channel, data))

    def _same_nonce(self, author: User, nonce: str | int | None) -> Message | None:
        if nonce is None:
            return None
        since = at(self.world.now() - self.world.rules.nonce_window)
        recent = self.world.store.everything(Message, since=str(max(since, 0)))
        first = next((m for m in recent if m.author_id == author.id and m.nonce == nonce), None)
        if first is not None and first.deleted:
            raise unknown("Message")
        return first

    def _reopen(self, author: User, channel: Channel) -> Channel:
        """Writing in an archived thread opens it again, unless it is locked."""
        if channel.locked and Permission.MANAGE_THREADS not in self.world.access.permissions(author, channel):
            raise ApiError(400, 160005, "Thread is locked")
        if not channel.archived:
            return channel
        opened = replace(channel, archived=False)
        self.world.store.put(opened)
        self.world.publish(Event("THREAD_UPDATE", opened, self.payloads.channel(opened)))
        return opened

    def _reply(self, channel: Channel, draft: Draft) -> tuple[Json | None, Message | None]:
        if draft.reference is None:
            return None, None
        target = self.world.store.get(Message, draft.reference["message_id"])
        if target is None or target.deleted or target.channel_id != channel.id:
            if draft.fail_if_reply_is_gone:
                raise invalid_form("message_reference", "REPLIES_UNKNOWN_MESSAGE", "Unknown message")
            return None, None
        guild = {"guild_id": channel.guild_id} if channel.guild_id else {}
        return {**draft.reference, "channel_id": channel.id, **guild}, target

    def _store_files(self, channel: Channel, draft: Draft) -> tuple[str, ...]:
        descriptions = dict(draft.descriptions)
        stored = []
        for position, file in zip(count(), draft.files, strict=False):
            name = clean_filename(file.filename)
            attachment = Attachment(
                id=self.world.ids.next(),
                parent=channel.id,
                filename=name,
                content_type=content_type_of(name, file.content_type),
                size=len(file.content),
                description=descriptions.get(file.index, descriptions.get(position, "")),
            )
            self.world.store.put(attachment)
            self.world.store.put_file(attachment.id, file.content)
            stored.append(attachment.id)
        return tuple(stored)


def _check_sizes(files: tuple[UploadedFile, ...], limit: int) -> None:
    if any(len(file.content) > limit for file in files):
        raise too_large()


def _is_emoji(text: str) -> bool:
    return 0 < len(text) <= 16 and not text.isascii() and not any(character.isalpha() for character in text)
