"""What is granted to anybody."""

import pytest

from deployment.roles import roles
from discord_agent.system import SYSTEM


@pytest.fixture
def granted_actions() -> set[str]:
    """Every action of every role."""
    return {action for role in roles(SYSTEM).values() for grant in role.grants for action in grant.actions}
