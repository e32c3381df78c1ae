"""Gives clients that functions make inside one process each its function's own credentials.

Loaded by botocore as a plugin of every client. The process has one environment, so what stands there for the access key
is nobody's: a client that no running function makes is refused by the front door.
"""

import contextvars
from typing import Any, Final

from botocore.credentials import Credentials

KEY_ID: Final = "AWS_ACCESS_KEY_ID"
NOBODY: Final = "ASIANOBODY"
PLUGIN: Final = {"BOTOCORE_EXPERIMENTAL__PLUGINS": f"identity={__name__}"}
"""The variable by which botocore finds the plugin."""

RUNNING: Final[contextvars.ContextVar[str | None]] = contextvars.ContextVar("key_id", default=None)
"""The access key id of the function that runs in this thread."""


def initialize_client_plugin(client: Any) -> None:
    """Have a client sign as the running function, unless it was given credentials of its own."""
    signer, key_id = client._request_signer, RUNNING.get()  # noqa: SLF001 (no public way)
    if key_id is not None and signer._credentials.method == "env":  # noqa: SLF001 (as above)
        signer._credentials = Credentials(key_id, "embedded", method="running-function")  # noqa: SLF001 (as above)
