import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import replace
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from devstack.git import GitServer
from discord_agent.adapters.git.repositories import DulwichRepositories
from discord_agent.adapters.workspace.packs import NewFile, PackStore
from discord_agent.adapters.workspace.store import S3Workspaces
from discord_agent.domain.errors import Conflict, RepositoryRefused, RepositoryUnavailable, SecretsFound
from discord_agent.domain.ids import CommitSha, ThreadId
from discord_agent.domain.redaction import Redactor
from discord_agent.domain.run import Commit
from discord_agent.domain.workspace import Manifest
from discord_agent.ports import Checkout, Diff
from discord_agent.sandbox.service import Sandbox
from tests.support.buckets import BUCKET
from tests.support.clock import ManualClock
from tests.support.git_hosts import HttpBackend, OldHttpBackend, git, http_backend
from tests.support.sandboxes import Client

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

THREAD = ThreadId("1310000000000000001")


@dataclass
class World:
    """A thread's repository, wherever it lives, and the ways to look at it with the git program."""

    s3: "S3Client"
    folder: Path
    source: str
    clock: ManualClock
    default: str = "main"

    @property
    def repositories(self) -> DulwichRepositories:
        return DulwichRepositories(self.s3, BUCKET, self.clock, lambda: "{}", Redactor(("the gateway's key",)).leaks)

    def checkout(self, commit: CommitSha | None = None) -> Checkout:
        return self.repositories.checkout(THREAD, self.source, commit=commit)

    def add(self, manifest: Manifest, files: dict[str, bytes], mode: int = 0o644) -> Manifest:
        new = [NewFile(path, mode, content) for path, content in files.items()]
        entries = PackStore(self.s3, BUCKET, THREAD).write(new, {})
        merged = manifest.by_path() | {entry.path: entry for entry in entries}
        return replace(manifest, files=tuple(sorted(merged.values(), key=lambda entry: entry.path)))

    def without(self, manifest: Manifest, path: str) -> Manifest:
        return replace(manifest, files=tuple(entry for entry in manifest.files if entry.path != path))

    def commit(self, manifest: Manifest, base: CommitSha, branch: str = "topic") -> tuple[Commit, Diff]:
        made = self.repositories.commit(
            THREAD, self.source, manifest=manifest, base=base, branch=branch, message=f"Work on {branch}"
        )
        assert made is not None
        return made

    def clone(self) -> Path:
        target = self.folder / "look"
        shutil.rmtree(target, ignore_errors=True)
        if self.source:
            git(self.folder, "clone", "--quiet", "--mirror", self.source, str(target))
        else:
            bundle = self.folder / "repository.bundle"
            self.s3.download_file(BUCKET, f"threads/{THREAD}/git/repository.bundle", str(bundle))
            git(self.folder, "clone", "--quiet", "--mirror", str(bundle), str(target))
        git(target, "fsck", "--strict")
        return target

    def refs(self) -> list[str]:
        return git(self.clone(), "for-each-ref", "--format=%(refname)").splitlines()

    def show(self, what: str) -> str:
        return git(self.clone(), "show", what)


def project(folder: Path) -> Path:
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=trunk")
    files = {
        "src/app.py": "print(1)\n",
        "README.md": "one\ntwo\nthree\nfour\nfive\n",
        "node_modules/tracked.js": "x\n",
        ".agent/tracked": "y\n",
        ".gitignore": "*.log\nbuild/\n",
        "kept.log": "tracked though ignored\n",
        "tests/fixture.pem": "tracked though it looks secret\n",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "run.sh").chmod(0o755)
    (folder / "inner").symlink_to("src/app.py")
    (folder / "outer").symlink_to("/etc/passwd")
    git(folder, "add", "--force", ".")
    git(folder, "commit", "--quiet", "--message=first")
    return folder


