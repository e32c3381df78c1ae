"""One stage for all tests of the state machines."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.scripts import stage_script
from tests.support.stage import Stage

HERE = Path(__file__).parent
LAST = HERE / "test_coverage.py"
STAGE = pytest.StashKey[Stage]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What judges the others comes after them."""
    places = [place for place, item in enumerate(items) if item.path.parent == HERE]
    ordered = sorted((items[place] for place in places), key=lambda item: item.path == LAST)
    for place, item in zip(places, ordered, strict=True):
        items[place] = item


def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """A stage changes the environment of this process: it ends with the folder, not with the session."""
    running = item.config.stash.get(STAGE, None)
    is_last = nextitem is None or nextitem.path.parent != HERE
    if running is not None and is_last:
        running.stop()


@pytest.fixture(scope="session")
def stage(pytestconfig: pytest.Config) -> Iterator[Stage]:
    """The product, running."""
    with Stage(stage_script()) as running:
        pytestconfig.stash[STAGE] = running
        yield running
