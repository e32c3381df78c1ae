"""Names of branches, made of what people and models write."""

import re
from typing import Final

from dulwich.refs import Ref, check_ref_format

_LONGEST: Final = 60
_FALLBACK: Final = "agent-work"


def branch_name(text: str) -> str:
    """A valid branch name that resembles ``text``: lower-case words joined by dashes, slashes kept."""
    segments = [_segment(part) for part in text.lower().split("/")]
    name = "/".join(segment for segment in segments if segment)[:_LONGEST].strip("-./")
    valid = bool(name) and name != "head" and check_ref_format(head_ref(name))
    return name if valid else _FALLBACK


def numbered(name: str, number: int) -> str:
    """The name for the ``number``-th try, the first being the name itself."""
    return name if number == 1 else f"{name}-{number}"


def head_ref(branch: str) -> Ref:
    """The ref of a branch."""
    return Ref(f"refs/heads/{branch}".encode())


def dropped_ref(branch: str, sha: str) -> Ref:
    """Where a rejected branch's commit is kept."""
    return Ref(f"refs/dropped/{branch}-{sha[:7]}".encode())


def _segment(text: str) -> str:
    words = re.sub(r"[^a-z0-9._]+|\.{2,}", "-", text)
    return words.strip("-.").removesuffix(".lock").strip("-.")
