"""Both tools deploy the same system: every resource, property, variable and statement; and any change in either is found."""

import json
from collections.abc import Iterator
from copy import replace
from pathlib import Path
from typing import Any

import pytest

from deployment import cdk
from deployment.cdk import CdkMissing
from deployment.parity import state
from deployment.parity.command import run, templates
from deployment.parity.errors import NotComparable
from deployment.parity.exceptions import EXCEPTIONS, unmeant
from deployment.parity.inventory import Entry, Inventory, differences, inventory
from deployment.parity.kinds.all import MAPPED
from deployment.parity.kinds.compute import PUBLISHED
from deployment.parity.state import State
from deployment.parity.template import Template
from deployment.parity.values import plain, queue_url
from discord_agent.settings import environment
from tests.infrastructure.terraform.conftest import CHOSEN, Applied, keys
from tests.support.data_plane import client
from tests.support.emulator import emulator
from tests.support.mutations import changed, leaves

STACKS_OWN = {"id", "outputs", "tags_all"}
"""What only AWS knows of a stack in a state."""


@pytest.fixture(scope="module")
def synthesised(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cdk")
    settings = folder / "settings.json"
    settings.write_text(json.dumps(CHOSEN), encoding="utf-8")
    try:
        return cdk.find(environment(), settings=settings, output=folder / "cdk.out").synth()
    except CdkMissing as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def shown(applied: Applied) -> State:
    return state.read(applied.state)


@pytest.fixture(scope="module")
def deployed(synthesised: Path, shown: State) -> list[Template]:
    return list(templates(synthesised, shown.place))


@pytest.fixture(scope="module")
def resources(synthesised: Path) -> Iterator[dict[str, Any]]:
    """What the emulator says of each stack that the CDK deployed to it: its template and its resources."""
    with emulator() as emulated:
        variables = {**environment(), **cdk.against(emulated.url, keys())}
        tool = cdk.find(variables, settings=synthesised.parent / "settings.json", output=synthesised)
        tool.bootstrap()
        tool.deploy_synthesised()
        stacks = client("cloudformation", emulated.url)
        yield {
            name: {
                "template": stacks.get_template(StackName=name)["TemplateBody"],
                "resources": stacks.describe_stack_resources(StackName=name)["StackResources"],
            }
            for name in tool.stacks()
        }


def test_what_is_compared_of_the_cdk_is_what_it_deploys(deployed: list[Template], resources: dict[str, Any]) -> None:
    for template, told in zip(deployed, resources.values(), strict=True):
        body = told["template"] if isinstance(told["template"], dict) else json.loads(told["template"])
        assert body == template.body
        made = {each["LogicalResourceId"]: each for each in told["resources"]}
        assert made.keys() == template.body["Resources"].keys()
        assert {each["ResourceStatus"] for each in made.values()} == {"CREATE_COMPLETE"}
        for logical, each in made.items():
            expected = str(template.reference(logical))
            if expected.endswith(PUBLISHED):
                # Which number it has is known only when it is there.
                assert each["PhysicalResourceId"].startswith(expected.removesuffix(PUBLISHED)), logical
            elif expected.startswith(queue_url("")):
                assert each["PhysicalResourceId"].endswith("/" + expected.removeprefix(queue_url(""))), logical
            elif not expected.startswith("<"):
                assert plain(each["PhysicalResourceId"]) == expected, logical


def test_both_tools_deploy_the_same(applied: Applied, synthesised: Path, tmp_path: Path) -> None:
    told = tmp_path / "state.json"
    told.write_text(json.dumps(applied.state), encoding="utf-8")
    assert run(synthesised, told) == 0


def test_every_exception_is_needed(deployed: list[Template], shown: State) -> None:
    found = differences(_of_templates(deployed), _of_state(shown))
    idle = [each for each in EXCEPTIONS if each.kind != "key" and not any(each.covers(one) for one in found)]
    assert idle == []


def test_whatever_is_changed_in_the_state_is_found_or_refused(deployed: list[Template], shown: State) -> None:
    cdks = _of_templates(deployed)
    said = [list(state.entries(resource, shown)) for resource in shown.resources]
    tried = [(place, path) for place, resource in enumerate(shown.resources) for path in _asked_for(resource)]
    missed = [
        f"{shown.resources[place]['address']} {path}"
        for place, path in tried
        if not _state_tells(cdks, shown, said, place, path)
    ]
    assert len(tried) > 1000
    assert missed == []


def test_whatever_is_changed_in_a_template_is_found_or_refused(deployed: list[Template], shown: State) -> None:
    terraforms = _of_state(shown)
    said = {
        (place, name): list(each.entry(name, body))
        for place, each in enumerate(deployed)
        for name, body in _resources(each)
    }
    tried = [
        (place, name, path)
        for place, template in enumerate(deployed)
        for name, body in _resources(template)
        for path in leaves({"Type": body["Type"], "Properties": body.get("Properties", {})})
    ]
    missed = [each for each in tried if not _template_tells(terraforms, deployed, said, *each)]
    assert len(tried) > 1000
    assert missed == []


def _asked_for(resource: dict[str, Any]) -> Iterator[tuple[str | int, ...]]:
    mapped = MAPPED.get(resource["type"])
    known_to_aws = mapped.computed if mapped else STACKS_OWN
    return (path for path in leaves(resource["values"]) if path[0] not in known_to_aws)


def _state_tells(
    cdks: Inventory, shown: State, said: list[list[Entry]], place: int, path: tuple[str | int, ...]
) -> bool:
    resource = shown.resources[place]
    other = resource | {"values": changed(resource["values"], path)}
    resources = (*shown.resources[:place], other, *shown.resources[place + 1 :])
    try:
        labels = state.labels(resources, shown.place)
        if labels != shown.labels:
            return bool(unmeant(differences(cdks, _of_state(replace(shown, resources=resources, labels=labels)))))
        instead = list(state.entries(other, shown))
        return _differs(said[place], instead, [*said[:place], instead, *said[place + 1 :]], cdks, cdk_side=False)
    except NotComparable:
        return True


def _template_tells(
    terraforms: Inventory,
    deployed: list[Template],
    said: dict[tuple[int, str], list[Entry]],
    place: int,
    name: str,
    path: tuple[str | int, ...],
) -> bool:
    template = deployed[place]
    body = changed(template.body, ("Resources", name, *path))
    other = replace(template, body=body)
    try:
        instead = list(other.entry(name, body["Resources"][name]))
        # What refers to it by name is read anew only when its name is not what it was.
        if [each.name for each in instead] != [each.name for each in said[place, name]]:
            rest = [each for each in deployed if each is not template]
            return bool(unmeant(differences(_of_templates([*rest, other]), terraforms)))
        everything = [instead if key == (place, name) else entries for key, entries in said.items()]
        return _differs(said[place, name], instead, everything, terraforms, cdk_side=True)
    except NotComparable:
        return True


def _differs(
    before: list[Entry], after: list[Entry], everything: list[list[Entry]], others: Inventory, *, cdk_side: bool
) -> bool:
    """Whether the things that either version speaks of are not as on the other side."""
    touched = {(each.kind, each.name) for each in (*before, *after)}
    ours = inventory(each for entries in everything for each in entries if (each.kind, each.name) in touched)
    theirs: Inventory = {}
    for kind, name in touched:
        if name in others.get(kind, {}):
            theirs.setdefault(kind, {})[name] = others[kind][name]
    return bool(unmeant(differences(ours, theirs) if cdk_side else differences(theirs, ours)))


def _resources(template: Template) -> list[tuple[str, dict[str, Any]]]:
    return list(template.body["Resources"].items())


def _of_state(shown: State) -> Inventory:
    return inventory(each for resource in shown.resources for each in state.entries(resource, shown))


def _of_templates(deployed: list[Template]) -> Inventory:
    return inventory(each for template in deployed for each in template.entries())
