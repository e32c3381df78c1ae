"""Which grants were used: each process adds a file of its own to a folder, a line for each grant at its first use."""

import json
import os
import threading
import uuid
from pathlib import Path
from typing import Final

from deployment.iam.policy import Granted
from devstack.aws.access.door import Record

USED_GRANTS: Final = "DISCORD_AGENT_USED_GRANTS"
"""The variable that names the folder; without it nothing is written."""


def recorder(folder: str) -> Record:
    """What notes used grants in a folder, "" for nowhere."""
    return UsedGrants(Path(folder)) if folder else forgotten


def forgotten(_role_arn: str, _granted: Granted) -> None:
    """Where nobody wants to know."""


class UsedGrants:
    """Remembers what it has written; a process that is killed has lost nothing."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / f"{os.getpid()}-{uuid.uuid4().hex}.jsonl"
        self._seen: set[tuple[str, Granted]] = set()
        self._lock = threading.Lock()

    def __call__(self, role_arn: str, granted: Granted) -> None:
        """Note the use of a grant."""
        use = (role_arn, granted)
        if use in self._seen:
            return
        with self._lock:
            if use in self._seen:
                return
            with self._file.open("a", encoding="utf-8") as file:
                file.write(json.dumps([role_arn, granted.action, granted.resource]) + "\n")
            self._seen.add(use)
