"""What a question and a run took of AWS when they were last played on the local stack: data that prices are put on."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

TURNS: Final = 20
"""The turns of the run."""
FILE: Final = Path(__file__).parent / "measured.json"


@dataclass(frozen=True, slots=True)
class Taken:
    """Counts of one function: requests as AWS charges for them, and bytes of its log."""

    invocations: int
    table_reads: int
    table_writes: int
    object_reads: int
    object_writes: int
    messages: int
    log_bytes: int


@dataclass(frozen=True, slots=True)
class Measured:
    """What one request took: states entered, and by function its counts."""

    transitions: int
    functions: dict[str, Taken]


def read() -> dict[str, Measured]:
    """``question`` and ``run``, as they are kept in the repository."""
    kept = json.loads(FILE.read_text(encoding="utf-8"))
    return {
        name: Measured(each["transitions"], {key: Taken(**taken) for key, taken in each["functions"].items()})
        for name, each in kept.items()
    }


def write(measured: dict[str, Measured]) -> None:
    """Keep them."""
    text = json.dumps({name: asdict(each) for name, each in measured.items()}, indent=2, sort_keys=True)
    FILE.write_text(f"{text}\n", encoding="utf-8")
