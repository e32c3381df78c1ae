"""The commands of whoever runs the bot, for the table of commands of ``discord-agent``."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from deployment import restoring, settings
from deployment.cli import asking, init
from deployment.cli.account import reach
from deployment.cli.vault import ParameterStoreVault
from deployment.forgetting import command as forgetting
from discord_agent.settings import environment
from discord_agent.system import SYSTEM

type AddParser = Callable[..., argparse.ArgumentParser]

_FILE: Final = settings.FILE


def add(add_parser: AddParser) -> None:
    """Add them."""
    _add_init(add_parser)
    _add_operate(add_parser)


def _add_init(add_parser: AddParser) -> None:
    command = add_parser("init", help="ask for the Discord token and model credentials, check and keep them")
    source = command.add_mutually_exclusive_group()
    source.add_argument("--from-env", action="store_true", help="take them from the variables that .env.example lists")
    source.add_argument("--from-stdin", action="store_true", help="take them from lines NAME=value on standard input")
    _with_file(command)
    command.set_defaults(run=_init)


def _with_file(command: argparse.ArgumentParser) -> None:
    command.add_argument("--settings", type=Path, default=_FILE, help="the file of settings (default: settings.json)")


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
