"""A person who uses the Discord-compatible server as its page does."""

import json
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import httpx

from devstack.discord.seed import ADA_ID
from discord_agent.domain.errors import DiscordRefused

_API: Final = "/playground/api"


@dataclass(frozen=True, slots=True)
class Person:
    """Acts as ``user_id`` on the server at ``url``."""

    url: str
    user_id: str = ADA_ID

    def say(self, channel: str, text: str) -> str:
        """Send a message; its id."""
        return str(self._call("POST", f"/channels/{channel}/messages", {"content": text})["id"])

    def upload(self, channel: str, text: str, name: str, content: bytes) -> str:
        """Send a message with a file; its id."""
        data = {"payload_json": json.dumps({"content": text})}
        files = {"files[0]": (name, content)}
        answer = httpx.post(
            f"{self.url}{_API}/channels/{channel}/messages", data=data, files=files, headers=self._headers, timeout=30
        )
        return str(_checked(answer)["id"])

    def read(self, channel: str) -> list[dict[str, Any]]:
        """The newest messages of a channel as the page gets them, oldest first."""
        found: list[dict[str, Any]] = self._call("GET", f"/channels/{channel}/messages")
        return found[::-1]

    def react(self, channel: str, message: str, emoji: str) -> None:
        """Add a reaction."""
        self._call("PUT", f"/channels/{channel}/messages/{message}/reactions/{quote(emoji)}")

    def unreact(self, channel: str, message: str, emoji: str) -> None:
        """Take a reaction back."""
        self._call("DELETE", f"/channels/{channel}/messages/{message}/reactions/{quote(emoji)}")

    def press(self, channel: str, message: str, custom_id: str) -> Any:
        """Press a button; what became of it."""
        return self._call("POST", f"/channels/{channel}/messages/{message}/components", {"custom_id": custom_id})

    def command(self, channel: str, name: str, **options: Any) -> Any:
        """Send a slash command; what became of it."""
        return self._call("POST", f"/channels/{channel}/commands", {"name": name, "options": options})

    def edit(self, channel: str, message: str, text: str) -> None:
        """Change an own message."""
        self._call("PATCH", f"/channels/{channel}/messages/{message}", {"content": text})

    def delete(self, channel: str, message: str) -> None:
        """Delete an own message."""
        self._call("DELETE", f"/channels/{channel}/messages/{message}")

    @property
    def _headers(self) -> dict[str, str]:
        return {"x-playground-user": self.user_id}

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        answer = httpx.request(method, f"{self.url}{_API}{path}", json=body, headers=self._headers, timeout=30)
        return _checked(answer)


def _checked(answer: httpx.Response) -> Any:
    if answer.is_error:
        raise DiscordRefused(f"the server refused: {answer.status_code} {answer.text[:200]}", status=answer.status_code)
    return answer.json() if answer.content else None
