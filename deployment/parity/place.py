"""Where both deployments are."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """An account and region."""

    partition: str
    region: str
    account: str

    def arn(self, service: str, resource: str, *, region: bool = True, account: bool = True) -> str:
        """The ARN of something here."""
        where = f"{self.region if region else ''}:{self.account if account else ''}"
        return f"arn:{self.partition}:{service}:{where}:{resource}"

    @property
    def queues(self) -> str:
        """What the URL of every queue here begins with."""
        return f"https://sqs.{self.region}.amazonaws.com/{self.account}/"

    @property
    def assets(self) -> re.Pattern[str]:
        """The names that the CDK's bootstrap gives its bucket here."""
        return re.compile(rf"cdk-(\$\{{Qualifier\}}|[a-z0-9]+)-assets-{self.account}-{self.region}")
