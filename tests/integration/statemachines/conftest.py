"""One stage for all tests of the state machines."""

from collections.abc import Iterator

import pytest

from tests.support.scripts import stage_script
from tests.support.stage import Stage


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    """The product, running."""
    with Stage(stage_script()) as running:
        yield running
