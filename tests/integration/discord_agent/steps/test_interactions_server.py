"""The interactions endpoint as Discord sees it: probed when set, pressed, answered later."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

from devstack.discord.seed import ADA_ID, GENERAL_ID
from devstack.discord.server import DiscordServer
from discord_agent.adapters.clock import SystemClock
from discord_agent.adapters.discord.inbound import BotIdentity, parse
from discord_agent.adapters.discord.rest import RestDiscord
from discord_agent.adapters.discord.signature import SignatureCheck
from discord_agent.domain.controls import Action, Control, encode
from discord_agent.domain.errors import StateUnavailable
from discord_agent.domain.ids import ChannelId, ExecutionId, UserId
from discord_agent.domain.inbound import ButtonPressed, CommandInvoked
from discord_agent.domain.posts import Button, Post
from discord_agent.edge import read_request, write_response
from discord_agent.envelope import Envelope
from discord_agent.steps.interactions import Interactions
from tests.support.discord import rest, running
from tests.support.endpoint import endpoint

CHANNEL = ChannelId(GENERAL_ID)
STOP = encode(Control(Action.STOP, ExecutionId("m-1")))


@dataclass
class Queue:
    down: bool = False
    taken: list[Envelope] = field(default_factory=list)

    def put(self, envelope: Envelope, *, occurrence: str = "") -> None:
        if self.down:
            raise StateUnavailable("no answer")
        self.taken.append(Envelope.read(envelope.write()))


@contextmanager
def product(server: DiscordServer, queue: Queue) -> Iterator[RestDiscord]:
    """The endpoint, configured in Discord, and the REST adapter."""
    step = Interactions(SignatureCheck(server.public_key), queue, SystemClock())

    def respond(_: dict[str, Any], headers: Mapping[str, str], raw: bytes) -> tuple[int, Any]:
        response = step(read_request({"headers": headers, "body": raw.decode(), "isBase64Encoded": False}))
        assert write_response(response)["statusCode"] == response.status
        return response.status, response.body

    bot = BotIdentity(UserId(server.bot_id), "nepnep")
    discord = RestDiscord.connect(api_url=server.api_url, token=lambda: server.token, bot=bot)
    with endpoint(respond) as served, closing(discord):
        server.set_interactions_endpoint(served.url)
        yield discord


def test_discord_accepts_the_endpoint_which_refuses_what_is_not_signed() -> None:
    queue = Queue()
    with running() as server, product(server, queue), rest(server) as client:
        assert client.get("/applications/@me").json()["interactions_endpoint_url"]
    assert queue.taken == []


def test_a_pressed_button_is_acknowledged_queued_and_answered_beside_its_message() -> None:
    queue = Queue()
    with running() as server, product(server, queue) as discord:
        card = discord.send(CHANNEL, Post("card", buttons=((Button("Stop", STOP),),)), nonce="card")
        pressed = server.press(ADA_ID, CHANNEL, card, STOP)
        (envelope,) = queue.taken
        button = parse(envelope.event, envelope.data, BotIdentity(UserId(server.bot_id)))
        assert isinstance(button, ButtonPressed)
        discord.answer(button.application_id, button.token, Post("Stopping."))
        (message,) = server.messages(CHANNEL)
    assert (pressed.failed, pressed.response) == (False, 6)
    assert (button.action, button.execution_id, button.message_id) == ("stop", "m-1", card)
    assert (button.author.id, bool(button.author.permissions & 8)) == (ADA_ID, True)
    assert (message.content, message.edit_count) == ("card", 0)


def test_a_command_is_deferred_for_one_persons_eyes_and_its_answer_takes_the_place_of_thinking() -> None:
    queue = Queue()
    with running() as server, product(server, queue) as discord, rest(server) as client:
        commands = [{"name": "status", "type": 1, "description": "How it goes"}]
        client.put(f"/applications/{server.bot_id}/commands", json=commands).raise_for_status()
        invoked = server.command(ADA_ID, CHANNEL, "status")
        (envelope,) = queue.taken
        command = parse(envelope.event, envelope.data, BotIdentity(UserId(server.bot_id)))
        assert isinstance(command, CommandInvoked)
        discord.answer(command.application_id, command.token, Post("All quiet."))
        original = client.get(f"/webhooks/{server.bot_id}/{command.token}/messages/@original").json()
    assert (invoked.failed, invoked.response) == (False, 5)
    assert command.name == "status"
    assert original["content"] == "All quiet."
    assert original["flags"] & 64


def test_when_the_queue_is_down_the_click_is_answered_with_words() -> None:
    with running() as server, product(server, Queue(down=True)) as discord:
        card = discord.send(CHANNEL, Post("card", buttons=((Button("Stop", STOP),),)), nonce="card")
        pressed = server.press(ADA_ID, CHANNEL, card, STOP)
    assert (pressed.failed, pressed.response) == (False, 4)
