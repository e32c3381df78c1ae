"""Credentials for tools: lent to a command that is nothing but its program and arguments, and to no shell."""

import re
import shlex
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, SecretStr

_SHELL: Final = re.compile(r"[$`\n\\]")
"""What a shell would expand. Without one it would mean something else, so such a command gets no credential."""

_OPERATORS: Final = frozenset("();<>|&")
_TELLING: Final = 16
"""Words of a secret that are shorter than this are left in an output: they could be anything."""


class ToolCredential(BaseModel):
    """A secret for the commands of one program, in a variable or in a file that the variable names."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    program: str = Field(pattern=r"^[A-Za-z0-9._+-]{1,60}$")
    variable: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,60}$")
    value: SecretStr
    as_file: bool = False


@dataclass(frozen=True, slots=True)
class Plain:
    """A command without a shell, and the credentials that are its program's."""

    arguments: list[str]
    credentials: tuple[ToolCredential, ...]


def plain(command: str, credentials: Sequence[ToolCredential]) -> Plain | None:
    """The command as a program with arguments, if it is no more than that and has credentials; None otherwise."""
    if _SHELL.search(command):
        return None
    try:
        words = shlex.shlex(command, posix=True, punctuation_chars=True)
        words.whitespace_split = True
        words.commenters = ""
        arguments = list(words)
    except ValueError:
        return None
    own = tuple(each for each in credentials if arguments and each.program == arguments[0])
    has_operators = any(set(argument) <= _OPERATORS for argument in arguments if argument)
    return Plain(arguments, own) if own and not has_operators else None


def refusal(command: str, credentials: Sequence[ToolCredential]) -> str:
    """A note for a command that uses such a program among other things, "" if it does not."""
    used = [each.program for each in credentials if re.search(rf"(?<![\w./-]){re.escape(each.program)}\b", command)]
    if not used:
        return ""
    return (
        f"[no credential was given: {used[0]} gets its own only when the whole command is {used[0]} and its arguments]"
    )


@contextmanager
def lent(credentials: Sequence[ToolCredential], scratch: Path) -> Iterator[dict[str, str]]:
    """The variables of the credentials, and a HOME for what the program notes down; files are gone afterwards."""
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        home = Path(folder) / ".home"
        home.mkdir()
        yield {**{each.variable: _content(each, Path(folder)) for each in credentials}, "HOME": str(home)}


def without(text: str, credentials: Sequence[ToolCredential]) -> str:
    """A text in which neither the secrets nor their long words are left."""
    for credential in credentials:
        value = credential.value.get_secret_value()
        words = (word for word in value.split() if len(word) >= _TELLING)
        for secret in sorted({value, *words}, key=len, reverse=True):
            text = text.replace(secret, f"[{credential.variable}]")
    return text


def _content(credential: ToolCredential, folder: Path) -> str:
    value = credential.value.get_secret_value()
    if not credential.as_file:
        return value
    path = folder / credential.variable
    path.touch(mode=0o600)
    path.write_text(value, encoding="utf-8")
    return str(path)
