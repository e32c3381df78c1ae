import json
from datetime import timedelta
from functools import partial
from typing import Any

import httpx
import pytest

from devstack.discord.rules import Rules, Window
from devstack.discord.seed import ADA_ID, BOT_ID, GENERAL_ID, GUILD_ID, LINUS_ID, WORKSHOP_ID
from tests.support.clock import ManualClock
from tests.support.discord import AGENT, rest, running

minutes = partial(timedelta, 0, 0, 0, 0)
MESSAGES = f"/channels/{GENERAL_ID}/messages"


def test_a_message_is_sent_read_edited_and_deleted() -> None:
    with running() as server, rest(server) as client:
        sent = client.post(MESSAGES, json={"content": "hello", "allowed_mentions": {"parse": []}})
        path = f"{MESSAGES}/{sent.json()['id']}"
        edited = client.patch(path, json={"content": "hello again"})
        read = client.get(path)
        deleted = client.delete(path)
        gone = client.get(path)
    assert (sent.status_code, sent.json()["content"], sent.json()["author"]["id"]) == (200, "hello", BOT_ID)
    assert (edited.json()["content"], read.json()) == ("hello again", edited.json())
    assert read.json()["edited_timestamp"] is not None
    assert (deleted.status_code, gone.status_code, gone.json()["code"]) == (204, 404, 10008)


def test_every_edit_is_counted_and_kept() -> None:
    with running() as server, rest(server) as client:
        message = client.post(MESSAGES, json={"content": "0"}).json()
        for number in range(1, 4):
            client.patch(f"{MESSAGES}/{message['id']}", json={"content": str(number)})
        (stored,) = server.messages(GENERAL_ID)
        assert stored.edit_count == 3
        assert [edit.content for edit in server.edits(stored.id)] == ["1", "2", "3"]


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bot wrong"}, {"Authorization": "no scheme"}])
def test_a_wrong_or_missing_token_is_401(header: dict[str, str]) -> None:
    with running() as server:
        answer = httpx.get(f"{server.api_url}/users/@me", headers={"User-Agent": AGENT, **header})
    assert (answer.status_code, answer.json()) == (401, {"message": "401: Unauthorized", "code": 0})


def test_a_client_that_does_not_introduce_itself_is_403() -> None:
    with running() as server:
        headers = {"Authorization": f"Bot {server.token}"}
        answer = httpx.get(f"{server.api_url}/users/@me", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, 40333)


