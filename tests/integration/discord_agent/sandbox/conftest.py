from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from discord_agent.sandbox.service import Sandbox
from tests.support import buckets
from tests.support.sandboxes import Client

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PATH = f"{Path(__file__).parents[4] / '.venv' / 'bin'}:/usr/local/bin:/usr/bin:/bin"


@pytest.fixture
def s3() -> "Iterator[S3Client]":
    with buckets.bucket() as client:
        yield client


@pytest.fixture
def client(s3: "S3Client") -> Iterator[Client]:
    sandbox = Sandbox(PATH)
    yield Client(sandbox)
    sandbox.close()


@pytest.fixture
def cold(s3: "S3Client") -> Iterator[Sandbox]:
    """Another environment, whose disk is empty."""
    sandbox = Sandbox(PATH)
    yield sandbox
    sandbox.close()