def on_a_host(kind: str, s3: "S3Client", folder: Path) -> Iterator[World]:
    if kind != "devstack" and http_backend() is None:
        pytest.skip("git http-backend is not installed")
    kinds = {"devstack": GitServer, "http-backend": HttpBackend, "old http-backend": OldHttpBackend}
    server = kinds[kind](folder / "repositories")
    server.start()
    yield World(s3, folder, server.import_folder(project(folder / "project")), ManualClock(), "trunk")
    server.stop()


@pytest.fixture
def remote(s3: "S3Client", tmp_path: Path) -> Iterator[World]:
    yield from on_a_host("devstack", s3, tmp_path)


@pytest.fixture(params=["devstack", "http-backend", "old http-backend"])
def any_host(request: pytest.FixtureRequest, s3: "S3Client", tmp_path: Path) -> Iterator[World]:
    yield from on_a_host(request.param, s3, tmp_path)


@pytest.fixture
def local(s3: "S3Client", tmp_path: Path) -> World:
    return World(s3, tmp_path, "", ManualClock())


@pytest.fixture(params=["devstack", "bundle"])
def world(request: pytest.FixtureRequest, s3: "S3Client", tmp_path: Path) -> Iterator[World]:
    if request.param == "bundle":
        yield World(s3, tmp_path, "", ManualClock())
    else:
        yield from on_a_host(request.param, s3, tmp_path)


def test_a_checkout_holds_the_files_a_workspace_may_hold(remote: World) -> None:
    checkout = remote.checkout()
    assert {entry.path: entry.mode for entry in checkout.manifest.files} == {
        ".gitignore": 0o644,
        "README.md": 0o644,
        "inner": 0o120000,
        "kept.log": 0o644,
        "run.sh": 0o755,
        "src/app.py": 0o644,
        "tests/fixture.pem": 0o644,
    }
    workspaces = S3Workspaces(remote.s3, BUCKET)
    assert workspaces.read(THREAD, checkout.manifest, "src/app.py") == b"print(1)\n"
    assert checkout.manifest.base == checkout.base == git(remote.clone(), "rev-parse", "trunk")
    workspaces.save(THREAD, checkout.manifest, expected=None)


def test_a_thread_without_a_remote_starts_with_an_empty_commit(local: World) -> None:
    checkout = local.checkout()
    assert checkout.manifest.files == ()
    assert local.checkout() == checkout


def test_a_commit_without_changes_is_none(world: World) -> None:
    checkout = world.checkout()
    args = {"manifest": checkout.manifest, "base": checkout.base, "branch": "x", "message": "m"}
    assert world.repositories.commit(THREAD, world.source, **args) is None  # type: ignore[arg-type]


def test_a_commit_holds_the_changes_and_says_what_they_are(remote: World) -> None:
    checkout = remote.checkout()
    manifest = remote.add(checkout.manifest, {"src/app.py": b"print(2)\n", "new/x.bin": b"\0\1", "ü.txt": b"u\n"})
    manifest = remote.add(remote.without(manifest, "run.sh"), {"tool": b"#!/bin/sh\n"}, mode=0o755)
    commit, diff = remote.commit(manifest, checkout.base, "Fix: the App!")
    assert (commit.branch, commit.base, commit.message) == ("fix-the-app", checkout.base, "Work on Fix: the App!")
    assert commit.files == ("new/x.bin", "run.sh", "src/app.py", "tool", "ü.txt")
    look = remote.clone()
    assert git(look, "rev-parse", "fix-the-app") == commit.sha
    assert git(look, "log", "-1", "--format=%P %an %ae %cn %s", commit.sha) == (
        f"{checkout.base} Discord Agent agent@localhost Discord Agent Work on Fix: the App!"
    )
    changed = git(look, "-c", "core.quotepath=off", "diff", "--no-renames", "--name-status", checkout.base, commit.sha)
    assert set(changed.splitlines()) >= {"A\tnew/x.bin", "D\trun.sh", "M\tsrc/app.py", "A\ttool", "A\tü.txt"}
    assert "create mode 100755 tool" in git(look, "diff", "--no-renames", "--summary", checkout.base, commit.sha)
    assert diff.summary == "5 files changed, +3 −2"  # noqa: RUF001 - a minus sign for people
    assert "-print(1)\n+print(2)\n" in diff.text
    assert "Binary files" in diff.text


