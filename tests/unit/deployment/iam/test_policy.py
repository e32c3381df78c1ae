"""Policies answer as IAM's rules say: nothing without an Allow, nothing against a Deny, nothing beyond the session."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ministack.core import iam_evaluator as other

from deployment.iam.policy import Access, Granted, Policy, UnreadablePolicy, judge, pattern, principals

ACTIONS = ("s3:GetObject", "s3:PutObject", "S3:getobject", "s3:Get*", "s3:*", "*", "s3:?etObject", "sqs:SendMessage")
RESOURCES = ("arn:aws:s3:::b/threads/1/a", "arn:aws:s3:::b/threads/2/a", "arn:aws:s3:::b/*", "arn:aws:s3:::b/*/a", "*")
CONDITIONS: tuple[dict[str, Any], ...] = (
    {},
    {"Null": {"s3:if-none-match": "false"}},
    {"Null": {"s3:if-none-match": "true"}},
    {"StringEquals": {"s3:prefix": ["one", "two"]}},
    {"StringNotEquals": {"s3:prefix": ["one", "two"]}},
    {"StringLike": {"s3:prefix": "o*"}},
    {"StringNotLike": {"s3:prefix": ["o*", "?wo"]}},
    {"StringEqualsIfExists": {"s3:prefix": "one"}},
    {"Bool": {"aws:SecureTransport": "true"}, "StringEquals": {"s3:prefix": "one"}},
)
statements = st.fixed_dictionaries(
    {
        "Effect": st.sampled_from(["Allow", "Allow", "Deny"]),
        "Action": st.lists(st.sampled_from(ACTIONS), min_size=1, max_size=3),
        "Resource": st.lists(st.sampled_from(RESOURCES), min_size=1, max_size=2),
        "Condition": st.sampled_from(CONDITIONS),
    }
)
documents = st.builds(lambda several: {"Statement": several}, st.lists(statements, max_size=4))
accesses = st.builds(
    Access,
    st.sampled_from(["s3:GetObject", "s3:PutObject", "sqs:SendMessage"]),
    st.sampled_from(RESOURCES[:2]),
    st.dictionaries(
        st.sampled_from(["s3:prefix", "s3:if-none-match"]), st.sampled_from(["one", "two", "three"]), max_size=2
    ).map(lambda context: {"aws:securetransport": "false", **context}),
)


def allow(*actions: str, on: str = "*", **condition: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": on}
    return {"Statement": [statement | ({"Condition": condition} if condition else {})]}


@given(documents, documents, accesses)
def test_it_decides_as_an_independent_implementation_does(own: Any, session: Any, access: Access) -> None:
    context = other.EvalContext(
        principal_arn="",
        principal_type="AssumedRole",
        principal_account="123456789012",
        action=access.action,
        resource_arn=access.resource,
        region="us-east-1",
        source_ip="127.0.0.1",
        secure_transport=False,
        service_context=dict(access.context),
    )
    theirs = other.evaluate(context, *([other.parse_policy_document(each)] for each in (own, session)))
    verdict = judge(Policy([own]), Policy([session]), access)
    assert (verdict.allowed, verdict.explicit) == (theirs.decision == "Allow", theirs.decision == "Deny")


@given(documents, documents, accesses)
def test_a_session_policy_only_takes_away(own: Any, session: Any, access: Access) -> None:
    narrowed = judge(Policy([own]), Policy([session]), access).allowed
    assert narrowed <= judge(Policy([own]), None, access).allowed
    assert narrowed <= judge(Policy([session]), None, access).allowed


@given(documents, accesses)
def test_a_deny_of_everything_leaves_nothing(own: Any, access: Access) -> None:
    denial = {"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}
    verdict = judge(Policy([own, denial]), None, access)
    assert not verdict.allowed
    assert verdict.explicit


@given(st.text(alphabet="ab*?./", max_size=8), st.text(alphabet="ab./", max_size=8))
def test_wildcards_are_stars_and_question_marks_and_nothing_else(text: str, value: str) -> None:
    expected = re.fullmatch(re.escape(text).replace(r"\*", ".*").replace(r"\?", "."), value) is not None
    assert (pattern(text).fullmatch(value) is not None) == expected


def test_actions_know_no_case_resources_do() -> None:
    policy = Policy([allow("S3:GETobject", on="arn:aws:s3:::Bucket/*")])
    assert policy.judge(Access("s3:GetObject", "arn:aws:s3:::Bucket/key")).allowed
    assert not policy.judge(Access("s3:GetObject", "arn:aws:s3:::bucket/key")).allowed


def test_the_verdict_names_all_grants_that_allow_an_access() -> None:
    policy = Policy([allow("s3:Get*", on="arn:aws:s3:::b/*"), allow("s3:GetObject", "s3:PutObject")])
    granted = policy.judge(Access("s3:GetObject", "arn:aws:s3:::b/key")).granted
    assert set(granted) == {Granted("s3:Get*", "arn:aws:s3:::b/*"), Granted("s3:GetObject", "*")}


@pytest.mark.parametrize(
    "statement",
    [
        {"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"},
        {"Effect": "Deny", "Action": "s3:*", "NotResource": "*"},
        {"Effect": "allow", "Action": "s3:*", "Resource": "*"},
        {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}},
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/${aws:username}/*"},
    ],
)
def test_what_is_not_evaluated_is_an_error_and_no_guess(statement: dict[str, Any]) -> None:
    with pytest.raises(UnreadablePolicy):
        Policy([{"Statement": statement}])


def test_a_trust_policy_names_roles_and_services_do_not_count() -> None:
    service = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = {"Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam::1:role/turn"]}, "Action": "sts:AssumeRole"}
    assert principals({"Statement": [service, role]}) == ("arn:aws:iam::1:role/turn",)
    with pytest.raises(UnreadablePolicy):
        principals({"Statement": role | {"Condition": {"StringEquals": {"sts:ExternalId": "x"}}}})
