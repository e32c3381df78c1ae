"""Requests as botocore sends them are told for what they are."""

from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config

from deployment.iam.operations import UnmappedOperation
from devstack.aws.access.wire import Sent, call_of, needs_body, signature

ENDPOINT = "http://127.0.0.1:9"


class Caught(Exception):
    """The request that was about to be sent."""


def sent(service: str, operation: str, **parameters: Any) -> Sent:
    """The signed request that boto3 makes of an operation."""
    client: Any = boto3.client(  # type: ignore[call-overload] # the service is known at run time only
        service,
        endpoint_url=ENDPOINT,
        region_name="eu-west-1",
        aws_access_key_id="ASIAKEY",
        aws_secret_access_key="s",
    )
    requests: list[Any] = []

    def catch(request: Any, **_: Any) -> AWSResponse:
        requests.append(request)
        raise Caught

    client.meta.events.register("before-send", catch)
    with pytest.raises(Caught):
        getattr(client, operation)(**parameters)
    request = requests[0]
    url = urlsplit(request.url)
    headers = {
        name.lower(): value.decode() if isinstance(value, bytes) else str(value)
        for name, value in request.headers.items()
    }
    body = request.body if isinstance(request.body, bytes) else str(request.body or "").encode()
    return Sent(request.method, f"{url.path}?{url.query}" if url.query else url.path, headers, body)


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "named", "some"),
    [
        ("dynamodb", "get_item", {"TableName": "t", "Key": {"k": {"S": "1"}}}, "dynamodb:GetItem", {"TableName": "t"}),
        ("sqs", "send_message", {"QueueUrl": f"{ENDPOINT}/1/q", "MessageBody": "x"}, "sqs:SendMessage", {"QueueUrl": f"{ENDPOINT}/1/q"}),
        ("stepfunctions", "start_execution", {"stateMachineArn": "arn:m"}, "states:StartExecution", {"stateMachineArn": "arn:m"}),
        ("ssm", "get_parameter", {"Name": "/a/b"}, "ssm:GetParameter", {"Name": "/a/b"}),
        ("sts", "assume_role", {"RoleArn": "a" * 20, "RoleSessionName": "nn"}, "sts:AssumeRole", {"RoleArn": "a" * 20}),
        ("sts", "get_caller_identity", {}, "sts:GetCallerIdentity", {}),
        ("lambda", "invoke", {"FunctionName": "f:live", "Qualifier": "live"}, "lambda:Invoke", {"FunctionName": "f:live", "Qualifier": "live"}),
        ("s3", "get_object", {"Bucket": "b", "Key": "a b/ä", "VersionId": "7"}, "s3:GetObject", {"Bucket": "b", "Key": "a b/ä", "VersionId": "7"}),
        ("s3", "head_object", {"Bucket": "b", "Key": "k"}, "s3:HeadObject", {"Key": "k"}),
        ("s3", "put_object", {"Bucket": "b", "Key": "k", "Body": b"x", "IfNoneMatch": "*"}, "s3:PutObject", {"Key": "k", "IfNoneMatch": "*"}),
        ("s3", "delete_object", {"Bucket": "b", "Key": "k"}, "s3:DeleteObject", {"Key": "k"}),
        ("s3", "list_objects_v2", {"Bucket": "b", "Prefix": "p/"}, "s3:ListObjectsV2", {"Bucket": "b", "Prefix": "p/"}),
        ("s3", "list_object_versions", {"Bucket": "b", "Prefix": "p"}, "s3:ListObjectVersions", {"Prefix": "p"}),
        ("s3", "delete_objects", {"Bucket": "b", "Delete": {"Objects": [{"Key": "k", "VersionId": "1"}]}}, "s3:DeleteObjects", {"Delete": {"Objects": [{"Key": "k", "VersionId": "1"}]}}),
        ("s3", "create_multipart_upload", {"Bucket": "b", "Key": "k"}, "s3:CreateMultipartUpload", {"Key": "k"}),
    ],
)  # fmt: skip
def test_an_operation_is_told_with_what_its_permissions_depend_on(
    service: str, operation: str, parameters: dict[str, Any], named: str, some: dict[str, Any]
) -> None:
    request = sent(service, operation, **parameters)
    signed = signature(request.headers, request.target)
    assert signed is not None
    assert signed.key_id == "ASIAKEY"
    bare = Sent(request.method, request.target, request.headers)
    told = call_of(signed.service, request if needs_body(signed.service, request.method, request.target) else bare)
    assert told.operation == named
    assert some.items() <= dict(told.parameters).items()


@pytest.mark.parametrize("operation", ["get_bucket_policy", "get_bucket_versioning", "delete_bucket"])
def test_what_is_no_known_operation_of_a_bucket_is_not_taken_for_another(operation: str) -> None:
    with pytest.raises(UnmappedOperation):
        call_of("s3", sent("s3", operation, Bucket="b"))


def test_only_invoke_is_told_of_lambda() -> None:
    with pytest.raises(UnmappedOperation):
        call_of("lambda", sent("lambda", "list_functions"))


def test_a_presigned_url_is_its_signers() -> None:
    s3 = boto3.client(
        "s3",
        region_name="eu-west-1",
        endpoint_url=ENDPOINT,
        aws_access_key_id="ASIAKEY",
        aws_secret_access_key="s",
        config=Config(signature_version="s3v4"),
    )
    url = urlsplit(s3.generate_presigned_url("get_object", {"Bucket": "b", "Key": "k"}))
    target = f"{url.path}?{url.query}"
    signed = signature({}, target)
    assert signed is not None
    assert (signed.key_id, signed.service) == ("ASIAKEY", "s3")
    assert call_of("s3", Sent("GET", target, {})).operation == "s3:GetObject"


def test_who_signs_nothing_is_nobody() -> None:
    assert signature({}, "/b/k") is None
