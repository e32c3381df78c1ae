"""The Discord port over REST v10."""

import logging
from collections.abc import Callable
from typing import Any, Final

import httpx

from discord_agent.adapters.discord import payloads
from discord_agent.adapters.discord.client import USER_AGENT, Call, RestClient, Timing
from discord_agent.adapters.discord.inbound import BotIdentity, parse_message
from discord_agent.adapters.late import late
from discord_agent.domain.errors import DiscordRefused, DiscordUnavailable, InvalidInput
from discord_agent.domain.ids import ChannelId, GuildId, MessageId, ThreadId, snowflake
from discord_agent.domain.inbound import Attachment, InboundMessage
from discord_agent.domain.policy import Place
from discord_agent.domain.posts import Post

_LOG = logging.getLogger(__name__)
_THREAD_TYPES: Final = frozenset({10, 11, 12})
_THREAD_EXISTS: Final = 160004
_ACKNOWLEDGED_OR_OVER: Final = frozenset({40060, 10062})
"""Discord's codes for an interaction that was acknowledged before, and for one older than three seconds."""
_ARCHIVE_AFTER_MINUTES: Final = 1440
_PAGE: Final = 100
_CDN_HOSTS: Final = frozenset({"cdn.discordapp.com", "media.discordapp.net"})
_DOWNLOAD_HEADERS: Final = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity"}
_TIMEOUT: Final = httpx.Timeout(10.0, connect=3.0)


