import json
import logging
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import httpx
import pytest

from discord_agent.adapters.discord.client import Timing
from discord_agent.adapters.discord.inbound import BotIdentity
from discord_agent.adapters.discord.payloads import short_nonce
from discord_agent.adapters.discord.rest import RestDiscord
from discord_agent.domain.errors import DiscordRefused, DiscordUnavailable
from discord_agent.domain.ids import ChannelId, MessageId, UserId
from discord_agent.domain.inbound import Attachment
from discord_agent.domain.posts import Post, UploadFile
from discord_agent.domain.redaction import MARK, Redactor
from discord_agent.ports import Discord

CHANNEL, MESSAGE = ChannelId("20"), MessageId("100")
API = "https://discord.example/api/v10"
TOKEN = "bot-token-abc"


@dataclass
class FakeTime:
    now: float = 0.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def timing(self, time_left: float = math.inf) -> Timing:
        return Timing(monotonic=lambda: self.now, sleep=self.sleep, jitter=lambda: 0.0, time_left=lambda: time_left)


@dataclass
class Server:
    """Answers from a list, the last one for ever; keeps what it was asked."""

    answers: list[httpx.Response | Exception]
    requests: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def bodies(self) -> list[dict[str, object]]:
        return [json.loads(request.content) for request in self.requests]


def discord(
    *answers: httpx.Response | Exception, time: FakeTime | None = None, redact: Callable[[str], str] | None = None
) -> tuple[RestDiscord, Server]:
    server = Server(list(answers))
    client = RestDiscord.connect(
        api_url=API,
        token=lambda: TOKEN,
        bot=BotIdentity(UserId("900"), "nepnep"),
        redact=redact,
        timing=(time or FakeTime()).timing(),
        transport=httpx.MockTransport(server),
    )
    return client, server


def sent(**headers: str) -> httpx.Response:
    return httpx.Response(200, json={"id": "555"}, headers=headers)


def limited(retry_after: float, **headers: str) -> httpx.Response:
    body = {"message": "You are being rate limited.", "retry_after": retry_after, "global": False}
    return httpx.Response(429, json=body, headers=headers)


def error(status: int, code: int = 0) -> httpx.Response:
    return httpx.Response(status, json={"message": "no", "code": code})


def test_it_is_the_discord_port() -> None:
    port: Discord = discord(sent())[0]
    assert port.send(CHANNEL, Post("x"), nonce="n") == "555"


def test_a_message_is_sent_with_nonce_agent_and_credentials_and_pings_nobody() -> None:
    client, server = discord(sent())
    assert client.send(CHANNEL, Post("@everyone hi"), nonce="m-1/answer/0") == MessageId("555")
    request = server.requests[0]
    assert (request.method, str(request.url)) == ("POST", f"{API}/channels/20/messages")
    assert request.headers["authorization"] == f"Bot {TOKEN}"
    assert request.headers["user-agent"].startswith("DiscordBot (https://")
    assert server.bodies == [
        {
            "content": "@everyone hi",
            "embeds": [],
            "components": [],
            "allowed_mentions": {"parse": []},
            "nonce": short_nonce("m-1/answer/0"),
            "enforce_nonce": True,
        }
    ]


def test_files_travel_as_multipart_beside_their_json_and_redacted() -> None:
    client, server = discord(sent(), redact=lambda text: text.replace("s3cret", "***"))
    client.send(CHANNEL, Post(files=(UploadFile("a.diff", b"+s3cret"), UploadFile("b.png", b"\x89"))), nonce="n")
    request = server.requests[0]
    assert request.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert b'name="payload_json"' in request.content
    assert b'name="files[0]"; filename="a.diff"' in request.content
    assert b'name="files[1]"; filename="b.png"\r\nContent-Type: image/png' in request.content
    assert b"+***" in request.content
    assert b"s3cret" not in request.content


