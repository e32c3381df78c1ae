"""The benchmark of the packages: how large each function is, and what its start takes of the processor."""

import json
import os
import platform
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

from deployment.packages.build import build
from deployment.packages.trial import Trial
from devstack.aws.functions.libraries import SWITCHES
from devstack.aws.http import HttpService, Response
from devstack.aws.names import Endpoints, Resolver
from devstack.options import ROOT
from devstack.targets import Target
from discord_agent.declaration import Function, Package
from discord_agent.domain.errors import AgentError
from discord_agent.system import SYSTEM

_PROBE: Final = Path(__file__).with_name("package_probe.py")
_GIVEN: Final = {"DISCORD_BOT_ID": "900", "DISCORD_PUBLIC_KEY": "0" * 64, "LITELLM_BASE_URL": "http://127.0.0.1:9"}
_HURRIED: Final = {"interactions": "sqs", "intake": "dynamodb"}
"""What people wait for, measured against boto3 with the one client that each of their events needs."""
_COMPARED: Final = frozenset({"litellm", "turn", *_HURRIED, *_HURRIED.values()})
_MEGABYTE: Final = 1e6


class ProbeFailed(AgentError):
    """A start that was to be measured went wrong."""


@dataclass(frozen=True, slots=True)
class Start:
    """Something that is started in a new interpreter: ``kind`` as the probe takes it, modules and variables."""

    kind: str
    path: Sequence[str]
    variables: Mapping[str, str]


def measure(*, rounds: int = 5, names: Collection[str] = ()) -> dict[str, Any]:
    """Sizes in bytes and CPU seconds from import to ready, of this machine's architecture; baselines in the same rounds.

    ``names`` are the functions that are started besides those with a target of their own, () for all.
    """
    architecture = "arm64" if platform.machine() in {"aarch64", "arm64"} else "x86_64"
    with tempfile.TemporaryDirectory() as folder, _parameters() as address:
        trial = Trial(SYSTEM, build(SYSTEM, ROOT, architecture), Path(folder))
        functions = {
            each.name: each
            for each in SYSTEM.functions.values()
            if each.package is not Package.SANDBOX and (not names or each.name in {*names, *_COMPARED})
        }
        starts = _baselines(trial, address) | {
            name: _start(trial, function, address) for name, function in functions.items()
        }
        seconds: dict[str, list[float]] = {name: [] for name in starts}
        # The first round fills the caches of the disk. Whatever else the machine does, it does to all in a round.
        for number in range(rounds + 1):
            for name, start in starts.items():
                taken = _probe(start)
                if number:
                    seconds[name].append(taken)
        sizes = {name: trial.size(name) for name in functions}
    return {
        "name": "package",
        "architecture": architecture,
        "unpacked_bytes": sizes,
        "init_cpu_seconds": {name: round(median(measured), 4) for name, measured in seconds.items()},
        "init_cpu_rounds": {name: [round(each, 4) for each in measured] for name, measured in seconds.items()},
        "targets": [asdict(target) for target in _targets(functions, sizes, seconds)],
    }


def _targets(
    functions: Mapping[str, Function], sizes: Mapping[str, int], seconds: Mapping[str, Sequence[float]]
) -> list[Target]:
    models = [name for name, function in functions.items() if function.package is Package.MODELS]
    to_litellm = {name: _ratio(seconds[name], seconds["litellm"]) for name in models}
    worst = max(models, key=lambda name: to_litellm[name])
    return [
        *(Target.at_most(f"{name}, unpacked", sizes[name] / _MEGABYTE, "MB", 25.0) for name in _HURRIED),
        Target.at_most("largest function with models", max(sizes[name] for name in models) / _MEGABYTE, "MB", 200.0),
        *(
            Target.at_most(f"{name}, start to boto3 and a client", _ratio(seconds[name], seconds[client]), "ratio", 1.3)
            for name, client in _HURRIED.items()
        ),
        Target.at_most(f"{worst}, the slowest with models, to litellm", to_litellm[worst], "ratio", 0.95),
        Target.at_most("turn, start to litellm", to_litellm["turn"], "ratio", 0.95),
    ]


def _ratio(measured: Sequence[float], baseline: Sequence[float]) -> float:
    """The median of what it took in each round: a machine that is slower for a while is so for both."""
    return median(one / other for one, other in zip(measured, baseline, strict=True))


def _baselines(trial: Trial, address: str) -> dict[str, Start]:
    whole = [sysconfig.get_path("purelib")]
    clients = {
        client: Start("client", [str(trial.runtime)], _variables({"PROBE_CLIENT": client}, address))
        for client in _HURRIED.values()
    }
    return clients | {
        "litellm": Start("litellm", whole, _variables({}, address)),
    }


def _start(trial: Trial, function: Function, address: str) -> Start:
    resolver = Resolver(SYSTEM, _GIVEN, address)
    return Start("function", trial.path(function.name), _variables(resolver.environment(function), address))


@contextmanager
def _parameters() -> Iterator[str]:
    """A Parameter Store in which every parameter is there: functions that ask models look for their key at once."""
    service = HttpService(name="parameters")
    answer = json.dumps({"Parameter": {"Value": "key"}}).encode()
    service.start(lambda _: Response(200, answer, {"Content-Type": "application/x-amz-json-1.1"}))
    try:
        yield service.url
    finally:
        service.stop()


def _variables(environment: Mapping[str, str], address: str) -> dict[str, str]:
    """A Lambda's whole environment, with one address for all of AWS."""
    return {
        **Endpoints(address, address, address).environment(),
        **SWITCHES,
        "LANG": "en_US.UTF-8",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "PYTHONDONTWRITEBYTECODE": "1",
        **environment,
    }


def _probe(start: Start) -> float:
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(_PROBE), start.kind],
        env={**start.variables, "PROBE_PATH": os.pathsep.join(start.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ProbeFailed(f"a start of {start.kind} went wrong:\n{done.stderr.strip()}")
    return float(done.stdout.split()[-1])
