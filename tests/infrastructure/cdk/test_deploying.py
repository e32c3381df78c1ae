"""What is deployed to the emulator is what is declared; it changes, ends and comes back without losing data."""

import json
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from deployment import cdk
from discord_agent.domain.errors import AgentError
from discord_agent.system import SYSTEM
from tests.infrastructure.cdk.conftest import OPPOSITE, REQUIRED, tool
from tests.infrastructure.cdk.templates import Templates
from tests.support.emulator import Emulator, emulator

TURN = "discord-agent-turn"
STACKS = [
    "discord-agent-agent",
    "discord-agent-bridge",
    "discord-agent-data",
    "discord-agent-edge",
    "discord-agent-observability",
]


@dataclass(frozen=True, slots=True)
class Site:
    """An emulator, and the CDK that deploys to it what was synthesised for other tests."""

    there: Emulator
    folder: Path

    def tool(self, templates: Templates) -> cdk.Cdk:
        """The CDK, with these templates as what it synthesised."""
        settings = json.loads((templates.folder.parent / "settings.json").read_text(encoding="utf-8"))
        made = tool(self.folder, settings, cdk.against(self.there.url, self.there.environment()))
        return cdk.Cdk(made.environment, made.settings, templates.folder)

    def stacks(self) -> list[str]:
        """The stacks that are there."""
        found = self.there.client("cloudformation").describe_stacks()["Stacks"]
        return sorted(each["StackName"] for each in found if each["StackName"] != "CDKToolkit")

    def live(self, function: str) -> dict[str, object]:
        """What is called as a function."""
        found: dict[str, object] = self.there.client("lambda").get_function_configuration(
            FunctionName=function, Qualifier="live"
        )
        return found


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with emulator() as there:
        yield Site(there, tmp_path)


def test_a_system_is_deployed_changed_taken_down_and_brought_back(
    site: Site, default: Templates, opposite: Templates
) -> None:
    first = site.tool(default)
    with pytest.raises(cdk.NotBootstrapped, match="cdk bootstrap"):
        first.deploy_synthesised()
    first.bootstrap()

    outputs = first.deploy_synthesised()
    assert site.stacks() == STACKS
    assert outputs["InteractionsUrl"].endswith("/interactions")
    assert outputs["AgenticEventsQueueUrl"].endswith("/agentic_events")
    _is_as_declared(site.there)

    version = site.live(TURN)["Version"]
    first.deploy_synthesised()
    assert site.live(TURN)["Version"] == version, "nothing changed"

    sessions = {"thread_id": {"S": "1"}, "record": {"S": "session"}}
    site.there.client("dynamodb").put_item(TableName="discord_sessions", Item=sessions)
    louder = tool(site.folder / "louder", {**REQUIRED, "log_level": "DEBUG", "bridge": "false"}, first.environment)
    louder.deploy()
    changed = site.live(TURN)
    assert changed["Version"] != version
    assert changed["Environment"]["Variables"]["LOG_LEVEL"] == "DEBUG"  # type: ignore[index] # boto3's untyped answer
    assert not site.there.client("ecs").list_clusters()["clusterArns"], "the bridge is gone"

    louder.destroy(keep_data=True)
    assert site.stacks() == ["discord-agent-data"]
    assert not site.there.client("lambda").list_functions()["Functions"]
    assert site.there.client("dynamodb").scan(TableName="discord_sessions")["Items"] == [sessions]

    first.deploy_synthesised()
    assert site.stacks() == STACKS
    assert site.there.client("dynamodb").scan(TableName="discord_sessions")["Items"] == [sessions]

    louder.destroy(keep_data=False)
    assert site.stacks() == []
    assert site.there.client("dynamodb").list_tables()["TableNames"] == []
    assert "discord-bot-artifacts-123456789012-us-east-1" not in _buckets(site.there)


def test_a_deployment_that_is_cut_off_is_completed_by_the_next(site: Site, default: Templates) -> None:
    first = site.tool(default)
    first.bootstrap()
    cut = first.start_deploy()
    assert cut.stdout is not None
    for line in cut.stdout:
        if "discord-agent-agent" in line and "CREATE" in line:
            break
    cut.send_signal(signal.SIGKILL)
    cut.wait()
    cut.stdout.close()
    assert "discord-agent-observability" not in site.stacks(), "it was not done"

    first.deploy_synthesised()
    assert site.stacks() == STACKS
    _is_as_declared(site.there)


def test_a_bucket_of_somebody_else_is_named_and_nothing_is_left_behind(site: Site, opposite: Templates) -> None:
    site.there.client("s3", account="999999999999").create_bucket(Bucket=OPPOSITE["artifact_bucket"])
    first = site.tool(opposite)
    first.bootstrap()
    with pytest.raises(AgentError, match=r"artifact_bucket in settings\.json"):
        first.deploy_synthesised()
    assert site.there.client("dynamodb").list_tables()["TableNames"] == []

    site.there.client("s3", account="999999999999").delete_bucket(Bucket=OPPOSITE["artifact_bucket"])
    first.deploy_synthesised()
    assert site.stacks() == STACKS


def test_another_account_than_the_named_one_is_refused(site: Site) -> None:
    elsewhere = tool(site.folder, REQUIRED, cdk.against(site.there.url, site.there.environment()))
    named = cdk.Cdk(
        elsewhere.environment, elsewhere.settings, elsewhere.output, account="222222222222", region="us-east-1"
    )
    with pytest.raises(
        AgentError, match="these credentials are for the account 123456789012, and 222222222222 was named"
    ):
        named.deploy()


def test_what_is_missing_is_named_when_it_is_needed(site: Site) -> None:
    nothing = tool(site.folder, {"sandbox_image": REQUIRED["sandbox_image"], "bridge": "false"})
    with pytest.raises(AgentError, match=r"discord_bot_id and discord_public_key must be in settings\.json"):
        nothing.synth()


def _is_as_declared(there: Emulator) -> None:
    dynamodb, functions = there.client("dynamodb"), there.client("lambda")
    for table in SYSTEM.tables.values():
        described = dynamodb.describe_table(TableName=table.name)["Table"]
        assert described["DeletionProtectionEnabled"] is True
        ttl = dynamodb.describe_time_to_live(TableName=table.name)["TimeToLiveDescription"]
        assert ttl == {"TimeToLiveStatus": "ENABLED", "AttributeName": table.ttl_attribute}
        backups = dynamodb.describe_continuous_backups(TableName=table.name)["ContinuousBackupsDescription"]
        assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    for function in SYSTEM.functions.values():
        live = functions.get_function_configuration(FunctionName=function.physical_name, Qualifier="live")
        assert (live["MemorySize"], live["Timeout"]) == (function.memory, function.timeout)
        assert live["Version"].isdigit()
    mappings = functions.list_event_source_mappings()["EventSourceMappings"]
    assert len(mappings) == sum(len(function.sources) for function in SYSTEM.functions.values())
    assert {each["FunctionResponseTypes"][0] for each in mappings} == {"ReportBatchItemFailures"}
    states = there.client("stepfunctions")
    for machine in states.list_state_machines()["stateMachines"]:
        alias = states.describe_state_machine_alias(stateMachineAliasArn=f"{machine['stateMachineArn']}:live")
        (route,) = alias["routingConfiguration"]
        assert route["weight"] == 100


def _buckets(there: Emulator) -> list[str]:
    return [each["Name"] for each in there.client("s3").list_buckets()["Buckets"]]
