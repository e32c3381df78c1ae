from discord_agent.domain.run import Next
from tests.support.fakes.world import World


def test_a_checkpoint_names_the_manifest_a_run_can_be_taken_up_from() -> None:
    world = World()
    run = world.working(turn=5, files_changed=("auth.py",), confidence=77)
    after = world.checkpoint()(run)
    assert after.next is Next.TURN
    assert (world.row.turns, world.row.manifest_id) == (5, run.manifest_id)
    [row] = world.audit.of("checkpoint")
    assert row.details == {
        "turn": 5, "maxTurns": 20, "manifestId": run.manifest_id, "confidence": 77, "files": 1,
    }  # fmt: skip


def test_people_see_the_checkpoint_on_the_card() -> None:
    world = World()
    run = world.working(turn=5)
    after = world.checkpoint()(run)
    [post] = world.discord.edits()
    assert "💾 Checkpoint 5/20" in post.embeds[0].description
    assert after.card_lines[-1].startswith("💾 Checkpoint 5/20")
