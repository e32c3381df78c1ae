"""One call to Discord's REST API: limits kept, repeated where that is safe, refusals told apart from outages."""

import json
import logging
import mimetypes
import random
import time
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote

import httpx
from msgspec import Struct, field

from discord_agent.adapters.discord.limits import RateLimits, Route, number
from discord_agent.domain.errors import DiscordRefused, DiscordUnavailable
from discord_agent.domain.posts import UploadFile

USER_AGENT: Final = "DiscordBot (https://github.com/discord-agent/discord-agent, 0.1)"

_ATTEMPTS: Final = 5
_FIRST_PAUSE: Final = 0.25
_UNKNOWN_PAUSE: Final = 1.0
_BREAKER_SECONDS: Final = 60.0
"""After a 401 nothing leaves for a while: 10,000 invalid requests in ten minutes ban the address."""

_NEVER_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class Call(Struct, frozen=True):
    """A request; ``template`` has one ``{}`` per id, the first ``majors`` ids decide the rate-limit bucket.

    ``repeatable``: sending it twice does no harm. ``as_bot``: it needs the bot's token and counts globally.
    """

    method: str
    template: str
    ids: tuple[str, ...] = ()
    payload: dict[str, Any] | list[dict[str, Any]] | None = None
    files: tuple[UploadFile, ...] = ()
    query: dict[str, str | int] = field(default_factory=dict)
    majors: int = 1
    repeatable: bool = True
    as_bot: bool = True

    @property
    def path(self) -> str:
        """The path, ids escaped."""
        return self.template.format(*(quote(value, safe="") for value in self.ids))

    @property
    def route(self) -> Route:
        """What its rate limit belongs to."""
        return Route(self.method, self.template, "/".join(self.ids[: self.majors]))

    def __str__(self) -> str:
        """Method and template: ids may be interaction tokens."""
        return f"{self.method} {self.template}"


class Timing(Struct, frozen=True):
    """Time as a client sees it; ``patience`` is how long one call may wait and repeat, in seconds.

    ``time_left`` tells the seconds until the function is cut off.
    """

    patience: float = 10.0
    time_left: Callable[[], float] = lambda: float("inf")
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random


class RestClient:
    """Discord's REST API; safe to share between threads.

    ``token`` is asked for every time, because it may be rotated. ``on_limited`` hears of each answer that asks to wait.
    """

    def __init__(
        self,
        http: httpx.Client,
        *,
        api_url: str,
        token: Callable[[], str],
        timing: Timing | None = None,
        on_limited: Callable[[], object] | None = None,
    ) -> None:
        self._http = http
        self._api_url = api_url.rstrip("/")
        self._token = token
        self._timing = timing or Timing()
        self._limits = RateLimits(self._timing.monotonic)
        self._token_refused_until = 0.0
        self._on_limited = on_limited
        for name in ("httpx", "httpcore"):
            # They log full addresses, and those of webhooks hold interaction tokens.
            logging.getLogger(name).setLevel(logging.WARNING)

    @property
    def http(self) -> httpx.Client:
        """The HTTP client, without any credentials, for what is not the API (attachments)."""
        return self._http

    @property
    def api_url(self) -> str:
        """The API's address."""
        return self._api_url

    def request(self, call: Call) -> Any:
        """Make a call; its JSON answer, None when there is none. Errors: DiscordUnavailable, DiscordRefused."""
        deadline = self._timing.monotonic() + min(self._timing.patience, self._timing.time_left())
        for attempt in range(1, _ATTEMPTS + 1):
            self._wait_for_a_place(call, deadline)
            response = self._send(call)
            if response is not None and response.is_success:
                return _json(response)
            pause = self._pause_after(call, response, attempt)
            if attempt == _ATTEMPTS:
                break
            self._sleep(call, pause, deadline)
        raise DiscordUnavailable(f"{call}: no success in {_ATTEMPTS} attempts", retry_after=pause)

    def _wait_for_a_place(self, call: Call, deadline: float) -> None:
        if call.as_bot and self._timing.monotonic() < self._token_refused_until:
            raise DiscordRefused(f"{call}: not sent, because Discord has just refused the bot's token", status=401)
        while (seconds := self._limits.take(call.route, counts_globally=call.as_bot)) > 0:
            self._sleep(call, seconds, deadline)

    def _send(self, call: Call) -> httpx.Response | None:
        """The answer; None when there was none and the call may be repeated."""
        try:
            response = self._http.send(self._build(call))
        except _NEVER_SENT:
            return None
        except httpx.TransportError as error:
            if call.repeatable:
                return None
            raise DiscordUnavailable(f"{call}: {type(error).__name__}, and it may have arrived") from error
        self._limits.learn(call.route, response.headers)
        return response

    def _build(self, call: Call) -> httpx.Request:
        headers = {"User-Agent": USER_AGENT}
        if call.as_bot:
            headers["Authorization"] = f"Bot {self._token()}"
        body: dict[str, Any] = {}
        if call.files:
            body["data"] = {"payload_json": json.dumps(call.payload)}
            body["files"] = [(f"files[{index}]", _part(file)) for index, file in enumerate(call.files)]
        elif call.payload is not None:
            body["json"] = call.payload
        return self._http.build_request(
            call.method, self._api_url + call.path, params=call.query or None, headers=headers, **body
        )

    def _pause_after(self, call: Call, response: httpx.Response | None, attempt: int) -> float:
        """The seconds to wait before another try; raises when there is none."""
        backoff = _FIRST_PAUSE * 2.0 ** (attempt - 1) * (1 + self._timing.jitter())
        if response is None:
            return backoff
        if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
            return self._limited(call, response)
        if not response.is_server_error:
            raise self._refusal(call, response)
        if not call.repeatable:
            raise DiscordUnavailable(f"{call}: {response.status_code}, and it may have been carried out")
        return backoff

    def _limited(self, call: Call, response: httpx.Response) -> float:
        body = _json(response)
        told = number(body.get("retry_after")) if isinstance(body, dict) else None
        seconds = told if told is not None else number(response.headers.get("retry-after"))
        everything = response.headers.get("x-ratelimit-scope") == "global" or "x-ratelimit-global" in response.headers
        everything = everything or (isinstance(body, dict) and body.get("global") is True)
        pause = seconds if seconds is not None else _UNKNOWN_PAUSE
        self._limits.block(call.route, pause, everything=everything)
        if self._on_limited:
            self._on_limited()
        return pause

    def _refusal(self, call: Call, response: httpx.Response) -> DiscordRefused:
        status, body = response.status_code, _json(response)
        if status == httpx.codes.UNAUTHORIZED and call.as_bot:
            self._token_refused_until = self._timing.monotonic() + _BREAKER_SECONDS
        details = body if isinstance(body, dict) else {}
        code = details.get("code")
        text = f"{call}: {status} {details.get('message', '')!s:.200} {details.get('errors') or ''!s:.300}"
        return DiscordRefused(text.strip(), status=status, code=code if isinstance(code, int) else 0)

    def _sleep(self, call: Call, seconds: float, deadline: float) -> None:
        if self._timing.monotonic() + seconds > deadline:
            raise DiscordUnavailable(f"{call}: Discord asks to wait {seconds:.1f} s", retry_after=seconds)
        self._timing.sleep(seconds)


def _part(file: UploadFile) -> tuple[str, bytes, str]:
    return file.name, file.content, mimetypes.guess_type(file.name)[0] or "application/octet-stream"


def _json(response: httpx.Response) -> Any:
    """The body, None when it is not JSON: proxies before Discord answer in HTML."""
    try:
        return response.json()
    except ValueError:
        return None
