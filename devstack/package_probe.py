"""One start in a new interpreter, measured: package_probe.py ORDER, which is ``{path, kind, name}`` as JSON.

It stands alone: nothing but what ORDER names may be imported, as in Lambda. Prints seconds of the process's own CPU.
"""

import json
import os
import sys
import time
from importlib import import_module
from types import SimpleNamespace

_REFUSED = {"Records": [{"messageId": "1", "body": "not JSON", "attributes": {"MessageGroupId": "1"}}]}
"""An event that every function refuses, once it is composed."""


def _function() -> None:
    handler = import_module("handler").handler
    # Whatever it says of this event, its parts are there then; what it could not load or make is another error.
    errors = import_module("discord_agent.domain.errors")
    try:
        handler(_REFUSED, SimpleNamespace(aws_request_id="1"))
    except errors.InvalidEvent:
        return


def _measure(kind: str, name: str) -> None:
    if kind == "function":
        _function()
        return
    module = import_module(kind)
    if name:
        module.client(name)


def main() -> None:
    """Measure, print, and leave without taking down what was loaded."""
    order = json.loads(sys.argv[1])
    own = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - pathlib would be loaded for nothing
    sys.path[:] = [*order["path"], *(each for each in sys.path if each != own)]
    began = time.process_time()
    _measure(order["kind"], order["name"])
    print(json.dumps({"cpu": time.process_time() - began, "modules": len(sys.modules)}), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
