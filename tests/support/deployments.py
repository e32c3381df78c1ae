"""A small system, deployed on an emulator call by call as a tool would, for tests of what is read back from there."""

import io
import json
import zipfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from devstack.aws.clients import Clients
from devstack.aws.deployed.functions import HERE
from devstack.aws.names import ACCOUNT, REGION, Endpoints
from devstack.aws.workload import Site

FUNCTION: Final = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function"
ROLE: Final = f"arn:aws:iam::{ACCOUNT}:role/discord-agent"
IMAGE: Final = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/boxed:1"
DOCKERFILE: Final = """
FROM python:3.13-slim
COPY requirements.txt /tmp/requirements.txt
ENV PYTHONPATH=/opt/packages:/opt/product
COPY boxed.py /opt/product/boxed.py
WORKDIR /opt/product
ENTRYPOINT ["python", "-m", "awslambdaric"]
CMD ["boxed.handler"]
"""
HANDLER: Final = """
import json, os, shared, boto3

def handler(event, context):
    if event.get("do") == "import":
        __import__(event["module"])
    with open(os.environ["RECORDS"], "a") as records:
        print(json.dumps({"function": context.function_name, "event": event}), file=records)
    if event.get("do") == "fail":
        raise RuntimeError("told to")
    return {"said": shared.WORD, "arn": context.invoked_function_arn, "version": context.function_version,
            "memory": context.memory_limit_in_mb, "own": os.environ.get("OWN"), "body": "answered"}
"""


