"""What runs of a deployed system is what the emulator says was deployed."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from devstack.aws.deployed.origin import Deployed
from devstack.aws.functions.model import InvocationRefused
from devstack.aws.stack import LocalAws
from devstack.aws.workload import Site
from tests.support.deployments import FUNCTION, IMAGE, Tool, build_context
from tests.support.eventually import eventually
from tests.support.local_aws import records, system


@pytest.fixture(scope="module")
def tool(tmp_path_factory: pytest.TempPathFactory) -> Tool:
    return Tool(tmp_path_factory.mktemp("deployed") / "records")


@pytest.fixture(scope="module")
def aws(tool: Tool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    with running(tool, tmp_path_factory.mktemp("images")) as aws:
        yield aws


def running(tool: Tool, folder: Path) -> LocalAws:
    contexts = {IMAGE: build_context(folder / "boxed")}
    return LocalAws(Deployed(system(), tool.deploy, contexts, lambda _name, _line: None))


def call(aws: LocalAws, reference: str, event: object) -> Any:
    answer = aws.clients.functions().invoke(FunctionName=reference, Payload=json.dumps(event).encode())
    return json.loads(answer["Payload"].read())


def test_a_function_runs_from_its_deployed_code_and_layers_behind_its_alias(aws: LocalAws) -> None:
    assert call(aws, "one:live", {}) == {
        "said": "from the layer",
        "arn": f"{FUNCTION}:one:live",
        "version": "1",
        "memory": "256",
        "own": "one",
        "body": "answered",
    }


def test_a_function_sees_no_library_of_this_stack(aws: LocalAws) -> None:
    for module in ("discord_agent", "devstack", "pydantic", "litellm"):
        assert call(aws, "one:live", {"do": "import", "module": module})["errorType"] == "ModuleNotFoundError"
    assert "said" in call(aws, "one:live", {"do": "import", "module": "botocore"})


def test_nothing_is_called_past_its_alias(aws: LocalAws) -> None:
    client = aws.clients.functions()
    for reference in ("one", "one:1", "one:other", f"{FUNCTION}:one"):
        with pytest.raises(client.exceptions.ResourceNotFoundException):
            client.invoke(FunctionName=reference)


def test_a_deployed_event_source_is_consumed_once(aws: LocalAws, tool: Tool) -> None:
    aws.clients.sqs().send_message(QueueUrl=aws.queue_url("work"), MessageBody="to be done")

    def bodies() -> list[Any]:
        events = [record["event"] for record in records(tool.records)]
        return [each["body"] for event in events for each in event.get("Records", ())]

    assert eventually(bodies) == ["to be done"]


def test_a_deployed_machine_runs_through_its_alias_and_a_deployed_rule_hears_of_its_failure(
    aws: LocalAws, tool: Tool
) -> None:
    states = aws.clients.stepfunctions()
    live = f"{aws.machine_arn('calls')}:live"
    failed = states.start_execution(stateMachineArn=live, input='{"do": "fail"}')["executionArn"]

    def heard() -> list[Any]:
        events = [record["event"] for record in records(tool.records) if record["function"] == "two"]
        return [event["detail"] for event in events if event.get("source") == "aws.states"]

    (detail,) = eventually(heard)
    assert (detail["executionArn"], detail["status"]) == (failed, "FAILED")


def test_a_deployed_route_is_answered_by_its_function(aws: LocalAws) -> None:
    assert httpx.post(f"{aws.api_url}/hook", json={}).text == "answered"


def test_an_image_runs_from_its_build_context_apart_for_each_tenant(aws: LocalAws) -> None:
    answer = aws.invoke("boxed", {}, tenant="somebody").payload
    assert isinstance(answer, dict)
    assert answer["tenant"] == "somebody"
    assert answer["file"].endswith("/opt/product/boxed.py")
    with pytest.raises(InvocationRefused, match="tenant"):
        aws.invoke("boxed", {})


def test_a_deployed_service_is_known_with_what_it_runs_as_whom(aws: LocalAws) -> None:
    service = aws.service("watcher")
    assert (service.module, service.role.rpartition("/")[2], service.bare) == (
        "awslambdaric",
        "discord-agent-watcher",
        True,
    )
    assert service.environment["OWN"] == "watcher"
    assert service.environment["PYTHONPATH"].endswith("/libraries")


class Without(Tool):
    """The same, but something was left out or taken away."""

    def deploy(self, site: Site) -> None:
        super().deploy(site)
        client = self.clients.get("lambda")
        client.delete_alias(FunctionName="two", Name="live")
        client.remove_permission(FunctionName="one", Qualifier="live", StatementId="apigateway")
        for mapping in client.list_event_source_mappings()["EventSourceMappings"]:
            client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)


def test_what_is_missing_is_missing_and_what_is_not_permitted_is_refused(tmp_path: Path) -> None:
    tool = Without(tmp_path / "records")
    with running(tool, tmp_path) as aws:
        states = aws.clients.stepfunctions()
        assert httpx.post(f"{aws.api_url}/hook", json={}).status_code == 500
        aws.clients.sqs().send_message(QueueUrl=aws.queue_url("work"), MessageBody="never done")
        started = states.start_execution(stateMachineArn=f"{aws.machine_arn('calls')}:live")["executionArn"]
        ended = eventually(lambda: states.describe_execution(executionArn=started).get("error"))
        assert ended == "Lambda.ResourceNotFoundException"
        assert aws.invoke("one", {"do": "nothing"}).error is None
        assert [record["event"] for record in records(tool.records)] == [{"do": "nothing"}]
