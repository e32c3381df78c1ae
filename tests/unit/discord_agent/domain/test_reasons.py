import pytest

from discord_agent.domain import errors
from discord_agent.domain.errors import AgentError, PermanentError, TransientError
from discord_agent.domain.reasons import UNKNOWN, why
from discord_agent.domain.run import StepFailure


def leaves(kind: type[AgentError]) -> list[type[AgentError]]:
    """The narrowest kinds of the product; other packages have errors of their own, which end no run."""
    found = [leaf for child in kind.__subclasses__() for leaf in (leaves(child) or [child])]
    return [leaf for leaf in found if leaf.__module__.startswith("discord_agent.")]


@pytest.mark.parametrize("kind", [*leaves(TransientError), *leaves(PermanentError), errors.Conflict, errors.LeaseLost])
def test_every_error_that_can_end_a_run_has_a_sentence(kind: type[AgentError]) -> None:
    assert why(StepFailure(kind.__name__)) != UNKNOWN


def test_an_error_nobody_foresaw_is_told_without_its_text() -> None:
    assert why(StepFailure("KeyError", "secret")) == why(None) == UNKNOWN
