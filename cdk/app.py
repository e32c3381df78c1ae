"""The system as the CDK deploys it: one stack for each lifetime. ``cdk.json`` runs this module.

Context: ``settings`` is the file of settings, ``keep_data`` false lets tables and bucket go with their stack, ``account`` and
``region`` are the only ones that this may be deployed to.
"""

import sys
from pathlib import Path
from typing import Final

from aws_cdk import Annotations, App, Environment, Stack, Validations
from cdk_nag import AwsSolutionsChecks, ServerlessChecks

from cdk.agent import add_agent
from cdk.bridge import add_bridge
from cdk.data import Keeping, add_data, add_key
from cdk.edge import add_edge
from cdk.images import image
from cdk.logs import add_log_group
from cdk.observability import add_observability
from cdk.place import Place
from deployment.packages.build import build
from deployment.settings import FILE, Settings, read
from discord_agent.declaration import PREFIX
from discord_agent.domain.errors import InvalidSettings
from discord_agent.settings import environment
from discord_agent.system import SYSTEM

_ROOT: Final = Path(__file__).resolve().parent.parent


def main() -> int:
    """Synthesise; the exit status."""
    app = App()
    try:
        _compose(app)
    except InvalidSettings as error:
        sys.stderr.write(f"Error: {error}\n")
        return 2
    app.synth()
    return 0


def watch(app: App) -> None:
    """Have cdk-nag stop the synthesis at whatever nobody has explained."""
    Validations.of(app).add_plugins(AwsSolutionsChecks(app), ServerlessChecks(app))


def _compose(app: App) -> None:
    context = app.node.try_get_context
    _refuse_elsewhere(app)
    settings = read(SYSTEM, _settings_file(context("settings")))
    architecture = settings["architecture"]
    packages = build(SYSTEM, _ROOT, architecture)
    keep = context("keep_data") not in (False, "false")
    watch(app)
    place = Place(SYSTEM, settings)

    data = _stack(app, "data", "tables, queues and bucket: what outlives everything else")
    key = add_key(data, keep=keep) if settings.on("customer_managed_key") else None
    add_data(data, place, Keeping(key, keep))

    agent = _stack(app, "agent", "functions, state machines and the rule on failed executions", data)
    _require(agent, settings)
    sandbox = image(agent, packages, "sandbox", settings["sandbox_image"], architecture)
    add_agent(agent, place, packages, sandbox, key)

    edge = _stack(app, "edge", "the door for Discord's interactions", agent)
    add_edge(edge, place, key)

    bridge = _stack(app, "bridge", "the process that listens to Discord", data)
    for service in SYSTEM.services.values():
        # Without the bridge the stack keeps what it said, and takes everything else down.
        group = add_log_group(bridge, "Bridge", service.log_group, SYSTEM.log_retention, key)
        if settings.on("bridge"):
            _require(bridge, settings)
            source = image(bridge, packages, service.name, settings["bridge_image"], architecture)
            add_bridge(bridge, place.with_image(service.name, source.repository), service, source, group.ref)

    observability = _stack(app, "observability", "alarms and dashboard", data, agent)
    add_observability(observability, place, key)


def _refuse_elsewhere(app: App) -> None:
    """The command line says whose credentials these are, and what region they are used in."""
    for name in ("account", "region"):
        named, actual = app.node.try_get_context(name), environment().get(f"CDK_DEFAULT_{name.upper()}")
        if named and actual and named != actual:
            raise InvalidSettings(
                f"these credentials are for the {name} {actual}, and {named} was named:"
                " choose a profile with AWS_PROFILE, and a region with AWS_REGION"
            )


def _settings_file(named: str | None) -> Path:
    if named and not Path(named).is_file():
        raise InvalidSettings(f"{named} is not there: name the file of settings by its whole path")
    return Path(named or FILE)


def _stack(app: App, name: str, description: str, *after: Stack) -> Stack:
    context = app.node.try_get_context
    stack = Stack(
        app,
        f"{PREFIX}-{name}",
        description=f"{PREFIX}: {description}",
        env=Environment(account=context("account"), region=context("region")),
    )
    for needed in after:
        stack.add_stack_dependency(needed)
    return stack


def _require(stack: Stack, settings: Settings) -> None:
    """The command line refuses to deploy a stack with an error in it; the others it deploys."""
    missing = settings.missing()
    if missing:
        Annotations.of(stack).add_error(
            f"{' and '.join(missing)} must be in settings.json: `discord-agent init` asks for what is missing"
        )


if __name__ == "__main__":
    sys.exit(main())
