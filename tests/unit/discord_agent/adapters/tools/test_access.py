import json
from datetime import timedelta
from typing import Any, cast

from discord_agent.adapters.tools.access import WorkspaceCredentials, session_policy
from discord_agent.domain.ids import ExecutionId, ThreadId
from tests.support.clock import ManualClock

THREAD = ThreadId("12345678901234567890")
EXECUTION = ExecutionId("m-12345678901234567890-r2")


class FakeSts:
    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self.requests: list[dict[str, Any]] = []

    def assume_role(self, **request: Any) -> dict[str, Any]:
        self.requests.append(request)
        expiry = self._clock.now() + timedelta(seconds=request["DurationSeconds"])
        number = len(self.requests)
        granted = {"AccessKeyId": f"key-{number}", "SecretAccessKey": "s", "SessionToken": "t", "Expiration": expiry}
        return {"Credentials": granted}


def test_the_policy_allows_one_threads_packs_and_nothing_to_be_replaced() -> None:
    reads, adds, lists = session_policy("bucket", THREAD, EXECUTION)["Statement"]
    workspace = f"arn:aws:s3:::bucket/threads/{THREAD}/workspace"
    assert (reads["Action"], reads["Resource"]) == (
        "s3:GetObject",
        [f"{workspace}/packs/*", f"{workspace}/git/base.bundle", f"{workspace}/control/{EXECUTION}"],
    )
    assert (adds["Action"], adds["Resource"]) == ("s3:PutObject", f"{workspace}/packs/*")
    assert adds["Condition"] == {"Null": {"s3:if-none-match": "false"}}
    assert lists["Action"] == "s3:ListBucket"
    assert lists["Condition"]["StringEquals"]["s3:prefix"] == [
        f"threads/{THREAD}/workspace/control/{EXECUTION}",
        f"threads/{THREAD}/workspace/git/base.bundle",
    ]


def test_credentials_are_asked_for_once_and_again_before_they_expire() -> None:
    clock = ManualClock()
    sts = FakeSts(clock)
    credentials = WorkspaceCredentials(cast("Any", sts), "arn:role", "b" * 63, clock)
    assert credentials.credentials(THREAD, EXECUTION)["access_key_id"] == "key-1"
    clock.pass_by(timedelta(minutes=44))
    assert credentials.credentials(THREAD, EXECUTION)["access_key_id"] == "key-1"
    clock.pass_by(timedelta(minutes=2))
    assert credentials.credentials(THREAD, EXECUTION)["access_key_id"] == "key-2"


def test_another_thread_or_execution_gets_its_own_credentials() -> None:
    clock = ManualClock()
    sts = FakeSts(clock)
    credentials = WorkspaceCredentials(cast("Any", sts), "arn:role", "b" * 63, clock)
    for thread, execution in ((THREAD, EXECUTION), (ThreadId("2"), EXECUTION), (ThreadId("2"), ExecutionId("m-3"))):
        credentials.credentials(thread, execution)
    policies = [json.loads(request["Policy"]) for request in sts.requests]
    assert len({json.dumps(policy) for policy in policies}) == 3
    # What STS takes at most.
    assert all(len(request["Policy"]) <= 2048 for request in sts.requests)


def test_credentials_do_not_show_up_in_logs() -> None:
    clock = ManualClock()
    credentials = WorkspaceCredentials(cast("Any", FakeSts(clock)), "arn:role", "bucket", clock)
    credentials.credentials(THREAD, EXECUTION)
    assert "key-1" not in repr(credentials._cached)
