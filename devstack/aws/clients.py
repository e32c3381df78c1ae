"""boto3 clients of the embedded AWS, each made once."""

import threading
from typing import TYPE_CHECKING, Any, Final, cast

import boto3
from botocore.config import Config

from devstack.aws.names import REGION, Credentials, Endpoints, credentials, credentials_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_stepfunctions import SFNClient

_LONGEST_CALL: Final = 930
"""Seconds; a function may run for 900."""


class Clients:
    """Clients bound to the endpoints; safe to use from any thread, without retries of their own.

    They are the administrator's, unless other credentials are given.
    """

    def __init__(self, endpoints: Endpoints, keys: Credentials | None = None) -> None:
        self._endpoints = endpoints
        self._keys = keys or credentials()
        self._session = boto3.session.Session(region_name=REGION)
        self._lock = threading.Lock()
        self._made: dict[str, Any] = {}

    def get(self, service: str) -> Any:
        """The client of a service by its boto3 name."""
        with self._lock:
            if service not in self._made:
                self._made[service] = self._make(service)
            return self._made[service]

    def _make(self, service: str) -> object:
        special = {"lambda": self._endpoints.functions, "stepfunctions": self._endpoints.states}
        return self._session.client(  # type: ignore[call-overload] # the service is known at run time only
            service,
            endpoint_url=special.get(service, self._endpoints.data),
            config=Config(
                retries={"total_max_attempts": 1},
                connect_timeout=10,
                read_timeout=_LONGEST_CALL,
                max_pool_connections=100,
                s3={"addressing_style": "path"},
            ),
            **self._keys,
        )

    def dynamodb(self) -> "DynamoDBClient":
        """DynamoDB."""
        return cast("DynamoDBClient", self.get("dynamodb"))

    def s3(self) -> "S3Client":
        """S3."""
        return cast("S3Client", self.get("s3"))

    def sqs(self) -> "SQSClient":
        """SQS."""
        return cast("SQSClient", self.get("sqs"))

    def ssm(self) -> "SSMClient":
        """Parameter Store."""
        return cast("SSMClient", self.get("ssm"))

    def stepfunctions(self) -> "SFNClient":
        """Step Functions."""
        return cast("SFNClient", self.get("stepfunctions"))

    def functions(self) -> "LambdaClient":
        """Lambda."""
        return cast("LambdaClient", self.get("lambda"))


class RoleClients:
    """Clients that sign as roles, by the role's ARN."""

    def __init__(self, endpoints: Endpoints) -> None:
        self._endpoints = endpoints
        self._lock = threading.Lock()
        self._made: dict[str, Clients] = {}

    def of(self, role: str) -> Clients:
        """The clients of a role."""
        with self._lock:
            if role not in self._made:
                self._made[role] = Clients(self._endpoints, credentials_of(role))
            return self._made[role]
