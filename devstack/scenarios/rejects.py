"""A commit is rejected with a reason: the next run of the thread reflects on it first, and plans otherwise."""

from typing import Final

from devstack.scenarios.stage import Findings, Run, Stage
from discord_agent.domain.memory import shelf
from discord_agent.domain.run import Outcome

_REASON: Final = "it is far too quiet for the harbour"
_INSIGHT: Final = "A signal has to be heard from afar."


def play(stage: Stage) -> Findings:
    """The person who rejects answers the question why; the answer is the next request."""
    first = stage.ask("cast the harbour horn")
    first.ended()
    first.press("Reject")
    stage.until("the bot asks why", lambda: first.shows("What was wrong with it?"))
    second = stage.said(first.say(f"<@{stage.discord.bot_id}> {_REASON}"))
    second.ended()
    insights = stage.records.insights.list(shelf(first.record.guild_id, first.record.thread_id))
    insight = next((each for each in insights if each.text == _INSIGHT), None)
    return Findings(
        {"insight": _INSIGHT, "topics": [_topic(first), _topic(second)]},
        (
            *first.ends,
            *second.ends,
            ("both are done", first.outcome is Outcome.DONE and second.outcome is Outcome.DONE),
            ("the clean run itself was no reason to ask the reflector", len(stage.calls("reflect", "harbour")) == 1),
            ("the reflector was told of the rejection and its reason", _is_told(stage, "reflect")),
            ("so were the planner and the model that works", _is_told(stage, "plan") and _is_told(stage, "turn")),
            ("it changes the plan", [_topic(first), _topic(second)] == ["quiet-horn", "loud-horn"]),
            ("and the work", second.read("horn.txt") == "TOOT\n"),
            ("the insight names who rejected", insight is not None and insight.author_id == first.record.author_id),
            ("people see what was learned", second.shows(_INSIGHT)),
            ("the rejection is used up", stage.session(first.thread).rejection is None),
        ),
    )


def _is_told(stage: Stage, purpose: str) -> bool:
    return bool(stage.calls(purpose, f"rejected the commit: {_REASON}"))


def _topic(run: Run) -> str:
    reached = run.record.reached
    return reached.topic if reached else ""
