"""Workspaces, tools, git and the journal, kept in memory."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import replace
from dataclasses import dataclass, field

from discord_agent.domain.conversation import Json, ToolCall, ToolResult, ToolSpec
from discord_agent.domain.errors import (
    Conflict,
    InvalidInput,
    LeaseLost,
    RepositoryRefused,
    SecretsFound,
    WorkspaceDamaged,
)
from discord_agent.domain.ids import CommitSha, ExecutionId, ManifestId, ThreadId
from discord_agent.domain.run import Commit, RunState
from discord_agent.domain.workspace import AGENT_FOLDER, FILE_MODE, LINK_MODE, FileEntry, Head, Manifest, safe_path
from discord_agent.ports import Checkout, Context, Diff, JournaledRound, ToolRound, WorkspaceAccess
from tests.support.fakes.effects import Effects

_STRING: Json = {"type": "string"}
TOOLS = (
    ToolSpec("read_file", "Read a file.", {"type": "object", "properties": {"path": _STRING}}),
    ToolSpec("write_file", "Write a file.", {"type": "object", "properties": {"path": _STRING}}, writes=True),
    ToolSpec("bash", "Run a command.", {"type": "object", "properties": {"command": _STRING}}, writes=True),
)


@dataclass
class FakeWorkspaces:
    """Manifests and contents by hash; the head of a thread moves only from where the writer saw it."""

    effects: Effects
    contents: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[tuple[ThreadId, ManifestId], Manifest] = field(default_factory=dict)
    heads: dict[ThreadId, Head] = field(default_factory=dict)
    published: dict[tuple[ThreadId, str], bytes] = field(default_factory=dict)
    saves: int = 0

    def head(self, thread: ThreadId) -> Head | None:
        with self.effects("workspaces.head"):
            return self.heads.get(thread)

    def load(self, thread: ThreadId, manifest: ManifestId) -> Manifest:
        with self.effects("workspaces.load"):
            found = self.manifests.get((thread, manifest))
            if found is None:
                raise WorkspaceDamaged(f"manifest {manifest} is missing")
            return found

    def save(self, thread: ThreadId, manifest: Manifest, *, expected: Head | None) -> Head:
        with self.effects("workspaces.save"):
            if self.heads.get(thread) != expected:
                raise Conflict(f"the workspace of thread {thread} was saved by somebody else")
            missing = [entry.path for entry in manifest.files if entry.sha256 not in self.contents]
            assert not missing, f"no pack holds {missing}"
            self.saves += 1
            name = ManifestId(hashlib.sha256(repr(manifest).encode()).hexdigest())
            self.manifests[thread, name] = manifest
            self.heads[thread] = Head(name, f"etag {self.saves}")
            return self.heads[thread]

    def add_files(self, thread: ThreadId, manifest: Manifest, files: Mapping[str, bytes]) -> Manifest:
        with self.effects("workspaces.add_files"):
            return self.with_files(manifest, files)

    def read(self, thread: ThreadId, manifest: Manifest, path: str) -> bytes:
        with self.effects("workspaces.read"):
            entry = manifest.by_path().get(safe_path(path))
            if entry is None or entry.mode == LINK_MODE:
                raise InvalidInput(f"no such file in the workspace: {path!r}")
            return self.contents[entry.sha256]

    def publish(self, thread: ThreadId, manifest: Manifest, paths: Iterable[str]) -> None:
        with self.effects("workspaces.publish"):
            files = manifest.by_path()
            for path in paths:
                if path in files:
                    self.published[thread, path] = self.contents[files[path].sha256]

    def delete(self, thread: ThreadId) -> None:
        with self.effects("workspaces.delete"):
            self.heads.pop(thread, None)

    def with_files(self, manifest: Manifest, files: Mapping[str, bytes]) -> Manifest:
        """A manifest with files added or replaced, in the order of their paths."""
        entries = manifest.by_path()
        for path, content in files.items():
            sha = hashlib.sha256(content).hexdigest()
            self.contents[sha] = content
            entries[safe_path(path)] = FileEntry(safe_path(path), FILE_MODE, len(content), sha, "pack", 0, len(content))
        return replace(manifest, files=tuple(entries[path] for path in sorted(entries)))

    def files(self, thread: ThreadId) -> dict[str, bytes]:
        """What the current manifest of a thread holds."""
        head = self.heads.get(thread)
        manifest = self.manifests[thread, head.manifest_id] if head else Manifest()
        return {entry.path: self.contents[entry.sha256] for entry in manifest.files}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a tool gives back; ``files`` are written."""

    text: str = "ok"
    ok: bool = True
    facts: Json = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)


