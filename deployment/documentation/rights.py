"""Who may do what with what, in words: the grants of the declaration without IAM's vocabulary."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from discord_agent.declaration import Grant, Kind, System
from discord_agent.domain.errors import InvalidInput


class Verb(StrEnum):
    """What is done with a resource."""

    READS = "reads"
    WRITES = "writes"
    DELETES = "deletes"
    SENDS = "sends"
    CONSUMES = "consumes"
    STARTS = "starts"
    ANSWERS = "answers"
    CALLS = "calls"
    HOLDS = "holds"
    ASSUMES = "assumes"


_VERBS: Final = {
    Verb.READS: (
        "dynamodb:ConditionCheckItem",
        "dynamodb:GetItem",
        "dynamodb:Query",
        "s3:GetObject",
        "s3:ListBucket",
        "s3:ListBucketVersions",
    ),
    Verb.WRITES: ("dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "s3:PutObject"),
    Verb.DELETES: ("s3:DeleteObject", "s3:DeleteObjectVersion"),
    Verb.SENDS: ("sqs:SendMessage",),
    Verb.CONSUMES: (
        "sqs:ChangeMessageVisibility",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:ReceiveMessage",
    ),
    Verb.STARTS: ("states:StartExecution",),
    Verb.ANSWERS: ("states:SendTaskSuccess",),
    Verb.CALLS: ("lambda:InvokeFunction",),
    Verb.HOLDS: ("ssm:GetParameter",),
    Verb.ASSUMES: ("sts:AssumeRole",),
}
_VERB_OF: Final = {action: verb for verb, actions in _VERBS.items() for action in actions}


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """``party``, a function, a service or a role, may do something with a resource of a kind, by its key."""

    party: str
    verb: Verb
    kind: Kind
    key: str
    path: str = ""


def rights(system: System) -> tuple[Right, ...]:
    """Every right that the declaration grants, once; an action without a verb is an error."""
    owners = (system.functions, system.services)
    granted = [(name, grant) for owner in owners for name, each in owner.items() for grant in each.grants]
    granted += [(key, grant) for key, role in system.roles.items() for grant in role.grants]
    return tuple(dict.fromkeys(right for party, grant in granted for right in _of(party, grant)))


def _of(party: str, grant: Grant) -> Iterator[Right]:
    for action in grant.actions:
        verb = _VERB_OF.get(action)
        if verb is None:
            raise InvalidInput(f"{action} has no verb yet: say in deployment/documentation/rights.py what it does")
        yield from (Right(party, verb, ref.kind, ref.key, ref.path) for ref in grant.resources)
