"""The AWS data services of a test run: ministack as a child process, which unlike moto keeps transactions and conditional writes apart."""

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from discord_agent.declaration import Table
from discord_agent.holdings import TABLES
from tests.support.eventually import eventually

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_REGION = "us-east-1"


@contextmanager
def data_plane() -> Iterator[str]:
    """The endpoint of a fresh ministack, which ends with the context."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        child = subprocess.Popen(
            [sys.executable, "-m", "ministack"],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={
                "PATH": os.defpath,
                "HOME": folder,
                "TMPDIR": folder,
                "BIND_HOST": "127.0.0.1",
                "MINISTACK_HOST": "127.0.0.1",
                "GATEWAY_PORT": str(port),
                "IOT_MTLS_ENABLED": "0",
                "SFTP_ENABLED": "0",
                "LOG_LEVEL": "ERROR",
            },
        )
        endpoint = f"http://127.0.0.1:{port}"
        try:
            eventually(lambda: _answers(endpoint, child), seconds=30)
            yield endpoint
        finally:
            child.terminate()
            child.wait(timeout=20)


def client(service: str, endpoint: str) -> Any:
    """A boto3 client of the data plane, with room for many threads."""
    return boto3.client(  # type: ignore[call-overload] # the service is known at run time only
        service,
        endpoint_url=endpoint,
        region_name=_REGION,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        config=Config(max_pool_connections=32, s3={"addressing_style": "path"}, retries={"mode": "standard"}),
    )


def create_tables(dynamodb: "DynamoDBClient") -> None:
    """The declared tables."""
    for table in TABLES.values():
        _create_table(dynamodb, table)


def _create_table(dynamodb: "DynamoDBClient", table: Table) -> None:
    keys = {table.partition_key, *([table.sort_key] if table.sort_key else [])}
    keys |= {name for index in table.indexes for name in (index.partition_key, index.sort_key)}
    indexes: Any = {
        "GlobalSecondaryIndexes": [
            {
                "IndexName": index.name,
                "KeySchema": _schema(index.partition_key, index.sort_key),
                "Projection": {"ProjectionType": "ALL"},
            }
            for index in table.indexes
        ]
    }
    dynamodb.create_table(
        TableName=table.name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=_schema(table.partition_key, table.sort_key),
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in sorted(keys)],
        **(indexes if table.indexes else {}),
    )


def _schema(partition_key: str, sort_key: str | None) -> Any:
    names = [(partition_key, "HASH"), (sort_key, "RANGE")]
    return [{"AttributeName": name, "KeyType": kind} for name, kind in names if name]


def _answers(endpoint: str, child: subprocess.Popen[bytes]) -> bool:
    if child.poll() is not None:
        raise RuntimeError(f"ministack ended with exit code {child.returncode}")
    try:
        client("sts", endpoint).get_caller_identity()
    except BotoCoreError:
        return False
    return True
