"""Identifiers, each its own type so that one cannot be passed for another."""

import re
from typing import NewType

from discord_agent.domain.errors import InvalidInput

GuildId = NewType("GuildId", str)
ChannelId = NewType("ChannelId", str)
ThreadId = NewType("ThreadId", str)
"""The Discord thread, channel or direct message in which a conversation lives (a snowflake)."""
MessageId = NewType("MessageId", str)
UserId = NewType("UserId", str)
RoleId = NewType("RoleId", str)
ExecutionId = NewType("ExecutionId", str)
"""The Step Functions execution name, derived from what was asked, so that a redelivery starts nothing twice."""
ModelName = NewType("ModelName", str)
CommitSha = NewType("CommitSha", str)
ManifestId = NewType("ManifestId", str)

_DECISION = "-approval"
_RETRY = re.compile(r"(?P<first>.+)-r(?P<number>[0-9]+)")
_SNOWFLAKE = re.compile(r"[0-9]{1,20}")
_DISCORD_EPOCH_MS = 1_420_070_400_000


def snowflake(value: object) -> str:
    """Return ``value`` if it is a Discord snowflake; raise InvalidInput otherwise."""
    if isinstance(value, str) and _SNOWFLAKE.fullmatch(value):
        return value
    raise InvalidInput(f"not a Discord id: {value!r:.40}")


def snowflake_time_ms(value: str) -> int:
    """Milliseconds since 1970 at which a snowflake was made (Discord reference, "Snowflakes")."""
    return (int(value) >> 22) + _DISCORD_EPOCH_MS


def execution_for_message(message: MessageId) -> ExecutionId:
    """The execution that answers a message."""
    return ExecutionId(f"m-{message}")


def decision_owner(execution: ExecutionId) -> ExecutionId:
    """The execution that waits for a decision on what ``execution`` committed, and holds the thread to carry it out."""
    return ExecutionId(f"{execution}{_DECISION}")


def late_decision(execution: ExecutionId) -> ExecutionId:
    """The execution that carries out a decision for which nobody waited any more."""
    return ExecutionId(f"{execution}-late{_DECISION}")


def is_decision(execution: ExecutionId) -> bool:
    """Whether an execution waits for a decision, instead of being a run."""
    return execution.endswith(_DECISION)


def choice_of(execution: ExecutionId, option: int) -> ExecutionId:
    """The execution that carries out an option which ``execution`` showed: one, however often it is chosen."""
    return ExecutionId(f"{execution}-o{option}")


def rewinder_of(execution: ExecutionId) -> ExecutionId:
    """Who holds a thread while it goes back to a turn of ``execution``."""
    return ExecutionId(f"{execution}-rewind")


def retry_of(execution: ExecutionId) -> ExecutionId:
    """The next try of an execution that ended without success: one, however often somebody asks for it."""
    tried = _RETRY.fullmatch(execution)
    first, number = (tried["first"], int(tried["number"])) if tried else (execution, 0)
    return ExecutionId(f"{first}-r{number + 1}")


def first_try_of(execution: ExecutionId) -> ExecutionId:
    """The execution that all tries of a request began with."""
    tried = _RETRY.fullmatch(execution)
    return ExecutionId(tried["first"]) if tried else execution
