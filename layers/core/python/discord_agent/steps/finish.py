"""The last step of a run: its answer, its commit card, the start of the approval, the lease given back."""

from copy import replace

from msgspec import Struct

from discord_agent.domain import cards, chunking, layout, learned, markers
from discord_agent.domain.errors import Conflict, LeaseLost
from discord_agent.domain.ids import ChannelId, ExecutionId, MessageId, decision_owner
from discord_agent.domain.posts import Post, UploadFile
from discord_agent.domain.run import Commit, Outcome, RunState
from discord_agent.domain.session import Approval, Decision, InboxItem, ItemKind
from discord_agent.domain.workspace import LINK_MODE, Manifest, looks_secret
from discord_agent.ports import Clock, Discord, Executions, Leases, Machines, Sessions, Workspaces
from discord_agent.steps.card import Card, invite_reactions
from discord_agent.steps.chronicle import Chronicle
from discord_agent.steps.commit import DIFF_PATH
from discord_agent.steps.holding import hold
from discord_agent.steps.launch import settle
from discord_agent.steps.terminal import Terminal

_REACTIONS = ("👍", "👎")
_UPLOAD_LIMIT = 10 * 1024 * 1024
_MOST_FILES = 8
_SEARCHED = 50
"""How many runs of the thread are searched for an older card that waits."""


