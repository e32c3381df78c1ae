from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from discord_agent.adapters.proposals import S3Proposals
from discord_agent.domain.errors import StateUnavailable
from discord_agent.domain.ids import ChannelId, ExecutionId, MessageId, ModelName, ThreadId, UserId
from discord_agent.domain.options import Option, Proposal
from discord_agent.domain.run import RunState
from tests.support import buckets

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

RUN = RunState(ExecutionId("m-1"), ThreadId("2"), ChannelId("2"), MessageId("1"), UserId("4"))
PROPOSAL = Proposal(ModelName("gemini-3-pro"), (Option("Tokens… signed", "✅ no lookup"), Option("Sessions", "…")))


def test_each_voice_keeps_a_proposal_of_its_own(s3: "S3Client") -> None:
    proposals = S3Proposals(s3, buckets.BUCKET)
    other = Proposal(ModelName("claude-sonnet-4.5"), ())
    proposals.keep(RUN, 1, PROPOSAL)
    proposals.keep(RUN, 2, other)
    assert (proposals.load(RUN, 1), proposals.load(RUN, 2)) == (PROPOSAL, other)


def test_a_voice_that_is_asked_again_replaces_its_proposal(s3: "S3Client") -> None:
    proposals = S3Proposals(s3, buckets.BUCKET)
    proposals.keep(RUN, 1, Proposal(ModelName("gemini-3-pro"), ()))
    proposals.keep(RUN, 1, PROPOSAL)
    assert proposals.load(RUN, 1) == PROPOSAL


def test_a_voice_without_a_proposal_has_none_to_load(s3: "S3Client") -> None:
    with pytest.raises(ClientError):
        S3Proposals(s3, buckets.BUCKET).load(RUN, 1)


def test_a_store_that_does_not_answer_is_worth_a_retry() -> None:
    class Away:
        def put_object(self, **_: object) -> None:
            raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")

        get_object = put_object

    proposals = S3Proposals(Away(), buckets.BUCKET)  # type: ignore[arg-type]  # the two methods that are used
    with pytest.raises(StateUnavailable):
        proposals.keep(RUN, 1, PROPOSAL)
    with pytest.raises(StateUnavailable):
        proposals.load(RUN, 1)
