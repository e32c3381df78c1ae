"""The development stack: everything the product runs on, on one machine, spoken to as in production."""

import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from copy import replace
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import httpx
from nacl.signing import SigningKey
from starlette.routing import BaseRoute

from devstack.aws.children import Child
from devstack.aws.declared import Declared
from devstack.aws.deployed.origin import Deployed
from devstack.aws.errors import DidNotStart
from devstack.aws.functions.faults import FunctionFaults
from devstack.aws.http import LOOPBACK, listen
from devstack.aws.stack import LocalAws
from devstack.aws.workload import Origin
from devstack.commands import register_at
from devstack.deploying import origin
from devstack.discord.app import Parts
from devstack.discord.rules import Rules
from devstack.discord.server import DiscordServer
from devstack.git import GitServer
from devstack.model.script import load_script
from devstack.model.server import ModelServer
from devstack.options import DEMO_TASK, ROOT, Options
from devstack.playground.runs import RunObserver
from devstack.playground.site import Page, site_routes
from discord_agent.adapters.clock import SystemClock
from discord_agent.adapters.dynamodb.sessions import DynamoSessions
from discord_agent.adapters.dynamodb.store import Store
from discord_agent.domain.errors import InvalidSettings
from discord_agent.domain.ids import GuildId
from discord_agent.system import SYSTEM

_BRIDGE_PATIENCE: Final = 10.0
_BRIDGE_START: Final = 30.0
_BRIDGE_LEASE: Final = "3"
"""Seconds: a killed bridge is soon replaced."""
_SOON: Final = 2.0
_NEVER: Final = 86400.0
"""Seconds; all the code that a tool deploys would be written each time."""
_REAL_NOTE: Final = "Real models answer here."
_SCRIPTED_NOTE: Final = (
    "The model is a scripted one: it plays a file and says so. For real models, stop this and set "
    "LITELLM_BASE_URL and LITELLM_API_KEY, or a provider's key, before starting it again."
)

type Log = Callable[[str, str], None]


class DevStack:
    """Starts the parts in the order of their needs and stops them in the reverse one."""

    def __init__(self, options: Options, *, log: Log = lambda _name, _line: None, rules: Rules | None = None) -> None:
        self.options = options
        self.aws: LocalAws
        self.git: GitServer
        self.discord: DiscordServer | None = None
        self.model: ModelServer | None = None
        self.repository_url = ""
        self.deployed: Deployed | None = None
        self._bridge: Child | None = None
        self._log = log
        self._rules = rules
        self.faults = FunctionFaults()
        self._cleanup = ExitStack()

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
        self._cleanup.close()

    def kill_bridge(self) -> None:
        """SIGKILL the gateway bridge."""
        if self._bridge is not None:
            self._bridge.kill()

    def _start(self) -> None:
        self.git = GitServer(self._folder("repositories"))
        self.git.start()
        self._cleanup.callback(self.git.stop)
        self.repository_url = self.git.import_folder(self.options.repository)
        model, model_key = self._start_model()
        discord, token, public_key = self._start_discord()
        parameters = {
            **discord,
            **model,
            "DISCORD_PUBLIC_KEY": public_key,
            "DEBOUNCE_SECONDS": str(self.options.debounce_seconds),
            **dict(self.options.parameters),
        }
        secrets = {
            "discord-token": token,
            "model-key": model_key,
            "git-credentials": "{}",
            "tool-secrets": self.options.tool_secrets,
        }
        self.aws = LocalAws(
            self._origin(parameters, secrets),
            data=self._folder("aws"),
            mode="process" if self.options.processes else "in_process",
            time_scale=self.options.time_scale,
            autosave_seconds=_NEVER if self.options.against else _SOON,
            faults=self.faults,
            on_log=self._log,
        )
        self.aws.start()
        self._cleanup.callback(self.aws.stop)
        if self.discord is not None:
            self._settle_guild(self.discord)
            self.discord.set_interactions_endpoint(self.aws.api_url + SYSTEM.functions["interactions"].path)
            register_at(self.discord.api_url, self.discord.token)
        self.start_bridge()

    def _origin(self, parameters: Mapping[str, str], secrets: Mapping[str, str]) -> Origin:
        if self.options.against:
            self.deployed = origin(self.options.against, parameters, secrets, self._log)
            return self.deployed
        return Declared(
            SYSTEM,
            root=ROOT,
            parameters=parameters,
            secrets=secrets,
            visibility=self.options.visibility,
            programs=self.options.programs,
        )

    def _folder(self, name: str) -> Path | None:
        return self.options.data / name if self.options.data else None

    def _start_model(self) -> tuple[Mapping[str, str], str]:
        """Deployment parameters and the key to call models with."""
        access = self.options.model
        if access.is_real:
            return {"LITELLM_BASE_URL": access.base_url}, access.key
        key = secrets.token_urlsafe(24)
        log_path = self.options.data / "model.jsonl" if self.options.data else None
        self.model = ModelServer(load_script(self.options.script), key=key, log_path=log_path)
        self.model.start()
        self._cleanup.callback(self.model.stop)
        return {"LITELLM_BASE_URL": self.model.url}, key

    def _start_discord(self) -> tuple[Mapping[str, str], str, str]:
        """Deployment parameters, the bot's token and the key its interactions are signed with."""
        if self.options.discord_token:
            no_endpoint, token = SigningKey.generate().verify_key.encode().hex(), self.options.discord_token
            parameters = _real_discord(token)
            register_at(SYSTEM.parameters["DISCORD_API_URL"], token, self.options.discord_guild)
            return parameters, token, no_endpoint
        server = DiscordServer(
            data=self._folder("discord"), port=self.options.port, pages=self._pages, rules=self._rules
        )
        server.start()
        self._cleanup.callback(server.stop)
        self.discord = server
        return {"DISCORD_API_URL": server.api_url, "DISCORD_BOT_ID": server.bot_id}, server.token, server.public_key

    def _pages(self, parts: Parts) -> Sequence[BaseRoute]:
        note = _REAL_NOTE if self.options.model.is_real else _SCRIPTED_NOTE
        page = Page(model_note=note, demo_prompt=f"<@{parts.world.bot_id}> {DEMO_TASK}")
        return site_routes(parts, page, _LateRuns(self))

    def _settle_guild(self, discord: DiscordServer) -> None:
        """Point the guild at its repository, whose address may have changed since the last start."""
        table = self.aws.environment("intake")["DYNAMODB_SESSIONS_TABLE"]
        sessions = DynamoSessions(Store(self.aws.client("dynamodb")), table, SystemClock())
        guild = GuildId(discord.guild_id)
        sessions.put_settings(guild, replace(sessions.settings(guild), repository=self.repository_url))

    def start_bridge(self) -> None:
        """Start a gateway bridge, as after the death of the former one; returns when it is connected."""
        port = str(_free_port())
        here = {"HEALTH_PORT": port, "HEALTH_HOST": LOOPBACK, "LEASE_SECONDS": _BRIDGE_LEASE}
        bridge = self.aws.service("gateway_bridge")
        variables = {**bridge.environment, **here}
        child = Child(bridge.module, [], environment=variables, folder=bridge.folder, bare=bridge.bare)
        self._bridge = child
        self._cleanup.callback(child.terminate, _BRIDGE_PATIENCE)
        _pump(child, self._log)
        _await_ready(child, port)


