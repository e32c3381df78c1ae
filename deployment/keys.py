"""Who may use the key that everything is encrypted with, when whoever deploys wants one of their own.

Nobody gets a right to the key itself: who may use a table, a queue or the bucket may use the key through that service, as
with the keys that AWS manages. Texts hold ``@partition@``, ``@region@`` and ``@account@``, as the dashboard's do.
"""

from typing import Any, Final

type Json = dict[str, Any]

_THROUGH: Final = ("dynamodb", "ecr", "lambda", "s3", "sns", "sqs")
_USE: Final = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]

POLICY: Final[Json] = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "TheAccountAdministersIt",
            "Effect": "Allow",
            "Principal": {"AWS": "arn:@partition@:iam::@account@:root"},
            "Action": "kms:*",
            "Resource": "*",
        },
        {
            "Sid": "WhoMayUseAServiceMayUseItThere",
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": [*_USE, "kms:CreateGrant"],
            "Resource": "*",
            "Condition": {
                "StringEquals": {
                    "kms:CallerAccount": "@account@",
                    "kms:ViaService": [f"{service}.@region@.amazonaws.com" for service in _THROUGH],
                }
            },
        },
        {
            "Sid": "LogsAreKeptWithIt",
            "Effect": "Allow",
            "Principal": {"Service": "logs.@region@.amazonaws.com"},
            "Action": _USE,
            "Resource": "*",
            "Condition": {
                "ArnLike": {"kms:EncryptionContext:aws:logs:arn": "arn:@partition@:logs:@region@:@account@:log-group:*"}
            },
        },
        {
            "Sid": "RulesAndAlarmsTellEncryptedQueuesAndTopics",
            "Effect": "Allow",
            "Principal": {"Service": ["cloudwatch.amazonaws.com", "events.amazonaws.com"]},
            "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:SourceAccount": "@account@"}},
        },
    ],
}
"""The policy of the key."""
