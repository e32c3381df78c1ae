"""The port ToolBox: the tools of the sandbox and those of the tool servers that a thread may use."""

import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from copy import replace
from typing import Final

from msgspec import Struct, field

from discord_agent.adapters.tools.sandbox import SandboxTools
from discord_agent.adapters.tools.servers import Errand, Listing, ToolServers
from discord_agent.adapters.tools.vault import ToolSecrets
from discord_agent.domain import control_tools, offered_tools
from discord_agent.domain.conversation import Json, ToolCall, ToolResult, ToolSpec
from discord_agent.domain.errors import InvalidInput
from discord_agent.domain.ids import ChannelId, GuildId, ThreadId
from discord_agent.domain.offered_tools import FIND, USE, ServerTool
from discord_agent.domain.policy import Place, ToolCredential
from discord_agent.domain.sandbox_tools import SANDBOX_TOOLS
from discord_agent.ports import Clock, Credential, Sessions, ToolRound, WorkspaceAccess

_TAKEN: Final = (*(spec.name for spec in SANDBOX_TOOLS), *control_tools.NAMES, FIND, USE)
_SETTINGS_KEPT: Final = 30.0
"""Seconds; a setting that changes during a run counts from then on."""


class _Here(Struct, frozen=True):
    """What the settings say about the tools of a thread."""

    guild: GuildId | None
    servers: tuple[str, ...]
    credentials: tuple[ToolCredential, ...]


class Tools(Struct, frozen=True):
    """What a model may call in a thread: the sandbox, and the servers allowed in its guild and channel."""

    sandbox: SandboxTools
    servers: ToolServers
    secrets: ToolSecrets
    sessions: Sessions
    clock: Clock
    _places: dict[ThreadId, tuple[float, _Here]] = field(default_factory=dict)

    def specs(self, thread: ThreadId) -> tuple[ToolSpec, ...]:
        """The sandbox's tools, then those of the servers, in a stable order."""
        return (*SANDBOX_TOOLS, *offered_tools.specs(self._offered(self._here(thread))))

    def notes(self, thread: ThreadId) -> tuple[str, ...]:
        """A sentence for each server that is not to be had, and for each credential that cannot be given."""
        here = self._here(thread)
        faults = ((listing.server, listing.fault) for listing in self._listings(here))
        servers = tuple(
            f"The tool server {server!r:.60} is not to be had: {fault}. The run goes on without it."
            for server, fault in faults
            if fault
        )
        return (*servers, *self._credentials(here)[1])

    def run(
        self,
        calls: Sequence[ToolCall],
        access: WorkspaceAccess,
        *,
        meanwhile: Callable[[], object] | None = None,
        stop_requested: Callable[[], bool] | None = None,
    ) -> ToolRound:
        """Run a round's calls in their order: one go at the sandbox, or at the servers, per run of neighbours."""
        here = self._here(access.thread_id)
        access = replace(access, credentials=self._credentials(here)[0])
        outside = self._outside(calls, here)
        results: list[ToolResult] = []
        changed = None
        for is_outside, neighbours in itertools.groupby(calls, key=lambda call: call.id in outside):
            group = tuple(neighbours)
            if is_outside:
                resolved = [outside[call.id] for call in group]
                errands = [each for each in resolved if isinstance(each, Errand)]
                done = self.servers.run(errands, here.guild, meanwhile=meanwhile, stop_requested=stop_requested)
                answers = iter(done)
                results += [next(answers) if isinstance(each, Errand) else each for each in resolved]
            else:
                played = self.sandbox.run(group, access, meanwhile=meanwhile)
                results += played.results
                changed = played.manifest or changed
                access = replace(access, manifest=changed or access.manifest)
        return ToolRound(tuple(results), changed)

    def _outside(self, calls: Sequence[ToolCall], here: _Here) -> dict[str, Errand | ToolResult]:
        """What is not the sandbox's, by call id: calls to make, and answers to those that need none."""
        if not here.servers:
            return {}
        tools = self._offered(here)
        return {call.id: _errand(call, tools) for call in calls if call.name in (FIND, USE) or "__" in call.name}

    def _offered(self, here: _Here) -> Mapping[str, ServerTool]:
        return offered_tools.offered([tool for each in self._listings(here) for tool in each.tools], _TAKEN)

    def _listings(self, here: _Here) -> tuple[Listing, ...]:
        return self.servers.listings(here.servers, here.guild) if here.servers else ()

    def _credentials(self, here: _Here) -> tuple[tuple[Credential, ...], tuple[str, ...]]:
        """The credentials of a place, and a sentence for each that cannot be had."""
        given: list[Credential] = []
        missing: list[str] = []
        for each in here.credentials:
            try:
                value = self.secrets.value(each.secret, here.guild)
            except InvalidInput as error:
                missing.append(f"{each.program!r:.60} runs without its credential: {error}.")
            else:
                given.append(Credential(each.program, each.variable, value, each.as_file))
        return tuple(given), tuple(missing)

    def _here(self, thread: ThreadId) -> _Here:
        until, here = self._places.get(thread, (0.0, None))
        if here is None or self.clock.monotonic() >= until:
            here = self._look_up(thread)
            # One thread at a time is worked on here; older entries would only lie about.
            self._places.clear()
            self._places[thread] = (self.clock.monotonic() + _SETTINGS_KEPT, here)
        return here

    def _look_up(self, thread: ThreadId) -> _Here:
        session = self.sessions.get(thread)
        place = Place(ChannelId(thread), session.guild_id, parent_id=session.parent_channel_id, is_thread=True)
        settings = self.sessions.settings(session.guild_id)
        return _Here(session.guild_id, settings.within(place).mcp_servers, settings.credentials(place))


def _errand(call: ToolCall, tools: Mapping[str, ServerTool]) -> Errand | ToolResult:
    try:
        arguments = _object(call.name, call.arguments)
        if call.name == FIND:
            return ToolResult(call.id, call.name, ok=True, text=offered_tools.find(tools, str(arguments.get("query"))))
        return _resolved(call, arguments, tools)
    except InvalidInput as error:
        return ToolResult(call.id, call.name, ok=False, text=str(error))


def _resolved(call: ToolCall, arguments: Json, tools: Mapping[str, ServerTool]) -> Errand:
    name = str(arguments.get("name")) if call.name == USE else call.name
    given = arguments.get("arguments", {}) if call.name == USE else arguments
    if name not in tools:
        raise InvalidInput(f"there is no tool {name!r:.100}. {offered_tools.find(tools, name)}")
    if not isinstance(given, dict):
        raise InvalidInput(f"the arguments of {name} must be a JSON object; send the call again")
    return Errand(call.id, call.name, tools[name], given)


def _object(name: str, arguments: str) -> Json:
    try:
        parsed = json.loads(arguments or "{}")
    except ValueError as error:
        raise InvalidInput(f"the arguments of {name} are not valid JSON: {error}; send the call again") from error
    if not isinstance(parsed, dict):
        raise InvalidInput(f"the arguments of {name} must be a JSON object; send the call again")
    return parsed