class RestDiscord:
    """Discord as a bot sees it; ``redact`` takes secrets out of every text before it leaves.

    ``redact_files`` does so for attached files, where code has to stay code; without it ``redact`` does both.
    """

    def __init__(
        self,
        client: RestClient,
        bot: BotIdentity,
        *,
        redact: payloads.Redact | None = None,
        redact_files: payloads.Redact | None = None,
    ) -> None:
        self._client = client
        self._bot = bot
        self._redact: Callable[[str], str] = redact or (lambda text: text)
        self._redact_files = redact_files or self._redact

    @classmethod
    def connect(
        cls,
        *,
        api_url: str,
        token: Callable[[], str],
        bot: BotIdentity,
        redact: payloads.Redact | None = None,
        redact_files: payloads.Redact | None = None,
        timing: Timing | None = None,
        transport: httpx.BaseTransport | None = None,
        on_limited: Callable[[], object] | None = None,
    ) -> "RestDiscord":
        """A client of its own with connection pool and time-outs, made when it is first used."""
        http = late(lambda: httpx.Client(timeout=_TIMEOUT, transport=transport, follow_redirects=False))
        rest = RestClient(http, api_url=api_url, token=token, timing=timing, on_limited=on_limited)
        return cls(rest, bot, redact=redact, redact_files=redact_files)

    def close(self) -> None:
        """Close its connections."""
        self._client.http.close()

    def send(self, channel: ChannelId, post: Post, *, nonce: str) -> MessageId:
        """Send one message; the same nonce within minutes sends nothing twice."""
        files = payloads.redacted_files(post.files, self._redact_files)
        payload = payloads.new_message(post, nonce, self._redact)
        answer = self._client.request(
            Call("POST", "/channels/{}/messages", (channel,), payload, files=files, repeatable=True)
        )
        return MessageId(_id_of(answer))

    def edit(self, channel: ChannelId, message: MessageId, post: Post) -> None:
        """Replace a message's embeds and buttons, and its text if the post has one; its files stay."""
        payload = payloads.edited_message(post, self._redact)
        self._client.request(Call("PATCH", "/channels/{}/messages/{}", (channel, message), payload))

    def react(self, channel: ChannelId, message: MessageId, emoji: str) -> None:
        """Add the bot's own reaction."""
        ids = (channel, message, emoji)
        self._client.request(Call("PUT", "/channels/{}/messages/{}/reactions/{}/@me", ids))

    def start_thread(self, channel: ChannelId, message: MessageId, name: str) -> ThreadId:
        """Start a thread on a message, or return the one that exists; its id is the message's id."""
        payload = {
            "name": payloads.thread_name(name, self._redact),
            "auto_archive_duration": _ARCHIVE_AFTER_MINUTES,
        }
        try:
            answer = self._client.request(Call("POST", "/channels/{}/messages/{}/threads", (channel, message), payload))
        except DiscordRefused as refusal:
            if refusal.code == _THREAD_EXISTS:
                return ThreadId(message)
            raise
        return ThreadId(_id_of(answer))

    def rename(self, channel: ChannelId, name: str) -> None:
        """Rename a thread; a third time within ten minutes is DiscordUnavailable."""
        payload = {"name": payloads.thread_name(name, self._redact)}
        self._client.request(Call("PATCH", "/channels/{}", (channel,), payload))

    def place(self, channel: ChannelId) -> Place:
        """What a channel is: its guild, its name, whether it is a thread and of which channel."""
        answer = self._client.request(Call("GET", "/channels/{}", (channel,)))
        facts = answer if isinstance(answer, dict) else {}
        is_thread = facts.get("type") in _THREAD_TYPES
        guild, parent = facts.get("guild_id"), facts.get("parent_id")
        return Place(
            channel,
            GuildId(guild) if guild else None,
            ChannelId(parent) if parent and is_thread else None,
            is_thread=is_thread,
            name=facts.get("name") or "",
        )

    def typing(self, channel: ChannelId) -> None:
        """Show the typing indicator for ten seconds."""
        self._client.request(Call("POST", "/channels/{}/typing", (channel,)))

    def history(self, channel: ChannelId, *, limit: int, after: MessageId | None = None) -> tuple[InboundMessage, ...]:
        """The newest ``limit`` messages that people and bots wrote, oldest first; with ``after`` only newer ones.

        Pages go back in time: the other way, ``limit`` would keep the oldest.
        """
        bound = int(after or 0)
        found: dict[MessageId, InboundMessage] = {}
        seen, before = 0, ""
        while seen < limit:
            wanted = min(_PAGE, limit - seen)
            page = self._page(channel, wanted, before)
            seen += len(page)
            newer = [raw for raw in page if int(_id_of(raw)) > bound]
            parsed = (parse_message(raw, self._bot) for raw in newer)
            found |= {message.id: message for message in parsed if message is not None}
            is_last = len(page) < wanted or len(newer) < len(page)
            if is_last:
                break
            before = min((_id_of(raw) for raw in page), key=int)
        return tuple(sorted(found.values(), key=lambda message: int(message.id)))

    def download(self, attachment: Attachment, *, limit: int) -> bytes:
        """An attachment's bytes; DiscordRefused when larger than ``limit`` or not on one of Discord's hosts."""
        if attachment.size > limit:
            raise _too_large(attachment, limit)
        self._check_host(attachment)
        try:
            with self._client.http.stream("GET", attachment.url, headers=_DOWNLOAD_HEADERS) as response:
                return _bounded(response, attachment, limit)
        except httpx.TransportError as error:
            raise DiscordUnavailable(f"attachment {attachment.id}: {type(error).__name__}") from error

    def acknowledge(self, interaction_id: str, token: str, *, answers: bool) -> None:
        """Defer an interaction that came in over the gateway: a command that ``answers`` its person, or a button.

        One that was acknowledged before, or that nobody waits for any more, is left as it is.
        """
        payload = payloads.deferral(answers=answers)
        ids = (interaction_id, token)
        try:
            self._client.request(Call("POST", "/interactions/{}/{}/callback", ids, payload, majors=2, as_bot=False))
        except DiscordRefused as refusal:
            if refusal.code not in _ACKNOWLEDGED_OR_OVER:
                raise
            _LOG.warning("interaction not acknowledged", extra={"code": refusal.code})

    def answer(self, application_id: str, token: str, post: Post, *, ephemeral: bool = True) -> None:
        """Follow up on a deferred interaction.

        Right after a deferred command Discord puts the follow-up in the place of "thinking…"; after a
        deferred button it is a message of its own. It knows no nonce, so that an unclear failure is not repeated.
        """
        files = payloads.redacted_files(post.files, self._redact_files)
        payload = payloads.follow_up(post, self._redact, ephemeral=ephemeral)
        self._client.request(
            Call(
                "POST",
                "/webhooks/{}/{}",
                (application_id, token),
                payload,
                files=files,
                majors=2,
                repeatable=False,
                as_bot=False,
            )
        )

    def fulfil(self, application_id: str, token: str, post: Post) -> None:
        """Put a post in the place of a deferred command's "thinking …"; the same again changes nothing."""
        files = payloads.redacted_files(post.files, self._redact_files)
        payload = payloads.follow_up(post, self._redact, ephemeral=False)
        ids = (application_id, token)
        template = "/webhooks/{}/{}/messages/@original"
        self._client.request(Call("PATCH", template, ids, payload, files=files, majors=2, as_bot=False))

    def _page(self, channel: ChannelId, limit: int, before: str) -> list[dict[str, Any]]:
        query: dict[str, str | int] = {"limit": limit} | ({"before": before} if before else {})
        answer = self._client.request(Call("GET", "/channels/{}/messages", (channel,), query=query))
        if not isinstance(answer, list):
            raise DiscordUnavailable("the answer to GET messages is not a list")
        return [raw for raw in answer if isinstance(raw, dict)]

    def _check_host(self, attachment: Attachment) -> None:
        try:
            url, api = httpx.URL(attachment.url), httpx.URL(self._client.api_url)
        except httpx.InvalidURL as error:
            raise DiscordRefused(f"attachment {attachment.id} has no usable address") from error
        on_the_cdn = url.scheme == "https" and url.port is None and url.host in _CDN_HOSTS
        on_the_api = (url.scheme, url.host, url.port) == (api.scheme, api.host, api.port)
        if url.userinfo or not (on_the_cdn or on_the_api):
            raise DiscordRefused(
                f"attachment {attachment.id} lies on {url.host!r:.80}, which is none of Discord's hosts"
            )


def _bounded(response: httpx.Response, attachment: Attachment, limit: int) -> bytes:
    if response.is_server_error or response.status_code == httpx.codes.TOO_MANY_REQUESTS:
        raise DiscordUnavailable(f"attachment {attachment.id}: {response.status_code}")
    if not response.is_success:
        raise DiscordRefused(f"attachment {attachment.id}: {response.status_code}", status=response.status_code)
    content = bytearray()
    for chunk in response.iter_bytes():
        content += chunk
        if len(content) > limit:
            raise _too_large(attachment, limit)
    return bytes(content)


def _too_large(attachment: Attachment, limit: int) -> DiscordRefused:
    return DiscordRefused(f"attachment {attachment.id} is larger than {limit} bytes", status=413)


def _id_of(answer: Any) -> str:
    try:
        return snowflake(answer.get("id") if isinstance(answer, dict) else None)
    except InvalidInput as error:
        raise DiscordUnavailable("Discord's answer names no id") from error
