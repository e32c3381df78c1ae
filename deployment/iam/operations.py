"""Which permissions each operation of AWS needs, on which resources; what is not listed here is denied.

The names of operations and parameters are those of the APIs. An operation may need several permissions (a transaction
one per item), another action than its name (a batch that of its items), or none at all.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from deployment.iam.documents import Place
from deployment.iam.policy import Access
from discord_agent.domain.errors import AgentError

type Parameters = Mapping[str, Any]
type Resource = Callable[[Place, Parameters], str]
type Needs = Callable[[Place, Parameters], Iterable[Access]]

_NO_RESOURCE: Final = "*"
FREE: Final = frozenset({"sts:GetCallerIdentity"})
"""Operations that everybody may call who has a key."""


class UnmappedOperation(AgentError):
    """Nobody has said which permissions an operation needs."""


@dataclass(frozen=True, slots=True)
class Call:
    """An operation (``dynamodb:GetItem``) with its parameters, under the API's own names."""

    operation: str
    parameters: Parameters


def needed(call: Call, place: Place) -> tuple[Access, ...]:
    """Every access that a call asks for; UnmappedOperation."""
    if call.operation in FREE:
        return ()
    if call.operation not in OPERATIONS:
        raise UnmappedOperation(
            f"{call.operation} is denied: it is not in deployment/iam/operations.py; map it to its actions first"
        )
    accesses = tuple(OPERATIONS[call.operation](place, call.parameters))
    if not accesses:
        raise UnmappedOperation(f"{call.operation} is denied: its parameters name nothing that it touches")
    return accesses


def passes(role_arn: str) -> Access:
    """What whoever gives a role to a service needs."""
    return Access("iam:PassRole", role_arn)


def _one(action: str, resource: Resource) -> Needs:
    return lambda place, given: (Access(action, resource(place, given)),)


def _arn(service: str, kind: str, field: str) -> Resource:
    """A resource that a parameter gives by name or by ARN."""

    def resource(place: Place, given: Parameters) -> str:
        name = str(given[field])
        return name if name.startswith("arn:") else place.arn(service, kind + name)

    return resource


_nothing: Resource = lambda _place, _given: _NO_RESOURCE  # noqa: E731 (a value like the others beside it)


# DynamoDB

_TABLE: Final = _arn("dynamodb", "table/", "TableName")
_WRITES: Final = {
    "Put": "dynamodb:PutItem",
    "Update": "dynamodb:UpdateItem",
    "Delete": "dynamodb:DeleteItem",
    "ConditionCheck": "dynamodb:ConditionCheckItem",
    "Get": "dynamodb:GetItem",
}
"""The parts of a transaction, and what each needs on its own table."""


def _search(place: Place, given: Parameters) -> str:
    table = _TABLE(place, given)
    return f"{table}/index/{given['IndexName']}" if given.get("IndexName") else table


def _transaction(place: Place, given: Parameters) -> Iterator[Access]:
    for item in given["TransactItems"]:
        for part, request in item.items():
            yield Access(_WRITES[part], _TABLE(place, request))


def _batch(action: str) -> Needs:
    return lambda place, given: [Access(action, _TABLE(place, {"TableName": name})) for name in given["RequestItems"]]


# SQS


def _queue(place: Place, given: Parameters) -> str:
    name = given["QueueName"] if "QueueName" in given else str(given["QueueUrl"]).rpartition("/")[2]
    return place.arn("sqs", name)


# S3; the parameters are those of the API, as the request's path, query and headers give them.


def _bucket(_place: Place, given: Parameters) -> str:
    return f"arn:aws:s3:::{given['Bucket']}"


def _object_arn(bucket: str, key: str) -> str:
    return f"arn:aws:s3:::{bucket}/{key}"


def _listing(action: str) -> Needs:
    def needs(place: Place, given: Parameters) -> Iterable[Access]:
        prefix = {"s3:prefix": str(given["Prefix"])} if "Prefix" in given else {}
        yield Access(action, _bucket(place, given), prefix)

    return needs


