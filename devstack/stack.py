"""The development stack: everything the product runs on, on one machine, spoken to as in production."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import httpx
from nacl.signing import SigningKey
from starlette.routing import BaseRoute

from devstack.aws.children import Child
from devstack.aws.stack import LocalAws
from devstack.discord.app import Parts
from devstack.discord.server import DiscordServer
from devstack.edge import interactions_route
from devstack.git import GitServer
from devstack.model.script import load_script
from devstack.model.server import ModelServer
from devstack.options import ROOT, Options
from devstack.playground.pages import playground
from discord_agent.adapters.dynamodb.sessions import DynamoSessions
from discord_agent.domain.errors import InvalidSettings
from discord_agent.domain.ids import GuildId
from discord_agent.domain.policy import GuildSettings
from discord_agent.system import SYSTEM

_DISCORD_API: Final = "https://discord.com/api/v10"
_BRIDGE_PATIENCE: Final = 10.0

type Log = Callable[[str, str], None]


class DevStack:
    """Starts the parts in the order of their needs and stops them in the reverse one."""

    def __init__(self, options: Options, *, log: Log = lambda _name, _line: None) -> None:
        self.options = options
        self._log = log
        self._stops: list[Callable[[], None]] = []
        self.git: GitServer
        self.aws: LocalAws
        self.discord: DiscordServer | None = None
        self.model: ModelServer | None = None
        self.repository_url = ""
        self.bridge: Child | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The address of the page."""
        return self.discord.url if self.discord else "https://discord.com/channels/@me"

    def start(self) -> None:
        """Start everything; what was started is stopped again when a part fails."""
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop everything; no process is left."""
        while self._stops:
            self._stops.pop()()

    def _start(self) -> None:
        self.git = GitServer(self._folder("repositories"))
        self.git.start()
        self._stops.append(self.git.stop)
        self.repository_url = self.git.import_folder(self.options.repository)
        model_parameters, model_key = self._start_model()
        discord_parameters, token = self._start_discord()
        parameters = {
            **discord_parameters,
            **model_parameters,
            "DEBOUNCE_SECONDS": str(self.options.debounce_seconds),
            **dict(self.options.parameters),
        }
        self.aws = LocalAws(
            SYSTEM,
            root=ROOT,
            data=self._folder("aws"),
            parameters=parameters,
            secrets={"discord-token": token, "model-key": model_key, "git-credentials": "{}"},
            mode="process" if self.options.processes else "in_process",
            time_scale=self.options.time_scale,
            on_log=self._log,
        )
        self.aws.start()
        self._stops.append(self.aws.stop)
        self._settle_guild()
        self._start_bridge(parameters)

    def _folder(self, name: str) -> Path | None:
        return self.options.data / name if self.options.data else None

    def _start_model(self) -> tuple[dict[str, str], str]:
        access = self.options.model
        if access.is_real:
            return {"LITELLM_BASE_URL": access.base_url}, access.key
        key = secrets.token_urlsafe(24)
        log_path = self.options.data / "model.jsonl" if self.options.data else None
        self.model = ModelServer(load_script(self.options.script), key=key, log_path=log_path)
        self.model.start()
        self._stops.append(self.model.stop)
        return {"LITELLM_BASE_URL": self.model.url}, key

    def _start_discord(self) -> tuple[dict[str, str], str]:
        if self.options.discord_token:
            return _real_discord(self.options.discord_token), self.options.discord_token
        key = SigningKey.generate()
        self.discord = DiscordServer(data=self._folder("discord"), port=self.options.port, pages=self._pages)
        self.discord.start()
        self._stops.append(self.discord.stop)
        return {
            "DISCORD_API_URL": self.discord.api_url,
            "DISCORD_BOT_ID": self.discord.bot_id,
            "DISCORD_PUBLIC_KEY": self.discord.public_key if hasattr(self.discord, "public_key") else key.verify_key.encode().hex(),
        }, self.discord.token

    def _pages(self, parts: Parts) -> Sequence[BaseRoute]:
        return [interactions_route(lambda name, event: self.aws.invoke(name, event)), *playground(parts, self)]

    def _settle_guild(self) -> None:
        """Point the guild at its repository, whose address may have changed since the last start."""
        if self.discord is None:
            return
        sessions = DynamoSessions(self.aws.client("dynamodb"), SYSTEM.tables["sessions"].name)
        guild = GuildId(self.discord.guild_id)
        known = sessions.settings(guild)
        sessions.put_settings(guild, replace(known, repository=self.repository_url))

    def _start_bridge(self, parameters: Mapping[str, str]) -> None:
        environment = {
            **self.aws.endpoints.environment(),
            "DISCORD_API_URL": parameters.get("DISCORD_API_URL", _DISCORD_API),
            "DISCORD_TOKEN_SECRET": SYSTEM.secrets["discord-token"],
            "DISCORD_BOT_ID": parameters["DISCORD_BOT_ID"],
            "DISCORD_MESSAGES_QUEUE_URL": self.aws.queue_url("messages"),
            "DYNAMODB_SESSIONS_TABLE": SYSTEM.tables["sessions"].name,
            "HEALTH_PORT": "0",
        }
        self.bridge = Child("gateway_bridge", [], environment=environment, folder=ROOT)
        self._stops.append(lambda: self.bridge.terminate(_BRIDGE_PATIENCE) if self.bridge else None)


def _real_discord(token: str) -> dict[str, str]:
    answer = httpx.get(f"{_DISCORD_API}/users/@me", headers={"Authorization": f"Bot {token}"}, timeout=10)
    if answer.status_code == httpx.codes.UNAUTHORIZED:
        raise InvalidSettings("Discord refuses DISCORD_TOKEN: copy the bot's token anew from the developer portal")
    answer.raise_for_status()
    return {"DISCORD_BOT_ID": answer.json()["id"], "BOT_USERNAME": answer.json()["username"]}


__all__ = ["DevStack", "GuildSettings"]
