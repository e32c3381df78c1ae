"""The inventory of CloudFormation templates: intrinsic functions evaluated, references by the names of what they refer to."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from deployment.parity.errors import NotComparable
from deployment.parity.inventory import Entry, entry
from deployment.parity.kinds.all import BY_RESOURCE, properties
from deployment.parity.kinds.compute import PUBLISHED, code, machine_version
from deployment.parity.kinds.model import Kind
from deployment.parity.place import Place
from deployment.parity.values import Value, change, legible, plain, queue_url

type Json = dict[str, Any]

_PLACEHOLDER: Final = re.compile(r"\$\{([^!}]+)\}")
_FUNCTIONS: Final = frozenset({"Ref", "Fn::GetAtt", "Fn::Join", "Fn::Sub", "Fn::Select", "Fn::Split", "Fn::GetAZs"})
_RETAINED: Final = ("DeletionPolicy", "UpdateReplacePolicy")
_GONE: Final = "Delete"
"""What happens where nothing is said."""
_ANSWERED_BY_TOOLS: Final = frozenset({"Type", "Properties", "DependsOn", "Metadata", "Condition", *_RETAINED})

_NAME: Final[Mapping[str, Callable[[Place, str], str]]] = {
    "AWS::SQS::Queue": lambda _, name: queue_url(name),
    "AWS::SNS::Topic": lambda place, name: place.arn("sns", name),
    "AWS::StepFunctions::StateMachine": lambda place, name: place.arn("states", f"stateMachine:{name}"),
    "AWS::Lambda::LayerVersion": lambda place, name: place.arn("lambda", f"layer:{name}"),
    "AWS::ECS::TaskDefinition": lambda place, name: place.arn("ecs", f"task-definition/{name}"),
    "AWS::DynamoDB::Table": lambda _, name: name,
    "AWS::S3::Bucket": lambda _, name: name,
    "AWS::Lambda::Function": lambda _, name: name,
    "AWS::IAM::Role": lambda _, name: name,
    "AWS::Logs::LogGroup": lambda _, name: name,
    "AWS::Events::Rule": lambda _, name: name,
    "AWS::ECS::Cluster": lambda _, name: name,
    "AWS::CloudWatch::Alarm": lambda _, name: name,
}
"""What ``Ref`` gives of types with a name of their own; of others it is an identifier that AWS makes up."""

_ARN: Final[Mapping[str, Callable[[Place, str], str]]] = {
    "AWS::SQS::Queue": lambda place, name: place.arn("sqs", name),
    "AWS::SNS::Topic": lambda place, name: place.arn("sns", name),
    "AWS::DynamoDB::Table": lambda place, name: place.arn("dynamodb", f"table/{name}"),
    "AWS::S3::Bucket": lambda place, name: place.arn("s3", name, region=False, account=False),
    "AWS::Lambda::Function": lambda place, name: place.arn("lambda", f"function:{name}"),
    "AWS::IAM::Role": lambda place, name: place.arn("iam", f"role/{name}", region=False),
    "AWS::StepFunctions::StateMachine": lambda place, name: place.arn("states", f"stateMachine:{name}"),
    "AWS::Logs::LogGroup": lambda place, name: place.arn("logs", f"log-group:{name}:*"),
    "AWS::Events::Rule": lambda place, name: place.arn("events", f"rule/{name}"),
    "AWS::ECS::Cluster": lambda place, name: place.arn("ecs", f"cluster/{name}"),
    "AWS::CloudWatch::Alarm": lambda place, name: place.arn("cloudwatch", f"alarm:{name}"),
}
"""What ``Fn::GetAtt`` gives as the ``Arn``."""

_FROM_PROPERTIES: Final[Mapping[str, Callable[[Place, Json], str]]] = {
    "AWS::Lambda::Alias": lambda place, said: place.arn("lambda", f"function:{said['FunctionName']}:{said['Name']}"),
    "AWS::StepFunctions::StateMachineVersion": lambda place, said: machine_version(
        f"{place.arn('states', 'stateMachine:' + said['StateMachineArn'])}:0"
    ),
}
"""What ``Ref``, and ``Fn::GetAtt`` as the ``Arn``, give of types that are part of another."""

_MADE_UP: Final = frozenset(
    {
        ("AWS::KMS::Key", "KeyId"),
        ("AWS::EC2::SecurityGroup", "GroupId"),
        ("AWS::EC2::VPC", "VpcId"),
        ("AWS::EC2::InternetGateway", "InternetGatewayId"),
        ("AWS::EC2::Subnet", "SubnetId"),
        ("AWS::EC2::RouteTable", "RouteTableId"),
        ("AWS::ApiGatewayV2::Api", "ApiId"),
    }
)
"""Attributes that are identifiers which AWS makes up."""


@dataclass(frozen=True, slots=True)
class Template:
    """A template that was deployed at a place; ``files`` are the digests and texts of its assets by their keys."""

    body: Json
    place: Place
    digests: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)

    def entries(self) -> Iterator[Entry]:
        """What every resource says; NotComparable for types, properties and functions that nothing knows."""
        for logical, resource in self.body.get("Resources", {}).items():
            yield from self.entry(logical, resource)

    def entry(self, logical: str, resource: Json) -> Iterator[Entry]:
        """What a resource says."""
        kind = self._kind(logical, resource)
        unknown = resource.keys() - _ANSWERED_BY_TOOLS
        if unknown:
            raise NotComparable(f"{logical} has {', '.join(sorted(unknown))}, which nothing compares")
        said = self._said(kind, resource)
        strange = said.keys() - properties(kind.name)
        if strange:
            raise NotComparable(
                f"{logical}: {', '.join(sorted(strange))} of {kind.resource} is mapped to no attribute of Terraform's;"
                " add it to deployment/parity/kinds"
            )
        kept = {name: resource[name] for name in _RETAINED if resource.get(name, _GONE) != _GONE}
        yield entry(kind.name, said | kept, self.place)

    def reference(self, logical: str) -> Value:
        """What ``Ref`` to a resource gives, as it is compared: its name or ARN, or what stands for a made-up identifier."""
        return plain(self._ref(logical))

    def _said(self, kind: Kind, resource: Json) -> Json:
        said: Json = self._value(resource.get("Properties", {}))
        self._packages(kind, said)
        for path, read in kind.reads.items():
            change(said, path, read)
        return said

    def _packages(self, kind: Kind, said: Json) -> None:
        """Put what assets hold in the place of where they lie."""
        if kind.name == "function" and "ImageUri" not in said["Code"]:
            said["Code"] = self._package(said["Code"])
        if kind.name == "layer":
            said["Content"] = self._package(said["Content"])
        if kind.name == "machine":
            location = said.pop("DefinitionS3Location", None)
            text = self._found(self.texts, location["Key"]) if location else said["DefinitionString"]
            for name, value in said.pop("DefinitionSubstitutions", {}).items():
                text = text.replace(f"${{{name}}}", str(value))
            said["DefinitionString"] = text

    def _package(self, location: Json) -> dict[str, str]:
        if location.keys() != {"S3Bucket", "S3Key"} or not self.place.assets.fullmatch(location["S3Bucket"]):
            raise NotComparable(f"{location} is not where the CDK's assets lie")
        return code(self._found(self.digests, location["S3Key"]))

    def _found(self, assets: Mapping[str, str], key: str) -> str:
        if key not in assets:
            raise NotComparable(f"the asset {key} is not in the folder of templates: synthesise it anew")
        return assets[key]

    def _kind(self, logical: str, resource: Json) -> Kind:
        kind = BY_RESOURCE.get(resource["Type"])
        if kind is None:
            raise NotComparable(f"{logical}: no map knows {resource['Type']}; add it to deployment/parity/kinds")
        return kind

    def _value(self, value: Value) -> Value:
        match value:
            case dict() if len(value) == 1 and (name := next(iter(value))) in _FUNCTIONS:
                return self._queues_by_name(legible(partial(self._called, name), value[name], name))
            case dict():
                return {key: self._value(each) for key, each in value.items()}
            case list():
                return [self._value(each) for each in value]
            case _:
                return value

    def _queues_by_name(self, value: Value) -> Value:
        ours = isinstance(value, str) and value.startswith(self.place.queues)
        return queue_url(value.removeprefix(self.place.queues)) if ours else value

    def _called(self, function: str, given: Value) -> Value:
        result: Value
        match function:
            case "Ref":
                result = self._ref(given)
            case "Fn::GetAtt":
                result = self._attribute(given)
            case "Fn::Join":
                result = given[0].join(str(each) for each in self._value(given[1]))
            case "Fn::Sub":
                result = self._substituted(given)
            case "Fn::Select":
                result = self._value(given[1])[int(given[0])]
            case "Fn::Split":
                result = self._value(given[1]).split(given[0])
            case _:
                result = self._zones(given)
        return result

    def _zones(self, region: Value) -> list[str]:
        if self._value(region) not in ("", self.place.region):
            raise NotComparable(f"Fn::GetAZs of {region}, where nothing is deployed")
        return [f"{self.place.region}{letter}" for letter in "abc"]

    def _ref(self, name: str) -> Value:
        pseudo = {
            "AWS::AccountId": self.place.account,
            "AWS::Region": self.place.region,
            "AWS::Partition": self.place.partition,
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::NoValue": None,
        }
        if name in pseudo:
            return pseudo[name]
        if name in self.body["Resources"]:
            resource = self.body["Resources"][name]
            if resource["Type"] in _FROM_PROPERTIES:
                return _FROM_PROPERTIES[resource["Type"]](self.place, self._said_by(name))
            plainly = _NAME.get(resource["Type"])
            return plainly(self.place, self._name(name)) if plainly else self._label(name)
        if "Default" in self.body.get("Parameters", {}).get(name, {}):
            return self.body["Parameters"][name]["Default"]
        raise NotComparable(f"Ref to {name}, which the template does not have")

    def _attribute(self, given: Value) -> Value:
        name, _, attribute = given.partition(".") if isinstance(given, str) else (given[0], "", given[1])
        resource = self.body["Resources"].get(name)
        if resource is None:
            raise NotComparable(f"Fn::GetAtt of {name}, which the template does not have")
        kind = resource["Type"]
        if attribute in ("Arn", "AliasArn") and kind in _FROM_PROPERTIES:
            return _FROM_PROPERTIES[kind](self.place, self._said_by(name))
        if attribute in ("Arn", "TopicArn") and kind in _ARN:
            return _ARN[kind](self.place, self._name(name))
        if (kind, attribute) == ("AWS::KMS::Key", "Arn"):
            return self.place.arn("kms", f"key/{self._label(name)}")
        if (kind, attribute) == ("AWS::Lambda::Version", "Version"):
            return PUBLISHED
        if (kind, attribute) in _MADE_UP:
            return self._label(name)
        raise NotComparable(f"Fn::GetAtt of {attribute} of {name} ({kind}), which nothing knows")

    def _substituted(self, given: Value) -> str:
        text, values = (given, {}) if isinstance(given, str) else (given[0], self._value(given[1]))

        def replaced(found: re.Match[str]) -> str:
            name = found[1]
            if name in values:
                return str(values[name])
            return str(self._attribute(name) if "." in name else self._ref(name))

        return _PLACEHOLDER.sub(replaced, text)

    def _said_by(self, logical: str) -> Json:
        resource = self.body["Resources"][logical]
        kind = self._kind(logical, resource)
        return entry(kind.name, self._said(kind, resource), self.place).properties

    def _name(self, logical: str) -> str:
        return self._kind(logical, self.body["Resources"][logical]).named(self._said_by(logical))

    def _label(self, logical: str) -> str:
        kind = self._kind(logical, self.body["Resources"][logical])
        return f"<{kind.name} {self._name(logical)}>"
