import json
from copy import replace
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from hypothesis import given
from hypothesis import strategies as st

from discord_agent.adapters.codec import from_json, timestamp, to_item, to_json
from discord_agent.domain.conversation import ModelReply, ToolResult
from discord_agent.domain.errors import InvalidEvent
from discord_agent.domain.events import AuditEntry
from discord_agent.domain.ids import ChannelId, ExecutionId, MessageId, ThreadId, UserId
from discord_agent.domain.inbound import CommandInvoked, InboundMessage
from discord_agent.domain.money import Cost, Usd
from discord_agent.domain.policy import GuildSettings
from discord_agent.domain.run import RunState
from discord_agent.domain.session import ExecutionRecord, InboxItem, Lease, Session
from discord_agent.domain.workspace import Manifest
from tests.support.values import values_of

STORED: list[type] = [
    RunState,
    Session,
    ExecutionRecord,
    InboxItem,
    Lease,
    GuildSettings,
    AuditEntry,
    Manifest,
    ModelReply,
    ToolResult,
    InboundMessage,
    CommandInvoked,
]

RUN = RunState(ExecutionId("m-1"), ThreadId("2"), ChannelId("3"), MessageId("1"), UserId("4"))


def _through_json(cls: type, value: object) -> Any:
    return from_json(cls, json.loads(json.dumps(to_json(value), allow_nan=False)))


def _through_dynamodb(cls: type, value: object) -> Any:
    wire = TypeSerializer().serialize(to_item(value))
    return from_json(cls, TypeDeserializer().deserialize(wire))


@pytest.mark.parametrize("cls", STORED, ids=lambda cls: cls.__name__)
@given(data=st.data())
def test_every_stored_value_comes_back_from_json_and_from_an_item(cls: type, data: st.DataObject) -> None:
    value = data.draw(values_of(cls))
    assert _through_json(cls, value) == value
    assert _through_dynamodb(cls, value) == value


def test_json_holds_every_field_by_its_name_with_exact_amounts_as_text() -> None:
    entry = AuditEntry(
        ThreadId("2"),
        "turn",
        datetime(2026, 11, 22, 12, 0, tzinfo=timezone(timedelta(hours=2))),
        execution_id=ExecutionId("m-1"),
        details={"tools": [{"tool": "bash", "ok": True, "seconds": 1.5}]},
        cost=Cost(Usd(Decimal("0.10"))),
    )
    assert to_json(entry) == {
        "thread_id": "2",
        "kind": "turn",
        "at": "2026-11-22T10:00:00.000000Z",
        "execution_id": "m-1",
        "actor": None,
        "details": {"tools": [{"tool": "bash", "ok": True, "seconds": 1.5}]},
        "cost": {
            "known": {"amount": "0.10"},
            "partial": False,
            "estimated": {"amount": "0"},
            "cached_input": {"amount": "0"},
            "output": {"amount": "0"},
        },
    }


def test_an_item_leaves_out_what_is_none_and_keeps_amounts_as_numbers() -> None:
    item = to_item(replace(RUN, cost=Cost(Usd(Decimal("0.10")))))
    assert "guild_id" not in item
    assert item["cost"]["known"] == {"amount": Decimal("0.10")}


def test_unknown_fields_are_ignored_and_missing_ones_take_their_defaults() -> None:
    least = {"execution_id": "m-1", "thread_id": "2", "channel_id": "3", "message_id": "1", "author_id": "4"}
    assert from_json(RunState, least | {"added_by_a_newer_version": [1]}) == RUN


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"turn": "3"}, "RunState.turn"),
        ({"turn": True}, "RunState.turn"),
        ({"turn": 1.5}, "RunState.turn"),
        ({"turn": None}, "RunState.turn"),
        ({"flow": "sideways"}, "RunState.flow"),
        ({"flow": ["simple"]}, "RunState.flow"),
        ({"thread_id": 2}, "RunState.thread_id"),
        ({"cost": {"known": {"amount": "much"}}}, "RunState.cost.known.amount"),
        ({"cost": {"known": {"amount": "NaN"}}}, "RunState.cost.known.amount"),
        ({"cost": {"known": {"amount": 0.1}}}, "RunState.cost.known.amount"),
        ({"cost": {"partial": 1}}, "RunState.cost.partial"),
        ({"cost": []}, "RunState.cost"),
        ({"files_changed": "auth.py"}, "RunState.files_changed"),
        ({"files_changed": ["auth.py", 1]}, "RunState.files_changed[1]"),
        ({"commit": {"sha": "abc"}}, "RunState.commit"),
    ],
)
def test_a_wrong_shape_is_refused_with_the_path_of_the_fault(change: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidEvent) as refusal:
        from_json(RunState, to_json(RUN) | change)
    assert str(refusal.value).startswith(f"{path}:")


@pytest.mark.parametrize("data", [None, "text", 7, [], {}])
def test_what_is_no_object_with_the_required_fields_is_refused(data: object) -> None:
    with pytest.raises(InvalidEvent):
        from_json(RunState, data)


@pytest.mark.parametrize("text", ["yesterday", "2026-11-22T10:00:00"])
def test_a_time_without_a_zone_is_refused(text: str) -> None:
    lease = {"thread_id": "2", "owner": "m-1", "fence": 1, "expires_at": text}
    with pytest.raises(InvalidEvent):
        from_json(Lease, lease)


def test_a_pair_of_another_length_is_refused() -> None:
    command = to_json(CommandInvoked("1", "t", "a", "flow", (("type", "simple"),), ChannelId("3"), None, _author()))
    with pytest.raises(InvalidEvent):
        from_json(CommandInvoked, command | {"options": [["type"]]})


def _author() -> Any:
    return from_json(
        InboundMessage,
        {"id": "1", "channel_id": "3", "guild_id": None, "content": "", "author": {"id": "4", "name": "ada"}},
    ).author


@given(st.lists(values_of(datetime), min_size=2, max_size=2), st.integers(-14, 14))
def test_times_sort_as_texts_whatever_their_zone(moments: list[datetime], hours: int) -> None:
    early, late = sorted(moments)
    elsewhere = early.astimezone(timezone(timedelta(hours=hours)))
    assert (timestamp(elsewhere) < timestamp(late)) == (early < late)
    assert len(timestamp(early)) == len(timestamp(late))


def test_a_naive_time_is_not_stored() -> None:
    with pytest.raises(ValueError, match="zone"):
        timestamp(datetime.now(UTC).replace(tzinfo=None))


def test_bytes_are_not_stored() -> None:
    with pytest.raises(TypeError):
        to_json(b"bytes")


@dataclass(frozen=True)
class _Unreadable:
    either: str | int


def test_a_type_the_codec_cannot_tell_apart_is_refused_when_first_read() -> None:
    with pytest.raises(TypeError):
        from_json(_Unreadable, {"either": "text"})