def test_files_may_be_redacted_by_a_rule_of_their_own() -> None:
    sample = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJlLXNpZ25hdHVyZQ"
    redactor = Redactor(frozenset({"correct horse"}))
    server = Server([sent()])
    client = RestDiscord.connect(
        api_url=API,
        token=lambda: TOKEN,
        bot=BotIdentity(UserId("900"), "nepnep"),
        redact=redactor.text,
        redact_files=redactor.code,
        transport=httpx.MockTransport(server),
    )
    diff = UploadFile("a.diff", f"+TOKEN = '{sample}'\n+# correct horse".encode())
    client.send(CHANNEL, Post(f"uses {sample}", files=(diff,)), nonce="n")
    shown = server.requests[0].content.decode()
    assert f"uses {MARK}" in shown
    assert f"+TOKEN = '{sample}'\n+# {MARK}" in shown


def test_at_none_remaining_the_next_message_waits_before_it_is_sent() -> None:
    time = FakeTime()
    client, server = discord(
        sent(**{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": "1.25", "X-RateLimit-Bucket": "b"}),
        time=time,
    )
    client.send(CHANNEL, Post("a"), nonce="1")
    client.send(ChannelId("21"), Post("other channel"), nonce="2")
    assert time.slept == []
    client.send(CHANNEL, Post("b"), nonce="3")
    assert time.slept == [1.25]
    assert len(server.requests) == 3


def test_a_429_is_waited_out_by_what_the_body_says() -> None:
    time = FakeTime()
    client, server = discord(limited(0.75, **{"Retry-After": "1"}), sent(), time=time)
    assert client.send(CHANNEL, Post("a"), nonce="1") == "555"
    assert time.slept == [0.75]
    assert server.bodies[0] == server.bodies[1]


def test_a_429_in_html_is_waited_out_by_its_header() -> None:
    time = FakeTime()
    client, _ = discord(httpx.Response(429, text="<html>", headers={"Retry-After": "2"}), sent(), time=time)
    client.send(CHANNEL, Post("a"), nonce="1")
    assert time.slept == [2.0]


def test_a_long_429_is_left_to_a_later_attempt_of_the_step() -> None:
    time = FakeTime()
    client, server = discord(limited(600), time=time)
    with pytest.raises(DiscordUnavailable) as caught:
        client.send(CHANNEL, Post("a"), nonce="1")
    assert caught.value.retry_after == 600
    assert (time.slept, len(server.requests)) == ([], 1)


def test_each_answer_that_asks_to_wait_is_told_of() -> None:
    told: list[str] = []
    client = RestDiscord.connect(
        api_url=API,
        token=lambda: TOKEN,
        bot=BotIdentity(UserId("900")),
        timing=FakeTime().timing(),
        transport=httpx.MockTransport(Server([limited(0.1), httpx.Response(502), limited(0.1), sent()])),
        on_limited=lambda: told.append("limited"),
    )
    client.send(CHANNEL, Post("a"), nonce="1")
    assert len(told) == 2


def test_nothing_waits_beyond_the_end_of_the_function() -> None:
    time = FakeTime()
    server = Server([limited(3)])
    client = RestDiscord.connect(
        api_url=API,
        token=lambda: TOKEN,
        bot=BotIdentity(UserId("900")),
        timing=time.timing(time_left=2.0),
        transport=httpx.MockTransport(server),
    )
    with pytest.raises(DiscordUnavailable):
        client.send(CHANNEL, Post("a"), nonce="1")
    assert time.slept == []


def test_a_global_429_holds_other_routes_too_but_not_interactions() -> None:
    time = FakeTime()
    client, _ = discord(limited(1.5, **{"X-RateLimit-Scope": "global"}), sent(), time=time)
    client.send(CHANNEL, Post("a"), nonce="1")
    assert time.slept == [1.5]
    client, _ = discord(limited(60, **{"X-RateLimit-Global": "true"}), sent(), time=time)
    with pytest.raises(DiscordUnavailable):
        client.typing(CHANNEL)
    with pytest.raises(DiscordUnavailable):
        client.react(ChannelId("99"), MESSAGE, "👍")
    client.answer("900", "token", Post("hi"))


def test_429s_without_end_become_an_outage() -> None:
    client, server = discord(limited(0.1))
    with pytest.raises(DiscordUnavailable):
        client.send(CHANNEL, Post("a"), nonce="1")
    assert len(server.requests) == 5


@pytest.mark.parametrize(
    "fault", [httpx.Response(502, text="<html>"), httpx.ReadTimeout("slow"), httpx.ReadError("cut")]
)
def test_a_send_is_repeated_after_an_unclear_fault_because_its_nonce_guards_it(
    fault: httpx.Response | Exception,
) -> None:
    client, server = discord(fault, sent())
    assert client.send(CHANNEL, Post("a"), nonce="1") == "555"
    assert server.bodies[0] == server.bodies[1]


@pytest.mark.parametrize("fault", [httpx.Response(502, text="<html>"), httpx.ReadTimeout("slow")])
def test_a_follow_up_is_not_repeated_after_an_unclear_fault(fault: httpx.Response | Exception) -> None:
    client, server = discord(fault, sent())
    with pytest.raises(DiscordUnavailable):
        client.answer("900", "token", Post("a"))
    assert len(server.requests) == 1


def test_a_follow_up_that_never_left_is_repeated() -> None:
    client, server = discord(httpx.ConnectError("refused"), sent())
    client.answer("900", "interaction-token", Post("a"))
    assert len(server.requests) == 2


def test_a_follow_up_goes_to_the_webhook_without_the_bots_token() -> None:
    client, server = discord(httpx.Response(204))
    client.answer("900", "interaction-token", Post("only you"), ephemeral=True)
    request = server.requests[0]
    assert str(request.url) == f"{API}/webhooks/900/interaction-token"
    assert "authorization" not in request.headers
    assert server.bodies[0]["flags"] == 64


@pytest.mark.parametrize(("status", "code"), [(400, 50035), (403, 50013), (404, 10003)])
def test_a_refusal_is_final_and_names_status_and_code(status: int, code: int) -> None:
    client, server = discord(error(status, code))
    with pytest.raises(DiscordRefused) as caught:
        client.send(CHANNEL, Post("a"), nonce="1")
    assert (caught.value.status, caught.value.code) == (status, code)
    assert len(server.requests) == 1


def test_a_token_that_was_rotated_is_used_from_the_next_call_on() -> None:
    server, tokens = Server([sent()]), ["old", "new"]
    client = RestDiscord.connect(
        api_url=API,
        token=lambda: tokens.pop(0),
        bot=BotIdentity(UserId("900")),
        timing=FakeTime().timing(),
        transport=httpx.MockTransport(server),
    )
    client.send(CHANNEL, Post("a"), nonce="1")
    client.send(CHANNEL, Post("b"), nonce="2")
    assert [request.headers["Authorization"] for request in server.requests] == ["Bot old", "Bot new"]


def test_after_a_401_nothing_more_is_sent_for_a_minute() -> None:
    time = FakeTime()
    client, server = discord(error(401), sent(), time=time)
    for _ in range(2):
        with pytest.raises(DiscordRefused) as caught:
            client.typing(CHANNEL)
        assert caught.value.status == 401
    assert len(server.requests) == 1
    time.now += 61
    client.typing(CHANNEL)
    assert len(server.requests) == 2


def test_a_commands_answer_takes_the_place_of_thinking_and_may_be_repeated() -> None:
    client, server = discord(httpx.Response(500), httpx.Response(200, json={"id": "1"}))
    client.fulfil("900", "interaction-token", Post("only you"))
    first, second = server.requests
    assert (first.method, first.url.path) == ("PATCH", "/api/v10/webhooks/900/interaction-token/messages/@original")
    assert (second.url, "Authorization" in second.headers) == (first.url, False)
    assert json.loads(second.content)["content"] == "only you"


def test_neither_errors_nor_logs_show_tokens(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    client, _ = discord(error(404, 10015))
    with pytest.raises(DiscordRefused) as caught:
        client.answer("900", "interaction-token", Post("a"))
    assert "interaction-token" not in str(caught.value) + caplog.text
    assert TOKEN not in repr(client) + caplog.text


def test_an_edit_replaces_the_message() -> None:
    client, server = discord(sent())
    client.edit(CHANNEL, MESSAGE, Post("new"))
    assert (server.requests[0].method, server.requests[0].url.path) == ("PATCH", "/api/v10/channels/20/messages/100")
    assert server.bodies[0]["allowed_mentions"] == {"parse": []}


def test_a_reaction_is_escaped_in_the_address() -> None:
    client, server = discord(httpx.Response(204))
    client.react(CHANNEL, MESSAGE, "👍")
    expected = b"/api/v10/channels/20/messages/100/reactions/%F0%9F%91%8D/@me"
    assert (server.requests[0].method, server.requests[0].url.raw_path) == ("PUT", expected)


def test_a_thread_is_started_on_the_message() -> None:
    client, server = discord(httpx.Response(201, json={"id": "100", "type": 11}))
    assert client.start_thread(CHANNEL, MESSAGE, "Mend\nthe tests " + "x" * 100) == "100"
    name = server.bodies[0]["name"]
    assert isinstance(name, str)
    assert name.startswith("Mend the tests x")
    assert len(name) == 100
    assert server.bodies[0]["auto_archive_duration"] == 1440


def test_a_thread_that_exists_is_used() -> None:
    client, _ = discord(error(400, 160004))
    assert client.start_thread(CHANNEL, MESSAGE, "again") == "100"


def test_a_thread_that_cannot_be_started_is_a_refusal() -> None:
    client, _ = discord(error(403, 50013))
    with pytest.raises(DiscordRefused):
        client.start_thread(CHANNEL, MESSAGE, "no")


def test_a_thread_gets_a_new_name() -> None:
    client, server = discord(httpx.Response(200, json={"id": "20"}))
    client.rename(CHANNEL, "Mend\nit")
    assert (server.requests[0].method, server.requests[0].url.path) == ("PATCH", "/api/v10/channels/20")
    assert server.bodies == [{"name": "Mend it"}]


@pytest.mark.parametrize(("kind", "expected"), [(10, True), (11, True), (12, True), (0, False), (1, False)])
def test_threads_are_told_by_their_type(kind: int, expected: bool) -> None:
    client, _ = discord(httpx.Response(200, json={"id": "20", "type": kind}))
    assert client.place(CHANNEL).is_thread is expected


def raw(number: int, **changes: object) -> dict[str, object]:
    return {"id": str(number), "channel_id": "20", "content": f"text {number}", "author": {"id": "40"}} | changes


def test_history_is_read_page_by_page_and_comes_oldest_first() -> None:
    def pages() -> Iterator[httpx.Response]:
        yield httpx.Response(200, json=[raw(number) for number in range(300, 200, -1)])
        yield httpx.Response(200, json=[raw(200), raw(199, type=7)])

    client, server = discord(*pages())
    messages = client.history(CHANNEL, limit=150)
    assert [message.id for message in messages] == [str(number) for number in range(200, 301)]
    assert [request.url.query for request in server.requests] == [b"limit=100", b"limit=50&before=201"]


def test_history_after_a_message_ends_where_that_message_is_met() -> None:
    client, server = discord(
        httpx.Response(200, json=[raw(number) for number in range(300, 200, -1)]),
        httpx.Response(200, json=[raw(number) for number in range(200, 100, -1)]),
    )
    messages = client.history(CHANNEL, limit=1000, after=MessageId("150"))
    assert [message.id for message in messages] == [str(number) for number in range(151, 301)]
    assert len(server.requests) == 2


def test_history_of_an_empty_channel_is_empty() -> None:
    client, server = discord(httpx.Response(200, json=[]))
    assert client.history(CHANNEL, limit=50) == ()
    assert len(server.requests) == 1


def attachment(url: str, size: int = 3) -> Attachment:
    return Attachment("60", "a.txt", url, size)


@pytest.mark.parametrize(
    "url",
    ["https://cdn.discordapp.com/attachments/1/2/a.txt?ex=1", f"{API}/files/a.txt", "https://media.discordapp.net/a"],
)
def test_an_attachment_is_downloaded_without_credentials(url: str) -> None:
    client, server = discord(httpx.Response(200, content=b"abc"))
    assert client.download(attachment(url), limit=3) == b"abc"
    assert "authorization" not in server.requests[0].headers


@pytest.mark.parametrize(
    "url",
    [
        "http://cdn.discordapp.com/a",
        "https://cdn.discordapp.com.evil.example/a",
        "https://cdn.discordapp.com@evil.example/a",
        "https://user@cdn.discordapp.com/a",
        "https://cdn.discordapp.com:8443/a",
        "http://discord.example/a",
        "https://discord.example:8443/a",
        "http://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        "/etc/passwd",
        "https://[bad",
        "",
    ],
)
def test_nothing_is_downloaded_from_anywhere_else(url: str) -> None:
    client, server = discord(httpx.Response(200, content=b"abc"))
    with pytest.raises(DiscordRefused):
        client.download(attachment(url), limit=3)
    assert server.requests == []


def test_a_redirect_is_not_followed() -> None:
    client, server = discord(httpx.Response(302, headers={"Location": "http://169.254.169.254/"}))
    with pytest.raises(DiscordRefused):
        client.download(attachment("https://cdn.discordapp.com/a"), limit=3)
    assert len(server.requests) == 1


def test_an_attachment_larger_than_allowed_is_refused_before_and_while_downloading() -> None:
    client, server = discord(httpx.Response(200, content=b"abcd"))
    url = "https://cdn.discordapp.com/a"
    with pytest.raises(DiscordRefused):
        client.download(attachment(url, size=4), limit=3)
    assert server.requests == []
    with pytest.raises(DiscordRefused):
        client.download(attachment(url, size=1), limit=3)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx.Response(404), DiscordRefused),
        (httpx.Response(503), DiscordUnavailable),
        (httpx.Response(429), DiscordUnavailable),
        (httpx.ReadTimeout("slow"), DiscordUnavailable),
    ],
)
def test_an_attachment_that_cannot_be_had_says_whether_a_retry_may_help(
    answer: httpx.Response | Exception, kind: type[Exception]
) -> None:
    client, _ = discord(answer)
    with pytest.raises(kind):
        client.download(attachment("https://cdn.discordapp.com/a"), limit=3)


