"""The tools that start programs: bash and grep."""

import shlex
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from discord_agent.domain.conversation import Json
from discord_agent.domain.sandbox_tools import COMMAND_SECONDS
from discord_agent.domain.workspace import AGENT_FOLDER, EXCLUDED_NAMES
from discord_agent.sandbox import lending, searching
from discord_agent.sandbox.lending import ToolCredential
from discord_agent.sandbox.outcome import Outcome, ToolRefused
from discord_agent.sandbox.paths import locate, locate_folder
from discord_agent.sandbox.processes import End, Finished, run
from discord_agent.sandbox.reports import test_results

_HEAD_CHARACTERS: Final = 8_000
_TAIL_CHARACTERS: Final = 16_000
"""The end of an output tells most: errors and summaries stand there."""

_COMMAND_BYTES: Final = 100_000
"""Less than what Linux accepts as one argument."""

_MATCHES: Final = 300
_SEARCH_SECONDS: Final = 30.0
_GIT_SECONDS: Final = 60.0
_MINIMUM_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Commands:
    """Runs programs in a workspace.

    ``scratch`` is a folder outside of it, ``path`` the PATH of the programs, ``remaining`` the seconds left for
    them in this call of the sandbox, ``stop_requested`` whether the run was asked to stop; ``credentials`` are lent to
    the commands of their programs.
    """

    root: Path
    scratch: Path
    path: str
    remaining: Callable[[], float]
    stop_requested: Callable[[], bool]
    credentials: tuple[ToolCredential, ...] = ()

    def bash(self, arguments: Json) -> Outcome:
        """A command line, its output cut in the middle when long; facts: exit code, tests, interruption."""
        seconds = min(float(arguments.get("timeout_seconds", COMMAND_SECONDS)), self.remaining())
        if seconds < _MINIMUM_SECONDS:
            return Outcome("[not run: no time is left for commands in this round; call it again]", ok=False)
        report = self.root / AGENT_FOLDER / "reports" / "junit.xml"
        before = _stamp(report)
        finished, printed, note = self._command(arguments["command"], seconds)
        facts: Json = {"exit_code": finished.exit_code}
        if finished.end is End.STOPPED:
            facts["interrupted"] = True
        if _stamp(report) != before and (tests := test_results(report)) is not None:
            facts["tests"] = tests
        text = f"{self._shown(printed).rstrip('\n')}\n{_end_note(finished, seconds)}{note}"
        return Outcome(text.lstrip("\n"), finished.end is End.EXITED and finished.exit_code == 0, facts)

    def _command(self, command: str, seconds: float) -> tuple[Finished, str, str]:
        """How a command line ended, what it printed, and a note where a credential was not lent to it."""
        alone = lending.plain(command, self.credentials)
        if alone is None:
            finished, output = self._run(["bash", "-c", command], seconds)
            refusal = lending.refusal(command, self.credentials)
            return finished, output.decode("utf-8", "replace"), f"\n{refusal}" if refusal else ""
        with lending.lent(alone.credentials, self.scratch) as variables:
            finished, output = self._run(alone.arguments, seconds, variables=variables)
        return finished, lending.without(output.decode("utf-8", "replace"), alone.credentials), ""

    def grep(self, arguments: Json) -> Outcome:
        """Lines that match a regular expression, by ripgrep where it is installed."""
        where = locate_folder(self.root, arguments.get("path", "")).relative_to(self.root)
        ripgrep = shutil.which("rg", path=self.path)
        command = (
            _ripgrep(ripgrep, arguments["pattern"], where)
            if ripgrep
            else [sys.executable, "-I", "-S", str(Path(searching.__file__)), arguments["pattern"], str(where)]
        )
        finished, output = self._run(command, min(_SEARCH_SECONDS, self.remaining()))
        lines = output.decode("utf-8", "replace").splitlines()
        if finished.end is not End.EXITED:
            raise ToolRefused("the search took too long or found too much; narrow the pattern or the path")
        if finished.exit_code > 1:
            raise ToolRefused("\n".join(lines[:10]) or "the search failed")
        more = [f"[{len(lines) - _MATCHES} more lines match; narrow the pattern or the path]"] * (len(lines) > _MATCHES)
        return Outcome(
            "\n".join([*(line.removeprefix("./") for line in lines[:_MATCHES]), *more]) or "[no line matches]"
        )

    def git(self, *arguments: str, given: bytes = b"") -> str:
        """The output of a git command of our own, which reads ``given``; ToolRefused if it fails."""
        finished, output = self._run(["git", "-c", "core.hooksPath=/dev/null", *arguments], _GIT_SECONDS, given)
        text = output.decode("utf-8", "surrogateescape")
        if finished != Finished(End.EXITED, 0):
            raise ToolRefused(f"git {arguments[0]} failed: {text.strip()[-300:]}")
        return text

    def _run(
        self, command: list[str], seconds: float, given: bytes = b"", variables: Mapping[str, str] | None = None
    ) -> tuple[Finished, bytes]:
        """How a program ended, and what it printed."""
        if any("\0" in part for part in command):
            raise ToolRefused("a command cannot hold the character NUL")
        if sum(len(part.encode()) for part in command) > _COMMAND_BYTES:
            raise ToolRefused("the command is too long; write it to a file and run that")
        variables = {"HOME": str(self.scratch / "home"), **(variables or {})}
        home, temporary = Path(variables["HOME"]), self.scratch / "tmp"
        for folder in (home, temporary):
            folder.mkdir(parents=True, exist_ok=True)
        report = shlex.quote(str(self.root / AGENT_FOLDER / "reports" / "junit.xml"))
        # Files without a name: a command could put a link in the place of a named one, for the runtime to follow.
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as source:
            source.write(given)
            source.seek(0)
            finished = run(
                command,
                folder=self.root,
                environment={
                    **variables,
                    "PATH": self.path,
                    "TMPDIR": str(temporary),
                    "LANG": "C.UTF-8",
                    # Test results become facts, whoever runs the tests and however.
                    "PYTEST_ADDOPTS": f"--junitxml={report} -o junit_family=xunit2",
                },
                output=output,
                seconds=seconds,
                stop_requested=self.stop_requested,
                # Programs such as ripgrep read their input when it is a file, even an empty one.
                given=source if given else None,
            )
            output.seek(0)
            return finished, output.read()

    def _shown(self, text: str) -> str:
        if len(text) <= _HEAD_CHARACTERS + _TAIL_CHARACTERS:
            return text
        kept = self._keep(text)
        left_out = len(text) - _HEAD_CHARACTERS - _TAIL_CHARACTERS
        return f"{text[:_HEAD_CHARACTERS]}\n[… {left_out} characters left out; {kept} …]\n{text[-_TAIL_CHARACTERS:]}"

    def _keep(self, text: str) -> str:
        number = 1
        while (self.root / AGENT_FOLDER / "outputs" / f"{number}.txt").exists():
            number += 1
        name = f"{AGENT_FOLDER}/outputs/{number}.txt"
        try:
            path = locate(self.root, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        except (ToolRefused, OSError) as error:
            return f"the whole output could not be kept: {error}"
        return f"the whole output is in {name}"


def _ripgrep(program: str, pattern: str, where: Path) -> list[str]:
    # The same files as without ripgrep: hidden and ignored ones too, but not the folders that are not saved.
    excluded = [option for name in sorted(EXCLUDED_NAMES) for option in ("--glob", f"!**/{name}/**")]
    options = ["--no-config", "--no-ignore", "--hidden", "--line-number", "--no-heading", "--with-filename"]
    width = ["--max-columns=300", "--max-columns-preview", "--sort=path"]
    return [program, *options, *width, *excluded, f"--regexp={pattern}", "--", str(where)]


def _end_note(finished: Finished, seconds: float) -> str:
    match finished.end:
        case End.TIMED_OUT:
            return f"[stopped after {seconds:.0f} s: the time limit of the call]"
        case End.STOPPED:
            return "[interrupted: somebody asked the run to stop]"
        case End.TOO_MUCH_OUTPUT:
            return "[stopped: it printed too much]"
        case End.EXITED:
            return f"[exit code {finished.exit_code}]"


def _stamp(path: Path) -> tuple[int, int] | None:
    if not path.is_file():
        return None
    status = path.stat()
    return status.st_mtime_ns, status.st_size
