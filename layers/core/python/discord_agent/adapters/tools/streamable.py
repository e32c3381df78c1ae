"""Speaking to a tool server over streamable HTTP, in whichever protocol revision it speaks."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import anyio
import httpx2
import mcp_types
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

from discord_agent.adapters.tools.definitions import ToolServer
from discord_agent.domain.conversation import Json
from discord_agent.domain.offered_tools import ServerTool

type CallTool = Callable[[str, Json], Awaitable[tuple[str, bool]]]
"""Call a tool by name with arguments: what it says, and whether it went well."""

_NAME: Final = "discord-agent"
_VERSION: Final = "1"
_CONNECT_SECONDS: Final = 5.0
_MOST_BYTES: Final = 16 * 1024 * 1024
"""Of one answer; what is larger is not read to its end."""
_MOST_PAGES: Final = 20
_MOST_CHARACTERS: Final = 8_000_000


class TooLarge(Exception):
    """A server answers with more than is read."""


@asynccontextmanager
async def calling(server: ToolServer, secret: str) -> AsyncIterator[CallTool]:
    """What calls the tools of a server, until the connection is closed."""
    async with _connected(server, secret) as client:

        async def call(name: str, arguments: Json) -> tuple[str, bool]:
            result = await client.call_tool(name, arguments)
            return _text_of(result), not result.is_error

        yield call


@asynccontextmanager
async def _connected(server: ToolServer, secret: str) -> AsyncIterator[Client]:
    """A client that has agreed on a protocol revision with the server; 2026-07-28 is tried first."""
    # What is compressed could be small on the wire and huge when it is unpacked.
    headers = {"Accept-Encoding": "identity", **({server.header: _credential(server, secret)} if secret else {})}
    # Longer than a call may take: the caller ends a slow call, and the connection stays for the next one.
    patience = server.seconds + _CONNECT_SECONDS
    timeout = httpx2.Timeout(_CONNECT_SECONDS, read=patience)
    info = mcp_types.Implementation(name=_NAME, version=_VERSION)
    async with httpx2.AsyncClient(headers=headers, timeout=timeout, transport=_Limited()) as http:
        transport = streamable_http_client(server.url, http_client=http)
        async with Client(transport, client_info=info, cache=None, read_timeout_seconds=patience) as client:
            yield client


async def tools_of(server: ToolServer, secret: str, seconds: float) -> tuple[ServerTool, ...]:
    """The tools of a server, page by page, as far as they are allowed."""
    with anyio.fail_after(seconds):
        async with _connected(server, secret) as client:
            found: list[ServerTool] = []
            cursor: str | None = None
            for _ in range(_MOST_PAGES):
                page = await client.list_tools(cursor=cursor)
                found += [_tool(server, tool) for tool in page.tools if server.allows(tool.name)]
                cursor = page.next_cursor
                if not cursor:
                    break
            return tuple(found)


def reason_of(error: BaseException, server: ToolServer) -> str:
    """Why a server could not be used, as a clause for people and models; neither its address nor a secret is in it."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    match error:
        case TimeoutError() | httpx2.TimeoutException():
            return "it did not answer in time"
        case TooLarge():
            return f"it answered with more than {_MOST_BYTES >> 20} MB"
        case httpx2.HTTPStatusError() if error.response.status_code in {401, 403}:
            return "it refuses our credentials"
        case httpx2.TransportError():
            return "it cannot be reached"
        case MCPError():
            message = " ".join(error.error.message.replace(server.url, server.name).split())
            return f"it says: {message:.300}"
        case _:
            return f"its answer makes no sense ({type(error).__name__})"


class _Limited(httpx2.AsyncHTTPTransport):
    """Reads answers up to a size, and plain ones only."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request."""
        response = await super().handle_async_request(request)
        if response.headers.get("content-encoding", "identity") != "identity":
            await response.aclose()
            raise httpx2.RemoteProtocolError("a compressed answer was not asked for", request=request)
        if isinstance(response.stream, httpx2.AsyncByteStream):
            response.stream = _Counted(response.stream)
        return response


class _Counted(httpx2.AsyncByteStream):
    """A stream that ends in TooLarge."""

    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The parts."""
        read = 0
        async for part in self._stream:
            read += len(part)
            if read > _MOST_BYTES:
                raise TooLarge
            yield part

    async def aclose(self) -> None:
        """Close it."""
        await self._stream.aclose()


def _tool(server: ToolServer, tool: mcp_types.Tool) -> ServerTool:
    reads = tool.annotations is not None and tool.annotations.read_only_hint is True
    description = tool.description or tool.title or ""
    return ServerTool(server.name, tool.name, description, dict(tool.input_schema), writes=not reads)


def _text_of(result: mcp_types.CallToolResult) -> str:
    parts = [_described(block) for block in result.content]
    if not parts and result.structured_content is not None:
        parts = [json.dumps(result.structured_content, ensure_ascii=False)]
    text = "\n".join(parts)
    return text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]}\n[cut]"


def _described(block: Any) -> str:
    match block:
        case mcp_types.TextContent():
            return block.text
        case mcp_types.EmbeddedResource(resource=mcp_types.TextResourceContents() as resource):
            return resource.text
        case mcp_types.ResourceLink():
            return f"[{block.name}: {block.uri}]"
        case mcp_types.ImageContent() | mcp_types.AudioContent():
            return f"[{block.mime_type} of {len(block.data)} characters in base64, not shown]"
        case _:
            return f"[{block.type}, not shown]"


def _credential(server: ToolServer, secret: str) -> str:
    is_bare_token = server.header.lower() == "authorization" and " " not in secret
    return f"Bearer {secret}" if is_bare_token else secret
