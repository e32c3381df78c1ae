"""Where both deployments are."""

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