def test_a_commit_with_secrets_in_new_lines_is_refused_and_nothing_is_pushed(world: World) -> None:
    checkout = world.checkout()
    manifest = world.add(
        checkout.manifest,
        {"config.py": b"KEY = 'ghp_" + b"Z" * 36 + b"'\n", "notes.md": b"the gateway's key\n", "fine.py": b"x = 1\n"},
    )
    with pytest.raises(SecretsFound) as found:
        world.commit(manifest, checkout.base)
    assert found.value.places == ("config.py: GitHub token", "notes.md: known secret")
    world.commit(world.add(checkout.manifest, {"fine.py": b"x = 1\n"}), checkout.base, "fine")
    assert world.refs() == sorted({f"refs/heads/{name}" for name in ("fine", world.default)})


def test_lines_that_were_published_before_refuse_no_commit(remote: World) -> None:
    published = b"KEY = 'ghp_" + b"Z" * 36 + b"'\n"
    clone = remote.folder / "project"
    git(clone, "remote", "add", "bot", remote.source)
    (clone / "config.py").write_bytes(published)
    git(clone, "add", ".")
    git(clone, "commit", "--quiet", "--message=leak")
    git(clone, "push", "--quiet", "bot", "trunk")
    checkout = remote.checkout()
    commit, _ = remote.commit(remote.add(checkout.manifest, {"config.py": published + b"PORT = 1\n"}), checkout.base)
    assert commit.files == ("config.py",)


def test_a_commit_leaves_alone_what_no_workspace_holds(remote: World) -> None:
    checkout = remote.checkout()
    commit, _ = remote.commit(remote.add(checkout.manifest, {"a": b"a"}), checkout.base)
    assert commit.files == ("a",)
    names = git(remote.clone(), "ls-tree", "-r", "--name-only", commit.sha).splitlines()
    assert {"node_modules/tracked.js", ".agent/tracked", "outer", "kept.log", "tests/fixture.pem"} <= set(names)


def test_a_commit_takes_up_no_ignored_secret_or_internal_files(remote: World) -> None:
    checkout = remote.checkout()
    manifest = remote.add(
        checkout.manifest,
        {
            "good.txt": b"x",
            "debug.log": b"x",
            "build/out": b"x",
            "deploy/.env": b"x",
            "key.pem": b"x",
            ".agent/plan.md": b"x",
            "sub/.gitignore": b"*.tmp\n!keep.tmp\n",
            "sub/a.tmp": b"x",
            "sub/keep.tmp": b"x",
            ".GIT/config": b"x",
            "git~1/config": b"x",
        },
    )
    commit, _ = remote.commit(manifest, checkout.base)
    assert commit.files == ("good.txt", "sub/.gitignore", "sub/keep.tmp")


def test_files_that_run_by_themselves_are_pointed_out(remote: World) -> None:
    checkout = remote.checkout()
    manifest = remote.add(checkout.manifest, {".github/workflows/ci.yml": b"on: push\n", ".gitmodules": b"x\n"})
    commit, diff = remote.commit(manifest, checkout.base)
    assert commit.delicate == (".github/workflows/ci.yml", ".gitmodules")
    assert diff.summary.endswith("look closely at .github/workflows/ci.yml, .gitmodules")


def test_a_taken_branch_name_gets_a_number(world: World) -> None:
    checkout = world.checkout()
    first, _ = world.commit(world.add(checkout.manifest, {"a": b"1"}), checkout.base)
    second, _ = world.commit(world.add(checkout.manifest, {"a": b"2"}), checkout.base)
    third, _ = world.commit(world.add(checkout.manifest, {"a": b"3"}), checkout.base, world.default)
    assert (first.branch, second.branch, third.branch) == ("topic", "topic-2", f"{world.default}-2")


