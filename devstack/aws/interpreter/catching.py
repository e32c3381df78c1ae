"""What a Retry or Catch takes, as AWS documents it in "Handling errors in Step Functions workflows".

States.ALL takes neither States.DataLimitExceeded nor States.Runtime, and nothing takes the latter; States.Timeout
takes missed heartbeats too; States.TaskFailed takes everything but time-outs.
"""

from collections.abc import Collection
from typing import Final

_RUNTIME: Final = "States.Runtime"
_TOO_MUCH_DATA: Final = "States.DataLimitExceeded"
_TIMEOUT: Final = "States.Timeout"
_MISSED_HEARTBEAT: Final = "States.HeartbeatTimeout"


def takes(declared: Collection[str | None], error: str | None) -> bool:
    """Whether a Retry or Catch that declares these names takes the error."""
    by_name = error in declared
    by_wildcard = "States.ALL" in declared and error != _TOO_MUCH_DATA
    as_timeout = _TIMEOUT in declared and error == _MISSED_HEARTBEAT
    as_failure = "States.TaskFailed" in declared and error not in {_TIMEOUT, _MISSED_HEARTBEAT, _TOO_MUCH_DATA}
    return error != _RUNTIME and (by_name or by_wildcard or as_timeout or as_failure)
