"""Discord, kept in memory: messages with nonces, threads, reactions, files."""

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from copy import replace
from dataclasses import dataclass, field

from discord_agent.domain.errors import DiscordRefused
from discord_agent.domain.ids import ChannelId, MessageId, ThreadId
from discord_agent.domain.inbound import Attachment, InboundMessage
from discord_agent.domain.policy import Place
from discord_agent.domain.posts import Post
from tests.support.fakes.effects import Effects

_MESSAGE_LIMIT = 2000
_FIRST_ID = 900_000_000_000_000_000


@dataclass(frozen=True, slots=True)
class Sent:
    """A message of the bot as it is shown now."""

    channel: ChannelId
    post: Post
    nonce: str
    edits: int = 0


@dataclass
class FakeDiscord:
    """``channels`` must hold every channel used; ``failures`` are raised by the method they name, each time."""

    effects: Effects
    channels: dict[str, Place] = field(default_factory=dict)
    sent: dict[MessageId, Sent] = field(default_factory=dict)
    shown: list[tuple[str, MessageId, Post]] = field(default_factory=list)
    reactions: Counter[tuple[MessageId, str]] = field(default_factory=Counter)
    titles: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    past: dict[str, tuple[InboundMessage, ...]] = field(default_factory=dict)
    answers: list[tuple[str, Post, bool]] = field(default_factory=list)
    fulfilled: dict[str, Post] = field(default_factory=dict)
    acknowledged: list[tuple[str, str, bool]] = field(default_factory=list)
    failures: dict[str, Callable[[], Exception]] = field(default_factory=dict)

    def send(self, channel: ChannelId, post: Post, *, nonce: str) -> MessageId:
        with self._call("send"):
            self._known(channel)
            _check(post)
            for message, earlier in self.sent.items():
                if (earlier.channel, earlier.nonce) == (channel, nonce):
                    return message
            message = MessageId(str(_FIRST_ID + len(self.sent)))
            self.sent[message] = Sent(channel, post, nonce)
            self.shown.append(("send", message, post))
            return message

    def edit(self, channel: ChannelId, message: MessageId, post: Post) -> None:
        with self._call("edit"):
            _check(post)
            before = self.sent.get(message)
            if before is None or before.channel != channel:
                raise DiscordRefused("Unknown Message", status=404, code=10008)
            if post.files or post.reply_to:
                raise DiscordRefused("an edit has neither files nor a reference", status=400)
            kept = replace(post, files=before.post.files, reply_to=before.post.reply_to)
            self.sent[message] = replace(before, post=kept, edits=before.edits + 1)
            self.shown.append(("edit", message, post))

    def react(self, channel: ChannelId, message: MessageId, emoji: str) -> None:
        with self._call("react"):
            self._known(channel)
            self.reactions[message, emoji] = 1

    def start_thread(self, channel: ChannelId, message: MessageId, name: str) -> ThreadId:
        with self._call("start_thread"):
            self._known(channel)
            place = self.channels[channel]
            if place.is_thread or not 1 <= len(name) <= 100:
                raise DiscordRefused("a thread needs a channel and a name", status=400)
            self.channels[message] = Place(ChannelId(message), place.guild_id, channel, is_thread=True, name=name)
            self.titles.setdefault(message, name)
            return ThreadId(message)

    def rename(self, channel: ChannelId, name: str) -> None:
        with self._call("rename"):
            self._known(channel)
            self.titles[channel] = name

    def place(self, channel: ChannelId) -> Place:
        with self._call("place"):
            self._known(channel)
            return self.channels[channel]

    def typing(self, channel: ChannelId) -> None:
        with self._call("typing"):
            self._known(channel)

    def history(self, channel: ChannelId, *, limit: int, after: MessageId | None = None) -> tuple[InboundMessage, ...]:
        with self._call("history"):
            self._known(channel)
            newer = [message for message in self.past.get(channel, ()) if int(message.id) > int(after or 0)]
            return tuple(newer[-limit:])

    def download(self, attachment: Attachment, *, limit: int) -> bytes:
        with self._call("download"):
            content = self.files.get(attachment.url)
            if content is None or len(content) > limit:
                raise DiscordRefused("gone, or too large", status=404)
            return content

    def acknowledge(self, interaction_id: str, token: str, *, answers: bool) -> None:
        with self._call("acknowledge"):
            self.acknowledged.append((interaction_id, token, answers))

    def answer(self, application_id: str, token: str, post: Post, *, ephemeral: bool = True) -> None:
        with self._call("answer"):
            _check(post)
            self.answers.append((token, post, ephemeral))

    def fulfil(self, application_id: str, token: str, post: Post) -> None:
        with self._call("fulfil"):
            _check(post)
            self.fulfilled[token] = post

    def texts(self, channel: str) -> list[str]:
        """What is shown in a channel, oldest first: the contents of messages, and the titles of cards."""
        return [
            "\n".join((sent.post.content, *(embed.title for embed in sent.post.embeds))).strip()
            for sent in self.sent.values()
            if sent.channel == channel
        ]

    def with_nonce(self, nonce: str) -> Sent:
        """The one message that was sent with a nonce."""
        [found] = [sent for sent in self.sent.values() if sent.nonce == nonce]
        return found

    def edits(self) -> list[Post]:
        """Every edit, in order."""
        return [post for kind, _, post in self.shown if kind == "edit"]

    def _call(self, method: str) -> AbstractContextManager[None]:
        failure = self.failures.get(method)
        if failure is not None:
            raise failure()
        return self.effects(f"discord.{method}")

    def _known(self, channel: str) -> None:
        if channel not in self.channels:
            raise DiscordRefused("Unknown Channel", status=404, code=10003)


def _check(post: Post) -> None:
    if len(post.content) > _MESSAGE_LIMIT:
        raise DiscordRefused("Must be 2000 or fewer in length", status=400, code=50035)
    if not (post.content or post.embeds or post.files):
        raise DiscordRefused("Cannot send an empty message", status=400, code=50006)
    if len(post.files) > 10 or len(post.embeds) > 10 or len(post.buttons) > 5:
        raise DiscordRefused("too many files, embeds or rows of buttons", status=400, code=50035)
