"""The console's page of an execution is known from the ARN of its machine, wherever that is."""

import pytest

from discord_agent.adapters.machines import StepFunctionsConsole
from discord_agent.domain.ids import ExecutionId

RUN = ExecutionId("m-1")


@pytest.mark.parametrize(
    ("arn", "address"),
    [
        (
            "arn:aws:states:eu-west-1:123456789012:stateMachine:discord-agent-simple:live",
            (
                "https://eu-west-1.console.aws.amazon.com/states/home?region=eu-west-1#/v2/executions/details/"
                "arn:aws:states:eu-west-1:123456789012:execution:discord-agent-simple:m-1"
            ),
        ),
        (
            "arn:aws-us-gov:states:us-gov-west-1:123456789012:stateMachine:discord-agent-simple",
            (
                "https://us-gov-west-1.console.amazonaws-us-gov.com/states/home?region=us-gov-west-1"
                "#/v2/executions/details/"
                "arn:aws-us-gov:states:us-gov-west-1:123456789012:execution:discord-agent-simple:m-1"
            ),
        ),
    ],
    ids=["of an alias", "in another partition"],
)
def test_an_execution_has_a_page_in_its_region(arn: str, address: str) -> None:
    assert StepFunctionsConsole({"simple": arn}).address("simple", RUN) == address


@pytest.mark.parametrize("arns", [{}, {"simple": ""}, {"simple": "arn:elsewhere:states:r:1:stateMachine:n"}])
def test_without_an_arn_of_amazon_there_is_no_page(arns: dict[str, str]) -> None:
    assert StepFunctionsConsole(arns).address("simple", RUN) == ""
