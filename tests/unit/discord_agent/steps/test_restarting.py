from discord_agent.domain.ids import retry_of
from discord_agent.domain.options import Option
from discord_agent.domain.run import Outcome
from tests.support.fakes.world import ADA, EXECUTION, World


def test_the_next_try_shows_options_of_its_own() -> None:
    world = World()
    world.requested(outcome=Outcome.FAILED, options=(Option("Sessions", "Keep them in a table."),))
    assert world.restart()(world.row, ADA, "Ada", actor=ADA)
    assert world.executions.rows[retry_of(EXECUTION)].options == ()
