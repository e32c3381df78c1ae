"""The files of a thread: shown, saved, emptied, brought back, posted."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from msgspec import Struct

from discord_agent.domain import file_tree, policy, thread_cards
from discord_agent.domain.errors import Conflict, InvalidInput
from discord_agent.domain.ids import ChannelId, ExecutionId, ThreadId
from discord_agent.domain.layout import line
from discord_agent.domain.policy import Denied, Place
from discord_agent.domain.posts import Post, UploadFile
from discord_agent.domain.session import Cleaned, Lease
from discord_agent.domain.workspace import AGENT_FOLDER, LINK_MODE, Head, Manifest, looks_secret, safe_path
from discord_agent.ports import Discord, Leases, Sessions, Workspaces
from discord_agent.steps.commands.asked import Asked

_VIEW_CHANNEL: Final = 1 << 10
_UPLOAD_LIMIT: Final = 10 * 1024 * 1024
_MOST_COPIED: Final = 500
_MOST_BYTES_COPIED: Final = 64 * 1024 * 1024
"""So that copying, file by file, ends within the time of the function that does it."""
_TOO_MUCH: Final = (
    f"Every turn is saved already. To copy it for browsing, this workspace is too large: {_MOST_COPIED} files and "
    f"{file_tree.size(_MOST_BYTES_COPIED)} are the most."
)
_NOTHING: Final = "This thread has no files yet."


class ListFiles(Struct, frozen=True):
    """``/workspace list``."""

    sessions: Sessions
    workspaces: Workspaces

    def __call__(self, asked: Asked) -> Post:
        """The tree of this thread's files, or of another thread's that the person may see."""
        thread = self._thread(asked)
        tree = file_tree.tree(_current(self.workspaces, thread)[1])
        return Post(f"```\n{tree}\n```" if tree else _NOTHING)

    def _thread(self, asked: Asked) -> ThreadId:
        named = asked.invocation.text("thread_name")
        if not named or named == asked.thread:
            return asked.thread
        event = asked.event
        found = next((channel for channel in event.channels if channel.id == named), None)
        if found is None or not found.permissions & _VIEW_CHANNEL:
            raise InvalidInput("You cannot see that thread.")
        place = Place(found.id, event.guild_id, found.parent_id, is_thread=found.parent_id is not None)
        verdict = policy.decide(policy.Action.SEE, event.author, self.sessions.settings(event.guild_id), place)
        if isinstance(verdict, Denied):
            raise InvalidInput(verdict.sentence)
        return ThreadId(found.id)


class Sync(Struct, frozen=True):
    """``/workspace sync``: every turn is saved anyway; this copies the files to where people can browse them."""

    leases: Leases
    sessions: Sessions
    workspaces: Workspaces

    def __call__(self, asked: Asked) -> Post:
        """Copy the files, the agent's own aside."""
        with _held(self.leases, self.sessions, asked):
            head, manifest = _current(self.workspaces, asked.thread)
            copied = [entry for entry in manifest.files if not entry.path.startswith(f"{AGENT_FOLDER}/")]
            if len(copied) > _MOST_COPIED or sum(entry.size for entry in copied) > _MOST_BYTES_COPIED:
                raise InvalidInput(_TOO_MUCH)
            self.workspaces.publish(asked.thread, manifest, [entry.path for entry in copied])
        total = file_tree.size(sum(entry.size for entry in manifest.files))
        saved = f" (state `{head.manifest_id[:12]}`)" if head else ""
        return Post(f"💾 Saved: {_count(manifest)}, {total}{saved}.")


class Clean(Struct, frozen=True):
    """``/workspace clean``: what is known of the thread stays, its files come anew with the next run."""

    discord: Discord
    leases: Leases
    sessions: Sessions
    workspaces: Workspaces

    def __call__(self, asked: Asked) -> Post:
        """Empty the workspace and remember how it was; an emptied one is not emptied again."""
        with _held(self.leases, self.sessions, asked) as lease:
            head, manifest = _current(self.workspaces, asked.thread)
            was = self._noted(asked)
            if head is not None and manifest.files:
                was = was or self._note(asked, head, lease)
                self.workspaces.save(asked.thread, Manifest(), expected=head)
            if was is None:
                return Post("🧹 The workspace is empty. `/workspace restore` brings back what a cleaning took away.")
            _tell_all(self.discord, asked, thread_cards.cleaned(asked.event.author.id))
        return Post("🧹 Emptied. The next run starts from the repository; `/workspace restore` undoes this.")

    def _noted(self, asked: Asked) -> Cleaned | None:
        """What an earlier delivery of this command has noted."""
        cleaned = self.sessions.get(asked.thread).cleaned
        return cleaned if cleaned is not None and cleaned.command == asked.event.interaction_id else None

    def _note(self, asked: Asked, head: Head, lease: Lease) -> Cleaned:
        """How things are, before the files go: a run must never take their absence for its work."""
        session = self.sessions.get(asked.thread)
        was = Cleaned(asked.event.interaction_id, head.manifest_id, session.base, dirty=session.dirty)
        self.sessions.update(asked.thread, lease=lease, cleaned=was, base=None, dirty=False, resume=None)
        return was


