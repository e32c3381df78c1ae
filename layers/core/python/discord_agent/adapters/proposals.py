"""Proposals of models on S3: ``threads/<thread>/runs/<execution>/proposals/<number>``."""

import json
from typing import TYPE_CHECKING

from msgspec import Struct

from discord_agent.adapters.aws import outages
from discord_agent.adapters.codec import from_json, to_json
from discord_agent.adapters.workspace.layout import thread_prefix
from discord_agent.domain.options import Proposal
from discord_agent.domain.run import RunState

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class S3Proposals(Struct, frozen=True):
    """Proposals in one bucket; each voice writes its own object, so none waits for another."""

    s3: "S3Client"
    bucket: str

    def keep(self, run: RunState, number: int, proposal: Proposal) -> None:
        """Store the proposal of a voice; what an earlier attempt stored is replaced."""
        body = json.dumps(to_json(proposal), ensure_ascii=False).encode()
        with outages("S3"):
            self.s3.put_object(Bucket=self.bucket, Key=_key(run, number), Body=body)

    def load(self, run: RunState, number: int) -> Proposal:
        """The proposal of a voice that kept one."""
        with outages("S3"):
            body = self.s3.get_object(Bucket=self.bucket, Key=_key(run, number))["Body"].read()
        return from_json(Proposal, json.loads(body))


def _key(run: RunState, number: int) -> str:
    return f"{thread_prefix(run.thread_id)}runs/{run.execution_id}/proposals/{number}"
