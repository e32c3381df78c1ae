"""The declared system in an account of the emulator, as far as its parts can be looked at: made call by call, not run."""

import json
from dataclasses import dataclass
from typing import Any

from deployment.cli.expected import Expected
from deployment.figures import FIGURES
from discord_agent.declaration import ALIAS, Function, Kind
from discord_agent.system import SYSTEM
from tests.support.data_plane import create_tables
from tests.support.deployments import archive
from tests.support.operating import Surroundings

_ROLE = "arn:aws:iam::{}:role/of-tests"
_NOTHING = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})


@dataclass(frozen=True, slots=True)
class DeployedSystem:
    """Makes everything, and breaks one part at a time."""

    place: Surroundings
    expected: Expected

    def make(self) -> None:
        """Everything that doctor looks at."""
        self._data()
        for function in SYSTEM.functions.values():
            self._function(function)
        # They become active side by side.
        for function in SYSTEM.functions.values():
            self._await(function.physical_name, "1")
        for machine in SYSTEM.machines.values():
            self._machine(machine.physical_name)
        self.client("apigatewayv2").create_api(Name=FIGURES.api.name, ProtocolType="HTTP")
        self._bridge()
        self.client("cloudwatch").put_metric_alarm(
            AlarmName="discord-agent-of-tests",
            MetricName="m",
            Namespace="n",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
            Statistic="Sum",
        )

    def client(self, service: str) -> Any:
        """A client of the account."""
        return self.place.account.client(service)

    def sound(self, name: str = "discord-agent-of-tests") -> None:
        """An alarm."""
        self.client("cloudwatch").set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="told to")

    def bury(self, queue: str) -> None:
        """A message in a queue."""
        name = SYSTEM.queues[queue].name
        url = self.client("sqs").get_queue_url(QueueName=name)["QueueUrl"]
        self.client("sqs").send_message(QueueUrl=url, MessageBody="dead")

    def forget_variable(self, function: str, variable: str) -> None:
        """Publish a version of a function that lacks a variable."""
        client = self.client("lambda")
        name = SYSTEM.functions[function].physical_name
        variables = self._variables(SYSTEM.functions[function])
        del variables[variable]
        client.update_function_configuration(FunctionName=name, Environment={"Variables": variables})
        version = client.publish_version(FunctionName=name)["Version"]
        self._await(name, version)
        client.update_alias(FunctionName=name, Name=ALIAS, FunctionVersion=version)

    def _data(self) -> None:
        dynamodb, sqs = self.client("dynamodb"), self.client("sqs")
        create_tables(dynamodb)
        for table in SYSTEM.tables.values():
            recovery = {"PointInTimeRecoveryEnabled": True}
            dynamodb.update_continuous_backups(TableName=table.name, PointInTimeRecoverySpecification=recovery)
        for queue in SYSTEM.queues.values():
            sqs.create_queue(QueueName=queue.name, Attributes={"FifoQueue": "true"} if queue.fifo else {})

    def _function(self, function: Function) -> None:
        client = self.client("lambda")
        client.create_function(
            FunctionName=function.physical_name,
            Runtime="python3.13",
            Handler="handler.handler",
            Role=_ROLE.format(self.place.account.id),
            Code={"ZipFile": archive({"handler.py": ""})},
            Environment={"Variables": self._variables(function)},
            Publish=True,
        )
        client.create_alias(FunctionName=function.physical_name, Name=ALIAS, FunctionVersion="1")

    def _await(self, name: str, version: str) -> None:
        """Wait until a version is more than pending, in which state Lambda leaves it at first."""
        waiter = self.client("lambda").get_waiter("published_version_active")
        waiter.wait(FunctionName=name, Qualifier=version, WaiterConfig={"Delay": 1, "MaxAttempts": 30})

    def _variables(self, function: Function) -> dict[str, str]:
        def value(reference: Any) -> str:
            if isinstance(reference, str):
                return reference
            if reference.kind is Kind.QUEUE:
                name = SYSTEM.queues[reference.key].name
                return str(self.client("sqs").get_queue_url(QueueName=name)["QueueUrl"])
            return self.expected.value(reference)

        values = {name: value(reference) for name, reference in function.environment}
        return {name: value for name, value in values.items() if value} | {"FURTHER": "one"}

    def _machine(self, name: str) -> None:
        client = self.client("stepfunctions")
        role = _ROLE.format(self.place.account.id)
        made = client.create_state_machine(name=name, roleArn=role, definition=_NOTHING)
        version = client.publish_state_machine_version(stateMachineArn=made["stateMachineArn"])
        routes = [{"stateMachineVersionArn": version["stateMachineVersionArn"], "weight": 100}]
        client.create_state_machine_alias(name=ALIAS, routingConfiguration=routes)

    def _bridge(self) -> None:
        client = self.client("ecs")
        client.create_cluster(clusterName=FIGURES.cluster)
        for service in SYSTEM.services.values():
            client.register_task_definition(
                family=service.physical_name, containerDefinitions=[{"name": "bridge", "image": "none", "memory": 64}]
            )
            client.create_service(
                cluster=FIGURES.cluster,
                serviceName=service.physical_name,
                taskDefinition=service.physical_name,
                desiredCount=0,
            )
