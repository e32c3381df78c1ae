"""A run reaches its limit of money, waits, and goes on once somebody who may spends more."""

from decimal import Decimal
from typing import Final

from devstack.scenarios.stage import Findings, Stage
from discord_agent.domain.ids import ThreadId
from discord_agent.domain.money import Usd
from discord_agent.domain.policy import Limits
from discord_agent.domain.run import Outcome, Waiting

_LIMIT: Final = Usd(Decimal("0.25"))
_REFUSED: Final = "Only administrators and those with a permit may extend a budget."


def play(stage: Stage) -> Findings:
    """The first call takes nearly all of the limit; a member may not extend it, an administrator may."""
    with stage.settings(limits=Limits(run=_LIMIT)):
        run = stage.ask("write the expensive report")
        parked = run.parked()
        calls_before = len(stage.calls("turn", "write the expensive report"))
        spent = parked.cost.known.amount
        holder = stage.records.leases.holder(ThreadId(run.thread))
        run.press("Extend", person=stage.linus)
        stage.until("the member is refused", lambda: stage.whispered(run.thread, stage.linus.user_id, _REFUSED))
        still_parked = run.record.waiting is Waiting.MONEY
        calls_while_parked = len(stage.calls("turn", "write the expensive report"))
        run.press("Extend")
        run.ended()
    extended = run.entries_of("budget_extended")
    return Findings(
        {"limit_usd": float(_LIMIT.amount), "spent_when_parked_usd": float(spent), "question": parked.question},
        (
            *run.ends,
            ("it waits for money", parked.waiting is Waiting.MONEY and still_parked),
            ("the question names the limit", _LIMIT.short in parked.question),
            ("while it waits it holds no lease", holder is None),
            ("while it waits no model is asked", calls_before == calls_while_parked),
            ("an administrator extends it once, by name", [entry.actor for entry in extended] == [stage.ada.user_id]),
            ("the work is done afterwards", run.outcome is Outcome.DONE and run.read("report.txt") == "Dear.\nDone.\n"),
        ),
    )
