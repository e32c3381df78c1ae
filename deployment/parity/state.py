"""The inventory of a Terraform state, as ``terraform show -json`` tells it after an apply."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from deployment.parity.errors import NotComparable
from deployment.parity.exceptions import own
from deployment.parity.inventory import Entry, entry
from deployment.parity.kinds.all import MAPPED
from deployment.parity.kinds.model import As, Block, Shape
from deployment.parity.place import Place
from deployment.parity.template import Template
from deployment.parity.values import Value, is_empty, legible, put, queue_url

type Json = dict[str, Any]

_STACK: Final = "aws_cloudformation_stack"
_PIECE: Final = re.compile(r"[^:/]+")
_SILENT: Final = (False, 0)
_LABELLED: Final = {
    "aws_vpc": "network",
    "aws_internet_gateway": "gateway",
    "aws_subnet": "subnet",
    "aws_route_table": "route table",
    "aws_security_group": "security group",
    "aws_apigatewayv2_api": "api",
    "aws_apigatewayv2_integration": "api integration",
    "aws_kms_key": "key",
}
"""Types whose identifiers AWS makes up: what refers to them is compared by their names."""


@dataclass(frozen=True, slots=True)
class State:
    """The managed resources of a state, and what stands for each identifier that AWS made up."""

    resources: tuple[Json, ...]
    labels: Mapping[str, str]
    place: Place


def read(shown: Json) -> State:
    """A state; NotComparable when it holds nothing."""
    resources = tuple(
        each for each in _managed(shown.get("values", {}).get("root_module", {})) if not own(each["address"])
    )
    if not resources:
        raise NotComparable("the state holds no resources: apply first, then `terraform show -json`")
    place = _place(resources)
    return State(resources, labels(resources, place), place)


def labels(resources: tuple[Json, ...], place: Place) -> dict[str, str]:
    """What stands for each made-up identifier, and for the URL of each queue."""
    queues = [each["values"] for each in resources if each["type"] == "aws_sqs_queue"]
    found = {str(each["url"]): queue_url(each["name"]) for each in queues}
    # Some are named by others: an integration by its API.
    for _ in range(2):
        for each in resources:
            if kind := _LABELLED.get(each["type"]):
                (part,) = [part for part in MAPPED[each["type"]].parts if part.kind == kind]
                said = _translated(labelled(each["values"], found), part.shape, each["address"], lenient=True)
                found[each["values"]["id"]] = f"<{kind} {entry(kind, said, place).name}>"
    return found


def entries(resource: Json, state: State) -> Iterator[Entry]:
    """What a resource says; NotComparable for a type or an attribute that no map knows."""
    kind = resource["type"]
    values = labelled(resource["values"], state.labels)
    if kind == _STACK:
        yield from _stack(resource["address"], values, state.place)
        return
    if kind not in MAPPED:
        raise NotComparable(f"{resource['address']}: no map knows {kind}; add it to deployment/parity/kinds")
    mapped = MAPPED[kind]
    known = set(mapped.computed).union(*(part.shape for part in mapped.parts))
    for attribute, value in values.items():
        if attribute not in known:
            _refuse_unless_silent(f"{resource['address']}.{attribute}", value)
    for part in mapped.parts:
        said = _translated(
            {key: value for key, value in values.items() if key in part.shape}, part.shape, resource["address"]
        )
        yield entry(part.kind, legible(part.finish, said, resource["address"]) if part.finish else said, state.place)


def labelled(value: Value, labels: Mapping[str, str]) -> Value:
    """A value with labels in place of made-up identifiers."""
    match value:
        case dict():
            return {key: labelled(each, labels) for key, each in value.items()}
        case list():
            return [labelled(each, labels) for each in value]
        case str():
            if value in labels:
                return labels[value]
            if value.startswith(("{", "[")):
                return _labelled_text(value, labels)
            return _PIECE.sub(lambda piece: labels.get(piece[0], piece[0]), value)
        case _:
            return value


def _labelled_text(text: str, labels: Mapping[str, str]) -> str:
    """A text that may be JSON."""
    try:
        return json.dumps(labelled(json.loads(text), labels))
    except json.JSONDecodeError:
        return text


def _stack(address: str, values: Json, place: Place) -> Iterator[Entry]:
    """What the provider cannot describe is a template in the state: it is read as the CDK's are."""
    for attribute, value in values.items():
        if attribute not in {"id", "name", "template_body", "outputs", "tags_all"}:
            _refuse_unless_silent(f"{address}.{attribute}", value)
    template = json.loads(values["template_body"])
    yield entry("stack", {"StackName": values["name"], "Description": template.get("Description")}, place)
    yield from Template(template, place).entries()


def _translated(values: Json, shape: Shape, where: str, *, lenient: bool = False) -> Json:
    said: Json = {}
    for attribute, value in values.items():
        target = shape.get(attribute)
        if target is None:
            if not lenient:
                _refuse_unless_silent(f"{where}.{attribute}", value)
        elif isinstance(target, Block):
            _put_block(said, target, value, f"{where}.{attribute}")
        elif isinstance(target, As):
            _put_unless_empty(said, target.property, legible(target.read, value, f"{where}.{attribute}"))
        else:
            _put_unless_empty(said, target, value)
    return said


def _put_block(said: Json, block: Block, value: Value, where: str) -> None:
    if not (value is None or (isinstance(value, list) and all(isinstance(each, dict) for each in value))):
        raise NotComparable(f"{where} should be blocks and is {value!r}")
    written = [_translated(each, block.shape, where) for each in value or []]
    if block.many:
        _put_unless_empty(said, block.property, written)
    elif len(written) > 1:
        raise NotComparable(f"{where} is there {len(written)} times, and is read once")
    elif written and block.property:
        _put_unless_empty(said, block.property, written[0])
    elif written:
        for key, each in written[0].items():
            put(said, key, each)


def _put_unless_empty(said: Json, path: str, value: Value) -> None:
    if not is_empty(value):
        put(said, path, value)


def _refuse_unless_silent(where: str, value: Value) -> None:
    if not (is_empty(value) or any(value is each or value == each for each in _SILENT)):
        raise NotComparable(f"{where} is {value!r}, and no map knows this attribute; add it to deployment/parity/kinds")


def _managed(module: Json) -> Iterator[Json]:
    yield from (each for each in module.get("resources", ()) if each["mode"] == "managed")
    for child in module.get("child_modules", ()):
        yield from _managed(child)


def _place(resources: tuple[Json, ...]) -> Place:
    arns = [str(each["values"].get("arn", "")).split(":") for each in resources if each["type"] == "aws_sqs_queue"]
    if not arns:
        raise NotComparable("the state holds no queue, from whose ARN the account and region are read")
    return Place(partition=arns[0][1], region=arns[0][3], account=arns[0][4])
