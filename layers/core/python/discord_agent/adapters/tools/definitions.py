"""The tool servers that a deployment knows (parameter ``MCP_SERVERS``); a guild or channel chooses from them by name."""

import ipaddress
from collections.abc import Mapping
from typing import Annotated, Final, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from discord_agent.domain.errors import InvalidSettings


class ToolServer(BaseModel):
    """A server of the Model Context Protocol, reached over streamable HTTP.

    ``secret`` names an entry of the secret ``tool-secrets`` that is sent in ``header``; ``tools`` empty: all it has;
    ``seconds`` is how long a call may take.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,23}$")]
    url: Annotated[str, Field(max_length=500)]
    secret: Annotated[str, Field(max_length=100)] = ""
    header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,60}$")] = "Authorization"
    tools: tuple[str, ...] = ()
    seconds: Annotated[float, Field(gt=0, le=300)] = 60

    @model_validator(mode="after")
    def _reachable_safely(self) -> Self:
        url = urlsplit(self.url)
        if url.scheme not in {"http", "https"} or not url.hostname:
            raise ValueError("the url must be http or https")
        if _tells_credentials(url.hostname):
            raise ValueError("the url must not be a link-local address or one that a cloud tells credentials at")
        if url.username or url.password or url.query:
            raise ValueError("the url must hold no credentials and no query: name a secret instead")
        if self.secret and url.scheme == "http" and not _is_here(url.hostname):
            raise ValueError("a secret is sent over https only")
        return self

    def allows(self, tool: str) -> bool:
        """Whether a tool of the server may be used."""
        return not self.tools or tool in self.tools


_METADATA: Final = frozenset({"fd00:ec2::254", "fd00:ec2::23", "metadata.google.internal"})
"""Where clouds tell credentials besides link-local addresses."""

_SERVERS: Final = TypeAdapter(tuple[ToolServer, ...])


def parse_servers(text: str) -> Mapping[str, ToolServer]:
    """The servers by name, from a JSON list; InvalidSettings says what is wrong with it."""
    if not text.strip():
        return {}
    try:
        servers = _SERVERS.validate_json(text)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()[:5])
        raise InvalidSettings(f"MCP_SERVERS must be a JSON list of servers: {faults}") from error
    by_name = {server.name: server for server in servers}
    if len(by_name) < len(servers):
        raise InvalidSettings("MCP_SERVERS names a server twice")
    return by_name


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _tells_credentials(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host.casefold().rstrip(".") in _METADATA
    plain = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (plain or address).is_link_local or str(address) in _METADATA
