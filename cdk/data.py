"""What outlives everything else: tables, queues, the bucket, and the key if there is one."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from aws_cdk import CfnOutput, CfnResource, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from cdk.findings import meant
from cdk.place import TLS_ONLY, Json, Place, arn, here, logical, queue_url, rule_arn
from cdk.roles import VERSION
from deployment import keys
from deployment.figures import FIGURES
from discord_agent.declaration import PREFIX, Bucket, Kind, Queue, Ref, Table


@dataclass(frozen=True, slots=True)
class Keeping:
    """How data is kept: encrypted with ``key`` (an ARN) or a key of AWS's; with ``keep`` it stays when its stack goes."""

    key: str | None
    keep: bool

    def apply(self, resource: CfnResource) -> None:
        """Have a resource stay, or go, with its stack."""
        resource.apply_removal_policy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE if self.keep else RemovalPolicy.DESTROY)


def add_key(stack: Stack, *, keep: bool) -> str:
    """The key that everything is encrypted with; its ARN."""
    key = kms.CfnKey(
        stack,
        "Key",
        description=f"encrypts what {PREFIX} keeps",
        enable_key_rotation=True,
        key_policy=json.loads(here(json.dumps(keys.POLICY))),
    )
    Keeping(None, keep).apply(key)
    kms.CfnAlias(stack, "KeyAlias", alias_name=f"alias/{PREFIX}", target_key_id=key.attr_key_id)
    return str(key.attr_arn)


def add_data(stack: Stack, place: Place, keeping: Keeping) -> None:
    """Tables, queues and buckets, and how people find them."""
    for key, table in place.system.tables.items():
        _table(stack, key, table, keeping)
    _queues(stack, place, keeping)
    for key, bucket in place.system.buckets.items():
        _bucket(stack, place, key, bucket, keeping)


def _table(scope: Construct, key: str, table: Table, keeping: Keeping) -> None:
    made = dynamodb.CfnTable(
        scope,
        f"{logical(key)}Table",
        table_name=table.name,
        billing_mode="PAY_PER_REQUEST",
        attribute_definitions=[
            dynamodb.CfnTable.AttributeDefinitionProperty(attribute_name=name, attribute_type="S")
            for name in _attributes(table)
        ],
        key_schema=_keys(table.partition_key, table.sort_key),
        global_secondary_indexes=[
            dynamodb.CfnTable.GlobalSecondaryIndexProperty(
                index_name=index.name,
                key_schema=_keys(index.partition_key, index.sort_key),
                projection=dynamodb.CfnTable.ProjectionProperty(projection_type="ALL"),
            )
            for index in table.indexes
        ]
        or None,
        time_to_live_specification=dynamodb.CfnTable.TimeToLiveSpecificationProperty(
            attribute_name=table.ttl_attribute, enabled=True
        ),
        point_in_time_recovery_specification=dynamodb.CfnTable.PointInTimeRecoverySpecificationProperty(
            point_in_time_recovery_enabled=True
        ),
        sse_specification=dynamodb.CfnTable.SSESpecificationProperty(
            sse_enabled=True, sse_type="KMS", kms_master_key_id=keeping.key
        )
        if keeping.key
        else None,
        deletion_protection_enabled=keeping.keep,
    )
    keeping.apply(made)


def _attributes(table: Table) -> list[str]:
    names = [table.partition_key, table.sort_key]
    names += [name for index in table.indexes for name in (index.partition_key, index.sort_key)]
    return sorted({name for name in names if name})


def _keys(partition: str, sort: str | None) -> list[dynamodb.CfnTable.KeySchemaProperty]:
    pairs = [(partition, "HASH"), *([(sort, "RANGE")] if sort else [])]
    return [dynamodb.CfnTable.KeySchemaProperty(attribute_name=name, key_type=kind) for name, kind in pairs]


def _queues(stack: Stack, place: Place, keeping: Keeping) -> None:
    queues = place.system.queues
    made = {key: _queue(stack, place, key, queue, keeping) for key, queue in queues.items()}
    for key, queue in queues.items():
        if queue.dead_letters:
            made[key].add_resource_dependency(made[queue.dead_letters])
    for key in ("events", "messages"):
        CfnOutput(
            stack,
            f"{logical(queues[key].name.removesuffix('.fifo'))}QueueUrl",
            value=queue_url(queues[key].name),
            description=f"the queue {queues[key].name}",
        )


