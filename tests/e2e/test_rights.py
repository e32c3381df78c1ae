"""The main job needs what its steps are granted: without a single grant it fails, and says so to the person who asked."""

import json
from copy import replace

from discord_agent.declaration import Grant, System
from discord_agent.domain.run import Outcome
from discord_agent.needs import WRITE_FILES
from discord_agent.system import SYSTEM
from tests.support.scripts import stage_script
from tests.support.stage import Stage


def without(system: System, function: str, grant: Grant) -> System:
    """The system in which a function lacks one of its grants."""
    owner = system.functions[function]
    assert grant in owner.grants
    kept = tuple(each for each in owner.grants if each != grant)
    return replace(system, functions={**system.functions, function: replace(owner, grants=kept)})


def test_a_step_that_lacks_a_grant_fails_the_run_which_ends_in_one_message() -> None:
    with Stage(stage_script(), system=without(SYSTEM, "plan", WRITE_FILES)) as stage:
        run = stage.start("Write a short note")
        story = run.ended()
        history = stage.aws.client("stepfunctions").get_execution_history(
            executionArn=stage.arn("sequential_thinking", run.execution), maxResults=1000
        )
        assert story.states[:2] == ["Prepare", "Plan"]
        assert "Turn" not in story.states
        assert "not authorized to perform: s3:PutObject" in json.dumps(history["events"], default=str)
        assert run.record.outcome is Outcome.FAILED
        assert len(run.endings) == 1
