"""Somebody names a model to be asked at once: refused to those who may not, answered and recorded for those who may."""

from typing import Final

from devstack.scenarios.stage import Findings, Stage
from discord_agent.domain.classification import FlowType
from discord_agent.domain.ids import UserId
from discord_agent.domain.policy import Action, People, Permit
from discord_agent.domain.run import Outcome

_REFUSED: Final = "may use breakglass"
_MODEL: Final = "claude-opus-4.5"


def play(stage: Stage) -> Findings:
    """A member without a permit, one with it, and a name that no model has."""
    before = len(stage.model.calls)
    refused = stage.ask("@opus what keeps the lighthouse lit?", person=stage.linus)
    stage.until("the member is refused", lambda: stage.heard_in_general(_REFUSED, stage.linus.user_id))
    calls_for_refused = len(stage.model.calls) - before
    with stage.settings(permits=(Permit(Action.BREAKGLASS, People(users=(UserId(stage.ada.user_id),))),)):
        allowed = stage.ask("@opus what keeps the lighthouse lit?")
        allowed.ended()
        unknown = stage.ask("@opuss what keeps the lighthouse lit?")
        unknown.ended()
    recorded = allowed.entries_of("breakglass")
    return Findings(
        {"models_asked": sorted({call.model for call in stage.calls("breakglass", "lighthouse")})},
        (
            *allowed.ends,
            ("without a permit nothing is started", stage.records.executions.get(refused.execution) is None),
            ("and no model is asked", calls_for_refused == 0),
            (
                "with it, the named model answers",
                allowed.record.flow is FlowType.BREAKGLASS and allowed.shows("A lamp."),
            ),
            (
                "who asked which model is recorded",
                [(entry.actor, entry.details["model"]) for entry in recorded] == [(stage.ada.user_id, _MODEL)],
            ),
            ("its cost counts", allowed.record.cost.known.amount > 0),
            (
                "an unknown name is told, with those that there are",
                unknown.outcome is Outcome.FAILED and unknown.shows("opus"),
            ),
        ),
    )
