"""What the steps need from the outside, as Protocols; adapters implement them, ``bootstrap`` chooses."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from discord_agent.domain.conversation import Message, ModelReply, ModelRequest, ToolCall, ToolResult, ToolSpec
from discord_agent.domain.events import AgenticEvent, AuditEntry
from discord_agent.domain.ids import (
    ChannelId,
    CommitSha,
    ExecutionId,
    GuildId,
    ManifestId,
    MessageId,
    ModelName,
    ThreadId,
    UserId,
)
from discord_agent.domain.inbound import Attachment, InboundMessage
from discord_agent.domain.money import Price
from discord_agent.domain.policy import GuildSettings, Place
from discord_agent.domain.posts import Post
from discord_agent.domain.run import Commit, Outcome, RunState
from discord_agent.domain.session import (
    Approval,
    Decision,
    ExecutionRecord,
    InboxItem,
    ItemKind,
    Lease,
    Session,
)
from discord_agent.domain.workspace import Head, Manifest
from discord_agent.envelope import Envelope


class Clock(Protocol):
    """Time."""

    def now(self) -> datetime:
        """The current time, aware, in UTC."""

    def monotonic(self) -> float:
        """Seconds that never go back."""


class Discord(Protocol):
    """Discord's REST API. Errors: DiscordUnavailable, DiscordRefused."""

    def send(self, channel: ChannelId, post: Post, *, nonce: str) -> MessageId:
        """Send one message of at most 2000 characters; the same nonce within minutes sends nothing twice."""

    def edit(self, channel: ChannelId, message: MessageId, post: Post) -> None:
        """Replace a message's embeds and buttons, and its text if the post has one; its files stay."""

    def react(self, channel: ChannelId, message: MessageId, emoji: str) -> None:
        """Add the bot's own reaction; idempotent."""

    def start_thread(self, channel: ChannelId, message: MessageId, name: str) -> ThreadId:
        """Start a thread on a message, or return the one that exists; its id is the message's id."""

    def rename(self, channel: ChannelId, name: str) -> None:
        """Rename a thread, at most once per run: Discord allows two renames in ten minutes."""

    def place(self, channel: ChannelId) -> Place:
        """What a channel is: its guild, its name, whether it is a thread (types 10, 11, 12) and of which channel."""

    def typing(self, channel: ChannelId) -> None:
        """Show the typing indicator for ten seconds."""

    def history(self, channel: ChannelId, *, limit: int) -> tuple[InboundMessage, ...]:
        """The newest messages, oldest first."""

    def download(self, attachment: Attachment, *, limit: int) -> bytes:
        """An attachment's bytes; DiscordRefused when larger than ``limit``."""

    def answer(self, application_id: str, token: str, post: Post, *, ephemeral: bool = True) -> None:
        """Follow up on a deferred interaction."""


class LanguageModel(Protocol):
    """Any model behind one call. Errors: ModelUnavailable, ModelRefused, Stopped."""

    def complete(
        self,
        request: ModelRequest,
        *,
        stop_requested: Callable[[], bool] | None = None,
        on_text: Callable[[str], None] | None = None,
    ) -> ModelReply:
        """Ask once; ``stop_requested`` is polled about twice a second while waiting and ends the call with Stopped."""


class Models(Protocol):
    """The model registry."""

    def price(self, model: ModelName) -> Price | None:
        """Its price, or None when it is not known."""

    def for_role(self, role: str) -> ModelName:
        """The model of an agent role."""

    def for_task(self, task_type: str) -> ModelName:
        """The model of a task without tools."""

    def for_purpose(self, purpose: str) -> ModelName:
        """The model of decide, plan, reflect or title."""

    def next_up(self, model: ModelName) -> ModelName:
        """The next model of the escalation path; itself at the top."""


class Prompts(Protocol):
    """Prompt templates; a missing template or variable is InvalidSettings."""

    def render(self, name: str, **values: Any) -> str:
        """Fill a template in one pass; inserted text is not expanded again."""


@dataclass(frozen=True, slots=True)
class WorkspaceAccess:
    """What a round of tools works on."""

    thread_id: ThreadId
    execution_id: ExecutionId
    manifest: Manifest


@dataclass(frozen=True, slots=True)
class ToolRound:
    """What a round of tool calls gave: a result per call, in order, and the manifest if files changed."""

    results: tuple[ToolResult, ...]
    manifest: Manifest | None


class ToolBox(Protocol):
    """The tools of the sandbox, reached as an MCP client. Errors: SandboxUnavailable."""

    def specs(self) -> tuple[ToolSpec, ...]:
        """The tools it offers, in a stable order."""

    def run(
        self, calls: Sequence[ToolCall], access: WorkspaceAccess, *, meanwhile: Callable[[], object] | None = None
    ) -> ToolRound:
        """Run a round's calls in one go: reads in parallel, writes in order; ``meanwhile`` is called twice a second."""


