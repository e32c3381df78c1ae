from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Thread
from typing import Any

import httpx
import pytest
from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from devstack.discord.errors import ApiError
from devstack.discord.rules import Rules, relaxed
from devstack.discord.seed import ADA_ID, BOT_ID, GENERAL_ID, GUILD_ID, LINUS_ID, WORKSHOP_ID
from devstack.discord.server import DiscordServer
from tests.support.clock import ManualClock
from tests.support.discord import AGENT, GatewayClient, gateway, rest, running
from tests.support.endpoint import Endpoint, endpoint

type Json = dict[str, Any]

BUTTONS = [{"type": 1, "components": [{"type": 2, "style": 4, "label": "Stop", "custom_id": "stop:1"}]}]
MESSAGES = f"/channels/{GENERAL_ID}/messages"
EPHEMERAL = 64


@contextmanager
def application(server: DiscordServer, answer: Callable[[Json], tuple[int, Any]]) -> Iterator[Endpoint]:
    """An endpoint that verifies signatures as Discord asks, and is configured as the server's."""

    def respond(body: Json, headers: Mapping[str, str], raw: bytes) -> tuple[int, Any]:
        signed = headers["X-Signature-Timestamp"].encode() + raw
        try:
            VerifyKey(bytes.fromhex(server.public_key)).verify(signed, bytes.fromhex(headers["X-Signature-Ed25519"]))
        except BadSignatureError:
            return 401, {"error": "invalid request signature"}
        return (200, {"type": 1}) if body["type"] == 1 else answer(body)

    with endpoint(respond) as served:
        server.set_interactions_endpoint(served.url)
        yield served


def card(server: DiscordServer, **fields: Any) -> str:
    with rest(server) as client:
        body = {"content": "card", "components": BUTTONS, **fields}
        return str(client.post(MESSAGES, json=body).json()["id"])


def webhook(server: DiscordServer, method: str, interaction: Json, path: str, **body: Any) -> httpx.Response:
    url = f"{server.api_url}/webhooks/{BOT_ID}/{interaction['token']}{path}"
    return httpx.request(method, url, headers={"User-Agent": AGENT}, **body)


def test_a_pressed_button_is_posted_signed_with_who_pressed_what() -> None:
    with running() as server, application(server, lambda _: (200, {"type": 6})) as app:
        message = card(server)
        pressed = server.press(ADA_ID, GENERAL_ID, message, "stop:1")
    body = app.received[-1]
    assert (pressed.response, pressed.failed) == (6, False)
    assert (body["type"], body["data"]["custom_id"], body["data"]["component_type"]) == (3, "stop:1", 2)
    assert (body["message"]["id"], body["channel_id"], body["guild_id"]) == (message, GENERAL_ID, GUILD_ID)
    assert (body["member"]["user"]["id"], body["application_id"], body["context"]) == (ADA_ID, BOT_ID, 0)
    assert int(body["member"]["permissions"]) & 8
    assert int(body["app_permissions"]) & (1 << 11)


def test_a_member_s_permissions_are_fewer_than_an_admin_s() -> None:
    with running() as server, application(server, lambda _: (200, {"type": 6})) as app:
        server.press(LINUS_ID, GENERAL_ID, card(server), "stop:1")
    assert not int(app.received[-1]["member"]["permissions"]) & 8


def test_an_endpoint_that_accepts_forged_signatures_is_refused() -> None:
    with running() as server, rest(server) as client, endpoint(lambda *_: (200, {"type": 1})) as careless:
        answer = client.patch("/applications/@me", json={"interactions_endpoint_url": careless.url})
        assert client.get("/applications/@me").json()["interactions_endpoint_url"] is None
    assert (answer.status_code, answer.json()["code"]) == (400, 50035)
    assert len(careless.received) == 2


def test_an_endpoint_that_does_not_pong_or_does_not_exist_is_refused() -> None:
    with running() as server, endpoint(lambda *_: (401, {})) as closed:
        for url in (closed.url, "http://127.0.0.1:9/interactions"):
            with pytest.raises(ApiError, match="50035"):
                server.set_interactions_endpoint(url)