def test_runs_that_take_the_same_branch_name_at_once_all_get_a_branch(any_host: World) -> None:
    checkout = any_host.checkout()
    manifests = [any_host.add(checkout.manifest, {"a": content}) for content in (b"1", b"2", b"3")]
    at_once = threading.Barrier(len(manifests))

    def commit(manifest: Manifest) -> str:
        at_once.wait(10)
        return any_host.commit(manifest, checkout.base)[0].branch

    with ThreadPoolExecutor(len(manifests)) as pool:
        branches = list(pool.map(commit, manifests))
    assert sorted(branches) == ["topic", "topic-2", "topic-3"]


def test_a_repeated_commit_finds_the_branch_it_made(world: World) -> None:
    checkout = world.checkout()
    manifest = world.add(checkout.manifest, {"a": b"1"})
    first = world.commit(manifest, checkout.base)
    world.clock.pass_by(timedelta(minutes=3))
    assert world.commit(manifest, checkout.base) == first
    assert world.refs().count("refs/heads/topic-2") == 0


def test_a_merge_is_no_fast_forward_and_deletes_the_branch(world: World) -> None:
    checkout = world.checkout()
    commit, _ = world.commit(world.add(checkout.manifest, {"a": b"1"}), checkout.base)
    merged = world.repositories.merge(THREAD, world.source, commit, message="Merge it")
    look = world.clone()
    assert git(look, "log", "-1", "--format=%P|%s", world.default) == f"{checkout.base} {commit.sha}|Merge it"
    assert git(look, "rev-parse", world.default) == merged
    assert git(look, "show", f"{world.default}:a") == "1"
    assert world.refs() == [f"refs/heads/{world.default}"]


def test_a_repeated_merge_finds_the_one_it_made(world: World) -> None:
    checkout = world.checkout()
    commit, _ = world.commit(world.add(checkout.manifest, {"a": b"1"}), checkout.base)
    merged = world.repositories.merge(THREAD, world.source, commit, message="Merge it")
    assert world.repositories.merge(THREAD, world.source, commit, message="Merge it") == merged
    assert git(world.clone(), "rev-parse", world.default) == merged


def test_changes_made_on_main_meanwhile_are_merged(world: World) -> None:
    checkout = world.checkout()
    one, _ = world.commit(world.add(checkout.manifest, {"a": b"1"}), checkout.base, "one")
    two, _ = world.commit(world.add(checkout.manifest, {"b": b"2"}), checkout.base, "two")
    world.repositories.merge(THREAD, world.source, one, message="Merge one")
    world.repositories.merge(THREAD, world.source, two, message="Merge two")
    assert world.repositories.merge(THREAD, world.source, one, message="Merge one again")
    look = world.clone()
    assert git(look, "log", "--first-parent", "--format=%s", world.default).splitlines()[:2] == [
        "Merge two",
        "Merge one",
    ]
    assert (git(look, "show", f"{world.default}:a"), git(look, "show", f"{world.default}:b")) == ("1", "2")


def test_every_host_takes_commits_merges_and_drops_also_of_an_old_state_of_main(any_host: World) -> None:
    checkout = any_host.checkout()
    one, _ = any_host.commit(any_host.add(checkout.manifest, {"a": b"1"}), checkout.base, "one")
    any_host.repositories.merge(THREAD, any_host.source, one, message="Merge one")
    two, _ = any_host.commit(any_host.add(checkout.manifest, {"b": b"2"}), checkout.base, "two")
    three, _ = any_host.commit(any_host.add(checkout.manifest, {"c": b"3"}), checkout.base, "three")
    any_host.repositories.drop(THREAD, any_host.source, three)
    merged = any_host.repositories.merge(THREAD, any_host.source, two, message="Merge two")
    look = any_host.clone()
    assert git(look, "ls-tree", "--name-only", merged, "a", "b", "c") == "a\nb"
    assert git(look, "merge-base", one.sha, two.sha) == checkout.base
    assert git(look, "for-each-ref", "--format=%(refname)").splitlines() == [
        f"refs/dropped/three-{three.sha[:7]}",
        "refs/heads/trunk",
    ]


