"""The AWS account and region that the credentials of the environment reach."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)

from discord_agent.domain.errors import InvalidSettings

_PATIENCE: Final = Config(connect_timeout=5, read_timeout=15, retries={"total_max_attempts": 3, "mode": "standard"})
_LOG_IN: Final = "log in (`aws sso login`, or `aws configure`), or set AWS_PROFILE"
_NOT_ACCEPTED: Final = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_NOT_ALLOWED: Final = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})


@dataclass(frozen=True, slots=True)
class Account:
    """An account by its number, and a region of it."""

    id: str
    region: str
    session: "boto3.session.Session" = field(repr=False)

    def client(self, service: str) -> Any:
        """A client of a service by its boto3 name."""
        return self.session.client(service, config=_PATIENCE)  # type: ignore[call-overload] # the name is a variable

    def __str__(self) -> str:
        return f"account {self.id}, region {self.region}"


def reach(variables: Mapping[str, str]) -> Account:
    """The account that the environment's credentials belong to; InvalidSettings says why there is none."""
    with explained():
        # Both tools look at AWS_REGION first, boto3 does not look at it.
        session = boto3.session.Session(region_name=variables.get("AWS_REGION") or None)
        if session.region_name is None:
            raise NoRegionError
        return account_of(session)


def account_of(session: "boto3.session.Session") -> Account:
    """The account that a session belongs to."""
    identity = session.client("sts", config=_PATIENCE).get_caller_identity()
    return Account(identity["Account"], session.region_name, session)


@contextmanager
def explained() -> Iterator[None]:
    """Turn what AWS and its SDK object to into InvalidSettings with the remedy.

    AWS' own words are left out: they quote what was sent, and that may be a secret.
    """
    try:
        yield
    except ClientError as error:
        raise InvalidSettings(_refusal(error)) from None
    except BotoCoreError as error:
        raise InvalidSettings(_fault(error)) from None


def code(error: ClientError) -> str:
    """The name AWS gives an error."""
    return str(error.response["Error"]["Code"])


def _refusal(error: ClientError) -> str:
    name = code(error)
    if name in _NOT_ACCEPTED:
        return f"AWS does not accept these credentials ({name}): {_LOG_IN}"
    if name in _NOT_ALLOWED:
        return f"these AWS credentials may not call {error.operation_name}: use a role that may"
    if name in {"OptInRequired", "InvalidToken"}:
        return f"this account has not switched on the region ({name}): choose another with AWS_REGION"
    return f"AWS refuses {error.operation_name} ({name})"


def _fault(error: BotoCoreError) -> str:
    match error:
        case NoRegionError():
            return "no AWS region is chosen: set AWS_REGION, such as eu-central-1"
        case ProfileNotFound():
            return f"{error}: set AWS_PROFILE to one that ~/.aws/config has"
        case (
            NoCredentialsError()
            | PartialCredentialsError()
            | CredentialRetrievalError()
            | TokenRetrievalError()
            | SSOError()
        ):
            return f"there are no AWS credentials ({type(error).__name__}): {_LOG_IN}"
        case _:
            name = type(error).__name__
            return f"AWS cannot be reached ({name}): check the network, and that AWS_REGION is a region"
