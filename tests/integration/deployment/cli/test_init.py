"""``discord-agent init`` against Discord's look-alike, a gateway to models and an emulated account."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from deployment.cli.asking import GIT, MODEL, TOKEN, TOOLS, FromPerson, FromVariables, from_lines
from deployment.cli.init import Deployment, run
from deployment.cli.vault import ParameterStoreVault
from devstack.discord.seed import Bot
from discord_agent.domain.errors import InvalidSettings
from discord_agent.system import SYSTEM
from tests.support.operating import GATEWAY_KEY, Surroundings, an_account, surroundings

ROOT = Path(__file__).parents[4]


def initialise(place: Surroundings, **changes: str) -> str:
    """What init says to somebody who answers with the good variables, changed."""
    said: list[str] = []
    variables = {name: value for name, value in (place.variables | changes).items() if value}
    run(deployment(place), FromVariables(variables), said.append)
    return "\n".join(said)


def deployment(place: Surroundings) -> Deployment:
    return Deployment(SYSTEM, place.account, place.vault, place.settings, place.discord.api_url)


def nothing_is_kept(place: Surroundings) -> bool:
    return place.vault.read() == {} and not place.settings.exists()


def test_a_first_run_keeps_secrets_in_the_vault_and_settings_in_the_file(place: Surroundings) -> None:
    said = initialise(place)
    assert place.vault.read() == {
        TOKEN: place.discord.token,
        MODEL: GATEWAY_KEY,
        GIT: "{}",
        TOOLS: "{}",
    }
    assert json.loads(place.settings.read_text(encoding="utf-8")) == {
        "discord_api_url": place.discord.api_url,
        "discord_bot_id": place.discord.bot_id,
        "discord_public_key": place.discord.public_key,
        "litellm_base_url": place.gateway.url,
    }
    described = place.account.client("ssm").describe_parameters()["Parameters"]
    assert {each["Name"] for each in described} == set(SYSTEM.secrets.values())
    assert {each["Type"] for each in described} == {"SecureString"}
    assert f"client_id={place.discord.bot_id}&permissions=326417632320&scope=bot+applications.commands" in said
    assert place.discord.token not in said
    assert GATEWAY_KEY not in said


def test_a_second_run_changes_what_it_is_told_and_keeps_the_rest(place: Surroundings) -> None:
    initialise(place, TOOL_SECRETS='{"cluster": {"value": "v", "guilds": []}}')
    place.settings.write_text(
        json.dumps(json.loads(place.settings.read_text(encoding="utf-8")) | {"bridge": "false"}), encoding="utf-8"
    )
    before = place.vault.read()
    said = initialise(
        place, DISCORD_TOKEN="", LITELLM_BASE_URL="", LITELLM_API_KEY="", GIT_CREDENTIALS='{"github.com": "t"}'
    )
    assert place.vault.read() == before | {GIT: '{"github.com": "t"}'}
    assert json.loads(place.settings.read_text(encoding="utf-8"))["bridge"] == "false"
    assert "kept: logins for git hosts, in Parameter Store" in said
    assert "as they were" in initialise(place)


def test_a_person_is_asked_and_an_empty_line_keeps_what_there_is(place: Surroundings) -> None:
    typed = iter([place.gateway.url, ""])
    secret = iter([place.discord.token, GATEWAY_KEY])
    asked: list[str] = []

    def ask(question: str) -> str:
        asked.append(question)
        return next(typed)

    run(deployment(place), FromPerson(ask, lambda question: next(secret)), lambda _: None)
    before = place.vault.read()
    assert before[TOKEN] == place.discord.token
    run(deployment(place), FromPerson(lambda _: "", lambda _: ""), lambda _: None)
    assert place.vault.read() == before
    assert not any(place.discord.token in question or GATEWAY_KEY in question for question in asked)


def test_lines_of_a_file_are_answers_too(place: Surroundings) -> None:
    lines = ["# mine\n", "\n", *(f"export {name}='{value}'\n" for name, value in place.variables.items())]
    run(deployment(place), from_lines(lines), lambda _: None)
    assert place.vault.read()[TOKEN] == place.discord.token


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"DISCORD_TOKEN": "0123456789abcdef"}, "no bot token"),
        (
            {"DISCORD_TOKEN": "MTI5MDAwMDAwMDAwMDAwMDIwMA.abcdef.0123456789012345678901234567"},
            "does not accept the bot",
        ),
        ({"DISCORD_TOKEN": ""}, "token is needed"),
        ({"LITELLM_API_KEY": "another"}, "key is valid"),
        ({"LITELLM_API_KEY": ""}, "credentials for models are needed"),
        ({"LITELLM_BASE_URL": "http://127.0.0.1:9"}, "no model answers"),
        ({"LITELLM_BASE_URL": ""}, "LITELLM_API_KEY is of no use"),
        ({"GIT_CREDENTIALS": "ghp_not_json"}, "git-credentials"),
        ({"TOOL_SECRETS": "a secret without a name"}, "no JSON object"),
        ({"TOOL_SECRETS": '{"cluster": "hidden-value"}'}, "must map names"),
        ({"TOOL_SECRETS": json.dumps({"big": {"value": "x" * 4096, "guilds": []}})}, "longer than 4096 bytes"),
    ],
)
def test_what_is_wrong_is_said_without_the_secret_and_nothing_is_kept(
    place: Surroundings, wrong: dict[str, str], told: str
) -> None:
    with pytest.raises(InvalidSettings, match=told) as refused:
        initialise(place, **wrong)
    assert nothing_is_kept(place)
    assert not any(value and value in str(refused.value) for name, value in wrong.items() if "URL" not in name)
    assert "hidden-value" not in str(refused.value)


def test_a_bot_that_may_not_read_messages_is_refused_unless_the_bridge_is_off(
    aws: str, number: str, tmp_path: Path
) -> None:
    with surroundings(aws, number, tmp_path, bot=Bot(message_content=False)) as place:
        with pytest.raises(InvalidSettings, match="Message Content"):
            initialise(place)
        assert nothing_is_kept(place)
        place.settings.write_text('{"bridge": "false"}', encoding="utf-8")
        initialise(place)
        assert place.vault.read()[TOKEN] == place.discord.token


def test_settings_that_are_no_json_are_left_as_they_are(place: Surroundings) -> None:
    place.settings.write_text("{", encoding="utf-8")
    with pytest.raises(InvalidSettings, match="no JSON"):
        initialise(place)
    assert place.settings.read_text(encoding="utf-8") == "{"
    assert place.vault.read() == {}


def test_a_vault_that_fails_halfway_is_as_it_was_before(place: Surroundings) -> None:
    place.vault.write({TOKEN: "first", GIT: "{}"})

    class Fails:
        """Parameter Store that refuses one parameter."""

        def __init__(self, real: Any) -> None:
            self._real = real

        def __getattr__(self, name: str) -> Any:
            return getattr(self._real, name)

        def put_parameter(self, **request: Any) -> Any:
            if request["Name"] == SYSTEM.secrets[TOOLS]:
                raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "hidden"}}, "PutParameter")
            return self._real.put_parameter(**request)

    broken = ParameterStoreVault(Fails(place.account.client("ssm")), SYSTEM)  # type: ignore[arg-type] # all but one call
    with pytest.raises(InvalidSettings, match="PutParameter"):
        broken.write({TOKEN: "second", MODEL: "new", GIT: "{}", TOOLS: "{}"})
    assert place.vault.read() == {TOKEN: "first", GIT: "{}"}


def test_what_is_kept_in_one_region_is_not_there_in_another(aws: str, number: str, place: Surroundings) -> None:
    initialise(place)
    with an_account(aws, number, region="us-west-2") as elsewhere:
        assert ParameterStoreVault(elsewhere.client("ssm"), SYSTEM).read() == {}


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"AWS_REGION": "eu-west-1"}, "there are no AWS credentials"),
        ({"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}, "set AWS_REGION"),
        ({"AWS_PROFILE": "nobody", "AWS_REGION": "eu-west-1"}, "nobody"),
        (
            {
                "AWS_ACCESS_KEY_ID": "a",
                "AWS_SECRET_ACCESS_KEY": "b",
                "AWS_REGION": "eu-west-1",
                "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
            },
            "AWS cannot be reached",
        ),
    ],
)
def test_without_an_account_the_command_says_what_to_do(
    place: Surroundings, variables: dict[str, str], told: str
) -> None:
    command = [sys.executable, "-m", "devstack.cli", "init", "--from-env", "--settings", str(place.settings)]
    clean = {
        "PATH": os.defpath,
        "PYTHONPATH": f"{ROOT / 'layers' / 'core' / 'python'}:{ROOT}",
        "HOME": str(place.folder),
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    done = subprocess.run(
        command, env=clean | place.variables | variables, capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert (done.returncode, told in done.stderr) == (2, True), done.stderr
    assert "Traceback" not in done.stderr
    assert nothing_is_kept(place)