@pytest.mark.parametrize(("answers", "body"), [(True, {"type": 5, "data": {"flags": 64}}), (False, {"type": 6})])
def test_an_interaction_of_the_gateway_is_deferred_by_its_own_token(answers: bool, body: dict[str, object]) -> None:
    client, server = discord(httpx.Response(204))
    client.acknowledge("5", "interaction-token", answers=answers)
    [request] = server.requests
    assert request.url == f"{API}/interactions/5/interaction-token/callback"
    assert "authorization" not in request.headers
    assert server.bodies == [body]


@pytest.mark.parametrize(("status", "code"), [(400, 40060), (404, 10062)])
def test_an_interaction_that_was_acknowledged_before_or_is_too_old_is_left_as_it_is(status: int, code: int) -> None:
    client, server = discord(httpx.Response(status, json={"code": code, "message": "no"}))
    client.acknowledge("5", "interaction-token", answers=True)
    assert len(server.requests) == 1


def test_any_other_refusal_of_an_acknowledgement_is_told() -> None:
    client, _ = discord(httpx.Response(400, json={"code": 50035, "message": "Invalid Form Body"}))
    with pytest.raises(DiscordRefused):
        client.acknowledge("5", "interaction-token", answers=True)


@pytest.mark.parametrize("answer", [httpx.Response(200, text="<html>"), httpx.Response(200, json={"no": "id"})])
def test_a_success_that_names_no_message_is_an_outage(answer: httpx.Response) -> None:
    client, _ = discord(answer)
    with pytest.raises(DiscordUnavailable):
        client.send(CHANNEL, Post("a"), nonce="1")
