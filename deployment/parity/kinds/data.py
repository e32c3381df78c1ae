"""Tables, queues and the bucket."""

from typing import Final

from deployment.parity.kinds.model import As, Block, Kind, Mapped, Part, by, computed
from deployment.parity.values import Value, by_key, parsed, policy, queue_url

_LONGEST_RECOVERY: Final = 35


def _key_schema(keys: Value) -> Value:
    return {each["KeyType"]: each["AttributeName"] for each in keys}


def _indexes(indexes: Value) -> Value:
    return [each | {"KeySchema": _key_schema(each["KeySchema"])} for each in indexes]


def _days(days: Value) -> Value:
    """As long as AWS does where nothing is said: 35 days, which the emulator does not say."""
    return None if days in (0, _LONGEST_RECOVERY) else days


def _queue_of_url(urls: Value) -> Value:
    return urls[0] if isinstance(urls, list) and len(urls) == 1 else urls


def _encryption(rules: Value) -> Value:
    return [{"BucketKeyEnabled": False} | rule for rule in rules]


KINDS: Final = (
    Kind(
        "table",
        "AWS::DynamoDB::Table",
        by("TableName"),
        defaults={"TableClass": "STANDARD", "DeletionProtectionEnabled": False},
        reads={"KeySchema": _key_schema, "GlobalSecondaryIndexes": _indexes},
        unordered=("AttributeDefinitions", "GlobalSecondaryIndexes"),
    ),
    Kind(
        "queue",
        "AWS::SQS::Queue",
        by("QueueName"),
        defaults={
            "FifoQueue": False,
            "ContentBasedDeduplication": False,
            "DelaySeconds": 0,
            "MaximumMessageSize": 262144,
            "ReceiveMessageWaitTimeSeconds": 0,
            "KmsDataKeyReusePeriodSeconds": 300,
            "SqsManagedSseEnabled": True,
        },
    ),
    Kind(
        "queue policy", "AWS::SQS::QueuePolicy", by("Queues"), reads={"PolicyDocument": policy, "Queues": _queue_of_url}
    ),
    Kind(
        "bucket",
        "AWS::S3::Bucket",
        by("BucketName"),
        defaults={"LifecycleConfiguration.TransitionDefaultMinimumObjectSize": "all_storage_classes_128K"},
        reads={"BucketEncryption.ServerSideEncryptionConfiguration": _encryption},
    ),
    Kind("bucket policy", "AWS::S3::BucketPolicy", by("Bucket"), reads={"PolicyDocument": policy}),
)

_BUCKET_ONLY: Final = computed(
    "bucket_domain_name",
    "bucket_regional_domain_name",
    "hosted_zone_id",
    "region",
    "grant",
    # What these say is said by resources of their own.
    "lifecycle_rule",
    "policy",
    "server_side_encryption_configuration",
    "versioning",
)