class StopMarkers(Protocol):
    """The objects that tell a running command in the sandbox to end."""

    def stop(self, thread: ThreadId, execution: ExecutionId) -> None:
        """Leave the marker; the sandbox notices it within a second."""


class Workspaces(Protocol):
    """Manifests and file contents of threads. Errors: Conflict, WorkspaceDamaged."""

    def head(self, thread: ThreadId) -> Head | None:
        """The current manifest's id and etag; None for a new thread."""

    def load(self, thread: ThreadId, manifest: ManifestId) -> Manifest:
        """A manifest, current or old."""

    def save(self, thread: ThreadId, manifest: Manifest, *, expected: Head | None) -> Head:
        """Store a manifest and make it current if ``expected`` still is; Conflict otherwise."""

    def add_files(self, thread: ThreadId, manifest: Manifest, files: Mapping[str, bytes]) -> Manifest:
        """A manifest with files added or replaced (one pack written); the head does not move."""

    def read(self, thread: ThreadId, manifest: Manifest, path: str) -> bytes:
        """One file's bytes; InvalidInput if the manifest has no such file."""

    def publish(self, thread: ThreadId, manifest: Manifest, paths: Iterable[str]) -> None:
        """Copy files to ``files/`` as plain objects for people to browse."""

    def delete(self, thread: ThreadId) -> None:
        """Remove everything of a thread."""


@dataclass(frozen=True, slots=True)
class JournaledRound:
    """A round as far as it got: what people said before it, the reply, and the results once they were in."""

    reply: ModelReply
    heard: tuple[Message, ...] = ()
    results: tuple[ToolResult, ...] | None = None
    manifest: Manifest | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """The model's current message list and the turn after which it was saved.

    ``version`` names the stored list that this one was made from; "" when there was none.
    """

    messages: tuple[Message, ...]
    turn: int
    version: str = ""


class Journal(Protocol):
    """What happened inside the turns of a run. A write that another attempt made first raises LeaseLost."""

    def load_context(self, run: RunState) -> Context | None:
        """The message list after the last finished turn."""

    def save_context(self, run: RunState, context: Context) -> None:
        """Store a message list in place of the one it was made from; LeaseLost if another attempt stored one since."""

    def rounds(self, run: RunState, turn: int) -> tuple[JournaledRound, ...]:
        """The rounds of a turn that an earlier attempt journalled, in order."""

    def record_reply(
        self, run: RunState, turn: int, number: int, reply: ModelReply, heard: tuple[Message, ...] = ()
    ) -> None:
        """Journal a reply, and the people's messages it was given, before its tool calls run."""

    def record_results(
        self, run: RunState, turn: int, number: int, results: tuple[ToolResult, ...], manifest: Manifest | None
    ) -> None:
        """Journal what the tool calls gave."""


class Leases(Protocol):
    """One writer per thread."""

    def acquire(self, thread: ThreadId, owner: ExecutionId) -> Lease:
        """Take a free or expired lease (or one's own again); Conflict while another run holds it."""

    def renew(self, thread: ThreadId, owner: ExecutionId) -> Lease:
        """Prolong one's own lease and raise its fence; LeaseLost if another run took it."""

    def holds(self, lease: Lease) -> bool:
        """Whether ``lease`` is still the newest, by a consistent read."""

    def release(self, thread: ThreadId, owner: ExecutionId, *, fence: int | None = None) -> None:
        """Give up one's own lease; nothing happens if it is not held, or was renewed since ``fence``."""

    def holder(self, thread: ThreadId) -> ExecutionId | None:
        """Who holds an unexpired lease."""


class Sessions(Protocol):
    """Threads' memory, inbox, votes and guilds' settings."""

    def get(self, thread: ThreadId) -> Session:
        """The session, or a new one with defaults (not stored)."""

    def update(self, thread: ThreadId, *, lease: Lease | None = None, **fields: Any) -> None:
        """Set fields of Session by name; with ``lease``, LeaseLost unless it is still the newest."""

    def vote(self, thread: ThreadId, message: MessageId, user: UserId, value: int) -> int:
        """Store one vote per message and user (0 removes it); returns the session's new confidence."""

    def put(self, item: InboxItem) -> bool:
        """Queue a message once; False if it was there, or a tombstone says it was deleted."""

    def waiting(self, thread: ThreadId, kind: ItemKind) -> tuple[InboxItem, ...]:
        """The queued messages, oldest first."""

    def remove(self, items: Iterable[InboxItem]) -> None:
        """Take messages out of the queue once they are safe elsewhere."""

    def edit(self, thread: ThreadId, message: MessageId, content: str) -> bool:
        """Change a queued message; False if it is not queued (a tombstone of the edit is kept)."""

    def drop(self, thread: ThreadId, message: MessageId) -> bool:
        """Delete a queued message, leaving a tombstone; False if it was not queued."""

    def settings(self, guild: GuildId | None) -> GuildSettings:
        """A guild's settings, or the defaults."""

    def put_settings(self, guild: GuildId, settings: GuildSettings) -> None:
        """Store a guild's settings."""

    def delete(self, thread: ThreadId) -> None:
        """Forget a thread."""