def _read(_place: Place, given: Parameters) -> Iterable[Access]:
    action = "s3:GetObjectVersion" if given.get("VersionId") else "s3:GetObject"
    yield Access(action, _object_arn(given["Bucket"], given["Key"]))


def _write(place: Place, given: Parameters) -> Iterable[Access]:
    conditions = {"IfNoneMatch": "s3:if-none-match", "IfMatch": "s3:if-match"}
    context = {key: str(given[name]) for name, key in conditions.items() if name in given}
    target = _object_arn(given["Bucket"], given["Key"])
    yield Access("s3:PutObject", target, context)
    if given.get("Tagging"):
        yield Access("s3:PutObjectTagging", target)
    if given.get("ACL"):
        yield Access("s3:PutObjectAcl", target)
    if given.get("CopySource"):
        bucket, _, key = str(given["CopySource"]).lstrip("/").partition("/")
        key, _, version = key.partition("?versionId=")
        yield from _read(place, {"Bucket": bucket, "Key": key, "VersionId": version})


def _delete(_place: Place, given: Parameters) -> Iterable[Access]:
    objects = given["Delete"]["Objects"] if "Delete" in given else [given]
    for each in objects:
        action = "s3:DeleteObjectVersion" if each.get("VersionId") else "s3:DeleteObject"
        yield Access(action, _object_arn(given["Bucket"], each["Key"]))


def may_know_of_absence(bucket: str) -> Access:
    """What S3 asks before it says that an object does not exist; who lacks it hears 403 instead of 404.

    Whether S3 takes the key for ``s3:prefix`` here is not documented, so nothing may rely on it.
    """
    return Access("s3:ListBucket", f"arn:aws:s3:::{bucket}")


# Lambda


def _function(place: Place, given: Parameters) -> str:
    name = str(given["FunctionName"])
    if name.count(":function:"):
        name = name.rpartition(":function:")[2]
    qualifier = f":{given['Qualifier']}" if given.get("Qualifier") else ""
    return place.arn("lambda", f"function:{name}{qualifier}")


def _with_role(action: str, resource: Resource, field: str) -> Needs:
    def needs(place: Place, given: Parameters) -> Iterable[Access]:
        yield Access(action, resource(place, given))
        if given.get(field):
            yield passes(given[field])

    return needs


# Step Functions


def _execution_or_machine(field: str) -> Resource:
    return lambda _place, given: str(given[field])


def _token(action: str) -> Needs:
    """Answers to a task are granted on its machine, which the token knows."""
    return _one(action, lambda _place, given: str(given.get("stateMachineArn", _NO_RESOURCE)))


# Others


def _parameter_arn(place: Place, name: str) -> str:
    return name if name.startswith("arn:") else place.arn("ssm", f"parameter/{name.removeprefix('/')}")


def _parameters(place: Place, given: Parameters) -> Iterable[Access]:
    return [Access("ssm:GetParameters", _parameter_arn(place, name)) for name in given["Names"]]


def _stream(place: Place, given: Parameters) -> str:
    return place.arn("logs", f"log-group:{given['logGroupName']}:log-stream:{given['logStreamName']}")


def _log_group(place: Place, given: Parameters) -> str:
    return place.arn("logs", f"log-group:{given['logGroupName']}")


def _buses(place: Place, given: Parameters) -> Iterable[Access]:
    for entry in given["Entries"]:
        bus = str(entry.get("EventBusName", "default"))
        yield Access("events:PutEvents", bus if bus.startswith("arn:") else place.arn("events", f"event-bus/{bus}"))


def _named(service: str, names: str, resource: Resource) -> dict[str, Needs]:
    """Operations whose action has their own name."""
    return {f"{service}:{name}": _one(f"{service}:{name}", resource) for name in names.split()}


def _as(action: str, operations: str, needs: Callable[[str], Needs]) -> dict[str, Needs]:
    """Operations that stand for another action."""
    service = action.partition(":")[0]
    return {f"{service}:{name}": needs(action) for name in operations.split()}


