"""The scenarios there are, in the order in which they are told."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from devstack.options import DEMO_SCRIPT, ROOT, Options
from devstack.scenarios import (
    asks,
    breaks_glass,
    compacts,
    escalates,
    falls_back,
    learns,
    lends,
    rejects,
    rewinds,
    runs_dry,
    stops,
    succeeds,
    tries_stronger,
    weighs,
)
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
    _scripted("budget", "a run that reaches its limit waits until somebody extends it", runs_dry.play),
    _scripted("fallback", "a provider fails, another model of the tier goes on and says so", falls_back.play),
    _scripted("compaction", "a conversation that is too long is shortened, and the run goes on", compacts.play),
    _scripted("reflection", "what one run learned changes the plan of the next", learns.play),
    _scripted("rejection", "a rejected commit and its reason change the plan of the thread's next run", rejects.play),
    _scripted("rewind", "people go back to an earlier turn, and lose nothing", rewinds.play),
    _scripted("branch", "two models weigh options, one fails, people choose and have it done", weighs.play),
    _scripted("breakglass", "a named model is asked at once by those who may, and by nobody else", breaks_glass.play),
    _scripted("stronger", "a failed run is tried again with a stronger model", tries_stronger.play),
    _scripted("tool-credentials", "a channel lends kubectl its credential", lends.play, lends.prepared),
)

SCENARIOS: Final = {scenario.name: scenario for scenario in _ALL}