def test_clashing_changes_are_named_and_leave_everything_as_it_was(world: World) -> None:
    checkout = world.checkout()
    one, _ = world.commit(world.add(checkout.manifest, {"a": b"1\n"}), checkout.base, "one")
    two, _ = world.commit(world.add(checkout.manifest, {"a": b"2\n"}), checkout.base, "two")
    merged = world.repositories.merge(THREAD, world.source, one, message="Merge one")
    with pytest.raises(Conflict, match=r"both changed: a$"):
        world.repositories.merge(THREAD, world.source, two, message="Merge two")
    look = world.clone()
    assert git(look, "rev-parse", world.default) == merged
    assert git(look, "rev-parse", "two") == two.sha


def test_a_branch_that_moved_since_it_was_shown_is_neither_merged_nor_dropped(world: World) -> None:
    checkout = world.checkout()
    shown, _ = world.commit(world.add(checkout.manifest, {"a": b"1"}), checkout.base)
    stale = replace(shown, sha=checkout.base)
    for act in (
        lambda: world.repositories.merge(THREAD, world.source, stale, message="m"),
        lambda: world.repositories.drop(THREAD, world.source, stale),
    ):
        with pytest.raises(Conflict):
            act()
    assert git(world.clone(), "rev-parse", "topic") == shown.sha


def test_a_dropped_branch_can_be_recovered_and_not_merged(world: World) -> None:
    checkout = world.checkout()
    commit, _ = world.commit(world.add(checkout.manifest, {"a": b"1"}), checkout.base)
    world.repositories.drop(THREAD, world.source, commit)
    world.repositories.drop(THREAD, world.source, commit)
    assert world.refs() == [f"refs/dropped/topic-{commit.sha[:7]}", f"refs/heads/{world.default}"]
    assert git(world.clone(), "show", f"{commit.sha}:a") == "1"
    with pytest.raises(Conflict, match="is gone"):
        world.repositories.merge(THREAD, world.source, commit, message="m")


def test_a_run_can_start_from_a_pending_branch(world: World) -> None:
    checkout = world.checkout()
    commit, _ = world.commit(world.add(checkout.manifest, {"a": b"1"}), checkout.base)
    pending = world.checkout(commit.sha)
    assert pending.base == commit.sha
    assert "a" in pending.manifest.by_path()


def test_an_unknown_commit_is_refused(world: World) -> None:
    with pytest.raises(RepositoryRefused):
        world.checkout(CommitSha("a" * 40))


def test_two_writers_of_a_thread_without_a_remote_do_not_overwrite_each_other(local: World) -> None:
    checkout = local.checkout()
    names = [local.commit(local.add(checkout.manifest, {"a": b"%d" % n}), checkout.base, f"b{n}")[0] for n in range(3)]
    assert local.refs() == [*(f"refs/heads/{commit.branch}" for commit in names), "refs/heads/main"]


def test_missing_and_unreachable_repositories_are_told_apart(remote: World) -> None:
    with pytest.raises(RepositoryRefused):
        replace(remote, source=f"{remote.source}-none").checkout()
    with pytest.raises(RepositoryUnavailable):
        replace(remote, source="http://127.0.0.1:9/x").checkout()


def test_the_sandbox_gets_a_repository_to_look_at(remote: World) -> None:
    checkout = remote.checkout()
    sandbox = Sandbox("/usr/local/bin:/usr/bin:/bin")
    client = Client(sandbox, checkout.manifest, THREAD)
    client.call("write_file", path="src/app.py", content="print(2)\n")
    assert client.call("bash", command="git status --short").text == " M src/app.py\n[exit code 0]"
    assert "+print(2)" in client.call("bash", command="git diff src").text
    assert client.call("bash", command="git log --format=%s").text == "first\n[exit code 0]"
    assert client.call("bash", command="git config core.hooksPath").text == "/dev/null\n[exit code 0]"
    assert not any(entry.path.startswith(".git/") for entry in client.manifest.files)
    sandbox.close()
