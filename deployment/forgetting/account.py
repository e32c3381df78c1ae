"""The tables and the bucket of a system in an account, as far as forgetting needs them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import boto3
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import BotoCoreError, ClientError

from deployment.forgetting.plan import Item, Plan, Records, Trim
from discord_agent.domain.errors import AgentError, InvalidSettings
from discord_agent.system import SYSTEM

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef

_AT_ONCE: Final = 1000
"""Objects that S3 deletes in one request."""


class Unreachable(AgentError):
    """AWS did not do what was asked; what was done by then stays done, and a second try goes on from there."""


@dataclass(frozen=True, slots=True)
class Account:
    """Where the records lie; needs the right to scan the tables, which no function of the system has."""

    dynamodb: "DynamoDBClient"
    s3: "S3Client"
    bucket: str

    @classmethod
    def here(cls, bucket: str = "") -> "Account":
        """The account and region of the environment; its bucket is found by its name's beginning unless given."""
        try:
            s3 = boto3.client("s3")
            return cls(boto3.client("dynamodb"), s3, bucket or _bucket(s3))
        except (BotoCoreError, ClientError) as error:
            raise Unreachable(f"AWS cannot be reached: {error}; check credentials, AWS_REGION and endpoint") from error

    def records(self) -> Records:
        """Every item of the three tables."""
        try:
            return Records(*(tuple(self._scan(key)) for key in ("sessions", "executions", "messages")))
        except (BotoCoreError, ClientError) as error:
            raise Unreachable(f"the tables cannot be read: {error}") from error

    def carry_out(self, plan: Plan) -> None:
        """Delete and change what the plan says: objects and messages first, the rows by which they are found last."""
        try:
            for prefix in plan.prefixes:
                self._empty(prefix)
            for table, trim in plan.trims:
                self._trim(table, trim)
            for table, items in (
                ("messages", plan.messages),
                ("sessions", plan.sessions),
                ("executions", plan.executions),
            ):
                for item in items:
                    self.dynamodb.delete_item(TableName=SYSTEM.tables[table].name, Key=_key(table, item))
        except (BotoCoreError, ClientError) as error:
            raise Unreachable(f"cut off half-way: {error}; run the command again") from error

    def _scan(self, table: str) -> Iterator[Item]:
        read = TypeDeserializer().deserialize
        pages = self.dynamodb.get_paginator("scan").paginate(TableName=SYSTEM.tables[table].name, ConsistentRead=True)
        for page in pages:
            for item in page["Items"]:
                yield {name: read(value) for name, value in item.items()}

    def _trim(self, table: str, trim: Trim) -> None:
        names = {f"#{index}": name for index, name in enumerate((*trim.removed, *trim.replaced))}
        aliases = {name: alias for alias, name in names.items()}
        values = {f":{index}": TypeSerializer().serialize(value) for index, value in enumerate(trim.replaced.values())}
        removing = ", ".join(aliases[name] for name in trim.removed)
        setting = ", ".join(f"{aliases[name]} = :{index}" for index, name in enumerate(trim.replaced))
        expression = f"{f'REMOVE {removing}' if removing else ''} {f'SET {setting}' if setting else ''}".strip()
        request: dict[str, Any] = {
            "TableName": SYSTEM.tables[table].name,
            "Key": _key(table, trim.item),
            "UpdateExpression": expression,
            "ExpressionAttributeNames": names,
        }
        self.dynamodb.update_item(**request | ({"ExpressionAttributeValues": values} if values else {}))

    def _empty(self, prefix: str) -> None:
        while batch := self._first_versions(prefix):
            answer = self.s3.delete_objects(Bucket=self.bucket, Delete={"Objects": batch, "Quiet": True})
            if errors := answer.get("Errors"):
                raise Unreachable(f"{len(errors)} objects under {prefix} were not deleted: {errors[0].get('Code')}")

    def _first_versions(self, prefix: str) -> "list[ObjectIdentifierTypeDef]":
        page = self.s3.list_object_versions(Bucket=self.bucket, Prefix=prefix)
        found: list[ObjectIdentifierTypeDef] = [
            {"Key": version["Key"], "VersionId": version["VersionId"]}
            for version in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        ]
        return found[:_AT_ONCE]


def _bucket(s3: "S3Client") -> str:
    beginning = SYSTEM.buckets["artifacts"].name
    found = [bucket["Name"] for bucket in s3.list_buckets()["Buckets"] if bucket["Name"].startswith(beginning)]
    if len(found) != 1:
        there = ", ".join(found) or "none"
        raise InvalidSettings(f"one bucket should begin with {beginning}, but there is {there}: name it with --bucket")
    return found[0]


def _key(table: str, item: Item) -> Mapping[str, Any]:
    declared = SYSTEM.tables[table]
    names = (declared.partition_key, declared.sort_key) if declared.sort_key else (declared.partition_key,)
    return {name: TypeSerializer().serialize(item[name]) for name in names}
