from discord_agent.domain.workspace import EXCLUDED_NAMES
from discord_agent.sandbox import searching


def test_the_search_leaves_out_the_same_folders_as_the_workspace() -> None:
    assert searching._EXCLUDED == EXCLUDED_NAMES