def _queue(scope: Construct, place: Place, key: str, queue: Queue, keeping: Keeping) -> sqs.CfnQueue:
    made = sqs.CfnQueue(
        scope,
        f"{logical(key)}Queue",
        queue_name=queue.name,
        # CloudFormation takes nothing but true.
        fifo_queue=True if queue.fifo else None,
        visibility_timeout=queue.visibility,
        message_retention_period=queue.retention,
        redrive_policy={
            "deadLetterTargetArn": place.arn(Ref(Kind.QUEUE, queue.dead_letters)),
            "maxReceiveCount": queue.max_receives,
        }
        if queue.dead_letters
        else None,
        sqs_managed_sse_enabled=None if keeping.key else True,
        kms_master_key_id=keeping.key,
    )
    if queue.dead_letters is None:
        meant(made, "dead letters end here, and an alarm sounds", "AwsSolutions-SQS3", "Serverless-SQSRedrivePolicy")
    sqs.CfnQueuePolicy(
        scope,
        f"{logical(key)}QueuePolicy",
        queues=[made.ref],
        policy_document={"Version": VERSION, "Statement": list(_queue_statements(key, arn("sqs", queue.name)))},
    )
    return made


def _queue_statements(key: str, queue: str) -> Iterator[Json]:
    yield {
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": "sqs:*",
        "Resource": queue,
        "Condition": TLS_ONLY,
    }
    if key == FIGURES.status_rule.dead_letters:
        yield {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": queue,
            "Condition": {"ArnEquals": {"aws:SourceArn": rule_arn()}},
        }


def _bucket(stack: Stack, place: Place, key: str, bucket: Bucket, keeping: Keeping) -> None:
    made = s3.CfnBucket(
        stack,
        f"{logical(key)}Bucket",
        bucket_name=place.bucket,
        bucket_encryption=_encryption(keeping.key),
        versioning_configuration=s3.CfnBucket.VersioningConfigurationProperty(status="Enabled"),
        public_access_block_configuration=s3.CfnBucket.PublicAccessBlockConfigurationProperty(
            block_public_acls=True, block_public_policy=True, ignore_public_acls=True, restrict_public_buckets=True
        ),
        ownership_controls=s3.CfnBucket.OwnershipControlsProperty(
            rules=[s3.CfnBucket.OwnershipControlsRuleProperty(object_ownership="BucketOwnerEnforced")]
        ),
        lifecycle_configuration=_lifecycle(bucket),
    )
    keeping.apply(made)
    s3.CfnBucketPolicy(
        stack,
        f"{logical(key)}BucketPolicy",
        bucket=made.ref,
        policy_document={
            "Version": VERSION,
            "Statement": [
                {
                    "Effect": "Deny",
                    "Principal": {"AWS": "*"},
                    "Action": "s3:*",
                    "Resource": [made.attr_arn, f"{made.attr_arn}/*"],
                    "Condition": TLS_ONLY,
                }
            ],
        },
    )
    meant(
        made,
        "what is in the bucket is written and read by the functions alone, which leave an audit trail of their own;"
        " a log of every access would need a second bucket and cost more than the first",
        "AwsSolutions-S1",
    )
    CfnOutput(stack, "ArtifactBucketName", value=made.ref, description="where the threads' files are")


def _encryption(key: str | None) -> s3.CfnBucket.BucketEncryptionProperty:
    return s3.CfnBucket.BucketEncryptionProperty(
        server_side_encryption_configuration=[
            s3.CfnBucket.ServerSideEncryptionRuleProperty(
                bucket_key_enabled=key is not None,
                server_side_encryption_by_default=s3.CfnBucket.ServerSideEncryptionByDefaultProperty(
                    sse_algorithm="aws:kms" if key else "AES256", kms_master_key_id=key
                ),
            )
        ]
    )


def _lifecycle(bucket: Bucket) -> s3.CfnBucket.LifecycleConfigurationProperty:
    return s3.CfnBucket.LifecycleConfigurationProperty(
        rules=[
            s3.CfnBucket.RuleProperty(
                id="expire",
                status="Enabled",
                expiration_in_days=bucket.expiry_days,
                noncurrent_version_expiration=s3.CfnBucket.NoncurrentVersionExpirationProperty(
                    noncurrent_days=bucket.expiry_days
                ),
                abort_incomplete_multipart_upload=s3.CfnBucket.AbortIncompleteMultipartUploadProperty(
                    days_after_initiation=FIGURES.incomplete_upload_days
                ),
            )
        ]
    )
