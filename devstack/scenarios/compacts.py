"""A conversation takes most of its model's window: it is shortened before the next turn, and the run goes on."""

import json
from typing import Final

from devstack.scenarios.stage import Findings, Stage
from discord_agent.domain.run import Outcome

_TASK: Final = "digest of the long logs"


def play(stage: Stage) -> Findings:
    """The model reads eight long files and thinks it over."""
    run = stage.ask(f"write the {_TASK}")
    run.ended()
    shortened = run.entries_of("compaction")
    sizes = [len(json.dumps(call.messages, ensure_ascii=False)) for call in stage.calls("turn", _TASK)]
    last = json.dumps(stage.calls("turn", _TASK)[-1].messages, ensure_ascii=False)
    return Findings(
        {"compactions": [entry.details for entry in shortened], "characters_of_each_call": sizes},
        (
            *run.ends,
            ("the work is done", run.outcome is Outcome.DONE and run.read("digest.txt") == "All quiet.\n"),
            ("it was shortened once", len(shortened) == 1),
            ("it gained at least a fifth", min(sizes[3:], default=0) < 0.8 * max(sizes)),
            ("the task is still there word for word", f"write the {_TASK}" in last),
            ("what was read last is still there", "log 8" in last),
            ("people see that it was shortened", run.shows("Conversation shortened")),
        ),
    )
