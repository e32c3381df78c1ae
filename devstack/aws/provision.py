"""Makes what the declaration declares, in the data plane; what is there already is left as it is."""

import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from devstack.aws.names import ACCOUNT, Resolver
from discord_agent.declaration import Bucket, Queue, Role, System, Table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import CreateTableInputTypeDef, KeySchemaElementTypeDef
    from mypy_boto3_sqs.literals import QueueAttributeNameType

    from devstack.aws.clients import Clients

_THERE_ALREADY: Final = frozenset(
    {
        "ResourceInUseException",
        "BucketAlreadyOwnedByYou",
        "BucketAlreadyExists",
        "EntityAlreadyExists",
    }
)


class Provision:
    """Idempotent; queues whose settings changed are updated, secrets get the caller's values."""

    def __init__(
        self,
        system: System,
        clients: "Clients",
        resolver: Resolver,
        *,
        secrets: Mapping[str, str],
        visibility: int | None,
    ) -> None:
        self._system = system
        self._clients = clients
        self._resolver = resolver
        self._secrets = secrets
        self._visibility = visibility

    def run(self) -> None:
        """Make everything."""
        system = self._system
        work: list[Callable[[], None]] = [partial(self._table, table) for table in system.tables.values()]
        work += [partial(self._bucket, bucket) for bucket in system.buckets.values()]
        work += [partial(self._role, role) for role in system.roles.values()]
        work += [self._queues, partial(put_secrets, system, self._clients, self._secrets)]
        with ThreadPoolExecutor(4, thread_name_prefix="provision") as pool:
            for done in [pool.submit(each) for each in work]:
                done.result()

    def _table(self, table: Table) -> None:
        client = self._clients.dynamodb()
        keys = {table.partition_key, *([table.sort_key] if table.sort_key else [])}
        keys |= {name for index in table.indexes for name in (index.partition_key, index.sort_key)}

        request: CreateTableInputTypeDef = {
            "TableName": table.name,
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": _schema(table.partition_key, table.sort_key),
            "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in sorted(keys)],
        }
        if table.indexes:
            request["GlobalSecondaryIndexes"] = [
                {
                    "IndexName": index.name,
                    "KeySchema": _schema(index.partition_key, index.sort_key),
                    "Projection": {"ProjectionType": "ALL"},
                }
                for index in table.indexes
            ]

        def create() -> None:
            client.create_table(**request)
            client.update_time_to_live(
                TableName=table.name,
                TimeToLiveSpecification={"Enabled": True, "AttributeName": table.ttl_attribute},
            )

        _unless_there(create)

    def _bucket(self, bucket: Bucket) -> None:
        client = self._clients.s3()
        _unless_there(lambda: client.create_bucket(Bucket=bucket.name))

    def _queues(self) -> None:
        # A queue that others name as their dead-letter queue has to be there before them.
        for key in sorted(self._system.queues, key=lambda each: self._system.queues[each].dead_letters is not None):
            self._queue(self._system.queues[key])

    def _queue(self, queue: Queue) -> None:
        client = self._clients.sqs()
        attributes: dict[QueueAttributeNameType, str] = {
            "VisibilityTimeout": str(queue.visibility if self._visibility is None else self._visibility),
            "MessageRetentionPeriod": str(queue.retention),
        }
        if queue.dead_letters is not None:
            attributes["RedrivePolicy"] = json.dumps(
                {
                    "deadLetterTargetArn": self._resolver.queue_arn(queue.dead_letters),
                    "maxReceiveCount": queue.max_receives,
                }
            )
        known = client.list_queues(QueueNamePrefix=queue.name).get("QueueUrls", [])
        existing = [url for url in known if url.rpartition("/")[2] == queue.name]
        if existing:
            client.set_queue_attributes(QueueUrl=existing[0], Attributes=attributes)
            return
        if queue.fifo:
            attributes["FifoQueue"] = "true"
        client.create_queue(QueueName=queue.name, Attributes=attributes)

    def _role(self, role: Role) -> None:
        client = self._clients.get("iam")
        trust = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
                    "Action": "sts:AssumeRole",
                }
            ],
        }
        _unless_there(lambda: client.create_role(RoleName=role.name, AssumeRolePolicyDocument=json.dumps(trust)))


def _schema(partition_key: str, sort_key: str | None) -> "list[KeySchemaElementTypeDef]":
    schema: list[KeySchemaElementTypeDef] = [{"AttributeName": partition_key, "KeyType": "HASH"}]
    if sort_key is not None:
        schema.append({"AttributeName": sort_key, "KeyType": "RANGE"})
    return schema


def _unless_there(create: Callable[[], object]) -> None:
    try:
        create()
    except ClientError as error:
        if error.response["Error"]["Code"] not in _THERE_ALREADY:
            raise


def put_secrets(system: System, clients: "Clients", secrets: Mapping[str, str]) -> None:
    """Give every declared secret its value, as whoever sets the bot up does."""
    for key, name in system.secrets.items():
        # Parameter Store takes no empty value; what is not configured reads as one space.
        value = secrets.get(key) or " "
        clients.ssm().put_parameter(Name=name, Value=value, Type="SecureString", Overwrite=True)