def test_the_endpoint_is_set_and_unset_over_rest() -> None:
    with running() as server, rest(server) as client, application(server, lambda _: (200, {"type": 6})) as app:
        client.patch("/applications/@me", json={"interactions_endpoint_url": None})
        unset = client.get("/applications/@me").json()
        client.patch("/applications/@me", json={"interactions_endpoint_url": app.url})
        shown = client.get("/applications/@me").json()
    assert (unset["interactions_endpoint_url"], shown["interactions_endpoint_url"]) == (None, app.url)
    assert (shown["verify_key"], shown["flags"]) == (server.public_key, 1 << 19)


@pytest.mark.parametrize(
    "answer", [(500, {}), (400, {}), (200, {"type": 99}), (200, {}), (200, []), (200, {"type": 4, "data": {}})]
)
def test_a_wrong_answer_is_a_failed_interaction(answer: tuple[int, Any]) -> None:
    with running() as server, application(server, lambda _: answer):
        pressed = server.press(ADA_ID, GENERAL_ID, card(server), "stop:1")
        assert (pressed.failed, pressed.response) == (True, None)
        assert len(server.messages(GENERAL_ID)) == 1


def test_an_answer_after_the_deadline_is_a_failed_interaction() -> None:
    release = Event()

    def late(_: Json) -> tuple[int, Any]:
        release.wait(5)
        return 200, {"type": 6}

    with running(Rules(interaction_deadline=0.1)) as server, application(server, late) as app:
        pressed = server.press(ADA_ID, GENERAL_ID, card(server), "stop:1")
        release.set()
        callback = f"{server.api_url}/interactions/{pressed.id}/{pressed.token}/callback"
        answer = httpx.post(callback, json={"type": 6}, headers={"User-Agent": AGENT})
        token = webhook(server, "PATCH", app.received[-1], "/messages/@original", json={"content": "x"})
    assert (pressed.failed, pressed.fault.split(":")[0]) == (True, "TimeoutError")
    assert (answer.status_code, answer.json()["code"]) == (404, 10062)
    assert token.json()["code"] == 10015


def test_update_message_changes_the_message_of_the_button() -> None:
    answer = {"type": 7, "data": {"content": "stopped", "components": []}}
    with running() as server, application(server, lambda _: (200, answer)):
        server.press(ADA_ID, GENERAL_ID, card(server), "stop:1")
        (message,) = server.messages(GENERAL_ID)
    assert (message.content, message.components, message.edit_count) == ("stopped", (), 1)


def test_an_ephemeral_answer_is_for_one_person_only() -> None:
    answer = {"type": 4, "data": {"content": "just you", "flags": EPHEMERAL}}
    with running() as server, application(server, lambda _: (200, answer)), gateway(server) as client:
        client.identify(server.token)
        pressed = server.press(LINUS_ID, GENERAL_ID, card(server), "stop:1")
        server.post(ADA_ID, GENERAL_ID, "next")
        told = [client.until("MESSAGE_CREATE")["content"] for _ in range(2)]
        history = server.parts.chat.history
        seen = {
            user: [m.id for m in history(server.parts.world.access.user(user), GENERAL_ID, limit=9)]
            for user in (ADA_ID, LINUS_ID)
        }
        assert pressed.original_id not in [message.id for message in server.messages(GENERAL_ID)]
    assert told == ["card", "next"]
    assert (pressed.original_id in seen[LINUS_ID], pressed.original_id in seen[ADA_ID]) == (True, False)


