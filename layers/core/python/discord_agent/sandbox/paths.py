"""Paths that tools may touch: inside the workspace, links followed, git's folder left alone."""

import re
from pathlib import Path

from discord_agent.domain.errors import InvalidInput
from discord_agent.domain.workspace import safe_path
from discord_agent.sandbox.outcome import ToolRefused

_WHOLE_TREE = re.compile(r"\.?/*")


def locate(root: Path, text: str) -> Path:
    """The real path behind a path given by the model; ToolRefused if it leaves the workspace."""
    try:
        path = (root / safe_path(_relative(root, text))).resolve()
    except InvalidInput as error:
        raise ToolRefused(f"{error}; give a path relative to the workspace") from error
    except (OSError, RuntimeError) as error:
        raise ToolRefused(f"{text!r:.80} cannot be followed: {error}") from error
    if not path.is_relative_to(root) or ".git" in path.relative_to(root).parts:
        raise ToolRefused(f"{text!r:.80} leads out of the workspace")
    return path


def locate_folder(root: Path, text: str) -> Path:
    """Like ``locate``, but "", "." and "/" mean the workspace itself."""
    return root if _WHOLE_TREE.fullmatch(_relative(root, text).strip()) else locate(root, text)


def _relative(root: Path, text: str) -> str:
    # Commands print absolute paths, and models repeat what they saw.
    prefix = str(root)
    return text.strip().removeprefix(prefix).lstrip("/") if text.strip().startswith(f"{prefix}/") else text
