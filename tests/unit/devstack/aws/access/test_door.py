"""Who is let in with which key, and what he is told when he is not."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployment.iam.documents import Place
from deployment.iam.operations import OPERATIONS, Call
from deployment.iam.policies import Policies
from deployment.iam.policy import Granted
from devstack.aws.access.door import Door, Refused, Session, key_id, session_policy
from devstack.aws.access.handing import Handed, hand_over
from devstack.aws.access.used import UsedGrants

HERE = Place("123456789012", "us-east-1")
TAKER, TAKEN, OTHER = (f"arn:aws:iam::123456789012:role/{name}" for name in ("taker", "taken", "other"))
SERVED = {
    "Statement": {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
}
TRUST = {"Statement": {"Effect": "Allow", "Principal": {"AWS": TAKER}, "Action": "sts:AssumeRole"}}
ASSUME = Call("sts:AssumeRole", {"RoleArn": TAKEN})
READ = Call("s3:GetObject", {"Bucket": "b", "Key": "threads/1/a"})


def allow(action: str, resource: str) -> dict[str, Any]:
    return {"Statement": {"Effect": "Allow", "Action": action, "Resource": resource}}


POLICIES = Policies.of(
    {
        TAKER: ([allow("sts:AssumeRole", TAKEN)], SERVED),
        TAKEN: ([allow("s3:GetObject", "arn:aws:s3:::b/*")], TRUST),
        OTHER: ([allow("sts:AssumeRole", "*")], SERVED),
    }
)


def door(sessions: Mapping[str, Session] | None = None, used: list[tuple[str, Granted]] | None = None) -> Door:
    noted = used if used is not None else []
    return Door(
        POLICIES, HERE, record=lambda role, granted: noted.append((role, granted)), sessions=(sessions or {}).get
    )


def admitted(here: Door, key: str, call: Call) -> str:
    """ "" when the call is let in, else the code it is refused with."""
    try:
        here.admit(here.caller(key), call)
    except Refused as refusal:
        return refusal.code
    return ""


def test_the_accounts_own_key_may_do_everything_even_what_nobody_knows() -> None:
    assert admitted(door(), "123456789012", Call("iam:DeleteEverything", {})) == ""


def test_a_key_of_nobody_is_unknown() -> None:
    assert admitted(door(), "ASIANOBODY", READ) == "InvalidClientTokenId"
    assert admitted(door({"K": Session("arn:aws:iam::123456789012:role/strange", None)}), "K", READ) != ""


def test_a_role_may_what_its_policy_allows_and_the_grant_is_noted() -> None:
    used: list[tuple[str, Granted]] = []
    here = door(used=used)
    assert admitted(here, key_id(TAKEN), READ) == ""
    assert admitted(here, key_id(OTHER), READ) == "AccessDenied"
    assert used == [(TAKEN, Granted("s3:GetObject", "arn:aws:s3:::b/*"))]


def test_a_refusal_names_who_what_and_where() -> None:
    with pytest.raises(Refused, match=r"role/other/.*s3:GetObject on resource: arn:aws:s3:::b/threads/1/a because no"):
        door().admit(door().caller(key_id(OTHER)), READ)


def test_a_role_is_assumed_by_whom_both_policies_name() -> None:
    assert admitted(door(), key_id(TAKER), ASSUME) == ""
    assert admitted(door(), key_id(OTHER), ASSUME) == "AccessDenied"


def test_a_session_has_its_roles_rights_as_far_as_its_own_policy_goes() -> None:
    narrow = session_policy(json.dumps(allow("s3:*", "arn:aws:s3:::b/threads/1/*")))
    here = door({"NARROW": Session(TAKEN, narrow), "WIDE": Session(TAKEN, None)})
    elsewhere = Call("s3:GetObject", {"Bucket": "b", "Key": "threads/2/a"})
    write = Call("s3:PutObject", {"Bucket": "b", "Key": "threads/1/a"})
    answers = {key: [admitted(here, key, call) for call in (READ, elsewhere, write)] for key in ("NARROW", "WIDE")}
    assert answers == {"NARROW": ["", "AccessDenied", "AccessDenied"], "WIDE": ["", "", "AccessDenied"]}


@given(st.sampled_from(sorted(OPERATIONS)), st.dictionaries(st.text(max_size=12), st.text(max_size=5), max_size=3))
def test_who_is_granted_nothing_gets_nothing(operation: str, parameters: dict[str, str]) -> None:
    """Whatever the parameters are: those that cannot be read are no way in."""
    assert admitted(door(), key_id(TAKEN), Call(operation, parameters)) == "AccessDenied"


def test_policies_that_are_handed_over_are_in_force_from_then_on(tmp_path: Path) -> None:
    file = tmp_path / "policies.json"
    handed = Handed(file, lambda policies, place: Door(policies, place, record=lambda *_: None))
    assert handed.door() is None
    hand_over(file, POLICIES, HERE)
    first = handed.door()
    assert first is not None
    assert admitted(first, key_id(TAKEN), READ) == ""
    assert handed.door() is first
    hand_over(file, Policies.of({TAKEN: ([], TRUST)}), HERE)
    second = handed.door()
    assert second is not None
    assert admitted(second, key_id(TAKEN), READ) == "AccessDenied"


def test_the_use_of_a_grant_is_written_down_once(tmp_path: Path) -> None:
    note = UsedGrants(tmp_path / "used")
    for _ in range(3):
        note(TAKEN, Granted("s3:GetObject", "*"))
    (file,) = (tmp_path / "used").iterdir()
    assert file.read_text(encoding="utf-8").splitlines() == [json.dumps([TAKEN, "s3:GetObject", "*"])]
