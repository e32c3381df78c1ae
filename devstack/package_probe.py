"""One start of a new interpreter, measured: ``package_probe.py KIND`` with the modules to be found on ``sys.path`` in PROBE_PATH.

KIND is ``function``, ``client`` of the service in PROBE_CLIENT, or the name of a module to import. It stands alone: in Lambda
nothing else can be imported either. Prints the seconds of the process's own CPU, and leaves without taking down what was
loaded, as no Lambda ever does.
"""

import os
import sys
import time
from contextlib import suppress
from importlib import import_module
from types import SimpleNamespace

_REFUSED = {"Records": [{"messageId": "1", "body": "not JSON", "attributes": {"MessageGroupId": "1"}}]}
"""An event that no function takes, once it is composed."""


def _function() -> None:
    """Import the entry, have it compose everything, as its first event does, and make the client that every event needs."""
    entry = import_module("handler")
    errors = import_module("discord_agent.domain.errors")
    with suppress(errors.InvalidEvent):
        entry.handler(_REFUSED, SimpleNamespace(aws_request_id="1"))
    # Clients are made when they are first used; only interactions, which does without boto3, has made its own by now.
    if "boto3" in sys.modules:
        sys.modules["boto3"].client("dynamodb")


def _client() -> None:
    import_module("boto3").client(os.environ["PROBE_CLIENT"])  # noqa: TID251 - told by its parent, like a Lambda


def main() -> None:
    """Measure and print."""
    kind = sys.argv[1]
    sys.path[:0] = os.environ["PROBE_PATH"].split(os.pathsep)  # noqa: TID251 - told by its parent, like a Lambda
    began = time.process_time()
    if kind == "function":
        _function()
    elif kind == "client":
        _client()
    else:
        import_module(kind)
    taken = time.process_time() - began
    sys.stdout.write(f"\n{taken}\n")
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
