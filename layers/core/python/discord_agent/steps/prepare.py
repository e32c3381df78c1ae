"""The first step of a run: its thread, its lease, its card, its files."""

from copy import replace
from pathlib import PurePosixPath

from msgspec import Struct

from discord_agent.domain import cards, routing
from discord_agent.domain.errors import InvalidEvent
from discord_agent.domain.ids import ChannelId, MessageId, ThreadId
from discord_agent.domain.inbound import Attachment
from discord_agent.domain.policy import Place
from discord_agent.domain.run import Next, RunState
from discord_agent.domain.session import ExecutionRecord, ExecutionStatus, Lease, Session
from discord_agent.domain.workspace import AGENT_FOLDER, Head, Manifest
from discord_agent.ports import Clock, Discord, Executions, Leases, Repositories, Sessions, Workspaces
from discord_agent.steps import uploads
from discord_agent.steps.card import invite_reactions
from discord_agent.steps.chronicle import Chronicle
from discord_agent.steps.places import repository_of

_STOP = "🛑"


class Prepare(Struct, frozen=True):
    """Every write here may be repeated: the thread is the message's, the card has a nonce, the rest is overwritten."""

    discord: Discord
    leases: Leases
    sessions: Sessions
    executions: Executions
    workspaces: Workspaces
    repositories: Repositories
    chronicle: Chronicle
    clock: Clock

    def __call__(self, run: RunState) -> RunState:
        """Open the run; Conflict while another run holds the thread."""
        record = self.executions.get(run.execution_id)
        if record is None:
            raise InvalidEvent(f"no record of {run.execution_id}")
        place = self.discord.place(run.channel_id)
        rules = self.sessions.settings(run.guild_id).within(place)
        run = replace(
            run,
            thread_id=self._thread(run, record, place),
            started_at=self.clock.now().isoformat(),
            verbosity=rules.verbosity,
        )
        lease = self.leases.acquire(run.thread_id, run.execution_id)
        card = record.card_message_id or self._card(run)
        run = replace(run, card_message_id=card)
        self.executions.update(
            run.execution_id,
            lease=lease,
            status=ExecutionStatus.PROCESSING,
            thread_id=run.thread_id,
            card_message_id=card,
        )
        self.chronicle.started(run, record)
        head = self._workspace(run, lease, record, place)
        return replace(run, manifest_id=head.manifest_id, next=Next.PLAN)

    def _card(self, run: RunState) -> MessageId:
        channel = ChannelId(run.thread_id)
        card = self.discord.send(channel, cards.start(run), nonce=f"{run.execution_id}/card")
        invite_reactions(self.discord, channel, card, _STOP)
        return card

    def _thread(self, run: RunState, record: ExecutionRecord, place: Place) -> ThreadId:
        if run.guild_id is None or place.is_thread:
            return ThreadId(run.channel_id)
        return self.discord.start_thread(run.channel_id, run.message_id, routing.fallback_title(record.request))

    def _workspace(self, run: RunState, lease: Lease, record: ExecutionRecord, place: Place) -> Head:
        """The files to work on: what an unfinished run left, or the pending branch, or main."""
        # First of all, because the settings of the thread's channel name the repository.
        parent = place.parent_id or place.channel_id
        self.sessions.update(run.thread_id, lease=lease, guild_id=run.guild_id, parent_channel_id=parent)
        session = self.sessions.get(run.thread_id)
        head = self.workspaces.head(run.thread_id)
        before = self.workspaces.load(run.thread_id, head.manifest_id) if head else Manifest()
        goes_on = session.dirty and head is not None and session.base is not None
        manifest = before if goes_on else self._checkout(run, lease, session, before)
        new = [item for item in record.attachments if _import_key(record, item) not in session.imported_attachments]
        manifest = self._with_uploads(run, manifest, new) if new else manifest
        if head is None or manifest != before:
            head = self.workspaces.save(run.thread_id, manifest, expected=head)
        imported = (*session.imported_attachments, *(_import_key(record, item) for item in new))
        self.sessions.update(run.thread_id, lease=lease, imported_attachments=imported)
        return head

    def _with_uploads(self, run: RunState, manifest: Manifest, new: list[Attachment]) -> Manifest:
        files = uploads.fetch(self.discord, self.chronicle, run, new)
        return self.workspaces.add_files(run.thread_id, manifest, files)

    def _checkout(self, run: RunState, lease: Lease, session: Session, before: Manifest) -> Manifest:
        start = session.pending.sha if session.pending else None
        checkout = self.repositories.checkout(run.thread_id, repository_of(self.sessions, run), commit=start)
        self.sessions.update(run.thread_id, lease=lease, base=checkout.base, dirty=False)
        own = tuple(entry for entry in before.files if PurePosixPath(entry.path).parts[0] == AGENT_FOLDER)
        tracked = {entry.path for entry in checkout.manifest.files}
        kept = tuple(entry for entry in own if entry.path not in tracked)
        files = tuple(sorted((*checkout.manifest.files, *kept), key=lambda entry: entry.path))
        return replace(checkout.manifest, files=files)


def _import_key(record: ExecutionRecord, attachment: Attachment) -> str:
    return f"{record.message_id}/{attachment.id}"
