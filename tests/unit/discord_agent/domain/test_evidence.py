from copy import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from discord_agent.domain import evidence
from discord_agent.domain.ids import ChannelId, ExecutionId, MessageId, ThreadId, UserId
from discord_agent.domain.run import Outcome, RunState, Signals
from discord_agent.domain.session import Objection

RUN = RunState(
    ExecutionId("m-1"),
    ThreadId("7"),
    ChannelId("7"),
    MessageId("1"),
    UserId("2"),
    outcome=Outcome.DONE,
    score=30,
    signals=Signals(total_tool_calls=9, tests_run=4, tests_passed=4),
)


def test_a_clean_run_is_no_evidence_whatever_its_score() -> None:
    assert evidence.of_run(RUN) == ()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"signals": Signals(tests_run=4, tests_passed=1)}, "The last test run: 3 of 4 failed."),
        ({"signals": Signals(failures=2)}, "Tool calls that failed and turns that got stuck: 2."),
        ({"signals": Signals(last_error="bash: no module")}, "The last error: bash: no module"),
        ({"signals": Signals(corrections=1)}, "People said that the work was wrong: once."),
        ({"escalations": 1}, "The run was handed to a stronger model: once."),
        ({"escalations": 2}, "The run was handed to a stronger model: 2 times."),
        ({"outcome": Outcome.NEEDS_YOU, "question": "Which key?"}, "The run ended as needs_you: Which key?."),
    ],
)
def test_what_went_wrong_is_evidence(changes: dict[str, Any], sentence: str) -> None:
    assert evidence.of_run(replace(RUN, **changes)) == (sentence,)


def test_a_rejection_is_told_with_its_reason_in_one_line() -> None:
    objection = Objection(ExecutionId("m-1"), UserId("2"), datetime(2026, 1, 1, tzinfo=UTC), "uses MD5.\nUse argon2.")
    assert evidence.of_rejection(objection) == "A person rejected the commit: uses MD5. Use argon2."
    assert "without giving a reason" in evidence.of_rejection(replace(objection, reason=" "))
    assert evidence.of_dislike(replace(objection, reason="")) == "A person gave the result a thumb down."
