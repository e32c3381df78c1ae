"""The tools of other servers: which there are, and calling them; a server that fails costs its own calls only."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import anyio
import anyio.to_thread
from msgspec import Struct, field

from discord_agent.adapters.tools.definitions import ToolServer
from discord_agent.adapters.tools.vault import ToolSecrets
from discord_agent.domain.conversation import Json, ToolResult
from discord_agent.domain.errors import InvalidInput
from discord_agent.domain.ids import GuildId
from discord_agent.domain.offered_tools import ServerTool
from discord_agent.ports import Clock

if TYPE_CHECKING:
    from discord_agent.adapters.tools.streamable import CallTool

_LOG = logging.getLogger(__name__)

_LIST_SECONDS: Final = 10.0
_LISTED_FOR: Final = 300.0
_DOWN_FOR: Final = 60.0
_LOOK_SECONDS: Final = 0.5
_STOPPED: Final = "[interrupted: somebody asked the run to stop]"


class Listing(Struct, frozen=True):
    """What a server offers, or a clause that says why it offers nothing now."""

    server: str
    tools: tuple[ServerTool, ...] = ()
    fault: str = ""


class Errand(Struct, frozen=True):
    """A call of a tool, with the id and the name under which the model asked for it."""

    call_id: str
    asked_as: str
    tool: ServerTool
    arguments: Json


class ToolServers(Struct, frozen=True):
    """The servers a deployment knows; what they offer is remembered for some minutes, that one is down for one."""

    known: Mapping[str, ToolServer]
    secrets: ToolSecrets
    clock: Clock
    _listed: dict[str, tuple[float, Listing]] = field(default_factory=dict)

    def listings(self, names: Sequence[str], guild: GuildId | None) -> tuple[Listing, ...]:
        """What the servers of these names offer to a guild, asked all at once."""
        asked: list[tuple[ToolServer, str]] = []
        listings: dict[str, Listing] = {}
        for name in dict.fromkeys(names):
            try:
                server, secret = self.access(name, guild)
            except InvalidInput as error:
                listings[name] = Listing(name, fault=str(error))
                continue
            remembered = self._remembered(name)
            if remembered is None:
                asked.append((server, secret))
            else:
                listings[name] = remembered
        if asked:
            listings |= {listing.server: listing for listing in anyio.run(self._ask, asked)}
        return tuple(listings[name] for name in dict.fromkeys(names))

    def run(
        self,
        errands: Sequence[Errand],
        guild: GuildId | None,
        *,
        meanwhile: Callable[[], object] | None = None,
        stop_requested: Callable[[], bool] | None = None,
    ) -> tuple[ToolResult, ...]:
        """A result per call: servers at the same time, reads of one server too, its writes in order."""
        return anyio.run(_Round(self, errands, guild, meanwhile, stop_requested).run)

    def access(self, name: str, guild: GuildId | None) -> tuple[ToolServer, str]:
        """A server and the secret to bring, "" for none; InvalidInput if the guild cannot have them."""
        server = self.known.get(name)
        if server is None:
            raise InvalidInput("whoever runs the bot has not set it up")
        return server, self.secrets.value(server.secret, guild) if server.secret else ""

    def _remembered(self, name: str) -> Listing | None:
        until, listing = self._listed.get(name, (0.0, Listing(name)))
        return listing if self.clock.monotonic() < until else None

    async def _ask(self, asked: Sequence[tuple[ToolServer, str]]) -> tuple[Listing, ...]:
        found: list[Listing] = []

        async def ask(server: ToolServer, secret: str) -> None:
            listing = await _listing(server, secret)
            kept_for = _DOWN_FOR if listing.fault else _LISTED_FOR
            self._listed[server.name] = (self.clock.monotonic() + kept_for, listing)
            found.append(listing)

        async with anyio.create_task_group() as tasks:
            for server, secret in asked:
                tasks.start_soon(ask, server, secret)
        return tuple(found)


class _Round:
    """The calls of one round."""

    def __init__(
        self,
        servers: ToolServers,
        errands: Sequence[Errand],
        guild: GuildId | None,
        meanwhile: Callable[[], object] | None,
        stop_requested: Callable[[], bool] | None,
    ) -> None:
        self._servers = servers
        self._errands = errands
        self._guild = guild
        self._meanwhile = meanwhile
        self._stop_requested = stop_requested
        self._results: dict[str, ToolResult] = {}

    async def run(self) -> tuple[ToolResult, ...]:
        """Make all calls; those under way when somebody stops the run are given up."""
        async with anyio.create_task_group() as everything:
            everything.start_soon(self._watch, everything.cancel_scope)
            async with anyio.create_task_group() as tasks:
                for name in dict.fromkeys(errand.tool.server for errand in self._errands):
                    tasks.start_soon(self._at, name)
            everything.cancel_scope.cancel()
        return tuple(self._results.get(errand.call_id) or _stopped(errand) for errand in self._errands)

    async def _watch(self, everything: anyio.CancelScope) -> None:
        while True:
            await anyio.sleep(_LOOK_SECONDS)
            if self._meanwhile:
                await anyio.to_thread.run_sync(self._meanwhile)
            stop_requested = self._stop_requested
            if stop_requested is not None and await anyio.to_thread.run_sync(stop_requested):
                everything.cancel()

    async def _at(self, name: str) -> None:
        errands = [errand for errand in self._errands if errand.tool.server == name]
        try:
            server, secret = self._servers.access(name, self._guild)
        except InvalidInput as error:
            self._fail(errands, name, str(error))
            return
        from discord_agent.adapters.tools.streamable import calling, reason_of  # noqa: PLC0415 - heavy, seldom needed

        try:
            async with calling(server, secret) as call:
                for group in _groups(errands):
                    async with anyio.create_task_group() as tasks:
                        for errand in group:
                            tasks.start_soon(self._call, call, server, errand)
        except Exception as error:  # noqa: BLE001 - a server of others fails in any way; it does not end the run
            _LOG.warning("tool server %s failed: %s", name, reason_of(error, server))
            self._fail(errands, name, reason_of(error, server))

    async def _call(self, call: "CallTool", server: ToolServer, errand: Errand) -> None:
        started = time.monotonic()
        try:
            with anyio.fail_after(server.seconds):
                text, ok = await call(errand.tool.name, errand.arguments)
        except TimeoutError:
            text, ok = f"[{server.name} did not answer within {server.seconds:g} s]", False
        took = round((time.monotonic() - started) * 1000)
        self._results[errand.call_id] = ToolResult(errand.call_id, errand.asked_as, ok=ok, text=text, duration_ms=took)

    def _fail(self, errands: Sequence[Errand], server: str, reason: str) -> None:
        text = f"[the tool server {server} could not be used: {reason}; go on without it if you can]"
        for errand in errands:
            failed = ToolResult(errand.call_id, errand.asked_as, ok=False, text=text)
            self._results.setdefault(errand.call_id, failed)


async def _listing(server: ToolServer, secret: str) -> Listing:
    from discord_agent.adapters.tools.streamable import reason_of, tools_of  # noqa: PLC0415 - heavy, seldom needed

    try:
        tools = await tools_of(server, secret, _LIST_SECONDS)
    except Exception as error:  # noqa: BLE001 - a server of others fails in any way; it does not end the run
        _LOG.warning("tool server %s is not to be had: %s", server.name, reason_of(error, server))
        return Listing(server.name, fault=reason_of(error, server))
    return Listing(server.name, tools)


def _groups(errands: Sequence[Errand]) -> Iterator[list[Errand]]:
    """Neighbouring reads together, each write alone at its place."""
    group: list[Errand] = []
    for errand in errands:
        if errand.tool.writes:
            yield from ([group] if group else [])
            group = []
            yield [errand]
        else:
            group.append(errand)
    if group:
        yield group


def _stopped(errand: Errand) -> ToolResult:
    return ToolResult(errand.call_id, errand.asked_as, ok=False, text=_STOPPED, facts={"interrupted": True})
