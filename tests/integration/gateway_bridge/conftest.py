from collections.abc import Iterator
from copy import replace

import pytest

from devstack.discord.rules import relaxed
from devstack.discord.seed import Bot
from devstack.discord.server import DiscordServer
from tests.support.bridges import InboundQueueUnderTest
from tests.support.data_plane import client, create_tables, data_plane
from tests.support.discord import running

_next_bot = iter(range(1290000000000000300, 1290000000000001000))


@pytest.fixture(scope="session")
def aws() -> Iterator[str]:
    with data_plane() as endpoint:
        create_tables(client("dynamodb", endpoint))
        yield endpoint


@pytest.fixture
def queue(aws: str) -> InboundQueueUnderTest:
    return InboundQueueUnderTest(aws)


@pytest.fixture
def server() -> Iterator[DiscordServer]:
    """A server whose bot no other test uses, so that no bridge finds another's state."""
    with running(replace(relaxed(), heartbeat_interval=0.5), bot=Bot(id=str(next(_next_bot)))) as server:
        yield server
