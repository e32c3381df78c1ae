"""``discord-agent operate restore``: puts items of a restored table back into the one that is in use."""

import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from discord_agent.declaration import Table
from discord_agent.domain.errors import AgentError, InvalidSettings
from discord_agent.system import SYSTEM

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_LOCK: Final = {"record": {"S": "lock"}}
"""A thread's lease is never put back: its fence must not fall behind what was written since."""


class NotRestored(AgentError):
    """AWS refused; what was put back by then stays, and a second try goes on from there."""


def run(key: str, source: str, *, replace: bool, write: bool) -> int:
    """Put back what the table no longer has; with ``replace`` also what it has otherwise. Without ``write`` only count."""
    table = SYSTEM.tables.get(key)
    if table is None:
        raise InvalidSettings(f"there is no table {key!r:.40}; there are {', '.join(SYSTEM.tables)}")
    if source == table.name:
        raise InvalidSettings(f"{source} is the table in use: restore to another name first")
    try:
        count = _restore(boto3.client("dynamodb"), table, source, replace=replace, write=write)
    except (BotoCoreError, ClientError) as error:
        raise NotRestored(f"{source} to {table.name}: {error}") from error
    done = "were put back" if write else "would be put back; run it again with --write"
    sys.stdout.write(f"{count} items of {source} {done}.\n")
    return 0


def _restore(dynamodb: "DynamoDBClient", table: Table, source: str, *, replace: bool, write: bool) -> int:
    count = 0
    for item in _items(dynamodb, source):
        if item.items() >= _LOCK.items() or not (replace or _is_missing(dynamodb, table, item)):
            continue
        count += 1
        if write:
            dynamodb.put_item(TableName=table.name, Item=dict(item))
    return count


def _items(dynamodb: "DynamoDBClient", source: str) -> Iterator[Mapping[str, Any]]:
    for page in dynamodb.get_paginator("scan").paginate(TableName=source, ConsistentRead=True):
        yield from page["Items"]


def _is_missing(dynamodb: "DynamoDBClient", table: Table, item: Mapping[str, Any]) -> bool:
    names = (table.partition_key, *([table.sort_key] if table.sort_key else []))
    answer = dynamodb.get_item(TableName=table.name, Key={name: item[name] for name in names}, ConsistentRead=True)
    return "Item" not in answer
