import traceback
from functools import reduce
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discord_agent.adapters.discord.inbound import BotIdentity, parse, parse_interaction, parse_message
from discord_agent.domain.errors import InvalidEvent
from discord_agent.domain.ids import ChannelId, ExecutionId, GuildId, MessageId, RoleId, ThreadId, UserId
from discord_agent.domain.inbound import (
    Attachment,
    Author,
    ButtonPressed,
    CommandInvoked,
    InboundMessage,
    MessageDeleted,
    MessageEdited,
    NamedChannel,
    Reaction,
    ThreadDeleted,
)

BOT = BotIdentity(UserId("900"), "nepnep")

MESSAGE: dict[str, Any] = {
    "id": "100",
    "channel_id": "20",
    "guild_id": "30",
    "type": 19,
    "content": "please mend it",
    "author": {"id": "40", "username": "ada", "global_name": "Ada", "bot": None, "a_new_field": 1},
    "member": {"roles": ["50", "51"], "nick": None},
    "mentions": [],
    "attachments": [
        {"id": "60", "filename": "log.txt", "url": "https://cdn.example/log.txt", "size": 12, "content_type": None}
    ],
    "message_reference": {"message_id": "99", "channel_id": "20"},
    "edited_timestamp": None,
    "poll": {"something": "new"},
}

INTERACTION: dict[str, Any] = {
    "id": "500",
    "application_id": "900",
    "token": "interaction-token",
    "type": 2,
    "guild_id": "30",
    "channel": {"id": "20", "type": 11},
    "channel_id": "20",
    "member": {"user": {"id": "40", "username": "ada"}, "roles": ["50"], "permissions": "2147483648"},
    "data": {"name": "status", "type": 1, "options": None},
}
BUTTON = INTERACTION | {
    "type": 3,
    "data": {"custom_id": "merge:m-100:abc", "component_type": 2},
    "message": {"id": "700", "content": ""},
}

ADA = Author(UserId("40"), "Ada", roles=(RoleId("50"), RoleId("51")))
ADA_WITH_RIGHTS = Author(UserId("40"), "ada", roles=(RoleId("50"),), permissions=1 << 31)


def test_a_message_is_parsed_whole() -> None:
    assert parse("MESSAGE_CREATE", MESSAGE, BOT) == InboundMessage(
        id=MessageId("100"),
        channel_id=ChannelId("20"),
        guild_id=GuildId("30"),
        author=ADA,
        content="please mend it",
        mentions_bot=False,
        attachments=(Attachment("60", "log.txt", "https://cdn.example/log.txt", 12),),
        reply_to=MessageId("99"),
    )


def test_a_message_with_only_what_is_needed_is_parsed() -> None:
    bare = {"id": "1", "channel_id": "2", "author": {"id": "3"}}
    assert parse("MESSAGE_CREATE", bare, BOT) == InboundMessage(
        MessageId("1"), ChannelId("2"), None, Author(UserId("3"), ""), ""
    )


def mentioned(**changes: Any) -> bool:
    message = parse_message(MESSAGE | changes, BOT)
    assert message is not None
    return message.mentions_bot


@pytest.mark.parametrize(
    "content",
    ["<@900> hi", "<@!900>, hi", "hi @nepnep", "@NepNep: hi", "(@nepnep)"],
)
def test_each_way_to_mention_the_bot_in_text_counts(content: str) -> None:
    assert mentioned(content=content)


@pytest.mark.parametrize(
    "content", ["nepnep", "<@9001> hi", "<@90> hi", "@nepnepper hi", "mail@nepnep", "<@&900>", "@@nepnep"]
)
def test_what_only_resembles_a_mention_does_not_count(content: str) -> None:
    assert not mentioned(content=content)


def test_the_mention_list_counts_without_any_text() -> None:
    assert mentioned(content="", mentions=[{"id": "41", "username": "bob"}, {"id": "900", "username": "nepnep"}])


def test_a_bot_is_known_by_its_user_name_and_a_person_by_the_chosen_name() -> None:
    bot = parse_message(MESSAGE | {"author": {"id": "1", "username": "bot2", "global_name": "B2", "bot": True}}, BOT)
    assert bot is not None
    assert bot.author == Author(UserId("1"), "bot2", is_bot=True, roles=ADA.roles)


@pytest.mark.parametrize("kind", [6, 7, 18, 21, 46])
def test_a_notice_that_nobody_wrote_is_not_a_message(kind: int) -> None:
    assert parse("MESSAGE_CREATE", MESSAGE | {"type": kind}, BOT) is None


