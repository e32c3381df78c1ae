"""Invoking one function with one event, on a stack of its own that ends with it."""

import json
import sys
import tempfile
from copy import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import yaml
from nacl.signing import SigningKey

from devstack.aws.declared import Declared
from devstack.aws.functions.model import Invocation
from devstack.aws.stack import LocalAws
from devstack.discord.rules import relaxed
from devstack.discord.seed import ADA_ID, GENERAL_ID
from devstack.discord.server import DiscordServer
from devstack.git import GitServer
from devstack.model.script import load_script
from devstack.model.server import ModelServer
from devstack.options import DEMO_SCRIPT, DEMO_TASK, ROOT, SAMPLE
from devstack.samples_signed import sign_sample
from discord_agent.adapters.clock import SystemClock
from discord_agent.adapters.dynamodb.sessions import DynamoSessions
from discord_agent.adapters.dynamodb.store import Store
from discord_agent.declaration import System
from discord_agent.domain.errors import InvalidSettings
from discord_agent.domain.ids import GuildId, UserId
from discord_agent.domain.policy import Action, GuildSettings, People, Permit
from discord_agent.system import SYSTEM

EVENTS: Final = ROOT / "events"
_ORDER: Final = EVENTS / "order.yaml"
_AGELESS: Final = "100000000"
"""Minutes: the samples' messages are as old as their ids say."""

_MESSAGES: Final = {
    "1290000000000001000": DEMO_TASK,
    "1290000000000001001": "what is async/await in JavaScript?",
    "1290000000000001002": "what are the pros and cons of sessions and tokens for a login?",
    "1290000000000001003": "@opus why does this query lock the whole table?",
}
"""The messages that the samples are about."""

_TENANT: Final = "thread_id"


def run(function: str, event: Path) -> int:
    """Invoke and print the answer; 1 if the function failed."""
    if function not in SYSTEM.functions:
        raise InvalidSettings(f"no function {function!r}; there are: {', '.join(sorted(SYSTEM.functions))}")
    with Workbench(processes=True) as bench:
        result = bench.invoke(function, event)
    print(json.dumps(result.payload, indent=2, ensure_ascii=False))
    if result.error:
        print(f"discord-agent: {function} failed with {result.error_type}", file=sys.stderr)
    return 1 if result.error else 0


class Workbench:
    """A stack in which nothing happens by itself: queues are not consumed, state machines do nothing."""

    def __init__(self, *, processes: bool = False) -> None:
        self._processes = processes
        self._folder = tempfile.TemporaryDirectory()
        self._key = SigningKey.generate()
        self._done: set[str] = set()

    def __enter__(self) -> "Workbench":
        root = Path(self._folder.name)
        self._git = GitServer(None)
        self._git.start()
        self._model = ModelServer(load_script(DEMO_SCRIPT), key="workbench")
        self._model.start()
        self._discord = DiscordServer(data=None, port=0, rules=relaxed())
        self._discord.start()
        for message, text in _MESSAGES.items():
            self._discord.plant_message(message, ADA_ID, GENERAL_ID, f"<@{self._discord.bot_id}> {text}")
        declared = Declared(
            _at_rest(SYSTEM),
            root=ROOT,
            parameters={
                "DISCORD_API_URL": self._discord.api_url,
                "DISCORD_BOT_ID": self._discord.bot_id,
                "DISCORD_PUBLIC_KEY": self._key.verify_key.encode().hex(),
                "LITELLM_BASE_URL": self._model.url,
                "STALENESS_MINUTES": _AGELESS,
            },
            secrets={
                "discord-token": self._discord.token,
                "model-key": "workbench",
                "git-credentials": "{}",
                "tool-secrets": "{}",
            },
            machines_root=_idle_machines(root),
        )
        self._aws = LocalAws(declared, mode="process" if self._processes else "in_process")
        self._aws.start()
        sessions = DynamoSessions(Store(self._aws.client("dynamodb")), SYSTEM.tables["sessions"].name, SystemClock())
        permit = Permit(Action.BREAKGLASS, People(users=(UserId(ADA_ID),)))
        settings = GuildSettings(repository=self._git.import_folder(SAMPLE), permits=(permit,))
        sessions.put_settings(GuildId(self._discord.guild_id), settings)
        return self

    def __exit__(self, *_: object) -> None:
        self._aws.stop()
        self._discord.stop()
        self._model.stop()
        self._git.stop()
        self._folder.cleanup()

    def invoke(self, function: str, event: Path) -> Invocation:
        """Invoke with a file, after the samples that have to come before it."""
        for name in _before(event):
            if name not in self._done:
                earlier = self.invoke(name.partition("/")[0], EVENTS / f"{name}.json")
                if earlier.error:
                    return earlier
                self._done.add(name)
        data = sign_sample(_read(event), self._key, datetime.now(UTC))
        tenant = str(data.get(_TENANT, "sample")) if SYSTEM.functions[function].tenant_isolated else None
        return self._aws.invoke(function, data, tenant=tenant)

    def start_over(self) -> None:
        """Forget what earlier invocations left in tables and bucket, so that the next one finds a new world."""
        client = self._aws.client("dynamodb")
        for table in SYSTEM.tables.values():
            keys = [key for key in (table.partition_key, table.sort_key) if key]
            for item in client.scan(TableName=table.name, ConsistentRead=True)["Items"]:
                if not item[keys[0]]["S"].startswith("guild#"):
                    client.delete_item(TableName=table.name, Key={key: item[key] for key in keys})
        self._done.clear()
        s3, bucket = self._aws.client("s3"), SYSTEM.buckets["artifacts"].name
        for stored in s3.list_objects_v2(Bucket=bucket).get("Contents", []):
            s3.delete_object(Bucket=bucket, Key=stored["Key"])


def _read(event: Path) -> dict[str, Any]:
    try:
        data = json.loads(event.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidSettings(f"the event {event} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise InvalidSettings(f"the event {event} is not JSON: {error}") from error
    if not isinstance(data, dict):
        raise InvalidSettings(f"the event {event} is not a JSON object")
    return data


def _before(event: Path) -> list[str]:
    order = yaml.safe_load(_ORDER.read_text(encoding="utf-8"))
    path = event.resolve()
    name = str(path.relative_to(EVENTS).with_suffix("")) if path.is_relative_to(EVENTS) else ""
    return list(order.get(name, []))


def _at_rest(system: System) -> System:
    functions = {key: replace(function, sources=()) for key, function in system.functions.items()}
    return replace(system, functions=functions)


def _idle_machines(folder: Path) -> Path:
    """Definitions that end at once, so that starting an execution is seen but nothing runs."""
    idle = {"StartAt": "Idle", "States": {"Idle": {"Type": "Pass", "End": True}}}
    for key in SYSTEM.machines:
        (folder / f"{key}.asl.json").write_text(json.dumps(idle), encoding="utf-8")
    return folder
