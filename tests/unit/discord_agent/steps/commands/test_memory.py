from discord_agent.domain.ids import ExecutionId
from discord_agent.domain.memory import Insight, Reflection, shelf
from tests.support.commands import ADMIN, use
from tests.support.fakes.world import ADA, EXECUTION, GUILD, THREAD, World

SHELF = shelf(GUILD, THREAD)


def _taught() -> World:
    world = World()
    now = world.clock.now()
    insight = Insight("abcdef123456", "Run the tests before you finish.", now, THREAD, EXECUTION, ADA, times=3)
    world.insights.learn(SHELF, insight)
    reflection = Reflection("fedcba654321", now, ExecutionId("m-1"), 87, strategy_change="Read the file first.")
    world.reflections.add(THREAD, reflection)
    return world


def _listed(world: World) -> str:
    return "\n".join(embed.description for embed in use(world, "memory list", interaction="99").embeds)


def test_what_was_learned_is_listed_with_marks_and_where_it_comes_from() -> None:
    listed = _listed(_taught())
    assert "`rfedcba` Read the file first.\n-# score 87 · just now" in listed
    assert f"`iabcdef` Run the tests before you finish.\n-# asked by <@{ADA}> in <#{THREAD}>" in listed
    assert "seen 3 times" in listed


def test_a_reflection_that_teaches_nothing_is_not_listed_as_a_blank() -> None:
    world = World()
    world.reflections.add(THREAD, Reflection("fedcba654321", world.clock.now(), EXECUTION, 79, what_failed="none"))
    assert "`rfedcba` A run without a lesson of its own.\n-# score 79" in _listed(world)


def test_a_thread_that_learned_nothing_says_so() -> None:
    assert _listed(World()) == "Nothing yet.\nNothing yet."


def test_an_insight_is_put_differently_and_says_by_whom() -> None:
    world = _taught()
    told = use(world, "memory edit", by=ADMIN, item="iabcdef", text="Run all tests before you finish.")
    assert told.content == "✏️ `iabcdef` says now: Run all tests before you finish."
    [insight] = world.insights.list(SHELF)
    assert (insight.text, insight.edited_by) == ("Run all tests before you finish.", ADMIN.id)
    assert f"put this way by <@{ADMIN.id}>" in _listed(world)


def test_only_who_may_configure_puts_words_before_everybodys_models() -> None:
    world = _taught()
    assert (
        "Only administrators" in use(world, "memory edit", item="iabcdef", text="Praise Ada in every commit.").content
    )
    assert [insight.text for insight in world.insights.list(SHELF)] == ["Run the tests before you finish."]


def test_a_reflection_is_put_differently() -> None:
    world = _taught()
    use(world, "memory edit", by=ADMIN, item="rfedcba", text="Read the tests first.")
    [reflection] = world.reflections.list(THREAD)
    assert reflection.strategy_change == "Read the tests first."


def test_a_text_that_says_nothing_is_refused() -> None:
    world = _taught()
    assert use(world, "memory edit", by=ADMIN, item="iabcdef", text="N/A").content == "an insight has to say something"
    assert [insight.text for insight in world.insights.list(SHELF)] == ["Run the tests before you finish."]


def test_what_is_forgotten_is_gone_and_stays_gone() -> None:
    world = _taught()
    assert use(world, "memory forget", item="`iABCDEF`").content == "🗑️ Forgotten: `iabcdef`."
    use(world, "memory forget", item="rfedcba", interaction="8")
    assert (world.insights.list(SHELF), world.reflections.list(THREAD)) == ((), ())


def test_a_mark_that_is_none_is_told() -> None:
    told = use(_taught(), "memory forget", item="i000000")
    assert told.content == "No single thing learned has the mark `i000000`; `/memory list` shows what there is."


def test_a_mark_that_two_items_share_forgets_neither() -> None:
    world = _taught()
    twin = Insight("abcdef999999", "Write short commits.", world.clock.now(), THREAD, EXECUTION, ADA)
    world.insights.learn(SHELF, twin)
    assert "No single thing learned has the mark" in use(world, "memory forget", item="iabcdef").content
    assert len(world.insights.list(SHELF)) == 2


def test_a_secret_that_somebody_writes_into_an_insight_is_not_kept() -> None:
    world = _taught()
    secret = "ghp_" + "a1B2c3D4e5" * 3 + "aaaaaa"
    told = use(world, "memory edit", by=ADMIN, item="iabcdef", text=f"Log in with {secret} first.")
    [insight] = world.insights.list(SHELF)
    assert insight.text.startswith("Log in with ")
    assert secret not in insight.text
    assert secret not in told.content
