"""Records as the JSON objects of Discord's API."""

from dataclasses import dataclass
from datetime import UTC, datetime

from devstack.discord import records
from devstack.discord.access import Access
from devstack.discord.errors import Json
from devstack.discord.files import Files
from devstack.discord.records import Attachment, Channel, Command, Interaction, Message, Role, User
from devstack.discord.seed import ADA_ID, EVERYONE_ID, GUILD_ID, GUILD_NAME
from devstack.discord.store import Store

MESSAGE_CONTENT_FLAG = 1 << 19
"""The application may read message content in fewer than 100 guilds."""

_SUBCOMMAND = 1


def iso(seconds: float) -> str:
    """A time as Discord writes it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")


def emoji_json(emoji: str) -> Json:
    """A Unicode emoji."""
    return {"id": None, "name": emoji}


@dataclass(frozen=True, slots=True)
class Payloads:
    """Writes records out; ``reads_content`` says whether the bot may read messages that do not concern it."""

    store: Store
    files: Files
    access: Access
    bot_id: str
    reads_content: bool

    def user(self, user: User) -> Json:
        """A user object."""
        return {
            "id": user.id,
            "username": user.username,
            "discriminator": "0",
            "global_name": user.global_name,
            "avatar": None,
            "bot": user.bot,
            "public_flags": 0,
        }

    def member(self, user: User, *, with_user: bool = False) -> Json:
        """A member object; messages carry it without its user."""
        return {
            **({"user": self.user(user)} if with_user else {}),
            "roles": list(user.roles),
            "nick": None,
            "avatar": None,
            "joined_at": iso(0),
            "deaf": False,
            "mute": False,
            "flags": 0,
        }

    def role(self, role: Role) -> Json:
        """A role object."""
        return {
            "id": role.id,
            "name": role.name,
            "permissions": str(role.permissions),
            "position": 0 if role.id == EVERYONE_ID else 1,
            "color": 0,
            "hoist": False,
            "managed": False,
            "mentionable": False,
        }

    def guild(self) -> Json:
        """The guild object."""
        return {
            "id": GUILD_ID,
            "name": GUILD_NAME,
            "owner_id": ADA_ID,
            "icon": None,
            "features": [],
            "premium_tier": 0,
            "preferred_locale": "en-US",
            "roles": [self.role(role) for role in self.store.everything(Role)],
            "emojis": [],
        }

    def channel(self, channel: Channel) -> Json:
        """A channel, thread or direct-message object."""
        common: Json = {
            "id": channel.id,
            "type": channel.type,
            "last_message_id": channel.last_message_id,
            "flags": 0,
        }
        if channel.type == records.DM:
            return {**common, "recipients": [self.user(self.access.user(user)) for user in channel.recipients]}
        common |= {"name": channel.name, "guild_id": channel.guild_id, "rate_limit_per_user": 0}
        if not channel.is_thread:
            return {
                **common,
                "parent_id": None,
                "topic": channel.topic,
                "position": channel.position,
                "nsfw": False,
                "permission_overwrites": list(channel.overwrites),
            }
        return {
            **common,
            "parent_id": channel.parent,
            "owner_id": channel.owner_id,
            "message_count": channel.message_count,
            "total_message_sent": channel.message_count,
            "member_count": 1,
            "thread_metadata": {
                "archived": channel.archived,
                "locked": channel.locked,
                "auto_archive_duration": channel.auto_archive_minutes,
                "archive_timestamp": iso(channel.created_at),
                "create_timestamp": iso(channel.created_at),
            },
        }

    def attachment(self, identifier: str) -> Json:
        """An attachment object; its address is signed anew."""
        attachment = self.store.get(Attachment, identifier)
        if attachment is None:
            raise KeyError(f"attachment {identifier} is referenced but not stored")
        url = self.files.url(attachment)
        described = {"description": attachment.description} if attachment.description else {}
        return {
            "id": attachment.id,
            "filename": attachment.filename,
            "size": attachment.size,
            "content_type": attachment.content_type,
            "url": url,
            "proxy_url": url,
            **described,
        }

    def message(self, message: Message, *, viewer: str, nested: bool = False) -> Json:
        """A message object as one user sees it; ``nested`` leaves out what it refers to."""
        author = self.access.user(message.author_id)
        payload: Json = {
            "id": message.id,
            "channel_id": message.channel_id,
            "author": self.user(author),
            "content": message.content,
            "timestamp": iso(message.created_at),
            "edited_timestamp": None if message.edited_at is None else iso(message.edited_at),
            "tts": False,
            "mention_everyone": message.mention_everyone,
            "mentions": [self.user(user) for user in map(self._user, message.mentions) if user],
            "mention_roles": [],
            "attachments": [self.attachment(identifier) for identifier in message.attachments],
            "embeds": [self._embed(embed, message) for embed in message.embeds],
            "components": list(message.components),
            "pinned": False,
            "type": message.type,
            "flags": message.flags,
        }
        if message.nonce is not None:
            payload["nonce"] = message.nonce
        if message.reactions:
            payload["reactions"] = [
                {
                    "emoji": emoji_json(reaction["emoji"]),
                    "count": len(reaction["users"]),
                    "count_details": {"burst": 0, "normal": len(reaction["users"])},
                    "me": viewer in reaction["users"],
                    "me_burst": False,
                    "burst_colors": [],
                }
                for reaction in message.reactions
            ]
        if message.webhook:
            payload |= {"webhook_id": self.bot_id, "application_id": self.bot_id}
        payload |= self._interaction(message) | self._thread(message)
        if message.reference and not nested:
            payload |= self._reference(message.reference, viewer)
        if viewer == self.bot_id and not self._concerns_bot(message):
            payload |= {"content": "", "embeds": [], "attachments": [], "components": []}
        return payload

    def command(self, command: Command) -> Json:
        """An application command object."""
        guild = {} if command.parent == "0" else {"guild_id": command.parent}
        return {
            "id": command.id,
            "application_id": self.bot_id,
            "version": command.version,
            "default_member_permissions": None,
            "type": 1,
            "description": "",
            "nsfw": False,
            **guild,
            **command.body,
        }

    def _concerns_bot(self, message: Message) -> bool:
        channel = self.store.get(Channel, message.channel_id)
        is_direct = channel is not None and channel.type == records.DM
        is_own = message.author_id == self.bot_id
        return self.reads_content or is_direct or is_own or self.bot_id in message.mentions

    def _user(self, identifier: str) -> User | None:
        return self.store.get(User, identifier)

    def _embed(self, embed: Json, message: Message) -> Json:
        """An embed whose ``attachment://`` addresses are the real ones."""
        urls = {item["filename"]: item["url"] for item in map(self.attachment, message.attachments)}
        resolved = dict(embed)
        for part in ("image", "thumbnail"):
            scheme, _, name = str((embed.get(part) or {}).get("url", "")).partition("://")
            if scheme == "attachment" and name in urls:
                resolved[part] = {**embed[part], "url": urls[name]}
        return resolved

    def _thread(self, message: Message) -> Json:
        thread = self.store.get(Channel, message.id) if message.flags & records.HAS_THREAD else None
        return {"thread": self.channel(thread)} if thread else {}

    def _interaction(self, message: Message) -> Json:
        interaction = self.store.get(Interaction, message.interaction_id) if message.interaction_id else None
        if interaction is None:
            return {}
        common = {
            "id": interaction.id,
            "type": interaction.type,
            "user": self.user(self.access.user(interaction.user_id)),
        }
        metadata = {"interaction_metadata": common | {"authorizing_integration_owners": {"0": GUILD_ID}}}
        name = _command_name(interaction.data)
        return metadata | ({"interaction": common | {"name": name}} if name else {})

    def _reference(self, reference: Json, viewer: str) -> Json:
        target = self.store.get(Message, reference["message_id"])
        is_gone = target is None or target.deleted
        return {
            "message_reference": reference,
            "referenced_message": None
            if target is None or is_gone
            else self.message(target, viewer=viewer, nested=True),
        }


def _command_name(data: Json) -> str:
    """The command that was used with its subcommand, "" for other interactions."""
    parts = [option["name"] for option in data.get("options", []) if option["type"] == _SUBCOMMAND]
    return " ".join((data.get("name", ""), *parts))
