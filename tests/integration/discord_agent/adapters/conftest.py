from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.support import buckets

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@pytest.fixture
def s3() -> "Iterator[S3Client]":
    with buckets.bucket() as client:
        yield client
