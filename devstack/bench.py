"""Benchmarks: each prints its raw figures and how they stand to the targets."""

import json
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from devstack import package_bench, turn_bench
from devstack.demo import Job
from devstack.discord.seed import WORKSHOP_ID
from devstack.options import Options
from devstack.stack import DevStack
from devstack.targets import Target

_TURNS: Final = 35
_EDGE: Final = 5
"""Turns at either end whose medians are compared; the very first pays for loading the model client."""
_SIGNS: Final = 5
_PATIENCE: Final = 300.0
_MACHINE: Final = "sequential_thinking"


def run(name: str, *, as_json: bool) -> int:
    """Run a benchmark and print it; 0 even if a target is missed, because machines differ."""
    result = BENCHMARKS[name]()
    if as_json:
        print(json.dumps(result, indent=2))
    else:
        for target in result["targets"]:
            print(
                f"{'met   ' if target['met'] else 'MISSED'} {target['name']:32} {target['value']} {target['unit']} (≤ {target['target']})"
            )
    return 0


def main_job() -> dict[str, Any]:
    """First sign, overhead per turn with a model that answers at once, memory, transitions."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "script.json"
        script.write_text(json.dumps(_script()), encoding="utf-8")
        started = time.monotonic()
        with DevStack(Options(data=Path(folder) / "data", script=script, debounce_seconds=0)) as stack:
            ready = time.monotonic() - started
            with _peak_memory(stack) as memory:
                cold_sign, signs = _first_signs(stack)
                job, wall = _long_run(stack)
            turns = _turn_seconds(job)
            transitions = job.records.transitions(_MACHINE, job.execution)
            in_loop = job.records.loop_transitions(job.execution)
    first, last = statistics.median(turns[1 : 1 + _EDGE]), statistics.median(turns[-_EDGE:])
    peak = max(memory)
    targets = (
        Target.at_most("first visible sign, warm", statistics.median(signs), "s", 1.0),
        Target.at_most("overhead per turn", statistics.median(turns[1:]) * 1000, "ms", 150.0),
        Target.at_most("last turns to first turns", last / first, "ratio", 1.2),
        Target.at_most("peak memory of the stack", peak / 1e9, "GB", 1.5),
        Target.at_most("transitions per turn", in_loop / len(turns), "", 3.0),
    )
    return {
        "name": "main-job",
        "ready_seconds": round(ready, 2),
        "first_sign_seconds": {"cold": round(cold_sign, 3), "warm": [round(sign, 3) for sign in signs]},
        "turn_milliseconds": [round(turn * 1000, 1) for turn in turns],
        "run_seconds": round(wall, 2),
        "peak_memory_bytes": peak,
        "transitions": {"all": transitions, "in_loop": in_loop},
        "targets": [asdict(target) for target in targets],
    }


BENCHMARKS: Final[dict[str, Callable[[], dict[str, Any]]]] = {
    "main-job": main_job,
    "package": package_bench.measure,
    "turn": turn_bench.measure,
}


def _script() -> dict[str, Any]:
    """35 turns of one prose reply each, then the end; a task that need not change files, so that nothing escalates."""
    plan = {
        "task_type": "test-runner",
        "agent_role": "python-coder",
        "complexity": "complex",
        "estimated_turns": _TURNS,
        "topic_slug": "bench",
    }
    decision = {"should_respond": True, "reason": "bench", "is_technical": True, "task_type": "test-runner"}
    return {
        "decide": [
            {"when": "sign", "content": json.dumps(decision | {"should_respond": True, "task_type": "general-convo"})},
            {"content": json.dumps(decision)},
        ],
        "plan": [{"content": json.dumps(plan)}],
        "respond": [{"content": "Seen."}],
        "title": [{"content": json.dumps({"title": "Bench"})}],
        "turn": [{"content": f"Still at it, {number}."} for number in range(_TURNS + 1)],
    }


def _first_signs(stack: DevStack) -> tuple[float, list[float]]:
    """Seconds from message to the first sign: the first time, and when everything is warm."""
    signs = []
    for _ in range(_SIGNS + 1):
        job = Job(stack, "show a sign", _PATIENCE)
        signs.append(job.ask())
        job.await_record("the answer", lambda record: record.terminal_message_id is not None)
    return signs[0], signs[1:]


def _long_run(stack: DevStack) -> tuple[Job, float]:
    # In a channel of its own: the decision is made with the channel's history.
    job = Job(stack, "run for long", _PATIENCE, WORKSHOP_ID)
    started = time.monotonic()
    job.ask()
    job.await_record("the run ends", lambda record: record.terminal_message_id is not None)
    return job, time.monotonic() - started


def _turn_seconds(job: Job) -> list[float]:
    """From one entry of the state Turn to the next or to Evaluate, a checkpoint between them included."""
    entered = job.records.entered(_MACHINE, job.execution)
    marks = [moment for name, moment in entered if name in {"Turn", "Evaluate"}]
    return [(later - earlier).total_seconds() for earlier, later in pairwise(marks)]


@contextmanager
def _peak_memory(stack: DevStack) -> Iterator[list[int]]:
    """Samples the memory of the whole process tree while it is open."""
    samples: list[int] = [stack.aws.memory().pss]
    done = threading.Event()

    def sample() -> None:
        while not done.wait(1.0):
            samples.append(stack.aws.memory().pss)

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield samples
    finally:
        done.set()
        thread.join()
