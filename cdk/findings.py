"""What scanners find and what is meant so, with the reason, written beside what it is about."""

from aws_cdk import Acknowledgment, Validations
from constructs import IConstruct


def meant(construct: IConstruct, reason: str, *findings: str) -> None:
    """Acknowledge findings of cdk-nag about a construct."""
    Validations.of(construct).acknowledge(*(Acknowledgment(id=finding, reason=reason) for finding in findings))
