"""Two models weigh options side by side; one fails, people still choose, and the choice is carried out."""

from typing import Final

from devstack.scenarios.stage import Findings, Stage
from discord_agent.domain.classification import FlowType
from discord_agent.domain.ids import choice_of
from discord_agent.domain.run import Outcome

_CHOICE: Final = "Keep it in memory"


def play(stage: Stage) -> Findings:
    """Ask for approaches, choose the first, merge nothing."""
    run = stage.ask("What different approaches are there to cache the tides? Pros and cons, please.")
    run.ended()
    options = [label for label in run.buttons() if label[:2] in ("1.", "2.", "3.")]
    texts = " ".join(f"{message.content} {message.embeds}" for message in run.messages)
    failed = [call for call in stage.calls("brainstorm", "cache the tides") if call.fault]
    run.press("1.")
    chosen = stage.run(choice_of(run.execution, 1))
    chosen.ended()
    return Findings(
        {"options": options, "failed_models": sorted({call.model for call in failed})},
        (
            *run.ends,
            *chosen.ends,
            ("it takes the flow branch, and says why", run.record.flow is FlowType.BRANCH and bool(run.record.reasons)),
            ("one of two models fails", len({call.model for call in failed}) == 1),
            ("people see which one", any(model in texts for model in {call.model for call in failed})),
            ("people still get two or three options", len(options) in (2, 3) and run.outcome is Outcome.DONE),
            ("each with what speaks for and against it", "Fast" in texts and "Gone at a restart" in texts),
            ("without code", "```" not in texts),
            (
                "the chosen option becomes a task",
                chosen.record.flow is FlowType.SEQUENTIAL and _CHOICE in chosen.record.request,
            ),
            ("and is carried out", chosen.outcome is Outcome.DONE and chosen.read("cache.txt") == "In memory.\n"),
        ),
    )
