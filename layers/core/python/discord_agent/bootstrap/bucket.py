"""Composes what lies in the bucket."""

from discord_agent.adapters.journal import S3Journal
from discord_agent.adapters.proposals import S3Proposals
from discord_agent.adapters.workspace.store import S3Workspaces
from discord_agent.bootstrap.parts import Parts


def workspaces(parts: Parts, bucket: str) -> S3Workspaces:
    """The files of threads."""
    return S3Workspaces(parts.client("s3"), bucket)


def journal(parts: Parts, bucket: str) -> S3Journal:
    """The conversations of runs."""
    return S3Journal(parts.client("s3"), bucket)


def proposals(parts: Parts, bucket: str) -> S3Proposals:
    """What the voices of the flow ``branch`` propose."""
    return S3Proposals(parts.client("s3"), bucket)
