import subprocess
import sys
from pathlib import Path

import psutil

from discord_agent.sandbox import confine
from tests.support.eventually import eventually


def test_the_death_of_the_runtime_ends_what_it_had_started(tmp_path: Path) -> None:
    """The runtime is a process of its own here: kill -9 gives it no chance to end anything."""
    started = tmp_path / "started"
    command = [
        sys.executable,
        "-I",
        "-S",
        str(Path(confine.__file__)),
        "bash",
        "-c",
        f"sleep 60 & echo $! > {started}; wait",
    ]
    source = f"import subprocess; subprocess.run({command!r}, start_new_session=True)"
    with subprocess.Popen([sys.executable, "-c", source]) as runtime:
        eventually(lambda: started.exists() and started.read_text().strip())
        sleeper = psutil.Process(int(started.read_text()))
        runtime.kill()
    eventually(lambda: not sleeper.is_running() or sleeper.status() == psutil.STATUS_ZOMBIE)
