"""The figures on a run's live card, as many as the channel wants to see."""

from datetime import datetime

from discord_agent.domain import cost_lines
from discord_agent.domain.layout import line
from discord_agent.domain.policy import Verbosity
from discord_agent.domain.posts import Field
from discord_agent.domain.run import RunState


def figures(run: RunState) -> tuple[Field, ...]:
    """Turn and cost always; how sure, who and how much changed normally; tokens, rounds and tests when verbose."""
    turn = Field("Turn", f"{run.turn}/{run.max_turns}" if run.max_turns else "planning")
    cost = Field("Cost", cost_lines.brief(run.cost, run.cloud))
    if run.verbosity is Verbosity.QUIET:
        return turn, cost
    usual = (
        turn,
        Field("Confidence", f"{run.confidence}%"),
        Field("Model", line(run.model, 100) or "not chosen yet"),
        Field("Files Modified", str(len(run.files_changed))),
        cost,
        *((Field("Started", _moment(run.started_at)),) if run.started_at else ()),
    )
    return (*usual, *_details(run)) if run.verbosity is Verbosity.VERBOSE else usual


def _details(run: RunState) -> tuple[Field, ...]:
    signals, usage = run.signals, run.usage
    tests = f"{signals.tests_passed} of {signals.tests_run} passed" if signals.tests_run else "none run yet"
    return (
        Field("Tokens", f"{usage.input:,} in ({usage.cached_input:,} cached), {usage.output:,} out"),
        Field("Rounds", str(run.rounds)),
        Field("Tool calls", f"{signals.total_tool_calls}, {signals.failures} failed"),
        Field("Tests", tests),
        Field("Escalations", str(run.escalations)),
    )


def _moment(iso: str) -> str:
    """A time as Discord shows it, in the reader's zone and counting on by itself."""
    return f"<t:{int(datetime.fromisoformat(iso).timestamp())}:R>"
