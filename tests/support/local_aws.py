"""Small declarations and state machines for tests of the embedded AWS."""

import json
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from devstack.aws.names import role_arn
from devstack.aws.stack import LocalAws
from discord_agent.declaration import Function, Grant, Kind, Machine, Package, Ref, Role, Source, System
from discord_agent.needs import consume
from tests.support.eventually import eventually

ROOT = Path(__file__).parents[2]
FUNCTIONS = ROOT / "tests" / "support" / "functions"

type Definition = dict[str, Any]

_ANYTHING = (Ref(Kind.ANYTHING, "*"),)
_ANSWER = Grant(("states:SendTaskSuccess", "states:SendTaskFailure", "states:SendTaskHeartbeat"), _ANYTHING)
MACHINES = Role(
    "machines",
    "what the machines that tests make may do",
    (),
    (Grant(("lambda:InvokeFunction", "sqs:SendMessage", "sqs:ReceiveMessage"), _ANYTHING),),
)


def function(
    records: Path,
    *,
    name: str = "puppet",
    package: Package = Package.CORE,
    timeout: int = 30,
    environment: tuple[tuple[str, Ref | str], ...] = (),
    sources: tuple[Source, ...] = (),
    tenant_isolated: bool = False,
    on_execution_status: bool = False,
    grants: tuple[Grant, ...] = (),
) -> Function:
    """The puppet as a declared function, which may consume its sources; it records what it does in a file."""
    return Function(
        name,
        "does what it is told",
        package,
        memory=256,
        timeout=timeout,
        environment=(("RECORDS", str(records)), *environment),
        grants=(_ANSWER, *(grant for source in sources for grant in consume(source.queue)), *grants),
        sources=sources,
        tenant_isolated=tenant_isolated,
        on_execution_status=on_execution_status,
    )


def system(*functions: Function, **parts: Any) -> System:
    """A declaration of nothing but what is given."""
    empty: dict[str, Any] = {
        "tables": {},
        "queues": {},
        "buckets": {},
        "secrets": {},
        "machines": {},
        "parameters": {},
    }
    return System(functions={each.name: each for each in functions}, **{**empty, **parts})


def machine(folder: Path, name: str, definition: Definition, *functions: str) -> Machine:
    """Write the definition where a stack with ``machines_root=folder`` finds it, and declare it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.asl.json").write_text(json.dumps(definition), encoding="utf-8")
    return Machine(name, functions)


def records(path: Path) -> list[Any]:
    """What the puppet recorded so far."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


class States:
    """Runs definitions through boto3."""

    def __init__(self, aws: LocalAws) -> None:
        self.aws = aws
        self.client = aws.clients.stepfunctions()
        self.puppet = "arn:aws:lambda:us-east-1:123456789012:function:discord-agent-puppet:live"

    def call(self, event: object, **fields: Any) -> Definition:
        """A state that calls the puppet with the event, and gives its result."""
        fields = {"Output": "{% $states.result.Payload %}", **fields}
        return {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Arguments": {"FunctionName": self.puppet, "Payload": event},
            **({} if "Next" in fields else {"End": True}),
            **fields,
        }

    def wait_for_token(self, event: Mapping[str, Any], **fields: Any) -> Definition:
        """A state that calls the puppet with the event and the task's token, and waits for the answer."""
        state = self.call({**event, "token": "{% $states.context.Task.Token %}"}, **fields)
        state |= {"Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken"}
        return state | {"Output": fields.get("Output", "{% $states.result %}")}

    def create(self, states: Mapping[str, Any], **fields: Any) -> str:
        """A machine in JSONata that starts at the first state; its ARN."""
        definition = {"QueryLanguage": "JSONata", "StartAt": next(iter(states)), "States": states, **fields}
        return self.client.create_state_machine(
            name=uuid.uuid4().hex, definition=json.dumps(definition), roleArn=role_arn(MACHINES.name)
        )["stateMachineArn"]

    def start(self, states: Mapping[str, Any], data: object = None, **fields: Any) -> str:
        """Start a new machine; the execution's ARN."""
        machine_arn = self.create(states, **fields)
        return self.client.start_execution(stateMachineArn=machine_arn, input=json.dumps(data or {}))["executionArn"]

    def ended(self, execution: str, *, seconds: float = 20) -> Mapping[str, Any]:
        """The description of an execution once it has ended."""

        def description() -> Any:
            described = self.client.describe_execution(executionArn=execution)
            return described if described["status"] != "RUNNING" else None

        return eventually(description, seconds=seconds)

    def run(self, states: Mapping[str, Any], data: object = None, **fields: Any) -> Mapping[str, Any]:
        """Run a new machine to its end; the description."""
        return self.ended(self.start(states, data, **fields))

    def output(self, states: Mapping[str, Any], data: object = None, **fields: Any) -> Any:
        """Run a new machine that succeeds; its output."""
        ended = self.run(states, data, **fields)
        assert ended["status"] == "SUCCEEDED", (ended.get("error"), ended.get("cause"))
        return json.loads(ended["output"])

    def history(self, execution: str) -> list[Any]:
        """All events."""
        pages = self.client.get_paginator("get_execution_history").paginate(executionArn=execution)
        return [event for page in pages for event in page["events"]]
