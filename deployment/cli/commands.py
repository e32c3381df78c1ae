"""The commands of whoever runs the bot, for the table of commands of ``discord-agent``."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from deployment import restoring, settings
from deployment.cli import asking, deploy, destroy, doctor, init
from deployment.cli.account import reach
from deployment.cli.connect import connect
from deployment.cli.deployed import Deployed
from deployment.cli.machine import Machine
from deployment.cli.ready import Ready
from deployment.cli.tools import TOOLS, Place
from deployment.cli.trial import try_model
from deployment.cli.vault import ParameterStoreVault
from deployment.forgetting import command as forgetting
from deployment.packages.build import build
from discord_agent.domain.errors import InvalidSettings
from discord_agent.settings import environment
from discord_agent.system import SYSTEM

type AddParser = Callable[..., argparse.ArgumentParser]

_FILE: Final = settings.FILE
_ROOT: Final = _FILE.parent


def add(add_parser: AddParser) -> None:
    """Add them."""
    _add_init(add_parser)
    _add_doctor(add_parser)
    _add_deploy(add_parser)
    _add_connect(add_parser)
    _add_destroy(add_parser)
    _add_operate(add_parser)


def _add_init(add_parser: AddParser) -> None:
    command = add_parser("init", help="ask for the Discord token and model credentials, check and keep them")
    source = command.add_mutually_exclusive_group()
    source.add_argument("--from-env", action="store_true", help="take them from the variables that .env.example lists")
    source.add_argument("--from-stdin", action="store_true", help="take them from lines NAME=value on standard input")
    _with_file(command)
    command.set_defaults(run=_init)


def _add_doctor(add_parser: AddParser) -> None:
    command = add_parser("doctor", help="say what is wrong, here and in the account, and how to mend it")
    command.add_argument("--local", action="store_true", help="look at this machine only, not at an account")
    command.add_argument("--json", action="store_true", help="print one JSON object")
    _with_file(command)
    _with_url(command)
    command.set_defaults(run=_doctor)


def _add_deploy(add_parser: AddParser) -> None:
    command = add_parser("deploy", help="bring the bot into an AWS account, and connect it with Discord")
    _with_tool(command)
    _with_file(command)
    _with_url(command)
    command.set_defaults(run=_deploy)


def _add_connect(add_parser: AddParser) -> None:
    command = add_parser("connect", help="tell Discord where the deployed bot is, after plain cdk or terraform")
    _with_file(command)
    _with_url(command)
    command.set_defaults(run=_connect)


def _add_destroy(add_parser: AddParser) -> None:
    command = add_parser("destroy", help="remove the bot from the account; data stay unless told twice")
    _with_tool(command)
    _with_file(command)
    command.add_argument(
        "--data", action="store_true", help="tables, bucket and secrets too; asks for the bucket's name"
    )
    command.add_argument("--yes-delete-data", metavar="BUCKET", default="", help="the bucket's name, instead of asking")
    _with_url(command)
    command.set_defaults(run=_destroy)


def _with_tool(command: argparse.ArgumentParser) -> None:
    command.add_argument("--with", dest="tool", choices=sorted(TOOLS), default="cdk", help="default: %(default)s")


def _with_file(command: argparse.ArgumentParser) -> None:
    command.add_argument("--settings", type=Path, default=_FILE, help="the file of settings (default: settings.json)")


def _with_url(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--url", default="", help="where interactions arrive, if a domain of your own leads to the API"
    )


def _init(options: argparse.Namespace) -> int:
    variables = environment()
    if options.from_env:
        answers: asking.Answers = asking.FromVariables(variables)
    elif options.from_stdin:
        answers = asking.from_lines(sys.stdin)
    else:
        answers = asking.person()
    account = reach(variables)
    vault = ParameterStoreVault(account.client("ssm"), SYSTEM)
    api_url = variables.get("DISCORD_API_URL", "")
    return init.run(init.Deployment(SYSTEM, account, vault, options.settings, api_url), answers)


def _doctor(options: argparse.Namespace) -> int:
    chosen = settings.read(SYSTEM, options.settings) if not options.local else settings.chosen(SYSTEM, {})
    named = chosen["sandbox_image"] and (chosen["bridge_image"] or not chosen.on("bridge"))
    machine = Machine(_ROOT, chosen["architecture"], builds_images=not named)
    found = doctor.sections(machine.checks(), None if options.local else lambda: _system(chosen, options.url))
    print(doctor.as_json(found) if options.json else doctor.as_text(found))
    return 0 if doctor.is_well(found) else 1


def _system(chosen: settings.Settings, url: str) -> tuple[Ready, Deployed]:
    account = reach(environment())
    vault = ParameterStoreVault(account.client("ssm"), SYSTEM)
    ready = Ready(SYSTEM, chosen, account, vault, try_model)
    return ready, Deployed(ready.expected, account, vault, url)


def _deploy(options: argparse.Namespace) -> int:
    ready, deployed = _system(settings.read(SYSTEM, options.settings), options.url)
    tool = TOOLS[options.tool](Place(ready.account, options.settings, environment(), listen=_said))
    architecture = ready.settings["architecture"]
    return deploy.run(deploy.Deploying(ready, deployed, tool, lambda: build(SYSTEM, _ROOT, architecture)))


def _said(line: str) -> None:
    """What a tool says, a little to the right of what we say."""
    print(f"  {line}", flush=True)


def _connect(options: argparse.Namespace) -> int:
    _, deployed = _system(settings.read(SYSTEM, options.settings), options.url)
    connect(deployed)
    return 0


def _destroy(options: argparse.Namespace) -> int:
    ready, deployed = _system(settings.read(SYSTEM, options.settings), options.url)
    if options.yes_delete_data and not options.data:
        raise InvalidSettings("nothing was removed: --yes-delete-data only counts together with --data")
    tool = TOOLS[options.tool](Place(ready.account, options.settings, environment(), listen=_said))
    confirm = destroy.confirmation(options.yes_delete_data, input)
    return destroy.run(destroy.Destroying(deployed, tool, options.data, confirm))


def _add_operate(add_parser: AddParser) -> None:
    operate = add_parser("operate", help="look after a running system").add_subparsers(required=True, metavar="WHAT")
    forget = operate.add_parser("forget", help="say what is kept about a person of Discord, or delete it")
    forget.add_argument("user", help="the person's id in Discord")
    forget.add_argument("--delete", action="store_true", help="delete it; without this nothing is changed")
    forget.add_argument("--bucket", default="", help="the bucket, where its name is not the usual one")
    forget.set_defaults(run=lambda options: forgetting.run(options.user, bucket=options.bucket, delete=options.delete))
    restore = operate.add_parser("restore", help="put items of a restored table back into the one in use")
    restore.add_argument("table", help="the table's key in the declaration, such as sessions")
    restore.add_argument("source", help="the name of the table that was restored from a backup")
    restore.add_argument("--replace", action="store_true", help="also what the table has otherwise by now")
    restore.add_argument("--write", action="store_true", help="do it; without this items are only counted")
    restore.set_defaults(
        run=lambda options: restoring.run(options.table, options.source, replace=options.replace, write=options.write)
    )
