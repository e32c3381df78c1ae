"""Threads and direct messages."""

from collections.abc import Mapping
from copy import replace
from dataclasses import dataclass
from typing import Any

from devstack.discord import records
from devstack.discord.chat import Chat
from devstack.discord.errors import ApiError, FormFaults, missing_permissions
from devstack.discord.payloads import Payloads
from devstack.discord.permissions import Permission
from devstack.discord.records import Attachment, Channel, Edit, Message, User
from devstack.discord.world import Event, World

ARCHIVE_MINUTES = frozenset({60, 1440, 4320, 10080})
_NAME_LIMIT = 100


@dataclass(frozen=True, slots=True)
class Channels:
    """Operations on channels; each checks the actor's permissions and raises ApiError."""

    world: World
    chat: Chat
    payloads: Payloads

    def visible(self, user: User) -> list[Channel]:
        """The guild's channels that a user sees, threads included."""
        channels = (channel for channel in self.world.store.everything(Channel) if channel.guild_id)
        return [channel for channel in channels if self.world.access.sees(user, channel)]

    def start_thread_on(self, actor: User, channel_id: str, message_id: str, fields: Mapping[str, Any]) -> Channel:
        """Start a thread on a message; the thread's id is the message's."""
        channel = self._parent(actor, channel_id, Permission.CREATE_PUBLIC_THREADS)
        message = self.chat.message(channel_id, message_id)
        if self.world.store.get(Channel, message_id) is not None:
            raise ApiError(400, 160004, "A thread has already been created for this message")
        name, minutes = _thread_fields(fields)
        thread = self._thread(message.id, records.PUBLIC_THREAD, channel, name, actor, minutes)
        with self.world.store.transaction():
            self.world.store.put(thread)
            flagged = replace(message, flags=message.flags | records.HAS_THREAD)
            self.world.store.put(flagged)
        self._publish("THREAD_CREATE", thread, newly_created=True)
        self.world.publish(Event("MESSAGE_UPDATE", channel, message=flagged))
        starter = Message(
            id=self.world.ids.next(),
            parent=thread.id,
            author_id=actor.id,
            created_at=self.world.now(),
            type=records.THREAD_STARTER,
            reference={
                "type": 0,
                "message_id": message.id,
                "channel_id": channel.id,
                "guild_id": channel.guild_id,
            },
        )
        self.chat.add(starter, thread)
        return thread

    def start_thread(self, actor: User, channel_id: str, fields: Mapping[str, Any]) -> Channel:
        """Start a thread without a message."""
        kind = fields.get("type", records.PRIVATE_THREAD)
        if kind not in {records.PUBLIC_THREAD, records.PRIVATE_THREAD}:
            faults = FormFaults()
            faults.add("type", "BASE_TYPE_CHOICES", "Value must be one of (11, 12).")
            faults.raise_if_any()
        is_public = kind == records.PUBLIC_THREAD
        needed = Permission.CREATE_PUBLIC_THREADS if is_public else Permission.CREATE_PRIVATE_THREADS
        channel = self._parent(actor, channel_id, needed)
        name, minutes = _thread_fields(fields)
        thread = self._thread(self.world.ids.next(), kind, channel, name, actor, minutes)
        self.world.store.put(thread)
        self._publish("THREAD_CREATE", thread, newly_created=True)
        if is_public:
            notice = Message(
                id=self.world.ids.next(),
                parent=channel.id,
                author_id=actor.id,
                created_at=self.world.now(),
                type=records.THREAD_CREATED,
                content=name,
                reference={"type": 0, "channel_id": thread.id, "guild_id": channel.guild_id, "message_id": thread.id},
            )
            self.chat.add(notice, self.world.access.channel(channel.id))
        return thread

    def update(self, actor: User, channel_id: str, fields: Mapping[str, Any]) -> Channel:
        """Rename, archive or lock a thread (or rename a channel)."""
        channel = self.world.access.channel(channel_id)
        self.world.access.require(actor, channel)
        manages = Permission.MANAGE_THREADS if channel.is_thread else Permission.MANAGE_CHANNELS
        is_owner = channel.is_thread and channel.owner_id == actor.id and not fields.get("locked")
        if not is_owner and manages not in self.world.access.permissions(actor, channel):
            raise missing_permissions()
        changes = _changes(fields)
        if channel.archived and changes.get("archived", True):
            raise ApiError(400, 50083, "Thread is archived")
        updated = replace(channel, **changes)
        self.world.store.put(updated)
        self._publish("THREAD_UPDATE" if channel.is_thread else "CHANNEL_UPDATE", updated)
        return updated

    def delete(self, actor: User, channel_id: str) -> Channel:
        """Delete a thread with all its messages."""
        thread = self.world.access.channel(channel_id)
        self.world.access.require(actor, thread)
        if not thread.is_thread:
            raise missing_permissions()
        self.world.access.require(actor, thread, Permission.MANAGE_THREADS)
        with self.world.store.transaction():
            for message in self.world.store.children(Message, thread.id):
                self.world.store.delete(Message, message.id)
                for edit in self.world.store.children(Edit, message.id):
                    self.world.store.delete(Edit, edit.id)
            for attachment in self.world.store.children(Attachment, thread.id):
                self.world.store.delete(Attachment, attachment.id)
                self.world.store.delete_file(attachment.id)
            self.world.store.delete(Channel, thread.id)
            starter = self.world.store.get(Message, thread.id)
            if starter is not None:
                self.world.store.put(replace(starter, flags=starter.flags & ~records.HAS_THREAD))
        parent = self.world.access.channel(thread.parent)
        data = {"id": thread.id, "guild_id": thread.guild_id, "parent_id": thread.parent, "type": thread.type}
        self.world.publish(Event("THREAD_DELETE", parent, data))
        return thread

    def direct(self, one: User, other: User) -> Channel:
        """The direct-message channel of two users, made when missing."""
        pair = {one.id, other.id}
        everywhere = self.world.store.children(Channel, "0")
        existing = next((c for c in everywhere if c.type == records.DM and set(c.recipients) == pair), None)
        if existing is not None:
            return existing
        channel = Channel(
            self.world.ids.next(), records.DM, "0", recipients=(one.id, other.id), created_at=self.world.now()
        )
        self.world.store.put(channel)
        self._publish("CHANNEL_CREATE", channel)
        return channel

    def _parent(self, actor: User, channel_id: str, needed: Permission) -> Channel:
        channel = self.world.access.channel(channel_id)
        self.world.access.require(actor, channel, needed)
        if channel.type != records.GUILD_TEXT:
            raise ApiError(400, 50024, "Cannot execute action on this channel type")
        return channel

    def _thread(self, identifier: str, kind: int, parent: Channel, name: str, owner: User, minutes: int) -> Channel:
        return Channel(
            id=identifier,
            type=kind,
            parent=parent.id,
            name=name,
            guild_id=parent.guild_id,
            owner_id=owner.id,
            created_at=self.world.now(),
            auto_archive_minutes=minutes,
        )

    def _publish(self, name: str, channel: Channel, **extra: Any) -> None:
        self.world.publish(Event(name, channel, self.payloads.channel(channel) | extra))


def _thread_fields(fields: Mapping[str, Any]) -> tuple[str, int]:
    faults = FormFaults()
    _check_name(fields.get("name"), faults)
    minutes = fields.get("auto_archive_duration", 1440)
    if minutes not in ARCHIVE_MINUTES:
        faults.add("auto_archive_duration", "BASE_TYPE_CHOICES", "Value must be one of (60, 1440, 4320, 10080).")
    faults.raise_if_any()
    return str(fields["name"]).strip(), int(minutes)


def _changes(fields: Mapping[str, Any]) -> dict[str, Any]:
    faults = FormFaults()
    if "name" in fields:
        _check_name(fields["name"], faults)
    for flag in ("archived", "locked"):
        if flag in fields and not isinstance(fields[flag], bool):
            faults.wrong_type(flag, "a boolean")
    faults.raise_if_any()
    return {name: fields[name] for name in ("name", "archived", "locked") if name in fields}


def _check_name(value: Any, faults: FormFaults) -> None:
    if not isinstance(value, str) or not value.strip():
        faults.required("name")
    elif len(value) > _NAME_LIMIT:
        faults.too_long("name", _NAME_LIMIT)
