"""Conditional and atomic writes to DynamoDB, spelled with boto3's condition objects.

A write is a value (``put``, ``update``, ``delete``, ``check``), so the same value goes alone or into a transaction.
Transactions carry a request token that the SDK repeats when it retries: use them where applying a write twice, or
taking one's own first try for somebody else's, would do harm.
"""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Literal

from boto3.dynamodb.conditions import ConditionBase, ConditionExpressionBuilder
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError
from msgspec import Struct

from discord_agent.adapters.aws import outages
from discord_agent.adapters.codec import to_item
from discord_agent.domain.errors import StateUnavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

type Item = dict[str, Any]
type PrimaryKey = Mapping[str, str]

_WRITE: Final = TypeSerializer()
_READ: Final = TypeDeserializer()

_COLLISIONS: Final = frozenset(
    {"TransactionConflictException", "TransactionConflict", "TransactionInProgressException"}
)
"""Another transaction touches the same item at this moment; the SDK does not retry these."""
_COLLISION_TRIES: Final = 12
_COLLISION_PAUSE: Final = 0.05


class ConditionFailed(Exception):
    """A write's condition did not hold; ``writes`` tells which of a transaction's writes, by position."""

    def __init__(self, writes: frozenset[int]) -> None:
        super().__init__(f"the condition of write {sorted(writes)} did not hold")
        self.writes = writes


_THROTTLES: Final = frozenset({"ProvisionedThroughputExceeded", "ThrottlingError"})
"""What the reasons of a cancelled transaction call a throttled write."""


class _Collision(Exception):
    """Two transactions met; trying again is right."""


class Write(Struct, frozen=True):
    """One write as a transaction takes it: the kind and the request's parameters."""

    kind: Literal["Put", "Update", "Delete", "ConditionCheck"]
    parameters: dict[str, Any]


def put(table: str, item: Mapping[str, Any], condition: ConditionBase | None = None) -> Write:
    """Replace a whole item."""
    return Write("Put", {"TableName": table, "Item": _wire(item)} | _conditional(condition))


def update(
    table: str,
    key: PrimaryKey,
    *,
    values: Mapping[str, Any] | None = None,
    add: Mapping[str, int | Decimal] | None = None,
    condition: ConditionBase | None = None,
) -> Write:
    """Set attributes (None removes one) and add to numbers."""
    return Write("Update", {"TableName": table, "Key": _wire(key)} | _expression(values or {}, add or {}, condition))


def delete(table: str, key: PrimaryKey, condition: ConditionBase | None = None) -> Write:
    """Remove an item."""
    return Write("Delete", {"TableName": table, "Key": _wire(key)} | _conditional(condition))


def check(table: str, key: PrimaryKey, condition: ConditionBase) -> Write:
    """Only hold a transaction to a condition."""
    return Write("ConditionCheck", {"TableName": table, "Key": _wire(key)} | _conditional(condition))


