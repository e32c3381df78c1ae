"""The demo on a deployed system, where the tool that deploys it is not on the machine."""

import shutil
import subprocess
import sys
from pathlib import Path

from devstack.options import ROOT


def test_a_tool_that_is_not_here_is_not_run_and_not_passed(tmp_path: Path) -> None:
    git = shutil.which("git")
    assert git is not None
    (tmp_path / "git").symlink_to(git)
    done = subprocess.run(
        [sys.executable, "-m", "devstack.cli", "demo", "--against", "terraform", "--json"],
        cwd=ROOT,
        env={"PATH": str(tmp_path), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("NOT RUN: demo against terraform: terraform: not on the PATH")
