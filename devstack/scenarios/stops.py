"""Somebody stops a run while its model does not answer, and takes it up again."""

import time

from devstack.scenarios.stage import Findings, Stage
from discord_agent.domain.run import Outcome


def play(stage: Stage) -> Findings:
    """Stop by 🛑 on the start card, then press Continue."""
    run = stage.ask("write the long report")
    run.reached_turn(1)
    stage.until("the model is asked and does not answer", lambda: stage.model.arrivals > len(stage.model.calls))
    card = run.record.card_message_id or ""
    pressed = time.monotonic()
    stage.ada.react(run.thread, card, "🛑")
    run.ended()
    took = time.monotonic() - pressed
    kept = run.read("report.txt")
    given_up = [call for call in stage.calls("turn", "write the long report") if not call.delivered]

    run.press("Continue")
    again = run.retried()
    again.ended()
    return Findings(
        {"seconds_until_stopped": round(took, 3)},
        (
            *run.ends,
            *again.ends,
            ("the run was stopped", run.outcome is Outcome.STOPPED),
            ("who stopped it is recorded", run.record.stop_requested_by == stage.ada.user_id),
            ("people read that it will halt", run.shows("⏹️ Execution stop requested")),
            ("the call in flight was given up, and not made again", len(given_up) == 1),
            ("a checkpoint is recorded", bool(run.entries_of("checkpoint"))),
            ("the work so far is kept", kept == "Half.\n"),
            ("it goes on in the same conversation", bool(again.entries_of("resumed")) and not again.entries_of("plan")),
            (
                "Continue finishes the work",
                again.outcome is Outcome.DONE and again.read("report.txt") == "Half.\nWhole.\n",
            ),
        ),
    )
