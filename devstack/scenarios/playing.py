"""Playing scenarios: each on a stack of its own, or several on one; judged from the system's records."""

import tempfile
import time
from copy import replace
from pathlib import Path

from devstack.demo import DidNotHappen, Report
from devstack.options import Options
from devstack.scenarios.catalogue import SCENARIOS, Scenario
from devstack.scenarios.stage import Findings, Stage
from devstack.stack import DevStack
from discord_agent.domain.errors import InvalidSettings


def named(name: str) -> Scenario:
    """A scenario; InvalidSettings lists those there are."""
    if name not in SCENARIOS:
        raise InvalidSettings(f"there is no scenario {name!r}; there are {', '.join(SCENARIOS)}")
    return SCENARIOS[name]


def play(options: Options, name: str, *, timeout: float) -> Report:
    """Start a stack with the scenario's script and play it."""
    scenario = named(name)
    with tempfile.TemporaryDirectory() as folder:
        own = replace(scenario.prepared(options), data=Path(folder), script=scenario.script)
        with DevStack(own) as stack:
            return play_on(stack, scenario, timeout=timeout)


def play_on(stack: DevStack, scenario: Scenario, *, timeout: float) -> Report:
    """Play a scenario on a stack that runs; what does not happen in time is a fault like any other."""
    stage = Stage.on(stack, timeout)
    started = time.monotonic()
    faults: list[str] = []
    findings = Findings({}, ())
    try:
        findings = scenario.play(stage)
    except DidNotHappen as error:
        faults.append(str(error))
    return Report(
        {
            "scenario": scenario.name,
            "shows": scenario.shows,
            "runs": [run.facts() for run in stage.runs],
            **findings.facts,
            "checked": [sentence for sentence, _ in findings.rules],
            "seconds": round(time.monotonic() - started, 3),
            "faults": [*faults, *findings.faults],
        }
    )
