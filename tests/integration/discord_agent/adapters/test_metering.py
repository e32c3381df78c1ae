import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from discord_agent.adapters.metering import Meter, meter
from discord_agent.domain.cloud import CloudUse

REGION = "us-east-1"


def test_requests_are_counted_as_aws_charges_for_them() -> None:
    with mock_aws():
        session = boto3.session.Session(aws_access_key_id="key", aws_secret_access_key="secret", region_name=REGION)
        counted = Meter()
        counted.watch(session.events)
        s3, tables, queues = session.client("s3"), session.client("dynamodb"), session.client("sqs")
        s3.create_bucket(Bucket="bucket")
        s3.put_object(Bucket="bucket", Key="key", Body=b"body")
        s3.get_object(Bucket="bucket", Key="key")
        s3.list_objects_v2(Bucket="bucket")
        tables.create_table(
            TableName="table",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        tables.put_item(TableName="table", Item={"id": {"S": "1"}})
        tables.get_item(TableName="table", Key={"id": {"S": "1"}})
        tables.transact_write_items(
            TransactItems=[
                {"Put": {"TableName": "table", "Item": {"id": {"S": "2"}}}},
                {"Delete": {"TableName": "table", "Key": {"id": {"S": "1"}}}},
            ]
        )
        url = queues.create_queue(QueueName="queue")["QueueUrl"]
        queues.send_message(QueueUrl=url, MessageBody="body")
    assert counted.total == CloudUse(table_reads=1, table_writes=5, object_reads=1, object_writes=2, messages=1)


def test_a_function_that_is_invoked_counts_with_its_own_memory() -> None:
    with mock_aws():
        session = boto3.session.Session(aws_access_key_id="key", aws_secret_access_key="secret", region_name=REGION)
        counted = Meter()
        counted.watch_invocations(session.events, 2048)
        with pytest.raises(ClientError):
            session.client("lambda").invoke(FunctionName="missing")
    assert (counted.total.invocations, counted.total.mb_ms % 2048) == (1, 0)


def test_a_process_has_one_meter() -> None:
    assert meter() is meter()
