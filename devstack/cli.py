"""The command ``discord-agent``: try it, drive it, measure it."""

import argparse
import json
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from copy import replace
from pathlib import Path
from typing import Final

from deployment import costs, document, measured
from deployment.cli import commands as operating
from deployment.documentation import pages
from deployment.packages import command as packaging
from deployment.packages.build import PLATFORMS
from deployment.parity import command as parity
from devstack import bench, cost_probe, demo, invoke, permissions
from devstack import commands as slash_commands
from devstack.deploying import TOOLS, NotRun
from devstack.options import DEMO_SCRIPT, DEMO_TASK, ROOT, SAMPLE, ModelAccess, Options
from devstack.scenarios import playing
from devstack.scenarios.catalogue import SCENARIOS
from devstack.stack import DevStack
from discord_agent.adapters.llm.access import provider_secret
from discord_agent.domain.errors import AgentError, InvalidSettings
from discord_agent.settings import environment
from discord_agent.system import SYSTEM

_REACH: Final = ("AWS_ENDPOINT_URL", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
"""What the ``aws`` command, and ours, need to reach the tables, queues and objects of a local stack."""
_DEFAULT_PORT: Final = 8750
_HIGHEST_PORT: Final = 65535
_DEMO_SECONDS: Final = 180.0
_DEPLOYED_SECONDS: Final = 600.0
"""Deployed functions import everything at each cold start."""
_NOT_RUN: Final = 3
"""The exit code of what this machine lacks the tools for: neither passed nor failed."""
_CAUTION: Final = (
    "",
    "  The model's commands run here as you, with your files in reach: there is no wall around them on this machine.",
)
_CAUTION_ABOUT_OTHERS: Final = (
    "  Everybody in the servers this bot has joined may ask it to: use a server of your own.",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit code is 0 only if everything it checks holds."""
    options = parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except AgentError as error:
        print(f"discord-agent: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def parser() -> argparse.ArgumentParser:
    """Everything that can be typed after ``discord-agent``."""
    parser = argparse.ArgumentParser(prog="discord-agent", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    dev = commands.add_parser("dev", help="start everything here and print the address of the chat page")
    _what_to_play(dev)
    dev.add_argument("--port", type=_port, default=_DEFAULT_PORT, help="port of the page (default: %(default)s)")
    dev.add_argument("--data", type=Path, default=ROOT / ".local", help="folder for all state (default: .local)")
    dev.add_argument("--verbose", action="store_true", help="show the functions' logs")
    dev.set_defaults(run=_dev)

    show = commands.add_parser("demo", help="play a story headless and judge it from the system's records")
    _what_to_play(show)
    show.add_argument("--scenario", help="play this story instead of the main job; 'list' shows which there are")
    show.add_argument("--task", help="what to ask for (default: the script's own task, else the demo's)")
    show.add_argument(
        "--against", choices=sorted(TOOLS), help="play on the system that this tool deploys on the emulator"
    )
    show.add_argument("--json", action="store_true", help="print one JSON object")
    show.add_argument(
        "--timeout", type=float, help="seconds to wait for the whole job (default: 180; against a tool 600)"
    )
    show.set_defaults(run=_demo)

    call = commands.add_parser("invoke", help="invoke one function with an event, without AWS")
    call.add_argument("function")
    call.add_argument("--event", type=Path, required=True, help="a JSON file, such as those under events/")
    call.set_defaults(run=lambda options: invoke.run(options.function, options.event))

    slash = commands.add_parser("commands", help="show the slash commands, or register them with Discord")
    slash.add_argument("--register", action="store_true", help="register them for the bot of DISCORD_TOKEN")
    slash.set_defaults(run=lambda options: slash_commands.run(options, environment()))

    declared = commands.add_parser("declaration", help="show the declaration as the document that Terraform reads")
    declared.add_argument("--write", action="store_true", help="write it to terraform/system.json")
    declared.set_defaults(run=lambda options: document.declaration(write=options.write))

    packed = commands.add_parser("package", help="build the layers, functions and image contexts that are deployed")
    packed.add_argument("--architecture", choices=sorted(PLATFORMS), default=SYSTEM.settings["architecture"].default)
    packed.add_argument("--json", action="store_true", help="print one JSON object")
    packed.set_defaults(run=lambda options: packaging.run(SYSTEM, ROOT, options.architecture, as_json=options.json))

    priced = commands.add_parser("costs", help="say what the system costs in AWS")
    priced.add_argument("--json", action="store_true", help="print one JSON object, with all bills")
    priced.add_argument("--measure", action="store_true", help="play a question and a run anew first")
    priced.set_defaults(run=_costs)

    documented = commands.add_parser("docs", help="say which generated parts of the documentation are out of date")
    documented.add_argument("--write", action="store_true", help="generate them anew")
    documented.set_defaults(run=lambda options: pages.run(ROOT, write=options.write))

    same = commands.add_parser("parity", help="compare what the CDK and Terraform deploy, down to every property")
    same.add_argument("--cdk", type=Path, required=True, help="the folder that `cdk synth` wrote")
    same.add_argument("--terraform", type=Path, required=True, help="what `terraform show -json` says after an apply")
    same.set_defaults(run=lambda options: parity.run(options.cdk, options.terraform))

    operating.add(commands.add_parser)

    granted = commands.add_parser("iam", help="say which rights nothing has used that was run here")
    granted.add_argument(
        "--used", type=Path, required=True, help="folder of notes: DISCORD_AGENT_USED_GRANTS of the runs"
    )
    granted.set_defaults(run=lambda options: permissions.run(options.used))

    measure = commands.add_parser("bench", help="run a benchmark")
    measure.add_argument("name", choices=sorted(bench.BENCHMARKS))
    measure.add_argument("--json", action="store_true", help="print one JSON object")
    measure.set_defaults(run=lambda options: bench.run(options.name, as_json=options.json))
    return parser


def _what_to_play(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model-script", type=Path, default=DEMO_SCRIPT, help="what the scripted model plays")
    parser.add_argument(
        "--repo", type=Path, default=SAMPLE, help="a git repository (or folder) to work on; only a copy is changed"
    )


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > _HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: give a number from 0 (any free one) to {_HIGHEST_PORT}")
    return int(text)


def _options(options: argparse.Namespace, *, data: Path | None, port: int) -> Options:
    variables = environment()
    if data is not None:
        _make(data)
    return Options(
        data=data,
        repository=options.repo,
        script=options.model_script,
        port=port,
        model=model_access(variables),
        discord_token=variables.get("DISCORD_TOKEN", ""),
        discord_guild=variables.get("DISCORD_GUILD_ID", ""),
    )


def _make(data: Path) -> None:
    try:
        data.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidSettings(
            f"the folder {data} cannot be made ({error.strerror}): choose another with --data"
        ) from error


def model_access(variables: Mapping[str, str]) -> ModelAccess:
    """Real models when the environment has a key for them: a gateway's, or else those of providers."""
    base_url = variables.get("LITELLM_BASE_URL", "")
    key = variables.get("LITELLM_API_KEY", "") if base_url else provider_secret(variables)
    return ModelAccess(base_url, key)


def _dev(options: argparse.Namespace) -> int:
    stopped = threading.Event()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_number, lambda *_: stopped.set())

    def log(name: str, line: str) -> None:
        if options.verbose:
            print(f"{name:12} {line}", flush=True)

    stack = DevStack(_options(options, data=options.data, port=options.port), log=log)
    with stack:
        print(_welcome(stack), flush=True)
        stopped.wait()
        print("stopping …", flush=True)
    return 0


def _welcome(stack: DevStack) -> str:
    model = (
        "real models" if stack.options.model.is_real else "the scripted demo model (set LITELLM_API_KEY for real ones)"
    )
    reach = stack.aws.endpoints
    lines = [
        "",
        f"  {stack.url}",
        "",
        f"  chat page of a private Discord, played by {model}",
        f"  try:  @nepnep {DEMO_TASK}",
        f"  repository: git clone {stack.repository_url}",
        f"  AWS of its own: export {' '.join(f'{name}={reach[name]}' for name in _REACH)}",
        f"  Ctrl-C stops everything; what happened is kept in {stack.options.data}",
        *(_CAUTION if stack.options.model.is_real else ()),
        *(_CAUTION_ABOUT_OTHERS if stack.options.discord_token else ()),
        "",
    ]
    return "\n".join(lines)


def _costs(options: argparse.Namespace) -> int:
    if options.measure:
        measured.write(cost_probe.measure())
    return costs.run(SYSTEM, measured.read(), as_json=options.json)


def _demo(options: argparse.Namespace) -> int:
    if options.scenario == "list":
        print("\n".join(f"{name:22} {scenario.shows}" for name, scenario in SCENARIOS.items()))
        return 0
    chosen = replace(_options(options, data=None, port=0), against=options.against or "")
    timeout = options.timeout or (_DEPLOYED_SECONDS if options.against else _DEMO_SECONDS)
    try:
        if options.scenario:
            report = playing.play(chosen, options.scenario, timeout=timeout)
        else:
            report = demo.play(chosen, task=options.task, timeout=timeout)
    except NotRun as reason:
        print(f"NOT RUN: demo against {options.against}: {reason}", file=sys.stderr)
        return _NOT_RUN
    print(json.dumps(report.facts, indent=2) if options.json else report.text())
    return 0 if report.holds else 1


if __name__ == "__main__":
    sys.exit(main())
