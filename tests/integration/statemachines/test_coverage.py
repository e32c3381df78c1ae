"""The tests of this folder leave out nothing; they run before these."""

from collections import defaultdict

from tests.support.definitions import Clause, all_clauses, all_states
from tests.support.stage import Stage

ANY = "States.ALL"


def test_every_state_was_entered(stage: Stage) -> None:
    entered = {(story.machine, visit.state) for story in stage.stories.values() for visit in story.visits}
    assert set(all_states()) - entered == set()


def test_every_retry_and_catch_took_every_error_that_it_names(stage: Stage) -> None:
    took = defaultdict[Clause, set[str]](set)
    for story in stage.stories.values():
        for visit in story.visits:
            for clause, error in visit.taken():
                took[clause].add(error)
    unused = [str(clause) for clause, _ in all_clauses() if not took[clause]]
    assert unused == []
    untested = {
        str(clause): missing
        for clause, body in all_clauses()
        if (missing := set(body["ErrorEquals"]) - {ANY} - took[clause])
    }
    assert untested == {}
