"""``deploy``, ``connect`` and ``destroy`` with a tool that makes the real parts one by one, and may be cut off."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from deployment import settings
from deployment.cli import bot as bots
from deployment.cli import connect, deploy, destroy
from deployment.cli.asking import FromVariables
from deployment.cli.deployed import Deployed
from deployment.cli.init import Deployment
from deployment.cli.init import run as init
from deployment.cli.ready import Ready
from deployment.cli.trial import try_model
from discord_agent.adapters.discord.commands import registered
from discord_agent.domain.errors import AgentError, InvalidSettings
from discord_agent.system import SYSTEM
from tests.support.deployed_system import DeployedSystem
from tests.support.endpoint import endpoint
from tests.support.operating import Surroundings


class CutOff(AgentError):
    """The tool was interrupted."""


@dataclass
class Steps:
    """A tool that makes what doctor looks at; ``cut_off`` has it fail once, in the middle."""

    system: DeployedSystem
    name: str = "terraform"
    cut_off: bool = False
    calls: list[str] = field(default_factory=list)

    def deploy(self) -> None:
        self.calls.append("deploy")
        if self.cut_off:
            self.cut_off = False
            self.system.client("s3").create_bucket(
                Bucket=self.system.expected.bucket,
                CreateBucketConfiguration={"LocationConstraint": self.system.expected.region},
            )
            raise CutOff("the connection broke")
        self.system.make()

    def destroy(self, *, keep_data: bool) -> None:
        self.calls.append("destroy, data kept" if keep_data else "destroy, data too")
        client = self.system.client("lambda")
        for function in client.list_functions()["Functions"]:
            client.delete_function(FunctionName=function["FunctionName"])
        if not keep_data:
            self.system.client("s3").delete_bucket(Bucket=self.system.expected.bucket)


@pytest.fixture
def door(place: Surroundings) -> Iterator[str]:
    """An interactions endpoint that checks signatures as the function does."""

    def respond(body: dict[str, Any], headers: Any, raw: bytes) -> tuple[int, Any]:
        signed = {name.lower(): value for name, value in headers.items()}
        try:
            VerifyKey(bytes.fromhex(place.discord.public_key)).verify(
                signed["x-signature-timestamp"].encode() + raw, bytes.fromhex(signed["x-signature-ed25519"])
            )
        except (KeyError, BadSignatureError):
            return 401, None
        return 200, {"type": 1}

    with endpoint(respond) as found:
        yield found.url


@dataclass
class Scene:
    """Somebody who ran init, and what they deploy with."""

    deploying: deploy.Deploying
    tool: Steps
    said: list[str]

    @property
    def deployed(self) -> Deployed:
        return self.deploying.deployed

    def deploy(self) -> str:
        deploy.run(self.deploying, self.said.append)
        return "\n".join(self.said)

    def destroy(self, confirm: Callable[[str], str] = lambda _: "", *, data: bool = False) -> str:
        self.said.clear()
        destroy.run(destroy.Destroying(self.deployed, self.tool, data, confirm), self.said.append)
        return "\n".join(self.said)

    def endpoint(self) -> str:
        with bots.connection(self.deployed.api_url, connect.token(self.deployed)) as client:
            return bots.ask(client).endpoint


@pytest.fixture
def scene(place: Surroundings, door: str) -> Scene:
    deployment = Deployment(SYSTEM, place.account, place.vault, place.settings, place.discord.api_url)
    init(deployment, FromVariables(place.variables), lambda _: None)
    ready = Ready(SYSTEM, settings.read(SYSTEM, place.settings), place.account, place.vault, try_model)
    tool = Steps(DeployedSystem(place, ready.expected))
    deployed = Deployed(ready.expected, place.account, place.vault, door)
    return Scene(deploy.Deploying(ready, deployed, tool, lambda: tool.calls.append("build")), tool, [])


def test_a_deployment_is_built_made_and_connected(scene: Scene, place: Surroundings, door: str) -> None:
    said = scene.deploy()
    assert scene.tool.calls == ["build", "deploy"]
    assert scene.endpoint() == door
    with bots.connection(place.discord.api_url, place.discord.token) as client:
        assert registered(client, place.discord.bot_id)
    assert "@nepnep what can you do?" in said
    assert place.discord.token not in said
    scene.said.clear()
    connect.connect(scene.deployed, scene.said.append)
    assert [line.split(":")[0].split()[-3:] for line in scene.said] == [["as", "it", "was"], ["as", "they", "were"]]


def test_what_is_missing_is_told_before_anything_is_made(scene: Scene, place: Surroundings) -> None:
    place.vault.write({"tool-secrets": "no json"})
    with pytest.raises(InvalidSettings, match="nothing was deployed"):
        scene.deploy()
    assert scene.tool.calls == []
    assert "tool-secrets" in "\n".join(scene.said)
    assert "no json" not in "\n".join(scene.said).replace("it is no JSON object", "")


def test_a_deployment_that_was_cut_off_is_completed_by_the_next(scene: Scene, door: str) -> None:
    scene.tool.cut_off = True
    with pytest.raises(CutOff):
        scene.deploy()
    assert scene.endpoint() == ""
    scene.deploy()
    assert scene.endpoint() == door


def test_discord_is_not_told_of_an_endpoint_that_lets_everybody_in(scene: Scene, place: Surroundings) -> None:
    with endpoint(lambda body, headers, raw: (200, {"type": 1})) as open_door:
        deployed = Deployed(scene.deployed.expected, place.account, place.vault, open_door.url)
        with pytest.raises(InvalidSettings, match="answers 200 to what nobody signed"):
            connect.connect(deployed)
    assert scene.endpoint() == ""


def test_discord_refuses_an_endpoint_with_another_bots_key(scene: Scene, place: Surroundings) -> None:
    with endpoint(lambda body, headers, raw: (401, None)) as other:
        deployed = Deployed(scene.deployed.expected, place.account, place.vault, other.url)
        with pytest.raises(InvalidSettings, match="DISCORD_PUBLIC_KEY"):
            connect.connect(deployed)
    assert scene.endpoint() == ""


def test_one_tool_does_not_touch_what_the_other_one_made(scene: Scene) -> None:
    scene.deploy()
    scene.tool.name = "cdk"
    with pytest.raises(InvalidSettings, match="made by terraform: use `--with terraform`"):
        scene.destroy()
    with pytest.raises(InvalidSettings, match="nothing was deployed"):
        scene.deploy()
    assert scene.tool.calls == ["build", "deploy"]


def test_the_stack_of_data_tells_that_the_cdk_made_it(scene: Scene, place: Surroundings) -> None:
    client = place.account.client("cloudformation")
    template = json.dumps({"Resources": {"Wait": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}})
    # Terraform makes one stack too, for what it has no resource for.
    client.create_stack(StackName="discord-agent-sandbox", TemplateBody=template)
    scene.deploy()
    client.create_stack(StackName="discord-agent-data", TemplateBody=template)
    with pytest.raises(InvalidSettings, match="made by cdk"):
        scene.destroy()


def test_destroying_keeps_data_and_says_what_stays(scene: Scene, place: Surroundings) -> None:
    scene.deploy()
    before = place.vault.read()
    said = scene.destroy()
    assert scene.tool.calls[-1] == "destroy, data kept"
    assert scene.endpoint() == ""
    assert place.vault.read() == before
    assert all(table.name in said for table in SYSTEM.tables.values())


@pytest.mark.parametrize("typed", ["", "yes", "discord-agent"])
def test_data_go_only_for_who_types_the_name_of_the_bucket(scene: Scene, typed: str) -> None:
    scene.deploy()
    with pytest.raises(InvalidSettings, match="nothing was removed"):
        scene.destroy(lambda _: typed, data=True)
    assert "destroy" not in " ".join(scene.tool.calls)
    assert scene.endpoint() != ""


def test_told_twice_everything_goes_every_version_of_every_object(scene: Scene, place: Surroundings) -> None:
    scene.tool.cut_off = True
    with pytest.raises(CutOff):
        scene.deploy()
    scene.deploy()
    client, bucket = place.account.client("s3"), scene.deployed.expected.bucket
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for content in (b"first", b"second"):
        client.put_object(Bucket=bucket, Key="threads/1/file", Body=content)
    client.delete_object(Bucket=bucket, Key="threads/1/file")
    scene.destroy(destroy.confirmation(bucket, input), data=True)
    assert scene.tool.calls[-2:] == ["destroy, data kept", "destroy, data too"]
    assert bucket not in {each["Name"] for each in client.list_buckets()["Buckets"]}
    assert place.vault.read() == {}
