"""What one run learned changes the plan of the next; forgotten, it does no more."""

from typing import Final

from devstack.scenarios.stage import Findings, Run, Stage
from discord_agent.domain.memory import shelf
from discord_agent.domain.run import Outcome

_INSIGHT: Final = "The barometer needs its needle reset before each reading."


def play(stage: Stage) -> Findings:
    """Three runs in threads of their own: before, with and after the insight."""
    first = stage.ask("fix the broken barometer")
    first.ended()
    learned = first.shows(_INSIGHT)
    second = stage.ask("fix the other barometer")
    second.ended()
    first.press("Forget lesson")
    stage.until("the insight is forgotten", lambda: _INSIGHT not in _known(stage, first))
    third = stage.ask("fix the last barometer")
    third.ended()
    return Findings(
        {"insight": _INSIGHT, "topics": [_topic(run) for run in (first, second, third)]},
        (
            *first.ends,
            *second.ends,
            ("all are done", all(run.outcome is Outcome.DONE for run in (first, second, third))),
            ("a failing check made the model reflect", bool(stage.calls("reflect", "broken barometer"))),
            ("the end of the run tells what was learned", learned),
            ("the next plan is made with it", _told(stage, "plan", "fix the other barometer")),
            ("the next run's model knows it too", _told(stage, "turn", "fix the other barometer")),
            ("it changes the plan", (_topic(first), _topic(second)) == ("barometer", "barometer-with-reset")),
            ("forgotten, it is told to nobody", not _told(stage, "plan", "fix the last barometer")),
            ("and changes nothing any more", _topic(third) == "barometer"),
        ),
    )


def _known(stage: Stage, run: Run) -> list[str]:
    return [insight.text for insight in stage.records.insights.list(shelf(run.record.guild_id, run.record.thread_id))]


def _told(stage: Stage, purpose: str, task: str) -> bool:
    calls = stage.calls(purpose, task)
    return bool(calls) and _INSIGHT in str(calls[0].messages)


def _topic(run: Run) -> str:
    reached = run.record.reached
    return reached.topic if reached else ""
