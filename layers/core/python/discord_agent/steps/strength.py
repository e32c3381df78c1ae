"""Which model a run begins with."""

from discord_agent.domain.ids import ModelName
from discord_agent.domain.run import RunState
from discord_agent.ports import Models


def first_model(models: Models, run: RunState, usual: ModelName) -> ModelName:
    """The usual one; a stronger one than the last try came to, while there is one, if people want that."""
    return models.next_up(run.model or usual) if run.wants_stronger else usual
