"""Programs are heard while they run."""

import sys
from pathlib import Path

from deployment.programs import Ended, play

TALKATIVE = """
import sys
print("first", flush=True)
print("second", file=sys.stderr, flush=True)
answer = open(sys.argv[1]).readline() if len(sys.argv) > 1 else ""
print("last", flush=True)
raise SystemExit(3)
"""


def test_every_line_is_passed_on_and_kept(tmp_path: Path) -> None:
    heard: list[str] = []
    ended = play([sys.executable, "-c", TALKATIVE], {}, folder=tmp_path, listen=heard.append)
    assert heard == ["first", "second", "last"]
    assert ended == Ended(3, "first\nsecond\nlast\n")


def test_a_line_is_passed_on_before_the_program_ends(tmp_path: Path) -> None:
    until = tmp_path / "until"

    def answer(line: str) -> None:
        if line == "second":
            until.write_text("\n", encoding="utf-8")

    waiting = TALKATIVE.replace("open(sys.argv[1]).readline()", "wait(sys.argv[1])").replace(
        "import sys\n", "import os, sys\ndef wait(path):\n    while not os.path.exists(path): pass\n", 1
    )
    assert play([sys.executable, "-c", waiting, str(until)], {}, folder=tmp_path, listen=answer).status == 3
