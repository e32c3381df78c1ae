"""A git repository beside the files, so that status, diff and log work for commands; nobody trusts it.

It is made anew from the bundle that a trusted step stored, whenever the environment is new or the base changed.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

from discord_agent.domain.workspace import AGENT_FOLDER, EXCLUDED_NAMES, is_excluded
from discord_agent.sandbox.commands import Commands
from discord_agent.sandbox.outcome import ToolRefused

_NAME = "Discord Agent"
_EMAIL = "agent@localhost"
_LINK = "120000 "


def make_clone(commands: Commands, root: Path, base: str, download: Callable[[Path], bool]) -> str:
    """Create ``.git`` at commit ``base``; "" when done, else why there is none. The files are left alone."""
    if shutil.which("git", path=commands.path) is None:
        return "git is not installed"
    bundle = commands.scratch / "base.bundle"
    if not download(bundle):
        return "the thread has no repository"
    folder = root / ".git"
    if folder.is_dir() and not folder.is_symlink():
        shutil.rmtree(folder)
    else:
        folder.unlink(missing_ok=True)
    try:
        commands.git("init", "--quiet", "--initial-branch=main", "--template=", ".")
        commands.git("fetch", "--quiet", str(bundle), "+refs/heads/*:refs/remotes/origin/*")
        commands.git("update-ref", "refs/heads/main", base)
        for name, value in (("user.name", _NAME), ("user.email", _EMAIL), ("core.hooksPath", "/dev/null")):
            commands.git("config", name, value)
        (folder / "info").mkdir(exist_ok=True)
        ignored = "".join(f"{name}/\n" for name in sorted(EXCLUDED_NAMES | {AGENT_FOLDER}))
        (folder / "info" / "exclude").write_text(ignored, "utf-8")
        commands.git("reset", "--quiet")
        _settle_what_is_missing(commands)
    except ToolRefused as error:
        shutil.rmtree(folder, ignore_errors=True)
        return str(error)
    finally:
        bundle.unlink()
    return ""


def _settle_what_is_missing(commands: Commands) -> None:
    """Tracked files that are no part of the workspace would look deleted: write them, or tell git not to look."""
    missing = [path for path in commands.git("ls-files", "--deleted", "-z").split("\0") if path]
    if not missing:
        return
    stages = [entry.partition("\t") for entry in commands.git("ls-files", "--stage", "-z").split("\0")]
    links = {path for stage, _, path in stages if stage.startswith(_LINK)}
    written = [path for path in missing if is_excluded(path)]
    others = [path for path in missing if not is_excluded(path)]
    unseen = [path for path in others if path in links or path.split("/", 1)[0] == AGENT_FOLDER]
    for command, paths in (("checkout-index", written), ("update-index", unseen)):
        if paths:
            options = ["--quiet"] if command == "checkout-index" else ["--skip-worktree"]
            commands.git(command, *options, "-z", "--stdin", given="\0".join(paths).encode("utf-8", "surrogateescape"))
