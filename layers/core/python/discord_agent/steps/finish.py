"""The last step of a run: its answer, its commit card, the start of the approval, the lease given back."""

from dataclasses import dataclass, replace

from discord_agent.domain import cards, chunking, markers
from discord_agent.domain.ids import ChannelId, ExecutionId, MessageId
from discord_agent.domain.posts import Post, UploadFile
from discord_agent.domain.run import Outcome, RunState
from discord_agent.domain.session import Decision
from discord_agent.domain.workspace import Manifest
from discord_agent.ports import Clock, Discord, Executions, Leases, Machines, Sessions, Workspaces
from discord_agent.steps.card import Card
from discord_agent.steps.chronicle import Chronicle
from discord_agent.steps.commit import DIFF_PATH
from discord_agent.steps.holding import hold
from discord_agent.steps.terminal import Terminal

_REACTIONS = ("👍", "👎")
_UPLOAD_LIMIT = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Finish:
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
        lease = hold(self.leases, run)
        manifest = self._manifest(run)
        channel = ChannelId(run.thread_id)
        message = self.terminal.post(run, channel, self._posts(run, manifest))
        if message is None:
            record = self.executions.get(run.execution_id)
            message = record.terminal_message_id if record else None
        if run.commit is not None and message is not None:
            self._await_decision(run, message)
            self.sessions.update(run.thread_id, lease=lease, pending=run.commit)
        self.workspaces.publish(run.thread_id, manifest, run.files_changed)
        Card(self.discord, self.clock, run, cards.progress).close(run)
        self.leases.release(run.thread_id, run.execution_id)
        return run

    def _manifest(self, run: RunState) -> Manifest:
        return self.workspaces.load(run.thread_id, run.manifest_id) if run.manifest_id else Manifest()

    def _posts(self, run: RunState, manifest: Manifest) -> tuple[Post, ...]:
        """The answer in chunks, its files with the last chunk, the commit card under it."""
        known = frozenset(manifest.by_path())
        marked = markers.resolve(run.summary, known)
        wanted = dict.fromkeys((*marked.files, *(path for path in run.send_files if path in known)))
        missing = tuple(path for path in run.send_files if path not in known)
        files = self._files(run, manifest, tuple(wanted))
        if run.commit is not None:
            diff = self.workspaces.read(run.thread_id, manifest, DIFF_PATH)
            files = (UploadFile(f"{run.commit.branch}.diff", diff), *files)
        *earlier, last = chunking.split(cards.ending(run, marked.text, missing=missing))
        embeds, buttons = cards.commit_card(run.execution_id, run.commit) if run.commit else ((), ())
        retry = () if run.commit or run.outcome is Outcome.DONE else cards.retry_buttons(run)
        final = Post(last, embeds=embeds, buttons=buttons or retry, files=files, reply_to=self._reply_to(run))
        return (*(Post(part) for part in earlier), final)

    def _reply_to(self, run: RunState) -> MessageId | None:
        """A thread that was opened on the message cannot reply to it."""
        return run.message_id if run.opened_in_place else None

    def _files(self, run: RunState, manifest: Manifest, paths: tuple[str, ...]) -> tuple[UploadFile, ...]:
        sizes = manifest.by_path()
        fitting = (path for path in paths if sizes[path].size <= _UPLOAD_LIMIT)
        return tuple(
            UploadFile(path.rsplit("/", 1)[-1], self.workspaces.read(run.thread_id, manifest, path)) for path in fitting
        )[:8]

    def _await_decision(self, run: RunState, message: MessageId) -> None:
        self._supersede(run)
        for emoji in _REACTIONS:
            self.discord.react(ChannelId(run.thread_id), message, emoji)
        self.machines.start(
            "approval",
            ExecutionId(f"{run.execution_id}-approval"),
            {"run": replace(run, card_lines=()), "message_id": message},
        )

    def _supersede(self, run: RunState) -> None:
        """An older card that nobody decided gives way: this run started from its branch."""
        for record in self.executions.newest(run.thread_id):
            open_card = record.approval is not None and record.approval.decision is None
            if open_card and record.approval and record.execution_id != run.execution_id:
                token = self.executions.decide(
                    record.execution_id, record.approval.commit.sha, Decision.SUPERSEDE, None
                )
                self.machines.succeed(token, {"decision": Decision.SUPERSEDE, "by": None})
