from dataclasses import dataclass, field
from typing import Any

import pytest

from discord_agent.adapters.discord.client import Call
from discord_agent.domain.errors import DiscordRefused
from gateway_bridge.backfill import Backfill
from gateway_bridge.state import LastSeen


@dataclass
class Rest:
    """A channel with messages by id, and members by user."""

    messages: list[int]
    members: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)

    def request(self, call: Call) -> Any:
        self.calls.append(call)
        if call.template.startswith("/guilds"):
            if call.ids[1] not in self.members:
                raise DiscordRefused("unknown member", status=404, code=10007)
            return self.members[call.ids[1]]
        after, limit = int(call.query["after"]), int(call.query["limit"])
        newer = [number for number in self.messages if number > after][:limit]
        return [message(number) for number in reversed(newer)]


def message(number: int) -> dict[str, Any]:
    return {"id": str(number), "channel_id": "1", "content": "hi", "author": {"id": "40"}}


def test_everything_newer_is_read_page_by_page_and_comes_oldest_first() -> None:
    rest = Rest(list(range(95, 350)))
    missed = Backfill(rest).missed("1", LastSeen("100"))
    assert [entry["id"] for entry in missed] == [str(number) for number in range(101, 350)]
    assert [call.query["after"] for call in rest.calls] == ["100", "200", "300"]


def test_messages_look_as_the_gateway_would_have_shown_them() -> None:
    rest = Rest([101, 102], members={"40": {"roles": ["50"]}})
    missed = Backfill(rest).missed("1", LastSeen("100", "9"))
    assert missed == [message(n) | {"guild_id": "9", "member": {"roles": ["50"]}} for n in (101, 102)]
    assert len(rest.calls) == 2


def test_an_author_who_left_has_no_roles() -> None:
    (missed,) = Backfill(Rest([101])).missed("1", LastSeen("100", "9"))
    assert missed == message(101) | {"guild_id": "9"}


def test_what_is_read_back_is_bounded_and_the_rest_is_said(caplog: pytest.LogCaptureFixture) -> None:
    rest = Rest(list(range(1, 5000)))
    assert len(Backfill(rest).missed("1", LastSeen("0"))) == 1000
    assert "more was missed" in caplog.text
