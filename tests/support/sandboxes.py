"""Talking to a sandbox as ``turn`` does: one invocation with a round of MCP requests."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mcp_types import CLIENT_CAPABILITIES_META_KEY, PROTOCOL_VERSION_META_KEY
from mcp_types.version import LATEST_MODERN_VERSION

from discord_agent.adapters.workspace.codec import from_inline, inline
from discord_agent.domain.ids import ThreadId
from discord_agent.domain.sandbox_tools import FACTS_META_KEY
from discord_agent.domain.workspace import Manifest
from discord_agent.sandbox.service import Sandbox
from tests.support.buckets import BUCKET

THREAD = ThreadId("7001")
CREDENTIALS = {"access_key_id": "testing", "secret_access_key": "testing", "session_token": "testing"}


def request(method: str, params: Mapping[str, Any], number: int = 1) -> dict[str, Any]:
    meta = {PROTOCOL_VERSION_META_KEY: LATEST_MODERN_VERSION, CLIENT_CAPABILITIES_META_KEY: {}}
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": {**params, "_meta": meta}}


@dataclass(frozen=True)
class Reply:
    text: str
    ok: bool
    facts: dict[str, Any]


@dataclass
class Client:
    """Calls tools and follows the manifest."""

    sandbox: Sandbox
    manifest: Manifest = Manifest()
    thread: ThreadId = THREAD
    execution: str = "m-1"
    skipped: tuple[str, ...] = ()
    seconds: float = 100
    tool_credentials: tuple[dict[str, Any], ...] = ()

    def invoke(self, *requests: dict[str, Any]) -> list[dict[str, Any]]:
        event = {
            "thread_id": self.thread,
            "execution_id": self.execution,
            "bucket": BUCKET,
            "manifest": inline(self.manifest, self.thread),
            "credentials": CREDENTIALS,
            "tool_credentials": self.tool_credentials,
            "requests": list(requests),
        }
        answer = self.sandbox.handle(event, self.seconds)
        if answer["manifest"] is not None:
            self.manifest = from_inline(answer["manifest"], self.thread)
        self.skipped = tuple(answer["skipped"])
        responses: list[dict[str, Any]] = answer["responses"]
        return responses

    def round(self, *calls: tuple[str, dict[str, Any]]) -> list[Reply]:
        requests = [
            request("tools/call", {"name": name, "arguments": arguments}, number)
            for number, (name, arguments) in enumerate(calls)
        ]
        responses = self.invoke(*requests)
        assert [response["id"] for response in responses] == list(range(len(calls)))
        return [
            Reply(
                response["result"]["content"][0]["text"],
                not response["result"]["isError"],
                response["result"]["_meta"][FACTS_META_KEY],
            )
            for response in responses
        ]

    def call(self, name: str, **arguments: Any) -> Reply:
        [reply] = self.round((name, arguments))
        return reply

    def paths(self) -> list[str]:
        return [entry.path for entry in self.manifest.files]