class Store(Struct, frozen=True):
    """Reads and writes; StateUnavailable when DynamoDB does not answer after the SDK's own retries."""

    client: "DynamoDBClient"
    pause: Callable[[float], None] = time.sleep

    def get(self, table: str, key: PrimaryKey, *, only: str = "") -> Item | None:
        """One item, by a consistent read; with ``only`` no more of it than this attribute."""
        request = {"TableName": table, "Key": _wire(key), "ConsistentRead": True}
        part = {"ProjectionExpression": "#only", "ExpressionAttributeNames": {"#only": only}} if only else {}
        answer = self._call("get_item", request | part)
        return _native(answer["Item"]) if "Item" in answer else None

    def query(
        self,
        table: str,
        condition: ConditionBase,
        *,
        index: str | None = None,
        newest_first: bool = False,
        limit: int | None = None,
    ) -> Iterator[Item]:
        """Items in order of their sort key; an index is read eventually consistent, a table consistent."""
        built = ConditionExpressionBuilder().build_expression(condition, is_key_condition=True)
        request: dict[str, Any] = {
            "TableName": table,
            "KeyConditionExpression": built.condition_expression,
            "ExpressionAttributeNames": built.attribute_name_placeholders,
            "ExpressionAttributeValues": _wire(built.attribute_value_placeholders),
            "ScanIndexForward": not newest_first,
        }
        request |= {"ConsistentRead": True} if index is None else {"IndexName": index}
        request |= {} if limit is None else {"Limit": limit}
        while True:
            page = self._call("query", request)
            yield from map(_native, page["Items"])
            if limit is not None or "LastEvaluatedKey" not in page:
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def write(self, write: Write) -> Item:
        """Apply one write; returns an updated item as it is now. Raises ConditionFailed."""
        operation = {"Put": "put_item", "Update": "update_item", "Delete": "delete_item"}[write.kind]
        returned = {"ReturnValues": "ALL_NEW"} if write.kind == "Update" else {}
        answer = self._call(operation, write.parameters | returned)
        return _native(answer.get("Attributes", {}))

    def transact(self, *writes: Write) -> None:
        """Apply writes all or none, once even if the SDK retries. Raises ConditionFailed."""
        self._call("transact_write_items", {"TransactItems": [{write.kind: write.parameters} for write in writes]})

    def _call(self, operation: str, request: dict[str, Any]) -> Any:
        for attempt in range(_COLLISION_TRIES):
            try:
                return _answer(getattr(self.client, operation), request)
            except _Collision:
                # Full jitter: contenders that met once must not meet again at the same moment.
                self.pause(random.uniform(0, _COLLISION_PAUSE * (attempt + 1)))  # noqa: S311 - no secret
        raise StateUnavailable(f"DynamoDB {operation}: still contended after {_COLLISION_TRIES} tries")


def _answer(call: Callable[..., Any], request: dict[str, Any]) -> Any:
    try:
        with outages("DynamoDB"):
            return call(**request)
    except ClientError as error:
        raise _meaning(error) from error


def _meaning(error: ClientError) -> Exception:
    code = error.response["Error"]["Code"]
    reasons: list[str] = [reason.get("Code", "None") for reason in error.response.get("CancellationReasons", ())]
    failed = frozenset(index for index, reason in enumerate(reasons) if reason == "ConditionalCheckFailed")
    if code == "ConditionalCheckFailedException":
        return ConditionFailed(frozenset({0}))
    if failed:
        return ConditionFailed(failed)
    if code in _COLLISIONS or _COLLISIONS.intersection(reasons):
        return _Collision()
    if _THROTTLES.intersection(reasons):
        return StateUnavailable(f"DynamoDB: {code}")
    return error


def _wire(item: Mapping[str, Any]) -> dict[str, Any]:
    wire: dict[str, Any] = {name: _WRITE.serialize(to_item(value)) for name, value in item.items()}
    return wire


def _native(wire: Mapping[str, Any]) -> Item:
    return {name: _READ.deserialize(value) for name, value in wire.items()}


def _conditional(condition: ConditionBase | None) -> dict[str, Any]:
    if condition is None:
        return {}
    built = ConditionExpressionBuilder().build_expression(condition)
    return {
        "ConditionExpression": built.condition_expression,
        "ExpressionAttributeNames": built.attribute_name_placeholders,
        **_if_any("ExpressionAttributeValues", _wire(built.attribute_value_placeholders)),
    }


def _expression(
    values: Mapping[str, Any], add: Mapping[str, int | Decimal], condition: ConditionBase | None
) -> dict[str, Any]:
    marks = {name: f"u{index}" for index, name in enumerate([*values, *add])}
    written = {name: value for name, value in values.items() if value is not None}
    removed = [name for name in values if name not in written]
    clauses = (
        ("SET", [f"#{marks[name]} = :{marks[name]}" for name in written]),
        ("REMOVE", [f"#{marks[name]}" for name in removed]),
        ("ADD", [f"#{marks[name]} :{marks[name]}" for name in add]),
    )
    request = _conditional(condition)
    names = {f"#{mark}": name for name, mark in marks.items()}
    contents = _wire({f":{marks[name]}": value for name, value in (written | dict(add)).items()})
    return {
        **request,
        "UpdateExpression": " ".join(f"{verb} {', '.join(parts)}" for verb, parts in clauses if parts),
        "ExpressionAttributeNames": request.get("ExpressionAttributeNames", {}) | names,
        **_if_any("ExpressionAttributeValues", request.get("ExpressionAttributeValues", {}) | contents),
    }


def _if_any(name: str, contents: dict[str, Any]) -> dict[str, Any]:
    return {name: contents} if contents else {}
