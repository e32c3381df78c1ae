"""Each operation asks for exactly the permissions that AWS documents for it, on the resources it touches."""

import re
from typing import Any

import pytest
from botocore.session import get_session

from deployment.iam.documents import Place
from deployment.iam.operations import OPERATIONS, Call, UnmappedOperation, needed
from deployment.iam.policy import Access

HERE = Place("123456789012", "eu-west-1")
TABLE = "arn:aws:dynamodb:eu-west-1:123456789012:table"
MODELS = {"states": "stepfunctions"}
"""Services that botocore knows under another name than IAM."""
ACTIONS_OF_THEIR_OWN = {
    "dynamodb:ConditionCheckItem",
    "s3:GetObjectVersion",
    "s3:DeleteObjectVersion",
    "s3:PutObjectTagging",
    "s3:ListBucket",
    "s3:ListBucketVersions",
    "iam:PassRole",
    "lambda:InvokeFunction",
    *(f"logs:{verb}LogDelivery" for verb in ("Create", "Get", "Update", "Delete")),
    "logs:ListLogDeliveries",
}
"""Actions that are no operations, looked up in AWS's service authorization reference; all others bear an operation's name."""


def asked(operation: str, **parameters: Any) -> list[tuple[str, str]]:
    return [(access.action, access.resource) for access in needed(Call(operation, parameters), HERE)]


def test_a_transaction_asks_for_what_each_item_does_on_its_own_table() -> None:
    items = [
        {"Put": {"TableName": "one"}},
        {"Update": {"TableName": "two"}},
        {"Delete": {"TableName": "one"}},
        {"ConditionCheck": {"TableName": "two"}},
    ]
    assert asked("dynamodb:TransactWriteItems", TransactItems=items) == [
        ("dynamodb:PutItem", f"{TABLE}/one"),
        ("dynamodb:UpdateItem", f"{TABLE}/two"),
        ("dynamodb:DeleteItem", f"{TABLE}/one"),
        ("dynamodb:ConditionCheckItem", f"{TABLE}/two"),
    ]


def test_a_query_of_an_index_is_on_the_index() -> None:
    assert asked("dynamodb:Query", TableName="t") == [("dynamodb:Query", f"{TABLE}/t")]
    assert asked("dynamodb:Query", TableName="t", IndexName="i") == [("dynamodb:Query", f"{TABLE}/t/index/i")]


def test_a_batch_of_messages_is_what_its_messages_are() -> None:
    url = "http://127.0.0.1:4566/123456789012/work.fifo"
    queue = "arn:aws:sqs:eu-west-1:123456789012:work.fifo"
    assert asked("sqs:SendMessageBatch", QueueUrl=url, Entries=[]) == [("sqs:SendMessage", queue)]
    assert asked("sqs:DeleteMessageBatch", QueueUrl=url, Entries=[]) == [("sqs:DeleteMessage", queue)]


def test_a_version_of_an_object_is_another_permission_than_the_object() -> None:
    objects = [{"Key": "a"}, {"Key": "b", "VersionId": "1"}]
    assert asked("s3:DeleteObjects", Bucket="b", Delete={"Objects": objects}) == [
        ("s3:DeleteObject", "arn:aws:s3:::b/a"),
        ("s3:DeleteObjectVersion", "arn:aws:s3:::b/b"),
    ]
    assert asked("s3:GetObject", Bucket="b", Key="a", VersionId="1") == [("s3:GetObjectVersion", "arn:aws:s3:::b/a")]


def test_a_copy_reads_its_source() -> None:
    assert asked("s3:CopyObject", Bucket="b", Key="new", CopySource="/c/old") == [
        ("s3:PutObject", "arn:aws:s3:::b/new"),
        ("s3:GetObject", "arn:aws:s3:::c/old"),
    ]


def test_conditions_see_whether_a_write_may_replace_and_what_is_listed() -> None:
    (write,) = needed(Call("s3:PutObject", {"Bucket": "b", "Key": "k", "IfNoneMatch": "*"}), HERE)
    (listing,) = needed(Call("s3:ListObjectsV2", {"Bucket": "b", "Prefix": "threads/1/"}), HERE)
    assert write == Access("s3:PutObject", "arn:aws:s3:::b/k", {"s3:if-none-match": "*"})
    assert listing == Access("s3:ListBucket", "arn:aws:s3:::b", {"s3:prefix": "threads/1/"})


@pytest.mark.parametrize(
    ("name", "qualifier", "resource"),
    [
        ("turn", "", "turn"),
        ("turn:live", "", "turn:live"),
        ("turn", "live", "turn:live"),
        ("arn:aws:lambda:eu-west-1:123456789012:function:turn:live", "", "turn:live"),
        ("123456789012:function:turn", "", "turn"),
    ],
)
def test_a_function_is_called_by_the_alias_it_is_named_with(name: str, qualifier: str, resource: str) -> None:
    arn = f"arn:aws:lambda:eu-west-1:123456789012:function:{resource}"
    assert asked("lambda:Invoke", FunctionName=name, Qualifier=qualifier) == [("lambda:InvokeFunction", arn)]


def test_who_gives_a_service_a_role_must_be_allowed_to_pass_it() -> None:
    role = "arn:aws:iam::123456789012:role/machine"
    assert asked("states:CreateStateMachine", name="m", roleArn=role)[1] == ("iam:PassRole", role)
    assert asked("lambda:CreateFunction", FunctionName="f", Role=role)[1] == ("iam:PassRole", role)


def test_what_is_not_mapped_is_named() -> None:
    with pytest.raises(UnmappedOperation, match=r"dynamodb:ExecuteStatement.*map it"):
        needed(Call("dynamodb:ExecuteStatement", {}), HERE)


@pytest.mark.parametrize("service", sorted({name.partition(":")[0] for name in OPERATIONS}))
def test_every_mapped_operation_is_one_of_the_api(service: str) -> None:
    """What IAM knows is not installed; the service models that boto3 brings name every operation."""
    model = get_session().get_service_model(MODELS.get(service, service))
    mapped = {name.partition(":")[2] for name in OPERATIONS if name.startswith(f"{service}:")}
    assert mapped <= set(model.operation_names)


def test_every_action_is_an_operation_or_known_to_be_none(granted_actions: set[str]) -> None:
    odd = {action for action in granted_actions if not re.fullmatch(r"[a-z0-9]+:[A-Z][A-Za-z]+", action)}
    assert odd == set()
    for action in granted_actions - ACTIONS_OF_THEIR_OWN:
        service, _, name = action.partition(":")
        assert name in get_session().get_service_model(MODELS.get(service, service)).operation_names, action
