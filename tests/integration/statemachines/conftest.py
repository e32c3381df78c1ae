"""One stage for all tests of the state machines."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.scripts import stage_script
from tests.support.stage import Stage

LAST = Path(__file__).parent / "test_coverage.py"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What judges the others comes after them."""
    items.sort(key=lambda item: item.path == LAST)


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    """The product, running."""
    with Stage(stage_script()) as running:
        yield running
