"""A run that is stuck is handed to stronger models, and at the top people are asked."""

from typing import Final

from devstack.scenarios.stage import Findings, Stage
from discord_agent.domain.run import Outcome

PATH: Final = ["qwen3-coder-plus", "claude-sonnet-4.5", "claude-opus-4.5"]
"""From the python coder's model on (behaviour contract, section 10)."""


def play(stage: Stage) -> Findings:
    """Every model reports that it is stuck until a person helps the last one."""
    run = stage.ask("write a fix for the unfixable riddle")
    run.parked()
    question = run.record.question
    run.say("Leave the riddle alone and write that it has no solution.")
    run.ended()
    climbed = run.entries_of("escalation")
    return Findings(
        {
            "escalations": [f"{entry.details['from']} → {entry.details['to']}" for entry in climbed],
            "question": question,
        },
        (
            *run.ends,
            ("it climbs the published path", [entry.details["to"] for entry in climbed] == PATH),
            ("each model plays its turn", run.models[1:] == PATH),
            ("each escalation gives its reason", all("stuck" in str(entry.details["reason"]) for entry in climbed)),
            ("people see each escalation", all(run.shows(model) for model in PATH)),
            ("at the top people are asked", len(run.entries_of("clarification")) == 1 and "stuck" in question),
            ("with their help it is done", run.outcome is Outcome.DONE and "no solution" in run.read("riddle.txt")),
        ),
    )
