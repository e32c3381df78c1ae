"""``discord-agent doctor`` against a whole system in an emulated account, and against what is broken of it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from copy import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from deployment import settings
from deployment.cli import bot as bots
from deployment.cli import doctor
from deployment.cli.asking import MODEL, TOKEN, FromVariables
from deployment.cli.checks import Check, Finding, Level, examine
from deployment.cli.deployed import Deployed
from deployment.cli.init import Deployment, run
from deployment.cli.ready import Ready
from deployment.cli.trial import try_model
from devstack.discord.rules import Window, relaxed
from devstack.discord.seed import Bot
from discord_agent.adapters.discord.commands import register
from discord_agent.domain.errors import InvalidSettings
from discord_agent.system import SYSTEM
from tests.support.deployed_system import DeployedSystem
from tests.support.endpoint import endpoint
from tests.support.operating import REGION, Surroundings, surroundings


@pytest.fixture
def interactions() -> Iterator[str]:
    """An endpoint that turns away what is not signed."""
    with endpoint(lambda body, headers, raw: (401, None)) as found:
        yield found.url


@contextmanager
def answering(status: int, region: str) -> Iterator[str]:
    """S3 as it answers a question about a bucket."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.send_header("x-amz-bucket-region", region)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Stay quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def ready(place: Surroundings) -> Ready:
    return Ready(SYSTEM, settings.read(SYSTEM, place.settings), place.account, place.vault, try_model)


def initialised(place: Surroundings) -> None:
    deployment = Deployment(SYSTEM, place.account, place.vault, place.settings, place.discord.api_url)
    run(deployment, FromVariables(place.variables), lambda _: None)


def findings(checks: list[Check]) -> dict[str, Finding]:
    return {finding.name: finding for finding in examine(checks)}


def levels(checks: list[Check]) -> dict[str, str]:
    return {name: str(finding.level) for name, finding in findings(checks).items()}


def test_after_init_an_account_is_ready(place: Surroundings) -> None:
    initialised(place)
    assert levels(ready(place).checks()) == {
        "settings": "ok",
        "concurrency": "ok",
        "bucket": "ok",
        "secrets": "ok",
        "bot": "ok",
        "message content": "ok",
        "gateway sessions": "ok",
        "CDK bootstrap": "warn",
        "model": "ok",
    }


def test_before_init_everything_leads_to_it(place: Surroundings) -> None:
    found = findings(ready(place).before_deploying())
    assert {name for name, finding in found.items() if finding.level is Level.FAIL} == {
        "settings",
        "secrets",
        "bot",
    }
    assert all("discord-agent init" in found[name].remedy for name in ("settings", "secrets", "bot"))


def test_a_secret_that_is_not_json_where_json_is_needed_is_named_without_its_value(place: Surroundings) -> None:
    initialised(place)
    place.vault.write({"git-credentials": "ghp_secret", "tool-secrets": "also secret"})
    found = examine(ready(place).checks())
    assert {each.name for each in found if each.level is Level.FAIL} == {
        "secret git-credentials",
        "secret tool-secrets",
    }
    assert "ghp_secret" not in str(found)
    assert "also secret" not in str(found)


@pytest.mark.parametrize(
    ("status", "region", "level", "told"),
    [
        (403, REGION, Level.FAIL, "belongs to somebody else"),
        (200, "us-west-2", Level.FAIL, "is in the region us-west-2"),
        (404, REGION, Level.OK, "is free"),
        (200, REGION, Level.OK, "is this account's"),
    ],
)
def test_a_bucket_of_somebody_else_is_found_before_anything_is_made(
    place: Surroundings, monkeypatch: pytest.MonkeyPatch, status: int, region: str, level: Level, told: str
) -> None:
    place.settings.write_text('{"artifact_bucket": "taken"}', encoding="utf-8")
    with answering(status, region) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", url)
        found = findings(ready(place).before_deploying())["bucket"]
    assert (found.level, told in found.what) == (level, True), found


