import itertools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from discord_agent.adapters.dynamodb.executions import DynamoExecutions
from discord_agent.adapters.dynamodb.leases import DynamoLeases
from discord_agent.adapters.dynamodb.sessions import DynamoSessions
from discord_agent.adapters.dynamodb.store import Store
from discord_agent.domain.ids import ThreadId
from discord_agent.holdings import TABLES
from tests.support.clock import ManualClock
from tests.support.data_plane import client, create_tables, data_plane

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_THREADS = itertools.count(700_000_000_000_000_000)


@pytest.fixture(scope="session")
def dynamodb() -> "Iterator[DynamoDBClient]":
    with data_plane() as endpoint:
        dynamodb = client("dynamodb", endpoint)
        create_tables(dynamodb)
        yield dynamodb


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(scope="session")
def new_thread() -> Callable[[], ThreadId]:
    """Each call gives a thread nobody used: tests share the tables, not the items."""
    return lambda: ThreadId(str(next(_THREADS)))


@pytest.fixture
def thread(new_thread: Callable[[], ThreadId]) -> ThreadId:
    return new_thread()


@pytest.fixture
def store(dynamodb: "DynamoDBClient") -> Store:
    return Store(dynamodb)


@pytest.fixture
def leases(store: Store, clock: ManualClock) -> DynamoLeases:
    return DynamoLeases(store, TABLES["sessions"].name, clock)


@pytest.fixture
def sessions(store: Store, clock: ManualClock) -> DynamoSessions:
    return DynamoSessions(store, TABLES["sessions"].name, clock)


@pytest.fixture
def executions(store: Store, clock: ManualClock) -> DynamoExecutions:
    return DynamoExecutions(store, TABLES["executions"].name, TABLES["sessions"].name, clock)
