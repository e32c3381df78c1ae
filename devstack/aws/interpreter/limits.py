"""The limit on what passes between states: 262,144 bytes of JSON, the last one included."""

import json
from typing import Final

LIMIT: Final = 262_144


def within(value: object) -> bool:
    """Whether the value may pass."""
    return len(json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=str).encode()) <= LIMIT
