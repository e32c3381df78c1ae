"""The lines of a run's live card, each short enough to travel with the run (behaviour contract, section 15.1)."""

import json
from collections.abc import Sequence
from typing import Final

from discord_agent.domain.conversation import ModelReply, ToolCall
from discord_agent.domain.ids import ModelName
from discord_agent.domain.layout import line
from discord_agent.domain.policy import Verbosity
from discord_agent.domain.run import Outcome, RunState

_LINES_SHOWN: Final = {Verbosity.QUIET: 12, Verbosity.NORMAL: 12, Verbosity.VERBOSE: 24}
LINE_LIMIT: Final = 160
_PREVIEW = 100
_TAIL = 1000
_SHOWN = 90
_WHOLE_WORKSPACE = "."
_NO_ARGUMENTS = ("", "{}")

_READING = ("📁 Reading", ("path", "paths", "file_path"))
_WRITING = ("✏️ Writing", ("path", "destination", "file_path"))
_SEARCHING = ("🔍 Searching", ("pattern", "query", "path"))
_RUNNING = ("🔧 Running", ("command",))
_VERBS: Final = {  # the sandbox's tools, and the names of the file and shell servers that prompts know
    "read_file": _READING,
    "list_files": _READING,
    "file-read_text_file": _READING,
    "file-read_multiple_files": _READING,
    "file-read_media_file": _READING,
    "file-list_directory": _READING,
    "file-list_directory_with_sizes": _READING,
    "file-directory_tree": _READING,
    "file-get_file_info": _READING,
    "write_file": _WRITING,
    "edit_file": _WRITING,
    "file-write_file": _WRITING,
    "file-edit_file": _WRITING,
    "file-create_directory": _WRITING,
    "file-move_file": _WRITING,
    "grep": _SEARCHING,
    "glob": _SEARCHING,
    "file-search_files": _SEARCHING,
    "bash": _RUNNING,
    "shell-run_command": _RUNNING,
}


def newest(lines: Sequence[str], verbosity: Verbosity) -> tuple[str, ...]:
    """The lines that a card shows."""
    return tuple(lines[-_LINES_SHOWN[verbosity] :])


def plan_line(run: RunState) -> str:
    """The plan stands."""
    return _line(f"📋 Plan: {_foreign(run.topic)} | Up to {run.max_turns} turns | Model: {_foreign(run.model)}")


def resumed_line(turn: int, run: RunState) -> str:
    """An earlier run goes on after a turn of it."""
    return _line(f"⏩ Going on from turn {turn} | Up to {run.max_turns} more turns | Model: {_foreign(run.model)}")


def turn_line(number: int, run: RunState) -> str:
    """A turn begins."""
    return _line(f"🤔 Turn {number}/{run.max_turns} | Confidence: {run.confidence}% | Model: {_foreign(run.model)}")


def turn_done_line(run: RunState, *, files: int) -> str:
    """A turn is over; ``files`` is how many it changed."""
    if run.outcome is Outcome.STOPPED:
        return f"⏹️ Turn {run.turn} stopped | Files: {files} modified"
    mark = "✅" if run.confidence > 70 else "⚠️" if run.confidence > 50 else "❌"
    return f"{mark} Turn {run.turn} complete | Confidence: {run.confidence}% | Files: {files} modified"


def checkpoint_line(run: RunState) -> str:
    """A checkpoint is saved."""
    files = len(run.files_changed)
    return f"💾 Checkpoint {run.turn}/{run.max_turns} | Files: {files} modified | Confidence: {run.confidence}%"


def compaction_line(before: int, after: int) -> str:
    """The conversation was shortened, from so many messages to so many."""
    return f"🧹 Conversation shortened | {before} → {after} messages"


def stand_in_lines(replies: Sequence[ModelReply]) -> tuple[str, ...]:
    """Says which model answers in place of one that fails, when the newest reply of a turn is the first such one."""
    *earlier, newest = replies
    if newest.instead_of is None or any(reply.instead_of for reply in earlier):
        return ()
    return (f"🔀 {_foreign(newest.instead_of, 40)} does not answer; {_foreign(newest.model, 40)} stands in",)


def warning_line(text: str) -> str:
    """Something that people should know about the run."""
    return f"⚠️ {_foreign(text, LINE_LIMIT - 10)}"


def writing_line(text: str) -> str:
    """The end of what the model is writing at the moment."""
    plain = " ".join(text[-_TAIL:].split())
    return f"💬 {_foreign(plain if len(plain) <= _SHOWN else f'…{plain[-_SHOWN:]}')}"


def escalation_line(before: ModelName, after: ModelName, reason: str) -> str:
    """A stronger model takes over."""
    return f"🚀 Model Escalation: {_foreign(before, 40)} → {_foreign(after, 40)} | {_foreign(reason, 50)}"


def nudge_line(text: str) -> str:
    """The model was warned before a stronger one takes over."""
    return _line(f"💡 Warned: {_foreign(text, 120)}")


def tool_line(call: ToolCall) -> str:
    """A tool is about to run; arguments that are not valid JSON are shown as they are."""
    label, names = _VERBS.get(call.name, (f"🔧 Running: {_foreign(call.name, 40)}", ()))
    arguments = _arguments(call)
    known = (arguments[name] for name in names if arguments.get(name))
    shown = next(known, None) or (_WHOLE_WORKSPACE if call.arguments in _NO_ARGUMENTS else call.arguments)
    text = ", ".join(map(str, shown)) if isinstance(shown, list) else str(shown)
    return f"{label}: {_foreign(text)}" if names else f"{label} {_foreign(text)}"


def _arguments(call: ToolCall) -> dict[str, object]:
    try:
        arguments = json.loads(call.arguments)
    except ValueError:
        return {}
    return arguments if isinstance(arguments, dict) else {}


def _foreign(text: str, limit: int = _PREVIEW) -> str:
    return line(text, limit)


def _line(text: str) -> str:
    return text[:LINE_LIMIT]