class Finish(Struct, frozen=True):
    """Posts a fresh message, because an edited card notifies nobody."""

    discord: Discord
    leases: Leases
    sessions: Sessions
    executions: Executions
    workspaces: Workspaces
    machines: Machines
    terminal: Terminal
    chronicle: Chronicle
    clock: Clock

    def __call__(self, run: RunState) -> RunState:
        """End the run; nothing is posted twice, however often this is tried."""
        try:
            lease = hold(self.leases, run)
        except LeaseLost:
            if self._gave_the_lease_back(run):
                return run
            raise
        run = self.terminal.settled(run)
        manifest = self._manifest(run)
        message = self.terminal.post(
            run, ChannelId(run.thread_id), self._posts(run, manifest), shown=lambda shown: self._open(run, shown)
        )
        if run.commit is not None:
            self._open(run, message)
            self._await_decision(run, run.commit, message)
            self.sessions.update(run.thread_id, lease=lease, pending=run.commit)
        self.workspaces.publish(run.thread_id, manifest, run.files_changed)
        Card(self.discord, self.clock, run).close(run)
        self.leases.release(run.thread_id, run.execution_id, fence=lease.fence)
        return run

    def _gave_the_lease_back(self, run: RunState) -> bool:
        """An earlier attempt came as far as its last action, some time after it posted the terminal message."""
        record = self.executions.get(run.execution_id)
        return record is not None and record.terminal_message_id is not None

    def _manifest(self, run: RunState) -> Manifest:
        return self.workspaces.load(run.thread_id, run.manifest_id) if run.manifest_id else Manifest()

    def _posts(self, run: RunState, manifest: Manifest) -> tuple[Post, ...]:
        """The answer in chunks, its files with the last chunk, the commit card under it."""
        # A link is no file that could be sent, wherever it leads.
        readable = (entry for entry in manifest.files if entry.mode != LINK_MODE)
        sendable = {entry.path: entry for entry in readable if not looks_secret(entry.path)}
        marked = markers.resolve(run.summary, sendable)
        wanted = tuple(dict.fromkeys((*marked.files, *run.send_files)))
        missing = tuple(path for path in wanted if path not in sendable)
        present = [sendable[path] for path in wanted if path in sendable]
        sent = [entry for entry in present if entry.size <= _UPLOAD_LIMIT][:_MOST_FILES]
        kept_back = tuple(entry.path for entry in present if entry not in sent)
        files = tuple(self._upload(run, manifest, entry.path) for entry in sent)
        if run.commit is not None:
            diff = self.workspaces.read(run.thread_id, manifest, DIFF_PATH)
            files = (UploadFile(f"{run.commit.branch.replace('/', '-')}.diff", diff), *files)
        text = "\n\n".join((marked.text, *_notes(run, kept_back, self._unheard(run)))).strip()
        *earlier, last = chunking.split(cards.ending(run, text, missing=missing))
        embeds, buttons = cards.commit_card(run.execution_id, run.commit) if run.commit else ((), ())
        retry = () if run.commit or run.outcome is Outcome.DONE else cards.retry_buttons(run)
        final = Post(
            last,
            embeds=embeds,
            buttons=(*(buttons or retry), *learned.buttons(run)),
            files=files,
            reply_to=self._reply_to(run),
        )
        return (*(Post(part) for part in earlier), final)

    def _upload(self, run: RunState, manifest: Manifest, path: str) -> UploadFile:
        return UploadFile(path.rsplit("/", 1)[-1], self.workspaces.read(run.thread_id, manifest, path))

    def _unheard(self, run: RunState) -> tuple[InboxItem, ...]:
        """What came too late to be heard; what was said waits for the next run in the thread."""
        return self.sessions.waiting(run.thread_id, ItemKind.STEER)

    def _reply_to(self, run: RunState) -> MessageId | None:
        """A thread that was opened on the message cannot reply to it."""
        is_in_reach = run.opened_in_place and run.message_id != MessageId(run.thread_id)
        return run.message_id if is_in_reach else None

    def _open(self, run: RunState, message: MessageId) -> None:
        """Have the card count as soon as people see it, although its machine takes a moment to start."""
        record = self.executions.get(run.execution_id)
        if run.commit is not None and record is not None and record.approval is None:
            self.executions.await_decision(run.execution_id, Approval(run.commit, message))

    def _await_decision(self, run: RunState, commit: Commit, message: MessageId) -> None:
        self._supersede(run, commit)
        invite_reactions(self.discord, ChannelId(run.thread_id), message, *_REACTIONS)
        self.machines.start(
            "approval",
            decision_owner(run.execution_id),
            {"run": replace(run, card_lines=()), "message_id": message},
        )

    def _supersede(self, run: RunState, commit: Commit) -> None:
        """An older card that nobody decided gives way: this run started from its branch."""
        older = self.sessions.get(run.thread_id).pending
        if older is None or older.sha == commit.sha:
            return
        for record in self.executions.newest(run.thread_id, limit=_SEARCHED):
            if record.approval is not None and record.approval.commit.sha == older.sha:
                self._give_way(record.execution_id, older)

    def _give_way(self, execution: ExecutionId, commit: Commit) -> None:
        try:
            self.executions.decide(execution, commit.sha, Decision.SUPERSEDE, None)
        except Conflict:
            is_new = False
        else:
            is_new = True
        record = self.executions.get(execution)
        approval = record.approval if record else None
        if record is None or approval is None or approval.decision is not Decision.SUPERSEDE:
            return
        if is_new:
            settle(self.machines, record, approval, Decision.SUPERSEDE, None)
        else:
            # An earlier attempt may have died before it told the machine.
            self.machines.succeed(approval.task_token, {"decision": Decision.SUPERSEDE, "by": None})


def _notes(run: RunState, kept_back: tuple[str, ...], unheard: tuple[InboxItem, ...]) -> tuple[str, ...]:
    """What people have to know beside the answer; ``unheard`` came too late for the run."""
    words = [item for item in unheard if item.content or item.attachments]
    files = ", ".join(layout.line(path, 100) for path in kept_back[:_MOST_FILES])
    notes = (
        (kept_back, f"⚠️ Too large or too many to send here: {files}. They are in the workspace."),
        (words, "📨 Something was said too late for this run; the next run in this thread hears it first."),
        (len(unheard) > len(words), "📨 A reaction or a button came too late for this run and changed nothing."),
        (run.lesson_id, learned.note(run)),
    )
    return tuple(note for applies, note in notes if applies)
