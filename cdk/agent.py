"""What does the work: layers, functions with their sources, state machines, and the rule on executions that end badly."""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam

from cdk.functions import Parts, add_function, add_layers
from cdk.images import Image
from cdk.machines import add_machine
from cdk.place import Place
from cdk.roles import add_role
from cdk.status import add_rule
from deployment.packages.build import Packages
from deployment.roles import roles


def add_agent(stack: Stack, place: Place, packages: Packages, sandbox: Image, key: str | None) -> None:
    """Everything that is replaced with a deployment."""
    made = _roles(stack, place)
    layers = add_layers(stack, place, packages)
    parts = Parts(place, packages, layers, made, sandbox, key)
    aliases = {name: add_function(stack, parts, function) for name, function in place.system.functions.items()}
    for name, machine in place.system.machines.items():
        calls = [aliases[function] for function in machine.functions]
        add_machine(stack, place, machine, made[f"machine/{name}"], calls, key)
    add_rule(stack, place, aliases)


def _roles(stack: Stack, place: Place) -> dict[str, iam.CfnRole]:
    declared = {key: role for key, role in roles(place.system).items() if not key.startswith(("service/", "start/"))}
    made = {key: add_role(stack, place, key) for key in declared}
    for key, role in declared.items():
        for taker in role.assumed_by:
            # IAM wants to find those that a role is told to trust.
            made[key].add_resource_dependency(made[taker])
    return made
