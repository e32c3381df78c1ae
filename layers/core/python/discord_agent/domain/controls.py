"""The buttons' custom ids: which control action on which execution. Visible to everybody and proof of nothing."""

import re
from enum import StrEnum
from typing import Final

from msgspec import Struct

from discord_agent.domain.errors import InvalidInput
from discord_agent.domain.ids import ExecutionId

MAX_CUSTOM_ID: Final = 100


class Action(StrEnum):
    """What a button asks for."""

    STOP = "stop"
    MERGE = "merge"
    REJECT = "reject"
    ANSWER = "answer"
    RETRY = "retry"
    CONTINUE = "continue"
    STRONGER = "stronger"
    """Try an ended run again with a stronger model, or hand a run at work to one."""
    EXTEND = "extend"
    """Allow a run to spend more."""
    REWIND = "rewind"
    """Go back to the turn in the argument."""
    FORGET = "forget"
    """Forget what a run taught; the argument names the insight."""
    CHOOSE = "choose"
    """Go on with one of the options that were shown; the argument is its number."""


class Control(Struct, frozen=True):
    """An action on an execution; ``argument`` is what else it needs, such as a commit or the number of an answer."""

    action: Action
    execution_id: ExecutionId
    argument: str = ""


_EXECUTION = re.compile(r"[A-Za-z0-9_-]{1,80}")


def encode(control: Control) -> str:
    """``action:execution_id[:argument]``; InvalidInput when it would not fit or could not be read back."""
    if not _EXECUTION.fullmatch(control.execution_id):
        raise InvalidInput(f"not an execution id: {control.execution_id!r:.100}")
    parts = [control.action.value, control.execution_id, *([control.argument] if control.argument else [])]
    custom_id = ":".join(parts)
    if len(custom_id) > MAX_CUSTOM_ID:
        raise InvalidInput(f"a custom id holds at most {MAX_CUSTOM_ID} characters: {custom_id!r:.120}")
    return custom_id


def decode(custom_id: str) -> Control:
    """Read a custom id back; InvalidInput when it is none of ours."""
    name, _, rest = custom_id.partition(":")
    execution_id, _, argument = rest.partition(":")
    known = name in Action
    if not (known and _EXECUTION.fullmatch(execution_id)) or len(custom_id) > MAX_CUSTOM_ID:
        raise InvalidInput(f"not a custom id of ours: {custom_id!r:.120}")
    return Control(Action(name), ExecutionId(execution_id), argument)
