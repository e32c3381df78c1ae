"""A run fails; somebody has it tried again with a stronger model."""

from typing import Final

from devstack.scenarios.stage import Findings, Stage
from discord_agent.domain.run import Outcome

_STRONGER: Final = "qwen3-coder-plus"


def play(stage: Stage) -> Findings:
    """The first try's models reject the request; the button starts another."""
    run = stage.ask("write the treatise on strength")
    run.ended()
    run.press("Try with a stronger model")
    again = run.retried()
    again.ended()
    return Findings(
        {"models": again.models},
        (
            *again.ends,
            (
                "the first try failed and says why",
                run.outcome is Outcome.FAILED and bool(run.record.terminal_message_id),
            ),
            ("the second one is a stronger model's", again.models[:1] == [_STRONGER]),
            ("it succeeds", again.outcome is Outcome.DONE and again.read("treatise.txt") == "Strong.\n"),
            ("both tries are told of, once each", len(run.entries_of("execution_completed")) == 1),
        ),
    )