def test_a_deferred_command_is_answered_by_editing_the_original_and_followed_up() -> None:
    answer = {"type": 5, "data": {"flags": EPHEMERAL}}
    with running() as server, rest(server) as client, application(server, lambda _: (200, answer)) as app:
        client.put(f"/applications/{BOT_ID}/commands", json=[{"name": "status", "description": "Show"}])
        sent = server.command(ADA_ID, GENERAL_ID, "status")
        interaction = app.received[-1]
        waiting = webhook(server, "GET", interaction, "/messages/@original").json()
        edited = webhook(server, "PATCH", interaction, "/messages/@original", json={"content": "All well"}).json()
        more = webhook(server, "POST", interaction, "", json={"content": "and more", "flags": EPHEMERAL}).json()
        changed = webhook(server, "PATCH", interaction, f"/messages/{more['id']}", json={"content": "less"}).json()
        deleted = webhook(server, "DELETE", interaction, "/messages/@original").status_code
        gone = webhook(server, "GET", interaction, "/messages/@original").json()["code"]
    assert (interaction["type"], interaction["data"]["name"], sent.response) == (2, "status", 5)
    assert (waiting["flags"] & 128, waiting["type"], edited["flags"] & 128) == (128, 20, 0)
    assert (edited["id"], edited["content"]) == (waiting["id"], "All well")
    assert edited["interaction_metadata"]["user"]["id"] == ADA_ID
    assert (changed["id"], changed["content"]) == (more["id"], "less")
    assert (deleted, gone) == (204, 10008)


def test_the_first_follow_up_takes_the_place_of_a_deferral() -> None:
    with running() as server, rest(server) as client, application(server, lambda _: (200, {"type": 5})) as app:
        client.put(f"/applications/{BOT_ID}/commands", json=[{"name": "status", "description": "Show"}])
        sent = server.command(ADA_ID, GENERAL_ID, "status")
        follow_up = webhook(server, "POST", app.received[-1], "", json={"content": "here"}).json()
    assert (follow_up["id"], follow_up["content"]) == (sent.original_id, "here")


def test_an_interaction_is_acknowledged_once_by_callback() -> None:
    statuses: list[tuple[int, int | None]] = []

    def by_callback(body: Json) -> tuple[int, Any]:
        url = f"{server.api_url}/interactions/{body['id']}/{body['token']}/callback"
        for _ in range(2):
            answer = httpx.post(url, json={"type": 6}, headers={"User-Agent": AGENT})
            statuses.append((answer.status_code, answer.json()["code"] if answer.content else None))
        return 202, None

    with running() as server, application(server, by_callback):
        pressed = server.press(ADA_ID, GENERAL_ID, card(server), "stop:1")
    assert (pressed.response, pressed.failed) == (6, False)
    assert statuses == [(204, None), (400, 40060)]


def test_a_token_dies_after_a_quarter_of_an_hour() -> None:
    clock = ManualClock()
    with (
        running(relaxed(), now=lambda: clock.now().timestamp()) as server,
        application(server, lambda _: (200, {"type": 6})) as app,
    ):
        server.press(ADA_ID, GENERAL_ID, card(server), "stop:1")
        clock.pass_by(timedelta(minutes=14))
        alive = webhook(server, "POST", app.received[-1], "", json={"content": "x"}).status_code
        clock.pass_by(timedelta(minutes=2))
        dead = webhook(server, "POST", app.received[-1], "", json={"content": "x"})
    assert (alive, dead.status_code, dead.json()["code"]) == (200, 401, 50027)


def test_without_an_endpoint_interactions_go_over_the_gateway() -> None:
    with running() as server, gateway(server) as client:
        client.identify(server.token)
        message = card(server)

        def answer(client: GatewayClient) -> None:
            data = client.until("INTERACTION_CREATE")
            url = f"{server.api_url}/interactions/{data['id']}/{data['token']}/callback"
            httpx.post(url, json={"type": 6}, headers={"User-Agent": AGENT})

        answering = Thread(target=answer, args=(client,))
        answering.start()
        pressed = server.press(ADA_ID, GENERAL_ID, message, "stop:1")
        answering.join()
    assert (pressed.response, pressed.failed) == (6, False)


def test_with_an_endpoint_the_gateway_is_not_told() -> None:
    with running() as server, application(server, lambda _: (200, {"type": 6})), gateway(server) as client:
        client.identify(server.token)
        server.press(ADA_ID, GENERAL_ID, card(server), "stop:1")
        server.post(ADA_ID, GENERAL_ID, "end")
        names = [client.receive()["t"] for _ in range(3)]
    assert names == ["GUILD_CREATE", "MESSAGE_CREATE", "MESSAGE_CREATE"]


