"""One emulator for all first runs; each has an account of its own."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.support.operating import Surroundings, emulator, surroundings

_NUMBERS = count(100_000_000_001)


@pytest.fixture(scope="session")
def aws() -> Iterator[str]:
    with emulator() as endpoint:
        yield endpoint


@pytest.fixture
def number() -> str:
    return str(next(_NUMBERS))


@pytest.fixture
def place(aws: str, number: str, tmp_path: Path) -> Iterator[Surroundings]:
    with surroundings(aws, number, tmp_path) as found:
        yield found
