"""A provider fails for good: another model of the same tier goes on, and says so."""

from typing import Final

from devstack.scenarios.stage import Findings, Stage
from discord_agent.domain.run import Outcome

_ASKED: Final = "gpt-5.1-codex-mini"


def play(stage: Stage) -> Findings:
    """The run's own model answers 503, whatever is tried."""
    run = stage.ask("write the poem about reliable providers")
    run.ended()
    rounds = run.entries_of("round")
    answered = [str(entry.details["model"]) for entry in rounds]
    turns = stage.calls("turn", "reliable providers")
    failed = [call for call in turns if call.fault]
    return Findings(
        {"asked": _ASKED, "answered": answered, "failed_calls": len(failed)},
        (
            *run.ends,
            ("the work is done", run.outcome is Outcome.DONE and bool(run.read("poem.txt"))),
            ("the failing model was tried more than once", [call.model for call in failed].count(_ASKED) > 1),
            ("another model answered", bool(answered) and _ASKED not in answered),
            ("each round says instead of which", all(entry.details.get("insteadOf") == _ASKED for entry in rounds)),
            ("people see who answered", run.shows(answered[0]) if answered else False),
            ("it is no escalation", not run.entries_of("escalation")),
        ),
    )