@pytest.mark.parametrize("custom_id", ["other", "off"])
def test_a_button_that_is_missing_or_disabled_cannot_be_pressed(custom_id: str) -> None:
    off = [{"type": 1, "components": [{"type": 2, "style": 1, "label": "x", "custom_id": "off", "disabled": True}]}]
    with running() as server, pytest.raises(ApiError, match="50035"):
        server.press(ADA_ID, GENERAL_ID, card(server, components=off), custom_id)


def test_options_are_checked_and_typed_by_the_command() -> None:
    logs = {"name": "logs", "description": "L", "options": [{"name": "count", "type": 4, "description": "n"}]}
    listing = {"name": "list", "type": 1, "description": "l", "options": []}
    workspace = {"name": "workspace", "description": "W", "options": [listing]}
    with running() as server, rest(server) as client, application(server, lambda _: (200, {"type": 5})) as app:
        client.put(f"/applications/{BOT_ID}/commands", json=[logs, workspace])
        server.command(ADA_ID, GENERAL_ID, "logs", count="7")
        server.command(ADA_ID, GENERAL_ID, "workspace list")
        for name, options in (("logs", {"count": "x"}), ("logs", {"other": 1}), ("workspace bad", {})):
            with pytest.raises(ApiError, match="50035"):
                server.command(ADA_ID, GENERAL_ID, name, **options)
        with pytest.raises(ApiError, match="10063"):
            server.command(ADA_ID, GENERAL_ID, "nothing")
    commands = [body["data"]["options"] for body in app.received if body["type"] == 2]
    assert commands == [[{"name": "count", "type": 4, "value": 7}], [{"name": "list", "type": 1, "options": []}]]


def test_values_beyond_a_commands_bounds_are_refused() -> None:
    options = [
        {"name": "count", "type": 4, "description": "n", "min_value": 1, "max_value": 20},
        {"name": "text", "type": 3, "description": "t", "max_length": 3},
    ]
    with running() as server, rest(server) as client, application(server, lambda _: (200, {"type": 5})) as app:
        client.put(f"/applications/{BOT_ID}/commands", json=[{"name": "x", "description": "X", "options": options}])
        for given in ({"count": "0"}, {"count": "21"}, {"text": "four"}):
            with pytest.raises(ApiError, match="50035"):
                server.command(ADA_ID, GENERAL_ID, "x", **given)
        server.command(ADA_ID, GENERAL_ID, "x", count="20", text="abc")
    assert len([body for body in app.received if body["type"] == 2]) == 1


def test_a_channel_that_is_named_comes_with_what_the_person_may_do_there() -> None:
    show = {"name": "show", "description": "S", "options": [{"name": "where", "type": 7, "description": "w"}]}
    with running() as server, rest(server) as client, application(server, lambda _: (200, {"type": 5})) as app:
        client.put(f"/applications/{BOT_ID}/commands", json=[show])
        server.command(LINUS_ID, GENERAL_ID, "show", where=f"<#{WORKSHOP_ID}>")
        with pytest.raises(ApiError, match="10003"):
            server.command(LINUS_ID, GENERAL_ID, "show", where="1")
        with pytest.raises(ApiError, match="50035"):
            server.command(LINUS_ID, GENERAL_ID, "show", where="workshop")
    [data] = [body["data"] for body in app.received if body["type"] == 2]
    resolved = data["resolved"]["channels"][WORKSHOP_ID]
    assert data["options"] == [{"name": "where", "type": 7, "value": WORKSHOP_ID}]
    assert (resolved["name"], bool(int(resolved["permissions"]) & 1 << 10)) == ("workshop", True)


def test_an_answer_to_a_command_says_which_one_it_was() -> None:
    listing = {"name": "list", "type": 1, "description": "l"}
    workspace = {"name": "workspace", "description": "W", "options": [listing]}
    with running() as server, rest(server) as client, application(server, lambda _: (200, {"type": 5})) as app:
        client.put(f"/applications/{BOT_ID}/commands", json=[workspace])
        server.command(ADA_ID, GENERAL_ID, "workspace list")
        answer = webhook(server, "GET", app.received[-1], "/messages/@original").json()
    assert answer["interaction"]["name"] == "workspace list"