def test_another_machine_s_name_is_refused() -> None:
    with running() as server, rest(server) as client:
        answer = client.get("/users/@me", headers={"Host": "evil.example"})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/channels/1", None, 404, 10003),
        ("GET", "/channels/abc", None, 404, 10003),
        ("GET", "/guilds/1", None, 404, 10004),
        ("GET", f"{MESSAGES}/1", None, 404, 10008),
        ("POST", "/users/@me/channels", {"recipient_id": "1"}, 404, 10013),
        ("GET", "/applications/1/commands", None, 404, 10002),
        ("GET", "/nothing/here", None, 404, 0),
        ("PUT", "/users/@me", None, 405, 0),
        ("POST", MESSAGES, {}, 400, 50006),
        ("POST", MESSAGES, {"content": "   "}, 400, 50006),
        ("POST", MESSAGES, {"content": "x" * 2001}, 400, 50035),
        ("POST", MESSAGES, {"content": 7}, 400, 50035),
        ("POST", MESSAGES, [], 400, 50035),
        ("POST", MESSAGES, {"content": "x", "nonce": "n" * 26}, 400, 50035),
        ("POST", MESSAGES, {"embeds": [{"title": "t" * 257}]}, 400, 50035),
        ("POST", MESSAGES, {"embeds": [{"description": "d" * 4097}]}, 400, 50035),
        ("POST", MESSAGES, {"embeds": [{"title": "t"}] * 11}, 400, 50035),
        ("POST", MESSAGES, {"embeds": [{"fields": [{"name": "n", "value": ""}]}]}, 400, 50035),
        ("POST", MESSAGES, {"embeds": [{"fields": [{"name": "n", "value": "v"}] * 26}]}, 400, 50035),
        ("POST", MESSAGES, {"embeds": [{"description": "d" * 4000}, {"description": "d" * 2001}]}, 400, 50035),
        ("POST", MESSAGES, {"embeds": [{"image": {"url": "attachment://gone.png"}}]}, 400, 50035),
        ("POST", MESSAGES, {"content": "x", "allowed_mentions": {"parse": ["all"]}}, 400, 50035),
        ("POST", MESSAGES, {"content": "x", "allowed_mentions": {"parse": ["users"], "users": ["1"]}}, 400, 50035),
        ("POST", MESSAGES, {"content": "x", "message_reference": {"message_id": "5"}}, 400, 50035),
        ("POST", MESSAGES, {"content": "x", "flags": 1 << 15}, 400, 50035),
        ("POST", MESSAGES, {"content": "x", "attachments": [{"id": 0}]}, 400, 50035),
        ("GET", f"{MESSAGES}?limit=101", None, 400, 50035),
        ("GET", f"{MESSAGES}?after=x", None, 400, 50035),
        ("POST", f"/channels/{GENERAL_ID}/threads", {"name": "", "type": 11}, 400, 50035),
        ("POST", f"/channels/{GENERAL_ID}/threads", {"name": "x", "type": 11, "auto_archive_duration": 7}, 400, 50035),
    ],
)
def test_bad_requests_have_discord_s_status_and_code(method: str, path: str, body: Any, status: int, code: int) -> None:
    with running() as server, rest(server) as client:
        answer = client.request(method, path, json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize(
    "components",
    [
        [{"type": 2, "style": 1, "label": "x", "custom_id": "a"}],
        [{"type": 1, "components": []}],
        [{"type": 1, "components": [{"type": 2, "style": 1, "label": "x", "custom_id": str(n)} for n in range(6)]}],
        [{"type": 1, "components": [{"type": 2, "style": 9, "label": "x", "custom_id": "a"}]}],
        [{"type": 1, "components": [{"type": 2, "style": 1, "label": "x" * 81, "custom_id": "a"}]}],
        [{"type": 1, "components": [{"type": 2, "style": 1, "label": "x", "custom_id": "a" * 101}]}],
        [{"type": 1, "components": [{"type": 2, "style": 1, "label": "x"}]}],
        [{"type": 1, "components": [{"type": 2, "style": 1, "custom_id": "a"}]}],
        [{"type": 1, "components": [{"type": 2, "style": 1, "label": "x", "custom_id": "a"}] * 2}],
        [{"type": 1, "components": [{"type": 2, "style": 5, "label": "x", "url": "javascript:alert(1)"}]}],
        [{"type": 1, "components": [{"type": 3, "custom_id": "a", "options": []}]}],
        [{"type": 1, "components": [{"type": 4, "custom_id": "a"}]}],
    ],
)
def test_bad_components_are_50035(components: Any) -> None:
    with running() as server, rest(server) as client:
        answer = client.post(MESSAGES, json={"content": "x", "components": components})
    assert (answer.status_code, answer.json()["code"], list(answer.json()["errors"])) == (400, 50035, ["components"])


def test_form_faults_name_their_field() -> None:
    with running() as server, rest(server) as client:
        answer = client.post(MESSAGES, json={"embeds": [{"title": "t" * 257}]})
    fault = {"code": "BASE_TYPE_MAX_LENGTH", "message": "Must be 256 or fewer in length."}
    assert answer.json()["errors"] == {"embeds": {"0": {"title": {"_errors": [fault]}}}}


@pytest.mark.parametrize(
    ("content", "kind", "code"),
    [("{", "application/json", 50109), ("{}", "text/plain", 50035), ("x", "multipart/form-data", 50035)],
)
def test_bodies_that_cannot_be_read_are_400(content: str, kind: str, code: int) -> None:
    with running() as server, rest(server) as client:
        answer = client.post(MESSAGES, content=content, headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_an_enforced_nonce_sends_once_and_returns_the_first_message() -> None:
    with running() as server, rest(server) as client:
        body = {"content": "once", "nonce": "run-1-card", "enforce_nonce": True}
        first = client.post(MESSAGES, json=body).json()
        second = client.post(f"/channels/{WORKSHOP_ID}/messages", json=body).json()
        unenforced = client.post(MESSAGES, json=body | {"enforce_nonce": False}).json()
        assert len(server.messages(GENERAL_ID)) == 2
        assert not server.messages(WORKSHOP_ID)
    assert (first["nonce"], second["id"]) == ("run-1-card", first["id"])
    assert unenforced["id"] != first["id"]


def test_an_enforced_nonce_of_a_deleted_message_is_unknown_message() -> None:
    with running() as server, rest(server) as client:
        body = {"content": "once", "nonce": "n", "enforce_nonce": True}
        first = client.post(MESSAGES, json=body).json()
        client.delete(f"{MESSAGES}/{first['id']}")
        assert client.post(MESSAGES, json=body).json()["code"] == 10008


def test_a_nonce_is_forgotten_after_its_window() -> None:
    clock = ManualClock()
    with running(now=lambda: clock.now().timestamp()) as server, rest(server) as client:
        body = {"content": "x", "nonce": "n", "enforce_nonce": True}
        first = client.post(MESSAGES, json=body).json()
        clock.pass_by(minutes(6))
        assert client.post(MESSAGES, json=body).json()["id"] != first["id"]


def test_pages_of_messages_go_both_ways() -> None:
    with running() as server, rest(server) as client:
        ids = [server.post(ADA_ID, GENERAL_ID, str(number)).id for number in range(7)]

        def page(query: str) -> list[str]:
            return [message["id"] for message in client.get(f"{MESSAGES}?{query}").json()]

        assert page("limit=3") == ids[:3:-1]
        assert page(f"limit=2&before={ids[4]}") == [ids[3], ids[2]]
        assert page(f"limit=2&after={ids[2]}") == [ids[4], ids[3]]
        assert page(f"limit=3&around={ids[3]}") == [ids[3], ids[2], ids[1]]
        assert page("after=0&limit=100") == ids[::-1]


def test_a_page_reaches_past_many_deleted_messages() -> None:
    with running() as server, rest(server) as client:
        kept = server.post(ADA_ID, GENERAL_ID, "kept").id
        for number in range(120):
            server.delete(ADA_ID, GENERAL_ID, server.post(ADA_ID, GENERAL_ID, str(number)).id)
        assert [message["id"] for message in client.get(f"{MESSAGES}?limit=1").json()] == [kept]


def test_files_are_uploaded_and_served_under_signed_addresses_that_expire() -> None:
    clock = ManualClock()
    with running(now=lambda: clock.now().timestamp()) as server, rest(server) as client:
        payload = {"content": "see", "attachments": [{"id": 3, "description": "a report"}]}
        files = {
            "payload_json": (None, json.dumps(payload).encode(), "application/json"),
            "files[3]": ("../re pört 図.txt", b"figures", "text/plain"),
        }
        message = client.post(MESSAGES, files=files).json()
        (attachment,) = message["attachments"]
        served = httpx.get(attachment["url"])
        forged = httpx.get(attachment["url"].replace("hm=", "hm=0"))
        clock.pass_by(minutes(25 * 60))
        expired = httpx.get(attachment["url"])
        fresh = client.get(f"{MESSAGES}/{message['id']}").json()["attachments"][0]["url"]
        again = httpx.get(fresh)
    assert (attachment["filename"], attachment["size"], attachment["description"]) == ("re_pört_図.txt", 7, "a report")
    assert (served.content, again.content) == (b"figures", b"figures")
    assert served.headers["content-disposition"].startswith("attachment")
    assert (forged.status_code, expired.status_code) == (404, 404)


def test_an_edit_keeps_the_attachments_it_lists_and_all_when_it_lists_none() -> None:
    with running() as server, rest(server) as client:
        files = {f"files[{n}]": (f"{n}.txt", b"x", "text/plain") for n in range(2)}
        message = client.post(MESSAGES, data={"content": "two"}, files=files).json()
        path = f"{MESSAGES}/{message['id']}"
        both = client.patch(path, json={"content": "still two"}).json()
        one = client.patch(path, json={"attachments": [{"id": message["attachments"][1]["id"]}]}).json()
    assert [a["filename"] for a in both["attachments"]] == ["0.txt", "1.txt"]
    assert [a["filename"] for a in one["attachments"]] == ["1.txt"]


def test_a_file_or_request_over_the_limit_is_413() -> None:
    with running(Rules(file_size=10, request_size=2000)) as server, rest(server) as client:
        file = client.post(MESSAGES, files={"files[0]": ("a.txt", b"x" * 11)})
        request = client.post(MESSAGES, files={"files[0]": ("a.txt", b"x" * 4000)})
    assert [(a.status_code, a.json()["code"]) for a in (file, request)] == [(413, 40005), (413, 40005)]


def test_an_embed_may_show_an_uploaded_image() -> None:
    with running() as server, rest(server) as client:
        payload = {"embeds": [{"title": "t", "image": {"url": "attachment://p.png"}}]}
        files = {
            "payload_json": (None, json.dumps(payload).encode(), "application/json"),
            "files[0]": ("p.png", b"png", "image/png"),
        }
        message = client.post(MESSAGES, files=files).json()
    assert message["embeds"][0]["image"]["url"] == message["attachments"][0]["url"]


def test_reactions_are_added_listed_and_taken_back() -> None:
    with running() as server, rest(server) as client:
        message = server.post(ADA_ID, GENERAL_ID, "work")
        path = f"{MESSAGES}/{message.id}/reactions/%F0%9F%91%8D"
        put = [client.put(f"{path}/@me").status_code for _ in range(2)]
        server.react(LINUS_ID, GENERAL_ID, message.id, "👍")
        users = [user["id"] for user in client.get(path).json()]
        shown = client.get(f"{MESSAGES}/{message.id}").json()["reactions"]
        removed = client.delete(f"{path}/@me").status_code
        left = [user["id"] for user in client.get(path).json()]
        wrong = client.put(f"{MESSAGES}/{message.id}/reactions/thumbsup/@me").json()["code"]
    assert (put, removed, wrong) == ([204, 204], 204, 10014)
    assert (users, left) == ([LINUS_ID, BOT_ID], [LINUS_ID])
    assert [(r["emoji"]["name"], r["count"], r["me"]) for r in shown] == [("👍", 2, True)]


def test_a_twenty_first_emoji_is_refused() -> None:
    with running() as server, rest(server) as client:
        message = server.post(ADA_ID, GENERAL_ID, "many")
        path = f"{MESSAGES}/{message.id}/reactions"
        codes = [client.put(f"{path}/{chr(0x1F600 + n)}/@me").status_code for n in range(20)]
        refused = client.put(f"{path}/👍/@me").json()["code"]
    assert (codes, refused) == ([204] * 20, 30010)


def test_a_thread_on_a_message_has_its_id_and_starts_once() -> None:
    with running() as server, rest(server) as client:
        message = server.post(ADA_ID, GENERAL_ID, "work")
        path = f"{MESSAGES}/{message.id}/threads"
        thread = client.post(path, json={"name": "Work", "auto_archive_duration": 1440})
        again = client.post(path, json={"name": "Work"})
        parent = client.get(f"{MESSAGES}/{message.id}").json()
        inside = client.get(f"/channels/{message.id}/messages").json()
        active = client.get(f"/guilds/{GUILD_ID}/threads/active").json()["threads"]
    assert (thread.status_code, thread.json()["id"], thread.json()["type"]) == (201, message.id, 11)
    assert (again.status_code, again.json()["code"]) == (400, 160004)
    assert parent["thread"]["name"] == "Work"
    assert [(m["type"], m["referenced_message"]["id"]) for m in inside] == [(21, message.id)]
    assert [found["id"] for found in active] == [message.id]


def test_writing_in_an_archived_thread_opens_it_unless_it_is_locked() -> None:
    with running() as server, rest(server) as client:
        thread = client.post(f"/channels/{GENERAL_ID}/threads", json={"name": "Work", "type": 11}).json()["id"]
        client.patch(f"/channels/{thread}", json={"archived": True})
        rename = client.patch(f"/channels/{thread}", json={"name": "x"}).json()["code"]
        server.post(LINUS_ID, thread, "hello")
        opened = client.get(f"/channels/{thread}").json()["thread_metadata"]["archived"]
        client.patch(f"/channels/{thread}", json={"locked": True})
        with pytest.raises(Exception, match="160005"):
            server.post(LINUS_ID, thread, "again")
    assert (rename, opened) == (50083, False)


def test_missing_access_and_missing_permission_are_told_apart() -> None:
    with running() as server, rest(server) as client:
        hidden = server.add_channel("staff", deny={BOT_ID: 1 << 10})
        readonly = server.add_channel("news", deny={BOT_ID: 1 << 11})
        codes = [
            (answer.status_code, answer.json()["code"])
            for answer in (client.post(f"/channels/{c}/messages", json={"content": "x"}) for c in (hidden, readonly))
        ]
        listed = {channel["name"] for channel in client.get(f"/guilds/{GUILD_ID}/channels").json()}
    assert codes == [(403, 50001), (403, 50013)]
    assert listed == {"general", "workshop", "random", "news"}


def test_somebody_else_s_message_cannot_be_edited() -> None:
    with running() as server, rest(server) as client:
        message = server.post(ADA_ID, GENERAL_ID, "mine")
        answer = client.patch(f"{MESSAGES}/{message.id}", json={"content": "yours"})
    assert (answer.status_code, answer.json()["code"]) == (403, 50005)


def test_a_reply_names_its_message_and_may_outlive_it() -> None:
    with running() as server, rest(server) as client:
        message = server.post(ADA_ID, GENERAL_ID, "question")
        body = {"content": "answer", "message_reference": {"message_id": message.id, "fail_if_not_exists": False}}
        reply = client.post(MESSAGES, json=body | {"allowed_mentions": {"parse": [], "replied_user": True}}).json()
        server.delete(ADA_ID, GENERAL_ID, message.id)
        orphan = client.post(MESSAGES, json=body).json()
    assert (reply["type"], reply["referenced_message"]["id"]) == (19, message.id)
    assert [user["id"] for user in reply["mentions"]] == [ADA_ID]
    assert (orphan["type"], "message_reference" in orphan) == (0, False)


def test_mentions_are_only_those_that_are_allowed() -> None:
    with running() as server, rest(server) as client:
        content = f"<@{ADA_ID}> <@{LINUS_ID}> @everyone"

        def mentioned(allowed: dict[str, Any] | None) -> tuple[list[str], bool]:
            message = client.post(MESSAGES, json={"content": content, "allowed_mentions": allowed}).json()
            return [user["id"] for user in message["mentions"]], message["mention_everyone"]

        assert mentioned(None) == ([ADA_ID, LINUS_ID], True)
        assert mentioned({"parse": []}) == ([], False)
        assert mentioned({"parse": [], "users": [LINUS_ID]}) == ([LINUS_ID], False)


def test_the_sixth_message_in_a_window_waits_until_it_is_over() -> None:
    clock = ManualClock()
    with running(Rules(), now=lambda: clock.now().timestamp()) as server, rest(server) as client:
        answers = [client.post(MESSAGES, json={"content": str(n)}) for n in range(6)]
        elsewhere = client.post(f"/channels/{WORKSHOP_ID}/messages", json={"content": "x"})
        clock.pass_by(minutes(0.1))
        later = client.post(MESSAGES, json={"content": "later"})
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["4", "3", "2", "1", "0", "0"]
    refused = answers[5]
    assert refused.json() | {"message": ""} == {"message": "", "code": 0, "retry_after": 5.0, "global": False}
    assert (refused.headers["Retry-After"], refused.headers["X-RateLimit-Scope"]) == ("6", "user")
    assert (elsewhere.status_code, later.status_code) == (200, 200)
    assert elsewhere.headers["X-RateLimit-Bucket"] == later.headers["X-RateLimit-Bucket"]


def test_the_global_limit_is_told_apart() -> None:
    with running(Rules(all_requests=Window(2, 60))) as server, rest(server) as client:
        answers = [client.get("/users/@me") for _ in range(3)]
    assert answers[2].status_code == 429
    assert (answers[2].json()["global"], answers[2].headers["X-RateLimit-Global"]) == (True, "true")


def test_a_third_rename_in_ten_minutes_is_refused_without_warning() -> None:
    clock = ManualClock()
    with running(Rules(), now=lambda: clock.now().timestamp()) as server, rest(server) as client:
        thread = client.post(f"/channels/{GENERAL_ID}/threads", json={"name": "0", "type": 11}).json()["id"]
        answers = [client.patch(f"/channels/{thread}", json={"name": str(n)}) for n in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[1].headers["X-RateLimit-Remaining"] != "0"
    assert answers[2].json()["retry_after"] == 600


def test_edits_of_old_messages_run_out_with_30046() -> None:
    clock = ManualClock()
    rules = Rules(old_message_edits=Window(2, 3600))
    with running(rules, now=lambda: clock.now().timestamp()) as server, rest(server) as client:
        message = client.post(MESSAGES, json={"content": "old"}).json()["id"]
        clock.pass_by(minutes(61))
        answers = [client.patch(f"{MESSAGES}/{message}", json={"content": str(n)}) for n in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].json()["code"] == 30046


def test_too_many_invalid_requests_shut_the_address_out_with_html() -> None:
    with running(Rules(invalid_requests=Window(2, 600))) as server, rest(server) as client:
        for _ in range(2):
            client.get("/users/@me", headers={"Authorization": "Bot wrong"})
        banned = client.get("/users/@me")
    assert (banned.status_code, banned.headers["content-type"]) == (429, "text/html; charset=utf-8")
    assert 0 < int(banned.headers["Retry-After"]) <= 601


def test_faults_hit_the_next_requests_of_their_route() -> None:
    with running() as server, rest(server) as client:
        server.faults.fail_next("POST", "/channels/{channel}/messages", 502, 2)
        server.faults.fail_next("GET", "/users/@me", 429, body="<html>", headers=(("Retry-After", "1"),))
        statuses = [client.post(MESSAGES, json={"content": "x"}).status_code for _ in range(3)]
        page = client.get("/users/@me")
        assert len(server.messages(GENERAL_ID)) == 1
    assert statuses == [502, 502, 200]
    assert (page.text, page.headers["Retry-After"]) == ("<html>", "1")


def test_a_fault_after_the_fact_lets_the_request_take_effect() -> None:
    with running() as server, rest(server) as client:
        server.faults.fail_next("POST", "/channels/{channel}/messages", 500, after=True)
        status = client.post(MESSAGES, json={"content": "sent all the same"}).status_code
        assert [message.content for message in server.messages(GENERAL_ID)] == ["sent all the same"]
    assert status == 500


def test_a_direct_message_channel_is_opened_once() -> None:
    with running() as server, rest(server) as client:
        first = client.post("/users/@me/channels", json={"recipient_id": ADA_ID}).json()
        second = client.post("/users/@me/channels", json={"recipient_id": ADA_ID}).json()
        sent = client.post(f"/channels/{first['id']}/messages", json={"content": "psst"})
    assert (first["type"], second["id"], sent.status_code) == (1, first["id"], 200)


def test_commands_are_replaced_as_a_whole_and_keep_their_ids() -> None:
    with running() as server, rest(server) as client:
        path = f"/applications/{BOT_ID}/guilds/{GUILD_ID}/commands"
        first = client.put(path, json=[{"name": "status", "description": "Show"}, {"name": "logs", "description": "L"}])
        second = client.put(path, json=[{"name": "status", "description": "Show more"}])
        listed = client.get(path).json()
        bad = client.put(path, json=[{"name": "No Way", "description": ""}])
    assert [command["name"] for command in first.json()] == ["status", "logs"]
    assert second.json()[0]["id"] == first.json()[0]["id"]
    assert listed == second.json()
    assert sorted(bad.json()["errors"]["0"]) == ["description", "name"]


def test_typing_answers_204_and_needs_the_right_to_write() -> None:
    with running() as server, rest(server) as client:
        silent = server.add_channel("news", deny={BOT_ID: 1 << 11})
        codes = [client.post(f"/channels/{channel}/typing").status_code for channel in (GENERAL_ID, silent)]
    assert codes == [204, 403]
