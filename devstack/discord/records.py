"""What the server stores; every field is plain JSON (tuples for lists), ids are snowflakes as text."""

from dataclasses import dataclass, field

from devstack.discord.errors import Json

GUILD_TEXT = 0
DM = 1
ANNOUNCEMENT_THREAD = 10
PUBLIC_THREAD = 11
PRIVATE_THREAD = 12
THREAD_TYPES = frozenset({ANNOUNCEMENT_THREAD, PUBLIC_THREAD, PRIVATE_THREAD})

DEFAULT_MESSAGE = 0
THREAD_CREATED = 18
REPLY = 19
CHAT_INPUT_COMMAND = 20
THREAD_STARTER = 21
CONTEXT_MENU_COMMAND = 23

SUPPRESS_EMBEDS = 1 << 2
HAS_THREAD = 1 << 5
EPHEMERAL = 1 << 6
LOADING = 1 << 7
SUPPRESS_NOTIFICATIONS = 1 << 12
COMPONENTS_V2 = 1 << 15


@dataclass(frozen=True, slots=True)
class Role:
    """A role; ``permissions`` is a bit set."""

    id: str
    name: str
    permissions: int
    parent: str = "0"


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who can act, and the roles held in the guild."""

    id: str
    username: str
    global_name: str
    bot: bool = False
    roles: tuple[str, ...] = ()
    parent: str = "0"


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel, thread or direct message; ``parent`` is the guild, the channel of a thread, or 0."""

    id: str
    type: int
    parent: str
    name: str = ""
    guild_id: str | None = None
    topic: str = ""
    position: int = 0
    overwrites: tuple[Json, ...] = ()
    recipients: tuple[str, ...] = ()
    owner_id: str | None = None
    created_at: float = 0
    archived: bool = False
    locked: bool = False
    auto_archive_minutes: int = 1440
    last_message_id: str | None = None
    message_count: int = 0

    @property
    def is_thread(self) -> bool:
        """Whether it is a thread of any kind."""
        return self.type in THREAD_TYPES


@dataclass(frozen=True, slots=True)
class Message:
    """A message; times in Unix seconds; ``visible_to`` is set on ephemeral ones; a deleted one stays as a tombstone."""

    id: str
    parent: str
    author_id: str
    created_at: float
    type: int = DEFAULT_MESSAGE
    content: str = ""
    flags: int = 0
    edited_at: float | None = None
    edit_count: int = 0
    nonce: str | int | None = None
    embeds: tuple[Json, ...] = ()
    components: tuple[Json, ...] = ()
    attachments: tuple[str, ...] = ()
    mentions: tuple[str, ...] = ()
    mention_everyone: bool = False
    reactions: tuple[Json, ...] = ()
    reference: Json | None = None
    interaction_id: str | None = None
    webhook: bool = False
    visible_to: str | None = None
    deleted: bool = False

    @property
    def channel_id(self) -> str:
        """The channel it stands in."""
        return self.parent


@dataclass(frozen=True, slots=True)
class Edit:
    """What a message looked like after an edit; ``parent`` is the message."""

    id: str
    parent: str
    at: float
    content: str
    embeds: tuple[Json, ...] = ()
    components: tuple[Json, ...] = ()


@dataclass(frozen=True, slots=True)
class Attachment:
    """An uploaded file's description; ``parent`` is the channel, ``size`` in bytes."""

    id: str
    parent: str
    filename: str
    content_type: str
    size: int
    description: str = ""


@dataclass(frozen=True, slots=True)
class Command:
    """An application command; ``parent`` is its guild, or 0 for a global one."""

    id: str
    parent: str
    version: str
    body: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Interaction:
    """A pressed button, chosen option or slash command; ``parent`` is the channel, ``response`` the answer's type."""

    id: str
    parent: str
    token: str
    type: int
    user_id: str
    created_at: float
    data: Json = field(default_factory=dict)
    message_id: str | None = None
    response: int | None = None
    failed: bool = False
    fault: str = ""
    original_id: str | None = None


type Record = Role | User | Channel | Message | Edit | Attachment | Command | Interaction
