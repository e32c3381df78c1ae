import pytest

from discord_agent.domain.commands import COMMANDS, Invocation
from discord_agent.domain.ids import ChannelId
from discord_agent.domain.inbound import CommandInvoked
from discord_agent.domain.policy import Place
from discord_agent.steps.commands.asked import Asked
from discord_agent.steps.commands.control import confirm
from tests.support.commands import PERSON
from tests.support.fakes.world import GUILD, THREAD

HERE = ChannelId(THREAD)


@pytest.mark.parametrize(("turn", "place"), [(0, "the start"), (1, "turn 1"), (10, "turn 10")])
def test_where_a_run_is_taken_back_to_is_said_in_words(turn: int, place: str) -> None:
    [rewind] = [command for command in COMMANDS if command.name == "rewind"]
    event = CommandInvoked("7", "token", "9", "rewind", (("turn", str(turn)),), HERE, GUILD, PERSON, ())
    told = confirm(Asked(event, Invocation(rewind, {"turn": turn}), Place(HERE, GUILD)))
    assert told.content.startswith(f"⏪ Going back to {place}.")