@dataclass
class FakeToolBox:
    """``write_file`` writes; any other tool gives its ``outcomes`` by name; ``faults`` are raised first, each once.

    ``on_run`` happens while tools run.
    """

    effects: Effects
    workspaces: FakeWorkspaces
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    faults: list[Exception] = field(default_factory=list)
    runs: list[tuple[ToolCall, ...]] = field(default_factory=list)
    on_run: Callable[[], object] = lambda: None
    warnings: tuple[str, ...] = ()

    def specs(self, thread: ThreadId) -> tuple[ToolSpec, ...]:
        return TOOLS

    def notes(self, thread: ThreadId) -> tuple[str, ...]:
        return self.warnings

    def run(
        self,
        calls: Sequence[ToolCall],
        access: WorkspaceAccess,
        *,
        meanwhile: Callable[[], object] | None = None,
        stop_requested: Callable[[], bool] | None = None,
    ) -> ToolRound:
        with self.effects("toolbox.run"):
            self.runs.append(tuple(calls))
            self.on_run()
            if meanwhile:
                meanwhile()
            if self.faults:
                raise self.faults.pop(0)
            manifest = access.manifest
            results = []
            for call in calls:
                outcome = self._outcome(call)
                manifest = self.workspaces.with_files(manifest, outcome.files)
                changed: Json = {"paths_changed": sorted(outcome.files)} if outcome.files else {}
                results.append(
                    ToolResult(call.id, call.name, outcome.ok, outcome.text, 5, {**changed, **outcome.facts})
                )
            return ToolRound(tuple(results), manifest if manifest != access.manifest else None)

    def _outcome(self, call: ToolCall) -> Outcome:
        if call.name == "write_file" and "write_file" not in self.outcomes:
            arguments = json.loads(call.arguments)
            return Outcome("written", files={arguments["path"]: str(arguments["content"]).encode()})
        return self.outcomes.get(call.name, Outcome())


@dataclass
class FakeJournal:
    """Contexts that are replaced only by who knows them, rounds that are written once.

    ``lists`` are all contexts ever saved, oldest first.
    """

    effects: Effects
    contexts: dict[ExecutionId, Context] = field(default_factory=dict)
    lists: dict[ExecutionId, list[Context]] = field(default_factory=lambda: defaultdict(list))
    replies: dict[tuple[ExecutionId, int, int], JournaledRound] = field(default_factory=dict)
    results: dict[tuple[ExecutionId, int, int], tuple[tuple[ToolResult, ...], Manifest | None]] = field(
        default_factory=dict
    )
    saves: int = 0

    def load_context(self, run: RunState) -> Context | None:
        with self.effects("journal.load_context"):
            return self.contexts.get(run.execution_id)

    def save_context(self, run: RunState, context: Context) -> Context:
        with self.effects("journal.save_context"):
            stored = self.contexts.get(run.execution_id)
            if context.version != (stored.version if stored else ""):
                raise LeaseLost("another attempt stored a context since")
            self.saves += 1
            reached = context.reached or (stored.reached if stored else None)
            saved = replace(context, version=f"version {self.saves}", reached=reached)
            self.contexts[run.execution_id] = saved
            self.lists[run.execution_id].append(saved)
            return saved

    def context_at(self, thread: ThreadId, execution: ExecutionId, turn: int) -> Context | None:
        with self.effects("journal.context_at"):
            return next((saved for saved in reversed(self.lists[execution]) if saved.turn == turn), None)

    def rounds(self, run: RunState, turn: int) -> tuple[JournaledRound, ...]:
        with self.effects("journal.rounds"):
            numbers = sorted(key[2] for key in self.replies if key[:2] == (run.execution_id, turn))
            assert numbers == list(range(len(numbers)))
            return tuple(self._round((run.execution_id, turn, number)) for number in numbers)

    def record_reply(self, run: RunState, turn: int, number: int, begun: JournaledRound) -> None:
        with self.effects("journal.record_reply"):
            key = (run.execution_id, turn, number)
            if key in self.replies:
                raise LeaseLost(f"another attempt wrote the reply of round {number} first")
            self.replies[key] = begun

    def record_results(
        self, run: RunState, turn: int, number: int, results: tuple[ToolResult, ...], manifest: Manifest | None
    ) -> None:
        with self.effects("journal.record_results"):
            key = (run.execution_id, turn, number)
            if key in self.results:
                raise LeaseLost(f"another attempt wrote the results of round {number} first")
            self.results[key] = (results, manifest)

    def _round(self, key: tuple[ExecutionId, int, int]) -> JournaledRound:
        results, manifest = self.results.get(key, (None, None))
        return replace(self.replies[key], results=results, manifest=manifest)


