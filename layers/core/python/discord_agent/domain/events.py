"""Events for other systems (queue ``agentic_events``) and rows of the audit trail."""

from datetime import datetime
from typing import Any, Final

from msgspec import Struct, field

from discord_agent.domain.ids import ExecutionId, ThreadId, UserId
from discord_agent.domain.money import Cost

SCHEMA_VERSION: Final = 1

EXECUTION_STARTED: Final = "execution_started"
TURN_COMPLETED: Final = "turn_completed"
MODEL_ESCALATED: Final = "model_escalated"
EXECUTION_COMPLETED: Final = "execution_completed"
EXECUTION_ABORTED: Final = "execution_aborted"
COMMIT_CREATED: Final = "commit_created"
BRANCH_MERGED: Final = "branch_merged"
BRANCH_REJECTED: Final = "branch_rejected"
REWOUND: Final = "rewound"

AUDIT_ONLY: Final = frozenset({REWOUND})
"""What is noted in the audit trail but not told to other systems."""


class AgenticEvent(Struct, frozen=True):
    """One event; ``details`` holds its own fields in camelCase (behaviour contract, section 17)."""

    type: str
    thread_id: ThreadId
    details: dict[str, Any] = field(default_factory=dict)


class AuditEntry(Struct, frozen=True):
    """Who did what, when and at what cost; ``actor`` is a person, or None for the bot itself."""

    thread_id: ThreadId
    kind: str
    at: datetime
    execution_id: ExecutionId | None = None
    actor: UserId | None = None
    details: dict[str, Any] = field(default_factory=dict)
    cost: Cost | None = None
