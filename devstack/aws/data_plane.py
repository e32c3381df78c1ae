"""DynamoDB, S3, SQS and the rest: ministack as a child process on the loopback interface."""

import collections
import signal
import socket
import threading
import time
from pathlib import Path
from typing import Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from deployment.iam.documents import Place
from deployment.iam.policies import Policies
from devstack.aws.access.handing import hand_over
from devstack.aws.access.used import USED_GRANTS
from devstack.aws.children import Child
from devstack.aws.errors import DidNotStart
from devstack.aws.functions.model import LogSink
from devstack.aws.http import LOOPBACK, listen
from devstack.aws.names import ACCOUNT, REGION, credentials
from discord_agent.settings import environment

_START_SECONDS: Final = 30.0
_STOP_SECONDS: Final = 15.0
NAME: Final = "data-plane"


class DataPlane:
    """Keeps its state under ``folder``, written every ``autosave_seconds`` while it changes, and when it stops."""

    def __init__(self, folder: Path, *, port: int, autosave_seconds: float, log: LogSink) -> None:
        self._folder = folder
        self._listener: socket.socket = listen(port)
        self._autosave_seconds = autosave_seconds
        self._log = log
        self._last_lines: collections.deque[str] = collections.deque(maxlen=20)
        self._child: Child | None = None
        self._stopping = False
        self._used = environment().get(USED_GRANTS, "")
        self.port: int = self._listener.getsockname()[1]

    @property
    def url(self) -> str:
        """The endpoint of all its services."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._child.process.pid if self._child is not None and self._child.alive else None

    def enforce(self, policies: Policies) -> None:
        """Judge every caller but the administrator by these policies from now on; until then all may do everything."""
        self._folder.mkdir(parents=True, exist_ok=True)
        hand_over(self._policies, policies, Place(ACCOUNT, REGION))

    @property
    def _policies(self) -> Path:
        return self._folder / "policies.json"

    def start(self, *, lock: int) -> None:
        """Start the process; it holds the ``lock`` descriptor too, so that its last save precedes a new start."""
        self._folder.mkdir(parents=True, exist_ok=True)
        # Those of an earlier start say nothing about what is made now.
        self._policies.unlink(missing_ok=True)
        self._child = Child(
            "devstack.aws.ministack_main",
            [str(self._listener.fileno()), str(self._autosave_seconds), str(self._policies), self._used],
            environment=self._variables(),
            folder=self._folder,
            ends_with=signal.SIGTERM,
            descriptors=(self._listener.fileno(), lock),
        )
        # From here on only the child listens: when it dies, connections are refused instead of hanging.
        self._listener.close()
        threading.Thread(target=self._pump, args=(self._child,), name=NAME, daemon=True).start()

    def await_ready(self) -> None:
        """Wait for the first answer; DidNotStart with what the process said."""
        client = boto3.client(
            "sts",
            region_name=REGION,
            endpoint_url=self.url,
            config=Config(connect_timeout=2, read_timeout=_START_SECONDS, retries={"total_max_attempts": 1}),
            **credentials(),
        )
        until = time.monotonic() + _START_SECONDS
        while True:
            try:
                client.get_caller_identity()
            except BotoCoreError as error:
                if self.pid is None or time.monotonic() > until:
                    said = "\n".join(self._last_lines)
                    raise DidNotStart(f"the data plane (ministack) did not start; it said:\n{said}") from error
                time.sleep(0.05)
            else:
                return

    def stop(self) -> None:
        """Save and end."""
        self._stopping = True
        self._listener.close()
        if self._child is not None:
            self._child.terminate(_STOP_SECONDS)

    def _pump(self, child: Child) -> None:
        with child.output as output:
            for raw in output:
                line = raw.decode(errors="replace").rstrip("\n")
                self._last_lines.append(line)
                self._log(NAME, line)
        if not self._stopping:
            self._log(NAME, "the data plane ended by itself: nothing works any more, start the stack again")

    def _variables(self) -> dict[str, str]:
        return {
            "PATH": "/usr/bin:/bin",
            "HOME": str(self._folder),
            "TMPDIR": str(self._folder),
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "PYTHONUNBUFFERED": "1",
            "BIND_HOST": LOOPBACK,
            "MINISTACK_HOST": LOOPBACK,
            "GATEWAY_PORT": str(self.port),
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "MINISTACK_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "LOG_LEVEL": "WARNING",
            "PERSIST_STATE": "1",
            "STATE_DIR": str(self._folder / "state"),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(self._folder / "objects"),
        }
