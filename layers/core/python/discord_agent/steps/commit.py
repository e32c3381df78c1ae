"""Making a branch with what a run changed."""

from copy import replace

from msgspec import Struct

from discord_agent.domain import events
from discord_agent.domain.errors import InvalidEvent, SecretsFound
from discord_agent.domain.layout import line
from discord_agent.domain.run import Outcome, RunState
from discord_agent.domain.session import Lease
from discord_agent.domain.workspace import AGENT_FOLDER
from discord_agent.ports import Executions, Leases, Repositories, Sessions, Workspaces
from discord_agent.steps.chronicle import Chronicle
from discord_agent.steps.holding import hold
from discord_agent.steps.places import repository_of

_SUBJECT = 72
_SHOWN_PLACES = 5
_MOST_PLACES = 100
DIFF_PATH = f"{AGENT_FOLDER}/changes.diff"


class MakeCommit(Struct, frozen=True):
    """Commits from the manifest with git data made here, never in a directory that a model wrote."""

    leases: Leases
    sessions: Sessions
    executions: Executions
    workspaces: Workspaces
    repositories: Repositories
    chronicle: Chronicle

    def __call__(self, run: RunState) -> RunState:
        """Commit a finished run; any other keeps its work in the workspace, where the next run goes on."""
        lease = hold(self.leases, run)
        session = self.sessions.get(run.thread_id)
        if run.outcome is not Outcome.DONE:
            self.sessions.update(run.thread_id, lease=lease, dirty=bool(run.files_changed) or session.dirty)
            return run
        head = self.workspaces.head(run.thread_id)
        if head is None or session.base is None:
            raise InvalidEvent(f"thread {run.thread_id} has no workspace")
        manifest = self.workspaces.load(run.thread_id, head.manifest_id)
        try:
            made = self.repositories.commit(
                run.thread_id,
                repository_of(self.sessions, run),
                manifest=manifest,
                base=session.base,
                branch=run.topic,
                message=_message(run),
            )
        except SecretsFound as found:
            return self._withhold(run, lease, found.places)
        if made is None:
            self.sessions.update(run.thread_id, lease=lease, dirty=False)
            return run
        commit, diff = made
        with_diff = self.workspaces.add_files(run.thread_id, manifest, {DIFF_PATH: diff.text.encode()})
        saved = self.workspaces.save(run.thread_id, with_diff, expected=head)
        self.sessions.update(run.thread_id, lease=lease, dirty=False, author_model=run.model)
        self.chronicle.note(
            run.thread_id,
            run.execution_id,
            "commit",
            branch=commit.branch,
            commitHash=commit.sha,
            files=list(commit.files),
            summary=diff.summary,
        )
        self.chronicle.announce(run.thread_id, events.COMMIT_CREATED, branch=commit.branch, commitHash=commit.sha)
        return replace(run, commit=commit, manifest_id=saved.manifest_id)

    def _withhold(self, run: RunState, lease: Lease, places: tuple[str, ...]) -> RunState:
        """Publish nothing: what was pushed once cannot be taken back, and people can say what to do instead."""
        self.sessions.update(run.thread_id, lease=lease, dirty=True)
        self.chronicle.note(run.thread_id, run.execution_id, "commit_withheld", places=list(places[:_MOST_PLACES]))
        shown = ", ".join(line(place, 120) for place in places[:_SHOWN_PLACES])
        question = f"I pushed nothing, because new lines look like secrets ({shown}). What shall I do with them?"
        return replace(run, outcome=Outcome.NEEDS_YOU, question=question)


def _message(run: RunState) -> str:
    lines = run.summary.strip().splitlines() or [run.topic.replace("-", " ")]
    subject = lines[0].strip("#*` ")[:_SUBJECT].rstrip()
    body = "\n".join(lines[1:]).strip()
    return f"{subject}\n\n{body}\n\nRun: {run.execution_id}\n" if body else f"{subject}\n\nRun: {run.execution_id}\n"