class _LateRuns:
    """The run panel's observer, made when the page is first asked: AWS starts after the page."""

    def __init__(self, stack: DevStack) -> None:
        self._stack = stack
        self._observer: RunObserver | None = None

    def observe(self, thread_id: str, execution_id: str | None = None) -> dict[str, object]:
        """A thread's runs."""
        if self._observer is None:
            clients = self._stack.aws.client
            self._observer = RunObserver(clients("dynamodb"), clients("stepfunctions"), self._stack.aws.machine_arn)
        return self._observer.observe(thread_id, execution_id)


def _pump(child: Child, log: Log) -> None:
    """Pass a child's output on, so that its pipe never fills."""

    def read() -> None:
        with child.output as output:
            for line in output:
                log("bridge", line.decode(errors="replace").rstrip())

    threading.Thread(target=read, name="bridge-log", daemon=True).start()


def _free_port() -> int:
    with listen() as listener:
        port: int = listener.getsockname()[1]
        return port


def _await_ready(bridge: Child, port: str) -> None:
    """A message written before the bridge listens would be lost on a server it has never seen."""
    deadline = time.monotonic() + _BRIDGE_START
    while time.monotonic() < deadline and bridge.alive:
        with suppress(httpx.TransportError):
            if httpx.get(f"http://127.0.0.1:{port}/ready", timeout=1).is_success:
                return
        time.sleep(0.05)
    raise DidNotStart("the gateway bridge does not get ready; `discord-agent dev --verbose` shows why")


def _real_discord(token: str) -> Mapping[str, str]:
    url = f"{SYSTEM.parameters['DISCORD_API_URL']}/users/@me"
    answer = httpx.get(url, headers={"Authorization": f"Bot {token}"}, timeout=10)
    if answer.status_code == httpx.codes.UNAUTHORIZED:
        raise InvalidSettings("Discord refuses DISCORD_TOKEN: copy the bot's token anew from the developer portal")
    answer.raise_for_status()
    return {"DISCORD_BOT_ID": answer.json()["id"], "BOT_USERNAME": answer.json()["username"]}
