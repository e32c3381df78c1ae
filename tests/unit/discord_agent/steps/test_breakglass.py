from discord_agent.domain.budget import Payer
from discord_agent.domain.classification import FlowType
from discord_agent.domain.conversation import Purpose, Role
from discord_agent.domain.money import Cost
from discord_agent.domain.policy import GuildSettings, Limits
from discord_agent.domain.posts import Post
from discord_agent.domain.run import Next, Outcome, RunState
from discord_agent.domain.session import ExecutionStatus
from tests.support.fakes.models import LADDER, PRICE, says
from tests.support.fakes.world import ADA, CHANNEL, EXECUTION, GUILD, MESSAGE, REQUEST, World


def _asked(world: World, **changes: object) -> RunState:
    world.plays(says("Roll it back."), says("Roll it back."), purpose=Purpose.BREAKGLASS)
    return world.requested(flow=FlowType.BREAKGLASS, **{"alias": "opus", **changes})


def _posts(world: World) -> list[Post]:
    return [sent.post for sent in world.discord.sent.values() if sent.channel == CHANNEL]


def test_the_named_model_answers_where_it_was_asked_without_tools_or_lease() -> None:
    world = World()
    after = world.breakglass()(_asked(world))
    assert _posts(world) == [Post("Roll it back.", reply_to=MESSAGE)]
    [request] = world.model.requests
    assert (request.model, request.tools, request.purpose) == (LADDER[-1], (), Purpose.BREAKGLASS)
    assert (after.outcome, after.next, after.cost) == (Outcome.DONE, Next.END, PRICE)
    assert world.leases.holder(after.thread_id) is None


def test_it_is_on_record_who_named_which_model_for_what_before_it_is_asked() -> None:
    world = World()
    seen: list[int] = []
    world.model.during = lambda request: seen.append(len(world.audit.of("breakglass")))
    world.breakglass()(_asked(world))
    assert seen == [1]
    [row] = world.audit.of("breakglass")
    assert (row.actor, row.details["alias"], row.details["model"]) == (ADA, "opus", LADDER[-1])


def test_its_cost_counts_against_the_budget() -> None:
    world = World()
    world.breakglass()(_asked(world))
    balances = world.budgets.balances(world.budgets.accounts_of(Payer(EXECUTION, ADA, GUILD)))
    assert {balance.spent for balance in balances} == {PRICE.known}
    assert world.budgets.open_slices(EXECUTION) == ()


def test_without_money_for_it_the_model_is_not_asked() -> None:
    world = World()
    run = _asked(world)
    world.sessions.put_settings(GUILD, GuildSettings(limits=Limits(run=Cost().known)))
    after = world.breakglass()(run)
    assert after.outcome is Outcome.OUT_OF_BUDGET
    assert not world.model.requests
    assert "Not finished" in _posts(world)[-1].content


def test_a_name_that_nobody_knows_is_answered_with_those_there_are() -> None:
    world = World()
    after = world.breakglass()(_asked(world, alias="opsu"))
    assert after.outcome is Outcome.FAILED
    [post] = _posts(world)
    assert "I do not know a model by the name of `@opsu`." in post.content
    assert "`@opus`" in post.content
    assert not world.model.requests
    assert world.audit.of("breakglass")[0].details["model"] == "unknown"
    assert world.row.status is ExecutionStatus.FAILED


def test_a_name_alone_asks_nothing() -> None:
    world = World()
    after = world.breakglass()(_asked(world, request=""))
    assert after.outcome is Outcome.FAILED
    assert "write your question after `@opus`" in _posts(world)[0].content
    assert not world.model.requests


def test_an_answer_is_given_once() -> None:
    world = World()
    run = _asked(world)
    world.breakglass()(run)
    assert world.breakglass()(run).outcome is Outcome.DONE
    assert len(world.model.requests) == 1
    assert len(_posts(world)) == 1


def test_the_persons_words_are_data() -> None:
    world = World()
    world.breakglass()(_asked(world))
    system, user = world.model.requests[0].messages
    assert (system.role, system.text) == (Role.SYSTEM, "[breakglass] ")
    assert REQUEST in user.text