OPERATIONS: Final[Mapping[str, Needs]] = {
    **_named("dynamodb", "GetItem PutItem UpdateItem DeleteItem DescribeTable", _TABLE),
    **_named("dynamodb", "Query Scan", _search),
    "dynamodb:TransactWriteItems": _transaction,
    "dynamodb:TransactGetItems": _transaction,
    "dynamodb:BatchGetItem": _batch("dynamodb:BatchGetItem"),
    "dynamodb:BatchWriteItem": _batch("dynamodb:BatchWriteItem"),
    **_as("sqs:SendMessage", "SendMessage SendMessageBatch", lambda action: _one(action, _queue)),
    **_as("sqs:DeleteMessage", "DeleteMessage DeleteMessageBatch", lambda action: _one(action, _queue)),
    **_as(
        "sqs:ChangeMessageVisibility",
        "ChangeMessageVisibility ChangeMessageVisibilityBatch",
        lambda action: _one(action, _queue),
    ),
    **_named("sqs", "ReceiveMessage GetQueueAttributes GetQueueUrl PurgeQueue", _queue),
    **_as("s3:ListBucket", "ListObjects ListObjectsV2 HeadBucket", _listing),
    **_as("s3:ListBucketVersions", "ListObjectVersions", _listing),
    **dict.fromkeys(("s3:GetObject", "s3:HeadObject"), _read),
    **dict.fromkeys(
        (
            "s3:PutObject",
            "s3:CopyObject",
            "s3:CreateMultipartUpload",
            "s3:UploadPart",
            "s3:UploadPartCopy",
            "s3:CompleteMultipartUpload",
        ),
        _write,
    ),
    **dict.fromkeys(("s3:DeleteObject", "s3:DeleteObjects"), _delete),
    "s3:AbortMultipartUpload": lambda _place, given: [
        Access("s3:AbortMultipartUpload", _object_arn(given["Bucket"], given["Key"]))
    ],
    **_as("lambda:InvokeFunction", "Invoke", lambda action: _one(action, _function)),
    "lambda:CreateFunction": _with_role("lambda:CreateFunction", _function, "Role"),
    "lambda:UpdateFunctionConfiguration": _with_role("lambda:UpdateFunctionConfiguration", _function, "Role"),
    **_named("states", "StartExecution DescribeStateMachine ListExecutions", _execution_or_machine("stateMachineArn")),
    **_named(
        "states",
        "StopExecution DescribeExecution DescribeStateMachineForExecution GetExecutionHistory",
        _execution_or_machine("executionArn"),
    ),
    **_named("states", "ListStateMachines", _nothing),
    "states:CreateStateMachine": _with_role(
        "states:CreateStateMachine", _arn("states", "stateMachine:", "name"), "roleArn"
    ),
    "states:UpdateStateMachine": _with_role(
        "states:UpdateStateMachine", _execution_or_machine("stateMachineArn"), "roleArn"
    ),
    **{
        f"states:{name}": _token(f"states:{name}")
        for name in ("SendTaskSuccess", "SendTaskFailure", "SendTaskHeartbeat")
    },
    **_named("sts", "AssumeRole", _arn("iam", "role/", "RoleArn")),
    **_named(
        "ssm", "GetParameter PutParameter DeleteParameter", lambda place, given: _parameter_arn(place, given["Name"])
    ),
    "ssm:GetParameters": _parameters,
    **_named("ssm", "GetParametersByPath", lambda place, given: _parameter_arn(place, given["Path"])),
    **_named("logs", "CreateLogStream PutLogEvents", _stream),
    **_named("logs", "CreateLogGroup", _log_group),
    **_named("cloudwatch", "PutMetricData", _nothing),
    **_named("xray", "PutTraceSegments PutTelemetryRecords GetSamplingRules GetSamplingTargets", _nothing),
    "events:PutEvents": _buses,
}
"""By ``service:Operation``, the service under the name that IAM has for it."""