MAPPED: Final = (
    Mapped(
        "aws_dynamodb_table",
        (
            Part(
                "table",
                {
                    "name": "TableName",
                    "billing_mode": "BillingMode",
                    "hash_key": "KeySchema.HASH",
                    "range_key": "KeySchema.RANGE",
                    "table_class": "TableClass",
                    "deletion_protection_enabled": "DeletionProtectionEnabled",
                    "attribute": Block(
                        "AttributeDefinitions", {"name": "AttributeName", "type": "AttributeType"}, many=True
                    ),
                    "global_secondary_index": Block(
                        "GlobalSecondaryIndexes",
                        {
                            "name": "IndexName",
                            "hash_key": "KeySchema.HASH",
                            "range_key": "KeySchema.RANGE",
                            "projection_type": "Projection.ProjectionType",
                            "non_key_attributes": "Projection.NonKeyAttributes",
                        },
                        many=True,
                    ),
                    "ttl": Block("TimeToLiveSpecification", {"attribute_name": "AttributeName", "enabled": "Enabled"}),
                    "point_in_time_recovery": Block(
                        "PointInTimeRecoverySpecification",
                        {
                            "enabled": "PointInTimeRecoveryEnabled",
                            "recovery_period_in_days": As("RecoveryPeriodInDays", _days),
                        },
                    ),
                    "server_side_encryption": Block(
                        "SSESpecification", {"enabled": "SSEEnabled", "kms_key_arn": "KMSMasterKeyId"}
                    ),
                },
            ),
        ),
        computed("stream_arn", "stream_label"),
    ),
    Mapped(
        "aws_sqs_queue",
        (
            Part(
                "queue",
                {
                    "name": "QueueName",
                    "fifo_queue": "FifoQueue",
                    "content_based_deduplication": "ContentBasedDeduplication",
                    "deduplication_scope": "DeduplicationScope",
                    "fifo_throughput_limit": "FifoThroughputLimit",
                    "delay_seconds": "DelaySeconds",
                    "max_message_size": "MaximumMessageSize",
                    "message_retention_seconds": "MessageRetentionPeriod",
                    "receive_wait_time_seconds": "ReceiveMessageWaitTimeSeconds",
                    "visibility_timeout_seconds": "VisibilityTimeout",
                    "redrive_policy": As("RedrivePolicy", parsed),
                    "sqs_managed_sse_enabled": "SqsManagedSseEnabled",
                    "kms_master_key_id": "KmsMasterKeyId",
                    "kms_data_key_reuse_period_seconds": "KmsDataKeyReusePeriodSeconds",
                },
            ),
            Part("queue policy", {"name": As("Queues", queue_url), "policy": As("PolicyDocument", policy)}),
        ),
        computed("url"),
    ),
    Mapped(
        "aws_s3_bucket",
        (Part("bucket", {"bucket": "BucketName"}),),
        _BUCKET_ONLY,
    ),
    Mapped(
        "aws_s3_bucket_versioning",
        (
            Part(
                "bucket",
                {
                    "bucket": "BucketName",
                    "versioning_configuration": Block("VersioningConfiguration", {"status": "Status"}),
                },
            ),
        ),
        computed(),
    ),
    Mapped(
        "aws_s3_bucket_server_side_encryption_configuration",
        (
            Part(
                "bucket",
                {
                    "bucket": "BucketName",
                    "rule": Block(
                        "BucketEncryption.ServerSideEncryptionConfiguration",
                        {
                            "bucket_key_enabled": "BucketKeyEnabled",
                            "apply_server_side_encryption_by_default": Block(
                                "ServerSideEncryptionByDefault",
                                {"sse_algorithm": "SSEAlgorithm", "kms_master_key_id": "KMSMasterKeyID"},
                            ),
                        },
                        many=True,
                    ),
                },
            ),
        ),
        computed(),
    ),
    Mapped(
        "aws_s3_bucket_public_access_block",
        (
            Part(
                "bucket",
                {
                    "bucket": "BucketName",
                    "block_public_acls": "PublicAccessBlockConfiguration.BlockPublicAcls",
                    "block_public_policy": "PublicAccessBlockConfiguration.BlockPublicPolicy",
                    "ignore_public_acls": "PublicAccessBlockConfiguration.IgnorePublicAcls",
                    "restrict_public_buckets": "PublicAccessBlockConfiguration.RestrictPublicBuckets",
                },
            ),
        ),
        computed(),
    ),
    Mapped(
        "aws_s3_bucket_ownership_controls",
        (
            Part(
                "bucket",
                {
                    "bucket": "BucketName",
                    "rule": Block("OwnershipControls.Rules", {"object_ownership": "ObjectOwnership"}, many=True),
                },
            ),
        ),
        computed(),
    ),
    Mapped(
        "aws_s3_bucket_lifecycle_configuration",
        (
            Part(
                "bucket",
                {
                    "bucket": "BucketName",
                    "transition_default_minimum_object_size": "LifecycleConfiguration.TransitionDefaultMinimumObjectSize",
                    "rule": Block(
                        "LifecycleConfiguration.Rules",
                        {
                            "id": "Id",
                            "status": "Status",
                            "prefix": "Prefix",
                            "filter": Block("", {"prefix": "Prefix"}),
                            "expiration": Block("", {"days": "ExpirationInDays"}),
                            "noncurrent_version_expiration": Block(
                                "NoncurrentVersionExpiration",
                                {
                                    "noncurrent_days": "NoncurrentDays",
                                    "newer_noncurrent_versions": "NewerNoncurrentVersions",
                                },
                            ),
                            "abort_incomplete_multipart_upload": Block(
                                "AbortIncompleteMultipartUpload", {"days_after_initiation": "DaysAfterInitiation"}
                            ),
                        },
                        many=True,
                    ),
                },
            ),
        ),
        computed(),
    ),
    Mapped(
        "aws_s3_bucket_policy",
        (Part("bucket policy", {"bucket": "Bucket", "policy": As("PolicyDocument", policy)}),),
        computed(),
    ),
)

TAGS: Final = by_key("Key")
"""How tags are read."""