@dataclass(frozen=True, slots=True)
class _Tree:
    files: Manifest
    parent: CommitSha | None
    message: str


@dataclass
class FakeRepositories:
    """One repository: trees by commit, branches, ``main``; ``clashing`` branches can be neither merged nor dropped.

    ``sources`` are the URLs it was reached under.
    """

    effects: Effects
    workspaces: FakeWorkspaces
    trees: dict[CommitSha, _Tree] = field(default_factory=dict)
    branches: dict[str, CommitSha] = field(default_factory=dict)
    merged: dict[CommitSha, CommitSha] = field(default_factory=dict)
    dropped: set[CommitSha] = field(default_factory=set)
    clashing: set[str] = field(default_factory=set)
    sources: list[str] = field(default_factory=list)
    secrets_found: tuple[str, ...] = ()

    def begin(self, files: Mapping[str, bytes]) -> CommitSha:
        """Make the first commit of main."""
        return self._commit("main", _Tree(self.workspaces.with_files(Manifest(), files), None, "Begin"))

    def checkout(self, thread: ThreadId, source: str, *, commit: CommitSha | None) -> Checkout:
        with self.effects("repositories.checkout"):
            self.sources.append(source)
            sha = commit or self.branches["main"]
            return Checkout(replace(self.trees[sha].files, base=sha), sha)

    def commit(
        self, thread: ThreadId, source: str, *, manifest: Manifest, base: CommitSha, branch: str, message: str
    ) -> tuple[Commit, Diff] | None:
        with self.effects("repositories.commit"):
            self.sources.append(source)
            files = tuple(entry for entry in manifest.files if not entry.path.startswith(f"{AGENT_FOLDER}/"))
            before = {entry.path: entry.sha256 for entry in self.trees[base].files.files}
            after = {entry.path: entry.sha256 for entry in files}
            changed = tuple(sorted(path for path in before | after if before.get(path) != after.get(path)))
            if not changed:
                return None
            if self.secrets_found:
                raise SecretsFound(self.secrets_found)
            tree = _Tree(Manifest(files), base, message)
            name = self._free_name(branch, tree)
            sha = self._commit(name, tree)
            return Commit(sha, name, message, changed, base), Diff(f"{len(changed)} files", "\n".join(changed))

    def merge(self, thread: ThreadId, source: str, commit: Commit, *, message: str) -> CommitSha:
        with self.effects("repositories.merge"):
            self.sources.append(source)
            if commit.sha in self.merged:
                return self.merged[commit.sha]
            if commit.branch in self.clashing:
                raise Conflict("auth.py changed on main too")
            if self.branches.get(commit.branch) != commit.sha:
                raise RepositoryRefused(f"branch {commit.branch} is gone")
            tree = _Tree(self.trees[commit.sha].files, self.branches["main"], message)
            del self.branches[commit.branch]
            self.merged[commit.sha] = self._commit("main", tree)
            return self.merged[commit.sha]

    def drop(self, thread: ThreadId, source: str, commit: Commit) -> None:
        with self.effects("repositories.drop"):
            self.sources.append(source)
            if commit.branch in self.clashing:
                raise Conflict(f"{commit.branch} has moved")
            self.branches.pop(commit.branch, None)
            self.dropped.add(commit.sha)

    def _free_name(self, branch: str, tree: _Tree) -> str:
        name, number = branch, 2
        while name in self.branches and self.trees[self.branches[name]] != tree:
            name, number = f"{branch}-{number}", number + 1
        return name

    def _commit(self, branch: str, tree: _Tree) -> CommitSha:
        sha = CommitSha(hashlib.sha1(repr(tree).encode(), usedforsecurity=False).hexdigest())
        self.trees[sha] = tree
        self.branches[branch] = sha
        return sha