def test_a_webhook_is_read_but_never_obeyed_whatever_name_it_gives_itself() -> None:
    posted = MESSAGE | {"webhook_id": "70", "author": {"id": "70", "username": "bot2", "bot": True}}
    assert parse("MESSAGE_CREATE", posted, BOT) is None
    seen = parse_message(posted, BOT)
    assert seen is not None
    assert seen.content == "please mend it"


def test_an_edit_carries_the_new_text() -> None:
    data = MESSAGE | {"content": "mend that", "edited_timestamp": "2026-11-22T12:00:00+00:00"}
    assert parse("MESSAGE_UPDATE", data, BOT) == MessageEdited(MessageId("100"), ChannelId("20"), "mend that")


def test_an_update_by_discord_itself_is_not_an_edit() -> None:
    assert parse("MESSAGE_UPDATE", MESSAGE | {"embeds": [{}]}, BOT) is None
    assert parse("MESSAGE_UPDATE", {"id": "1", "channel_id": "2", "flags": 4}, BOT) is None


def test_a_deletion_names_message_and_channel() -> None:
    assert parse("MESSAGE_DELETE", {"id": "1", "channel_id": "2"}, BOT) == MessageDeleted(
        MessageId("1"), ChannelId("2")
    )


@pytest.mark.parametrize(("event", "added"), [("MESSAGE_REACTION_ADD", True), ("MESSAGE_REACTION_REMOVE", False)])
def test_a_reaction_knows_who_where_and_whether_it_was_added(event: str, added: bool) -> None:
    data: dict[str, Any] = {
        "user_id": "40",
        "channel_id": "20",
        "message_id": "100",
        "guild_id": "30",
        "emoji": {"id": None, "name": "👍"},
        "burst": False,
    }
    if added:
        data["member"] = {"user": {"id": "40", "username": "ada", "bot": False}, "roles": ["50"]}
    author = Author(UserId("40"), "ada", roles=(RoleId("50"),)) if added else Author(UserId("40"), "")
    assert parse(event, data, BOT) == Reaction(
        "👍", MessageId("100"), ChannelId("20"), GuildId("30"), author, added=added
    )


def test_a_reaction_with_a_deleted_emoji_is_ignored() -> None:
    data = {"user_id": "1", "channel_id": "2", "message_id": "3", "emoji": {"id": "4", "name": None}}
    assert parse("MESSAGE_REACTION_ADD", data, BOT) is None


@pytest.mark.parametrize("event", ["THREAD_DELETE", "CHANNEL_DELETE"])
def test_a_deleted_thread_or_channel_is_named(event: str) -> None:
    data = {"id": "20", "guild_id": "30", "parent_id": "10", "type": 11}
    assert parse(event, data, BOT) == ThreadDeleted(ThreadId("20"), GuildId("30"))


def test_a_slash_command_is_parsed_whole() -> None:
    assert parse("INTERACTION_CREATE", INTERACTION, BOT) == CommandInvoked(
        "500", "interaction-token", "900", "status", (), ChannelId("20"), GuildId("30"), ADA_WITH_RIGHTS
    )


def test_options_of_a_sub_command_are_flattened_with_its_name() -> None:
    options = [
        {
            "name": "set",
            "type": 1,
            "options": [
                {"name": "quiet", "type": 5, "value": True},
                {"name": "limit", "type": 10, "value": 2.5},
                {"name": "note", "type": 3, "value": "hi"},
                {"name": "turns", "type": 4, "value": 7},
            ],
        }
    ]
    command = parse_interaction(INTERACTION | {"data": {"name": "config", "options": options}})
    assert isinstance(command, CommandInvoked)
    assert command.name == "config set"
    assert command.options == (("quiet", "true"), ("limit", "2.5"), ("note", "hi"), ("turns", "7"))


def test_a_channel_that_an_option_names_comes_with_its_users_rights_there() -> None:
    channel = {"id": "77", "name": "plans", "type": 11, "parent_id": "20", "permissions": "1024"}
    options = [{"name": "thread_name", "type": 7, "value": "77"}]
    data = {"name": "show", "options": options, "resolved": {"channels": {"77": channel, "78": {"id": "78"}}}}
    command = parse_interaction(INTERACTION | {"data": data})
    assert isinstance(command, CommandInvoked)
    assert command.channels == (
        NamedChannel(ChannelId("77"), "plans", 1024, ChannelId("20")),
        NamedChannel(ChannelId("78")),
    )


def test_a_message_command_names_its_target() -> None:
    command = parse_interaction(INTERACTION | {"data": {"name": "Work on this", "type": 3, "target_id": "77"}})
    assert isinstance(command, CommandInvoked)
    assert command.options == (("target_id", "77"),)


