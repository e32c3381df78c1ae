"""What a question and a run of twenty turns take of AWS, measured: every request, state and line of log, played here."""

import json
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from deployment.measured import TURNS, Measured, Taken
from devstack.demo import Job
from devstack.options import Options
from devstack.stack import DevStack
from discord_agent.domain.errors import AgentError
from discord_agent.domain.ids import decision_owner
from discord_agent.domain.session import ExecutionRecord
from discord_agent.steps.launch import MACHINES
from discord_agent.steps.turn import DEFAULT_LIMITS
from discord_agent.system import SYSTEM

_PATIENCE: Final = 400.0
_PINGED: Final = "interactions"
_REPORT: Final = "REPORT RequestId:"
_REQUESTS: Final = ("table_reads", "table_writes", "object_reads", "object_writes", "messages")
_ROUNDS: Final = TURNS * DEFAULT_LIMITS.rounds


class NotAsMeant(AgentError):
    """What was played is not what the table is about."""


def measure() -> dict[str, Measured]:
    """Play both, each on a stack of its own; every turn has as many rounds as it may, each with a tool."""
    return {"question": _played(_question), "run": _played(_run)}


def _played(play: Callable[[DevStack], int]) -> Measured:
    book = _Book()
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "script.json"
        script.write_text(json.dumps(_script()), encoding="utf-8")
        options = Options(data=Path(folder) / "data", script=script, debounce_seconds=0)
        with DevStack(options, log=book.hear) as stack:
            transitions = play(stack)
    # Read when all has ended: an environment's last lines come with its end.
    return Measured(transitions, book.taken())


def _question(stack: DevStack) -> int:
    job = Job(stack, "a question", _PATIENCE)
    job.ask()
    record = _ended(job)
    return job.records.transitions(MACHINES[record.flow], job.execution)


def _run(stack: DevStack) -> int:
    job = Job(stack, "a long task", _PATIENCE)
    facts = job.play().facts
    if (facts["turns"], facts["rounds"], facts["merged"]) != (TURNS, _ROUNDS, True):
        raise NotAsMeant(f"the run was to have {TURNS} turns of {_ROUNDS} rounds and be merged: {facts}")
    transitions: int = facts["transitions"]
    return transitions + job.records.transitions("approval", decision_owner(job.execution))


def _ended(job: Job) -> ExecutionRecord:
    """The row of a request that has its terminal message, once its machine is over."""
    record = job.await_record("the answer", lambda record: record.terminal_message_id is not None)
    job.await_record("the end", lambda record: job.records.has_ended(MACHINES[record.flow], job.execution))
    return record


class _Book:
    """Keeps what the functions write into their logs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._said: dict[str, list[str]] = {}

    def hear(self, function: str, line: str) -> None:
        """A line of a function's log."""
        if function in SYSTEM.functions:
            with self._lock:
                self._said.setdefault(function, []).append(line)

    def taken(self) -> dict[str, Taken]:
        """What each function that was at work says that it took; the interactions endpoint only answered pings."""
        with self._lock:
            return {name: told(lines) for name, lines in sorted(self._said.items()) if name != _PINGED}


def told(lines: Sequence[str]) -> Taken:
    """What the lines of a function's log say that it took."""
    records = [record for line in lines for record in _records(line) if record.get("message") == "took"]
    return Taken(
        invocations=sum(line.startswith(_REPORT) for line in lines),
        log_bytes=sum(len(line.encode()) + 1 for line in lines),
        **{name: sum(record.get(f"aws_{name}", 0) for record in records) for name in _REQUESTS},
    )


def _records(line: str) -> Iterator[dict[str, Any]]:
    """The JSON objects in a line; here the runtime puts no line breaks between those it writes for the logger."""
    decoder = json.JSONDecoder()
    at = 0
    while line.startswith("{", at):
        record, at = decoder.raw_decode(line, at)
        yield record


def _script() -> dict[str, Any]:
    decision = {"should_respond": True, "reason": "costs", "is_technical": True, "task_type": "coding-implementation"}
    plan = {
        "task_type": "coding-implementation",
        "agent_role": "python-coder",
        "complexity": "complex",
        "estimated_turns": TURNS,
        "topic_slug": "costs",
    }
    return {
        "decide": [
            {"when": "a question", "content": json.dumps(decision | {"task_type": "general-convo"})},
            {"content": json.dumps(decision)},
        ],
        "plan": [{"content": json.dumps(plan)}],
        "respond": [{"content": "Seen."}],
        "title": [{"content": json.dumps({"title": "Costs"})}],
        "turn": [*(_round(number) for number in range(1, _ROUNDS)), _call("finish", {"summary": "It is done."})],
    }


def _round(number: int) -> dict[str, Any]:
    """A file written, and looked at every other time."""
    if number % 2:
        return _call("write_file", {"path": f"src/part_{number}.py", "content": f"value = {number}\n" * 40})
    return _call("bash", {"command": f"grep -c value src/part_{number - 1}.py"})


def _call(tool: str, arguments: dict[str, str]) -> dict[str, Any]:
    return {"content": "The next part.", "tool_calls": [{"function": {"name": tool, "arguments": arguments}}]}
