"""The scenarios there are, in the order in which they are told."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from devstack.options import DEMO_SCRIPT, ROOT, Options
from devstack.scenarios import asks, escalates, lends, stops, succeeds
from devstack.scenarios.stage import Findings, Stage

SCRIPTS: Final = ROOT / "devstack" / "scripts" / "scenarios"


@dataclass(frozen=True, slots=True)
class Scenario:
    """A story with a script of its own; ``prepared`` says what its stack needs besides."""

    name: str
    shows: str
    play: Callable[[Stage], Findings]
    script: Path
    prepared: Callable[[Options], Options]


def _as_they_are(options: Options) -> Options:
    return options


def _scripted(
    name: str, shows: str, play: Callable[[Stage], Findings], prepared: Callable[[Options], Options] = _as_they_are
) -> Scenario:
    return Scenario(name, shows, play, SCRIPTS / f"{name}.yaml", prepared)


_ALL: Final = (
    Scenario("success", "the main job, from the mention to the merge", succeeds.play, DEMO_SCRIPT, _as_they_are),
    _scripted("clarification", "a question parks the run, an answer ends the wait", asks.play),
    _scripted("stop", "a stop while the model is asked keeps the work, and the run can go on", stops.play),
    _scripted("escalation", "a run that is stuck climbs to the strongest model and then asks", escalates.play),
    _scripted("tool-credentials", "a channel lends kubectl its credential", lends.play, lends.prepared),
)

SCENARIOS: Final = {scenario.name: scenario for scenario in _ALL}