class Tool:
    """Deploys functions behind aliases with one layer, and what calls them; each part has a method to leave it out."""

    def __init__(self, records: Path) -> None:
        self.records = records
        self.clients: Clients

    def deploy(self, site: Site) -> None:
        """Everything: ``one`` and ``two``, a queue, a machine, a rule and an HTTP API."""
        data = site.endpoints.data
        self.clients = Clients(Endpoints(data, data, data))
        layer = self._layer()
        for name in ("one", "two"):
            self.role(name, "lambda", "sqs:*", "*")
            self._function(name, layer)
        self.feed("one", "work")
        self.machine("calls", "two")
        self.rule("bad-end", "two")
        self.api("/hook", "one")
        self.image("boxed")
        self.service("watcher")

    def image(self, name: str) -> None:
        """A function that is an image, with an environment of its own for each tenant."""
        self._lambda.create_function(
            FunctionName=name,
            PackageType="Image",
            Code={"ImageUri": IMAGE},
            Role=self.role(name, "lambda", "sqs:*", "*"),
            Architectures=[HERE],
            TenancyConfig={"TenantIsolationMode": "PER_TENANT"},
            Publish=True,
        )
        self._lambda.create_alias(FunctionName=name, Name="live", FunctionVersion="1")

    def service(self, name: str) -> None:
        """A service of one task, which is the image with a variable."""
        ecs = self.clients.get("ecs")
        ecs.create_cluster(clusterName="cluster")
        container = {"name": name, "image": IMAGE, "environment": [{"name": "OWN", "value": name}]}
        task = ecs.register_task_definition(
            family=name,
            taskRoleArn=self.role(name, "ecs-tasks", "sqs:*", "*"),
            containerDefinitions=[container],
        )["taskDefinition"]["taskDefinitionArn"]
        ecs.create_service(cluster="cluster", serviceName=name, taskDefinition=task, desiredCount=1)

    def role(self, name: str, service: str, action: str, resource: str) -> str:
        """A role that a service takes, and that may do one thing; its ARN."""
        iam = self.clients.get("iam")
        principal = {"Service": f"{service}.amazonaws.com"}
        trust = {"Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}]}
        allowed = {"Statement": [{"Effect": "Allow", "Action": action, "Resource": resource}]}
        made = iam.create_role(RoleName=f"discord-agent-{name}", AssumeRolePolicyDocument=json.dumps(trust))
        iam.put_role_policy(RoleName=f"discord-agent-{name}", PolicyName="own", PolicyDocument=json.dumps(allowed))
        return str(made["Role"]["Arn"])

    def feed(self, function: str, queue: str) -> None:
        """A queue, and a mapping that feeds the function from it."""
        self.clients.sqs().create_queue(QueueName=queue, Attributes={"VisibilityTimeout": "1"})
        self._lambda.create_event_source_mapping(
            FunctionName=f"{FUNCTION}:{function}:live",
            EventSourceArn=f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}",
            BatchSize=1,
            FunctionResponseTypes=["ReportBatchItemFailures"],
            ScalingConfig={"MaximumConcurrency": 2},
        )

    def machine(self, name: str, function: str) -> None:
        """A machine that calls the function, its version and alias."""
        task = {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Arguments": {"FunctionName": f"{FUNCTION}:{function}:live", "Payload": "{% $states.input %}"},
            "Output": "{% $states.result.Payload %}",
            "End": True,
        }
        states = self.clients.get("stepfunctions")
        made = states.create_state_machine(
            name=name,
            roleArn=self.role("machine", "states", "lambda:InvokeFunction", f"{FUNCTION}:{function}:live"),
            definition=json.dumps({"QueryLanguage": "JSONata", "StartAt": "Call", "States": {"Call": task}}),
        )
        version = states.publish_state_machine_version(stateMachineArn=made["stateMachineArn"])
        routes = [{"stateMachineVersionArn": version["stateMachineVersionArn"], "weight": 100}]
        states.create_state_machine_alias(name="live", routingConfiguration=routes)

    def rule(self, name: str, function: str) -> None:
        """A rule that tells the function of failed executions of the machine, and may."""
        events = self.clients.get("events")
        pattern = {
            "source": ["aws.states"],
            "detail": {
                "status": ["FAILED"],
                "stateMachineArn": [f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:calls"],
            },
        }
        made = events.put_rule(Name=name, EventPattern=json.dumps(pattern))
        events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": f"{FUNCTION}:{function}:live"}])
        self.permit(function, "events.amazonaws.com", made["RuleArn"])

    def api(self, path: str, function: str) -> None:
        """An HTTP API that calls the function, and may."""
        gateway = self.clients.get("apigatewayv2")
        api = gateway.create_api(Name="api", ProtocolType="HTTP")["ApiId"]
        integration = gateway.create_integration(
            ApiId=api,
            IntegrationType="AWS_PROXY",
            IntegrationUri=f"{FUNCTION}:{function}:live",
            PayloadFormatVersion="2.0",
        )
        gateway.create_route(ApiId=api, RouteKey=f"POST {path}", Target=f"integrations/{integration['IntegrationId']}")
        gateway.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
        self.permit(function, "apigateway.amazonaws.com", f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api}/*/*{path}")

    def permit(self, function: str, service: str, source: str) -> None:
        """Let a service in at the function's alias."""
        self._lambda.add_permission(
            FunctionName=function,
            Qualifier="live",
            StatementId=service.partition(".")[0],
            Action="lambda:InvokeFunction",
            Principal=service,
            SourceArn=source,
        )

    @property
    def _lambda(self) -> Any:
        return self.clients.get("lambda")

    def _layer(self) -> str:
        content = archive({"python/shared.py": 'WORD = "from the layer"\n'})
        made = self._lambda.publish_layer_version(LayerName="shared", Content={"ZipFile": content})
        return str(made["LayerVersionArn"])

    def _function(self, name: str, layer: str) -> None:
        self._lambda.create_function(
            FunctionName=name,
            Runtime="python3.13",
            Handler="handler.handler",
            Role=f"{ROLE}-{name}",
            Code={"ZipFile": archive({"handler.py": HANDLER})},
            Architectures=[HERE],
            Layers=[layer],
            MemorySize=256,
            Timeout=20,
            Environment={"Variables": {"OWN": name, "RECORDS": str(self.records)}},
            Publish=True,
        )
        self._lambda.create_alias(FunctionName=name, Name="live", FunctionVersion="1")


def build_context(folder: Path) -> Path:
    """What the image is built from."""
    folder.mkdir()
    libraries = ("awslambdaric", "simplejson", "snapshot-restore-py")
    pins = "".join(f"{name}=={version(name)} \\\n    --hash=sha256:0\n" for name in libraries)
    files = {
        "Dockerfile": DOCKERFILE,
        "requirements.txt": pins,
        "boxed.py": "def handler(event, context):\n    return {'tenant': context.tenant_id, 'file': __file__}\n",
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def archive(files: Mapping[str, str]) -> bytes:
    """A zip of the files."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as zipped:
        for name, text in files.items():
            zipped.writestr(name, text)
    return content.getvalue()