class Restore(Struct, frozen=True):
    """``/workspace restore``: the undo of a cleaning."""

    discord: Discord
    leases: Leases
    sessions: Sessions
    workspaces: Workspaces

    def __call__(self, asked: Asked) -> Post:
        """Bring back the files, unless a run has filled the workspace meanwhile."""
        with _held(self.leases, self.sessions, asked) as lease:
            head, manifest = _current(self.workspaces, asked.thread)
            was = self.sessions.get(asked.thread).cleaned
            if was is None:
                raise Conflict("Nothing was cleaned in this thread.")
            before = self.workspaces.load(asked.thread, was.manifest_id)
            if manifest != before:
                if manifest.files:
                    raise Conflict("A run has filled the workspace since it was cleaned; nothing was changed.")
                self.workspaces.save(asked.thread, before, expected=head)
            self.sessions.update(asked.thread, lease=lease, base=was.base, dirty=was.dirty)
            _tell_all(self.discord, asked, thread_cards.restored(asked.event.author.id))
        return Post(f"♻️ Restored: {_count(before)} are back.")


class PostFile(Struct, frozen=True):
    """``/workspace upload``: the file goes to the channel, for everybody there."""

    discord: Discord
    workspaces: Workspaces

    def __call__(self, asked: Asked) -> Post:
        """Post one file, once; InvalidInput names what stands in the way."""
        path = safe_path(asked.invocation.text("file_path"))
        _, manifest = _current(self.workspaces, asked.thread)
        entry = manifest.by_path().get(path)
        if entry is None or entry.mode == LINK_MODE:
            raise InvalidInput(f"There is no file `{line(path, 200)}` here; `/workspace list` shows what there is.")
        if looks_secret(path):
            raise InvalidInput(f"`{line(path, 200)}` holds credentials, by its name; I do not post it.")
        if entry.size > _UPLOAD_LIMIT:
            limits = f"{file_tree.size(entry.size)}, and a message holds {file_tree.size(_UPLOAD_LIMIT)}"
            raise InvalidInput(f"`{line(path, 200)}` is too large: {limits}.")
        name = path.rsplit("/", 1)[-1]
        file = UploadFile(name, self.workspaces.read(asked.thread, manifest, path))
        _tell_all(self.discord, asked, Post(f"📎 **{line(name, 200)}**", files=(file,)))
        return Post(f"📎 Posted `{line(path, 200)}`.")


def _tell_all(discord: Discord, asked: Asked, post: Post) -> None:
    """Tell everybody in the thread, once per command."""
    discord.send(ChannelId(asked.thread), post, nonce=f"i-{asked.event.interaction_id}/told")


@contextmanager
def _held(leases: Leases, sessions: Sessions, asked: Asked) -> Iterator[Lease]:
    """The thread for oneself; Conflict while a run works or waits there."""
    if sessions.get(asked.thread).parked is not None:
        raise Conflict("A run waits for an answer in this thread; answer it, or stop it first.")
    owner = ExecutionId(f"c-{asked.event.interaction_id}")
    try:
        lease = leases.acquire(asked.thread, owner)
    except Conflict as error:
        raise Conflict("A run is at work in this thread. Try again when it has ended, or stop it.") from error
    try:
        yield lease
    finally:
        leases.release(asked.thread, owner, fence=lease.fence)


def _current(workspaces: Workspaces, thread: ThreadId) -> tuple[Head | None, Manifest]:
    head = workspaces.head(thread)
    return head, workspaces.load(thread, head.manifest_id) if head else Manifest()


def _count(manifest: Manifest) -> str:
    return "1 file" if len(manifest.files) == 1 else f"{len(manifest.files)} files"
