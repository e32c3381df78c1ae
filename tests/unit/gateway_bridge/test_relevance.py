from typing import Any

import pytest

from gateway_bridge.relevance import FORWARDED, Relevance

RULES = Relevance("900", "bot2")
PERSON = {"id": "40", "username": "ada"}


@pytest.mark.parametrize("event", sorted(FORWARDED))
def test_what_people_do_goes_on(event: str) -> None:
    assert RULES.matters(event, {"id": "1", "author": PERSON, "user_id": "40"})


@pytest.mark.parametrize("event", ["READY", "GUILD_CREATE", "TYPING_START", "PRESENCE_UPDATE", "", "message_create"])
def test_events_nobody_acts_on_end_here(event: str) -> None:
    assert not RULES.matters(event, {"author": PERSON})


@pytest.mark.parametrize("event", ["MESSAGE_CREATE", "MESSAGE_UPDATE"])
@pytest.mark.parametrize("author", [{"id": "900", "username": "nepnep"}, {"id": "41", "username": "spam", "bot": True}])
def test_messages_of_bots_and_our_own_end_here(event: str, author: dict[str, Any]) -> None:
    assert not RULES.matters(event, {"author": author})


def test_the_one_other_bot_is_heard() -> None:
    assert RULES.matters("MESSAGE_CREATE", {"author": {"id": "41", "username": "bot2", "bot": True}})
    assert not Relevance("900").matters("MESSAGE_CREATE", {"author": {"id": "41", "username": "", "bot": True}})


@pytest.mark.parametrize("event", ["MESSAGE_REACTION_ADD", "MESSAGE_REACTION_REMOVE"])
def test_our_own_reactions_end_here(event: str) -> None:
    assert not RULES.matters(event, {"user_id": "900"})


def test_a_guild_that_is_only_down_is_not_gone() -> None:
    assert RULES.matters("GUILD_DELETE", {"id": "1"})
    assert not RULES.matters("GUILD_DELETE", {"id": "1", "unavailable": True})


@pytest.mark.parametrize("author", [None, "ada", 5, [], {}])
def test_in_doubt_an_event_goes_on(author: Any) -> None:
    assert RULES.matters("MESSAGE_CREATE", {"author": author})
