import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import ClientConnection, connect

from devstack.discord.rules import relaxed
from devstack.discord.seed import ADA_ID, BOT_ID, GENERAL_ID, LINUS_ID
from devstack.discord.server import DiscordServer
from devstack.playground.site import Page, site_routes
from tests.support.discord import rest

MESSAGES = f"/channels/{GENERAL_ID}/messages"

type Json = dict[str, Any]


@contextmanager
def playground() -> Iterator[DiscordServer]:
    def pages(parts: Any) -> Any:
        return site_routes(parts, Page(demo_prompt="do it"), None)

    with DiscordServer(data=None, port=0, rules=relaxed(), pages=pages) as server:
        yield server


@contextmanager
def person(server: DiscordServer, user: str = ADA_ID) -> Iterator[httpx.Client]:
    headers = {"X-Playground-User": user}
    with httpx.Client(base_url=f"{server.url}/playground/api", headers=headers) as client:
        yield client


@contextmanager
def feed(server: DiscordServer, user: str = ADA_ID, origin: str | None = None) -> Iterator[ClientConnection]:
    headers = {"Origin": origin} if origin else {}
    url = f"ws://127.0.0.1:{server.port}/playground/api/feed?user={user}"
    with connect(url, additional_headers=headers) as socket:
        yield socket


def told(socket: ClientConnection) -> Json:
    event: Json = json.loads(socket.recv(5))
    return event


def test_a_person_does_what_discord_allows_and_judges_can_read_it() -> None:
    with playground() as server, person(server) as ada:
        sent = ada.post(MESSAGES, json={"content": "one"}).json()
        ada.patch(f"{MESSAGES}/{sent['id']}", json={"content": "two"})
        ada.put(f"{MESSAGES}/{sent['id']}/reactions/👍")
        (read,) = ada.get(MESSAGES).json()
        edits = ada.get(f"{MESSAGES}/{sent['id']}/edits").json()
        refused = ada.post(MESSAGES, json={"content": "x" * 2001})
    assert (read["content"], read["edit_count"]) == ("two", 1)
    assert [(r["emoji"]["name"], r["users"], r["me"]) for r in read["reactions"]] == [("👍", [ADA_ID], True)]
    assert [(edit["content"], edit["at"] > 0) for edit in edits] == [("two", True)]
    assert (refused.status_code, refused.json()["code"]) == (400, 50035)


def test_a_member_may_not_delete_what_others_said() -> None:
    with playground() as server, person(server, LINUS_ID) as linus:
        message = server.post(ADA_ID, GENERAL_ID, "mine")
        answer = linus.delete(f"{MESSAGES}/{message.id}")
        assert (answer.status_code, answer.json()["code"]) == (403, 50013)
        assert len(server.messages(GENERAL_ID)) == 1


@pytest.mark.parametrize("user", ["", "1", "abc"])
def test_nobody_can_act_as_somebody_unknown(user: str) -> None:
    with playground() as server, person(server, user) as client:
        assert client.post(MESSAGES, json={"content": "x"}).json()["code"] == 10013


def test_the_state_names_people_channels_and_what_the_page_says() -> None:
    with playground() as server, person(server) as ada:
        state = ada.get("/state").json()
    assert [channel["name"] for channel in state["channels"]] == ["general", "workshop", "random"]
    assert {user["username"] for user in state["users"]} == {"ada", "linus", "nepnep"}
    assert (state["me"]["id"], state["bot_id"], state["page"]["demo_prompt"]) == (ADA_ID, BOT_ID, "do it")


def test_the_feed_tells_what_happens_to_those_who_may_know() -> None:
    with playground() as server, feed(server) as ada, feed(server, LINUS_ID) as linus, rest(server) as bot:
        assert told(ada) == told(linus) == {"t": "READY"}
        secret = server.add_channel("admins", deny={LINUS_ID: 1 << 10})
        bot.post(f"/channels/{secret}/messages", json={"content": "for admins"})
        server.post(LINUS_ID, GENERAL_ID, "for all")
        ada_hears = [told(ada)["d"]["content"] for _ in range(2)]
        linus_hears = told(linus)["d"]["content"]
    assert (ada_hears, linus_hears) == (["for admins", "for all"], "for all")


def test_a_reaction_comes_as_the_whole_message() -> None:
    with playground() as server, feed(server) as ada:
        message = server.post(LINUS_ID, GENERAL_ID, "x")
        server.react(LINUS_ID, GENERAL_ID, message.id, "👍")
        events = [told(ada) for _ in range(3)]
    assert [event["t"] for event in events] == ["READY", "MESSAGE_CREATE", "MESSAGE_UPDATE"]
    assert events[2]["d"]["reactions"] == [{"emoji": {"id": None, "name": "👍"}, "users": [LINUS_ID], "me": False}]


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
def test_the_feed_is_closed_to_other_sites(origin: str) -> None:
    with playground() as server, pytest.raises(Exception, match="403"), feed(server, origin=origin):
        pass


def test_the_feed_is_closed_to_strangers() -> None:
    with playground() as server:
        with feed(server, user="1") as stranger, pytest.raises(ConnectionClosedError) as closed:
            told(stranger)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4401


def test_the_page_is_served_with_a_policy_and_without_inline_script() -> None:
    with playground() as server:
        page = httpx.get(server.url)
        script = httpx.get(f"{server.url}/playground/js/main.js")
        copy = httpx.get(f"{server.url}/playground/index.html")
        outside = httpx.get(f"{server.url}/playground/%2e%2e/site.py")
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert copy.headers["content-security-policy"] == page.headers["content-security-policy"]
    assert page.text.count("<script") == 1
    assert (script.status_code, script.headers["x-content-type-options"]) == (200, "nosniff")
    assert outside.status_code == 404


def test_without_an_observer_there_are_no_runs() -> None:
    with playground() as server, person(server) as ada:
        assert ada.get("/runs?thread=1").json() == {"runs": [], "run": None}