def test_a_command_in_a_direct_message_has_a_user_and_no_guild() -> None:
    direct = {key: value for key, value in INTERACTION.items() if key not in {"member", "guild_id", "channel_id"}}
    command = parse_interaction(direct | {"user": {"id": "40", "username": "ada"}})
    assert isinstance(command, CommandInvoked)
    assert (command.guild_id, command.channel_id, command.author) == (None, "20", Author(UserId("40"), "ada"))


def test_a_button_is_parsed_whole() -> None:
    assert parse("INTERACTION_CREATE", BUTTON, BOT) == ButtonPressed(
        interaction_id="500",
        token="interaction-token",
        application_id="900",
        action="merge",
        execution_id=ExecutionId("m-100"),
        message_id=MessageId("700"),
        channel_id=ChannelId("20"),
        guild_id=GuildId("30"),
        author=ADA_WITH_RIGHTS,
        argument="abc",
    )


def test_a_button_that_is_not_ours_keeps_an_empty_action() -> None:
    pressed = parse_interaction(BUTTON | {"data": {"custom_id": "poll_vote_3"}})
    assert isinstance(pressed, ButtonPressed)
    assert (pressed.action, pressed.execution_id) == ("", "")


@pytest.mark.parametrize("kind", [1, 4, 5, 99])
def test_interactions_of_other_kinds_ask_for_nothing(kind: int) -> None:
    assert parse_interaction(INTERACTION | {"type": kind}) is None


@pytest.mark.parametrize("event", ["READY", "GUILD_CREATE", "PRESENCE_UPDATE", "SOMETHING_NEW", ""])
def test_events_nobody_acts_on_are_ignored(event: str) -> None:
    assert parse(event, {"whatever": [1, 2]}, BOT) is None


DEEP: Any = reduce(lambda inner, _: {"data": inner}, range(70), cast("Any", {}))
GARBAGE: list[tuple[str, Any]] = [
    ("MESSAGE_CREATE", {}),
    ("MESSAGE_CREATE", {"id": "1", "channel_id": "2"}),
    ("MESSAGE_CREATE", MESSAGE | {"id": "../../etc"}),
    ("MESSAGE_CREATE", MESSAGE | {"channel_id": 5}),
    ("MESSAGE_CREATE", MESSAGE | {"channel_id": "5\n"}),
    ("MESSAGE_CREATE", MESSAGE | {"author": "ada"}),
    ("MESSAGE_CREATE", MESSAGE | {"author": "\ud800"}),
    ("MESSAGE_UPDATE", {"id": "1"}),
    ("MESSAGE_DELETE", {"channel_id": "2"}),
    ("MESSAGE_REACTION_ADD", {"user_id": "1"}),
    ("THREAD_DELETE", {"id": None}),
    ("INTERACTION_CREATE", {"type": 2}),
    ("INTERACTION_CREATE", INTERACTION | {"member": None}),
    ("INTERACTION_CREATE", INTERACTION | {"channel": None, "channel_id": None}),
    ("INTERACTION_CREATE", BUTTON | {"message": None}),
    ("INTERACTION_CREATE", BUTTON | {"data": DEEP}),
]


@pytest.mark.parametrize(("event", "data"), GARBAGE)
def test_garbage_is_an_invalid_event(event: str, data: dict[str, Any]) -> None:
    with pytest.raises(InvalidEvent):
        parse(event, data, BOT)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def outcome(event: str, data: dict[str, Any]) -> str:
    try:
        return type(parse(event, data, BOT)).__name__
    except InvalidEvent:
        return "refused"


@given(st.sampled_from(sorted(MESSAGE)), JSON)
def test_a_message_with_any_field_replaced_is_parsed_or_refused_but_never_breaks(field: str, value: Any) -> None:
    assert outcome("MESSAGE_CREATE", MESSAGE | {field: value}) in {"InboundMessage", "NoneType", "refused"}


@given(st.sampled_from(sorted(BUTTON)), JSON)
def test_an_interaction_with_any_field_replaced_is_parsed_or_refused_but_never_breaks(field: str, value: Any) -> None:
    known = {"ButtonPressed", "CommandInvoked", "NoneType", "refused"}
    assert outcome("INTERACTION_CREATE", BUTTON | {field: value}) in known


def test_the_token_of_an_interaction_is_in_no_error() -> None:
    secret = INTERACTION["token"]
    with pytest.raises(InvalidEvent) as caught:
        parse_interaction(INTERACTION | {"id": None, "data": {"name": [secret]}})
    assert secret not in "".join(traceback.format_exception(caught.value))