class Executions(Protocol):
    """The rows of runs."""

    def create(self, record: ExecutionRecord) -> bool:
        """Store a new row; False if it exists."""

    def get(self, execution: ExecutionId) -> ExecutionRecord | None:
        """One row, by a consistent read."""

    def newest(self, thread: ThreadId, *, limit: int = 10) -> tuple[ExecutionRecord, ...]:
        """The newest rows of a thread, newest first."""

    def update(self, execution: ExecutionId, *, lease: Lease | None = None, **fields: Any) -> None:
        """Set fields of ExecutionRecord by name; with ``lease``, LeaseLost unless it is still the newest."""

    def request_stop(self, execution: ExecutionId, by: UserId) -> bool:
        """Set the stop flag of a run that has not ended; False if it has, or was already asked to."""

    def stop_requested(self, execution: ExecutionId) -> bool:
        """Whether the stop flag is set."""

    def park(self, execution: ExecutionId, task_token: str, question: str) -> None:
        """Store the token a parked run waits on."""

    def unpark(self, execution: ExecutionId) -> str:
        """Take the token, once; Conflict if the run is not parked."""

    def await_decision(self, execution: ExecutionId, approval: Approval) -> None:
        """Store a commit that waits for a decision, with its token."""

    def decide(self, execution: ExecutionId, sha: CommitSha, decision: Decision, by: UserId | None) -> str:
        """Record the decision once and return the token; Conflict if decided already, or for another commit."""

    def end(self, execution: ExecutionId, outcome: Outcome) -> bool:
        """Claim the right to post the terminal message; False if it was posted, or is about to be with another outcome.

        A claim that was not followed by ``ended`` may be repeated at once with the same outcome, because its posts
        carry the same nonces; with another outcome only after a minute.
        """

    def ended(self, execution: ExecutionId, message: MessageId) -> None:
        """Note which message was the terminal one."""


class AuditLog(Protocol):
    """The audit trail (table ``discord-messages``)."""

    def record(self, entry: AuditEntry) -> None:
        """Append an entry; secrets are redacted."""

    def entries(self, thread: ThreadId) -> tuple[AuditEntry, ...]:
        """All entries of a thread, oldest first."""


class Events(Protocol):
    """The queue ``agentic_events``."""

    def emit(self, event: AgenticEvent) -> None:
        """Send an event with id, time and schema version."""


class Machines(Protocol):
    """The state machines."""

    def start(self, machine: str, execution: ExecutionId, data: RunState | Mapping[str, object]) -> None:
        """Start an execution of a machine of the declaration; the same name again is no error and starts nothing.

        ``data`` is its input: a RunState, or a mapping with a RunState among its values.
        """

    def succeed(self, task_token: str, output: Mapping[str, Any]) -> bool:
        """Answer a waiting task; False if it no longer waits."""


class InboundQueue(Protocol):
    """The queue of events from Discord. Errors: StateUnavailable, InvalidEvent."""

    def put(self, envelope: Envelope, *, occurrence: str = "") -> None:
        """Queue an event once, in order per thread; ``occurrence`` tells apart events that can happen again."""


class Wakeups(Protocol):
    """The delayed queue that starts classification."""

    def schedule(self, thread: ThreadId, author: UserId, message: MessageId, delay: timedelta) -> None:
        """Wake ``classify`` after ``delay`` (at most 15 minutes)."""


@dataclass(frozen=True, slots=True)
class Checkout:
    """A repository's files as a manifest, at the commit the run starts from."""

    manifest: Manifest
    base: CommitSha


@dataclass(frozen=True, slots=True)
class Diff:
    """What a commit changes: a one-line summary and the unified diff."""

    summary: str
    text: str


class Repositories(Protocol):
    """Git, by trusted steps only: never in a directory that a model wrote.

    ``source`` is the git URL of the remote, or "" for a thread without one (its history then lives in a bundle).
    Errors: RepositoryUnavailable, RepositoryRefused, Conflict (the branch or main moved).
    """

    def checkout(self, thread: ThreadId, source: str, *, commit: CommitSha | None) -> Checkout:
        """Fetch ``commit`` (None: the tip of main), store its files as packs and the bundle the sandbox clones."""

    def commit(
        self, thread: ThreadId, source: str, *, manifest: Manifest, base: CommitSha, branch: str, message: str
    ) -> tuple[Commit, Diff] | None:
        """Commit the manifest's files on a new branch (a number is added if the name is taken); None if nothing changed.

        SecretsFound, and nothing published, if what is new holds secrets.
        """

    def merge(self, thread: ThreadId, source: str, commit: Commit, *, message: str) -> CommitSha:
        """Merge a branch into main without fast-forward and delete it; Conflict names the files that clash."""

    def drop(self, thread: ThreadId, source: str, commit: Commit) -> None:
        """Delete a branch, keeping its commit under ``refs/dropped/`` so that it can be recovered."""
