from datetime import UTC, datetime

import pytest

from discord_agent.domain.ids import CommitSha, MessageId, ThreadId, UserId
from discord_agent.domain.run import Commit
from discord_agent.domain.session import Approval, InboxItem, ItemKind


@pytest.mark.parametrize(
    ("content", "forced", "said"),
    [
        ("<@42> write a note", True, "write a note"),
        ("write a note for <@42>", True, "write a note for <@42>"),
        ("<@7> look at this", False, "<@7> look at this"),
    ],
)
def test_only_the_mention_that_addresses_the_bot_is_left_out(content: str, forced: bool, said: str) -> None:
    item = InboxItem(
        ThreadId("1"),
        MessageId("2"),
        UserId("3"),
        "Ada",
        content,
        ItemKind.REQUEST,
        datetime(2026, 1, 1, tzinfo=UTC),
        forced=forced,
    )
    assert item.said == said


def test_the_token_of_a_waiting_commit_is_never_printed() -> None:
    commit = Commit(CommitSha("a" * 40), "topic", "message", (), CommitSha("b" * 40))
    assert "credential" not in repr(Approval(commit, MessageId("1"), "credential"))