def test_credentials_that_stopped_to_work_are_found(place: Surroundings) -> None:
    initialised(place)
    place.vault.write({TOKEN: "MTI5MDAwMDAwMDAwMDAwMDIwMA.abcdef.0123456789012345678901234567", MODEL: "revoked"})
    found = findings(ready(place).checks())
    assert {name for name, each in found.items() if each.level is Level.FAIL} == {"bot", "model"}
    assert "revoked" not in str(found)


def test_a_bot_that_lost_its_intent_or_its_sessions_is_found(aws: str, number: str, tmp_path: Path) -> None:
    with surroundings(aws, number, tmp_path) as place:
        initialised(place)
        api_url = place.discord.api_url
    changed = replace(relaxed(), identifies=Window(20, 86_400))
    with surroundings(
        aws, number, tmp_path, bot=Bot(message_content=False), rules=changed, token=place.discord.token
    ) as later:
        text = place.settings.read_text(encoding="utf-8").replace(api_url, later.discord.api_url)
        place.settings.write_text(text, encoding="utf-8")
        found = findings(ready(later).checks())
    assert (found["message content"].level, found["gateway sessions"].level) == (Level.FAIL, Level.WARN)
    assert f"applications/{later.discord.bot_id}" in found["message content"].remedy
    # Each Discord has a key of its own.
    assert "discord_public_key" in found["bot"].what


def test_a_whole_system_is_well_and_what_breaks_is_told_with_its_remedy(place: Surroundings, interactions: str) -> None:
    initialised(place)
    chosen = ready(place)
    look = Deployed(chosen.expected, place.account, place.vault, interactions)
    assert not look.is_there()
    assert (
        levels(look.checks()).items()
        >= {
            "tables": "fail",
            "queues": "fail",
            "functions": "fail",
            "state machines": "fail",
            "bridge": "fail",
            "endpoint": "fail",
            "commands": "fail",
        }.items()
    )

    system = DeployedSystem(place, chosen.expected)
    system.make()
    with bots.connection(place.discord.api_url, place.discord.token) as client:
        register(client, bots.ask(client).application_id)
    assert look.is_there()
    found = levels(look.checks())
    # Nothing runs a container here, and Discord would have to sign a PING.
    assert {name for name, level in found.items() if level != "ok"} == {"bridge", "endpoint"}

    system.sound()
    system.bury("wakeups-dead")
    system.forget_variable("intake", "BOT_USERNAME")
    system.client("stepfunctions").delete_state_machine_alias(
        stateMachineAliasArn=chosen.expected.live(SYSTEM.machines["simple"])
    )
    system.client("dynamodb").delete_table(TableName=SYSTEM.tables["messages"].name)
    broken = findings(look.checks())
    assert {name for name, each in broken.items() if each.level is not Level.OK} - {"bridge", "endpoint"} == {
        "alarms",
        "dead letters",
        "functions",
        "state machines",
        "tables",
    }
    assert broken["functions"].what == "discord-agent-intake: BOT_USERNAME not as declared"
    assert broken["dead letters"].what == "1 in discord_wakeups_dead"
    assert broken["tables"].what == "discord-messages: it is not there"
    assert all(each.remedy for each in broken.values() if each.level is not Level.OK)


def test_an_account_that_cannot_be_reached_leaves_the_system_unknown() -> None:
    def unreachable() -> tuple[Ready, Deployed]:
        raise InvalidSettings("there are no AWS credentials: log in")

    found = doctor.sections([], unreachable)
    assert not doctor.is_well(found)
    assert json.loads(doctor.as_json(found)) == {
        "holds": False,
        "findings": [
            {
                "about": "Account",
                "name": "account",
                "level": "fail",
                "what": "there are no AWS credentials",
                "remedy": "log in",
            },
            {
                "about": "Deployed system",
                "name": "system",
                "level": "unknown",
                "what": "not looked at, since the account cannot be reached",
                "remedy": "mend that first",
            },
        ],
    }
    assert "→ log in" in doctor.as_text(found)
