"""The limit on what passes between states: 262,144 bytes of JSON, the last one included."""

import json
import sys
from typing import Any, Final

from moto.stepfunctions.parser import quotas

LIMIT: Final = 262_144


def mend() -> None:
    """Moto draws the line one byte too early, and does not count the quotes of a string."""
    original = quotas.is_within_size_quota
    for module in [module for name, module in sys.modules.items() if name.startswith("moto.stepfunctions.parser")]:
        if getattr(module, "is_within_size_quota", None) is original:
            module.is_within_size_quota = within  # type: ignore[attr-defined] # found by this very name


def within(value: Any) -> bool:
    """Whether the value may pass."""
    return len(json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=str).encode()) <= LIMIT
