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
        _check_out_excluded(commands)
    except ToolRefused as error:
        shutil.rmtree(folder, ignore_errors=True)
        return str(error)
    finally:
        bundle.unlink()
    return ""


def _check_out_excluded(commands: Commands) -> None:
    """Write tracked files of folders that are not part of the workspace, or git would call them deleted."""
    deleted = commands.git("ls-files", "--deleted", "-z").split("\0")
    paths = [path for path in deleted if path and is_excluded(path)]
    if paths:
        listing = commands.scratch / "excluded"
        listing.write_text("\0".join(paths), "utf-8", "surrogateescape")
        commands.git("checkout-index", "--quiet", "-z", "--stdin", given=str(listing))
