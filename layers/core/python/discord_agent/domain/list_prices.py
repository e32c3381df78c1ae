"""What AWS charges for, and how much: list prices in us-east-1, and what every account has free, always.

From AWS's price lists as of 2026-11. Free trials of new accounts are left out.
"""

from decimal import Decimal
from enum import StrEnum
from typing import Final

_MILLION: Final = Decimal(1_000_000)


class Unit(StrEnum):
    """What is charged for, by one unit."""

    LAMBDA_ARM = "Lambda, arm64: GB-second"
    LAMBDA_X86 = "Lambda, x86: GB-second"
    LAMBDA_REQUEST = "Lambda: request"
    LAMBDA_TENANT = "Lambda: GB of a new environment for a tenant"
    SNAPSHOT_KEPT = "Lambda: GB-second of a kept snapshot"
    SNAPSHOT_RESTORED = "Lambda: GB restored from a snapshot"
    TRANSITION = "Step Functions: transition"
    TABLE_READ = "DynamoDB: read"
    TABLE_WRITE = "DynamoDB: write"
    TABLE_GB = "DynamoDB: GB-month of items"
    BACKUP_GB = "DynamoDB: GB-month that can be put back"
    OBJECT_READ = "S3: read"
    OBJECT_WRITE = "S3: write or list"
    OBJECT_GB = "S3: GB-month of objects"
    QUEUE_REQUEST = "SQS: request, standard"
    FIFO_REQUEST = "SQS: request, FIFO"
    API_REQUEST = "HTTP API: request"
    LOG_GB = "CloudWatch: GB of logs"
    METRIC = "CloudWatch: metric of our own, a month"
    ALARM = "CloudWatch: alarm, a month"
    DASHBOARD = "CloudWatch: dashboard, a month"
    TRACE = "X-Ray: trace"
    VCPU_HOUR_ARM = "Fargate, arm64: vCPU-hour"
    VCPU_HOUR_X86 = "Fargate, x86: vCPU-hour"
    MEMORY_HOUR_ARM = "Fargate, arm64: GB-hour"
    MEMORY_HOUR_X86 = "Fargate, x86: GB-hour"
    ADDRESS_HOUR = "public IPv4 address: hour"
    IMAGE_GB = "ECR: GB-month of images"
    SECRET = "Secrets Manager: secret, a month"
    KEY = "KMS: key, a month"
    KEY_REQUEST = "KMS: request"


PRICES: Final = {
    Unit.LAMBDA_ARM: Decimal("0.0000133334"),
    Unit.LAMBDA_X86: Decimal("0.0000166667"),
    Unit.LAMBDA_REQUEST: Decimal("0.20") / _MILLION,
    Unit.LAMBDA_TENANT: Decimal("0.000133333"),
    Unit.SNAPSHOT_KEPT: Decimal("0.0000015046"),
    Unit.SNAPSHOT_RESTORED: Decimal("0.0001397998"),
    Unit.TRANSITION: Decimal(25) / _MILLION,
    Unit.TABLE_READ: Decimal("0.125") / _MILLION,
    Unit.TABLE_WRITE: Decimal("0.625") / _MILLION,
    Unit.TABLE_GB: Decimal("0.25"),
    Unit.BACKUP_GB: Decimal("0.20"),
    Unit.OBJECT_READ: Decimal("0.40") / _MILLION,
    Unit.OBJECT_WRITE: Decimal(5) / _MILLION,
    Unit.OBJECT_GB: Decimal("0.023"),
    Unit.QUEUE_REQUEST: Decimal("0.40") / _MILLION,
    Unit.FIFO_REQUEST: Decimal("0.50") / _MILLION,
    Unit.API_REQUEST: Decimal(1) / _MILLION,
    Unit.LOG_GB: Decimal("0.50"),
    Unit.METRIC: Decimal("0.30"),
    Unit.ALARM: Decimal("0.10"),
    Unit.DASHBOARD: Decimal(3),
    Unit.TRACE: Decimal(5) / _MILLION,
    Unit.VCPU_HOUR_ARM: Decimal("0.03238"),
    Unit.VCPU_HOUR_X86: Decimal("0.04048"),
    Unit.MEMORY_HOUR_ARM: Decimal("0.00356"),
    Unit.MEMORY_HOUR_X86: Decimal("0.004445"),
    Unit.ADDRESS_HOUR: Decimal("0.005"),
    Unit.IMAGE_GB: Decimal("0.10"),
    Unit.SECRET: Decimal("0.40"),
    Unit.KEY: Decimal(1),
    Unit.KEY_REQUEST: Decimal(3) / _MILLION,
}
"""US dollars per unit. A request to DynamoDB is taken to fit one unit of a strongly consistent read or of a write."""

FREE: Final = (
    (frozenset({Unit.LAMBDA_ARM, Unit.LAMBDA_X86}), 400_000),
    (frozenset({Unit.LAMBDA_REQUEST}), 1_000_000),
    (frozenset({Unit.TRANSITION}), 4_000),
    (frozenset({Unit.QUEUE_REQUEST, Unit.FIFO_REQUEST}), 1_000_000),
    (frozenset({Unit.LOG_GB}), 5),
    (frozenset({Unit.METRIC}), 10),
    (frozenset({Unit.ALARM}), 10),
    (frozenset({Unit.DASHBOARD}), 3),
    (frozenset({Unit.TRACE}), 100_000),
    (frozenset({Unit.KEY_REQUEST}), 20_000),
)
"""Units that an account has free in every month, shared by those that stand together."""
