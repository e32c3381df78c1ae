"""What errors of AWS services mean to a run."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from discord_agent.domain.errors import StateUnavailable

_THROTTLED: Final = frozenset(
    {
        "KmsThrottled",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
"""Answers of status 400 that a later try may not get."""


def is_outage(error: ClientError) -> bool:
    """Whether the service, not the request, is at fault."""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status >= 500 or error.response["Error"]["Code"] in _THROTTLED


@contextmanager
def outages(service: str) -> Iterator[None]:
    """Turn what is worth a retry, after the SDK's own retries, into StateUnavailable; let refusals pass."""
    try:
        yield
    except ClientError as error:
        if is_outage(error):
            raise StateUnavailable(f"{service}: {error.response['Error']['Code']}") from error
        raise
    except BotoCoreError as error:
        raise StateUnavailable(f"{service}: {type(error).__name__}") from error
