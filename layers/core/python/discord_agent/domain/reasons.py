"""Why something failed, in a sentence for people: by the kind of error, never by its raw text."""

from typing import Final

from discord_agent.domain.run import StepFailure

UNKNOWN: Final = "Something went wrong inside."

_REASONS: Final = {
    # Our own errors, by class name.
    "ModelUnavailable": "The model's provider did not answer, although it was asked several times.",
    "ModelRefused": "The model's provider refused the request.",
    "ContextTooLong": "The conversation became too long for the model.",
    "InvalidReply": "The model gave no usable reply.",
    "NoProposals": "None of the models that were asked gave an answer.",
    "OverBudget": "A limit on money did not allow it.",
    "DiscordUnavailable": "Discord did not answer.",
    "DiscordRefused": "Discord refused a message; the bot may lack a permission in this channel.",
    "SandboxUnavailable": "The sandbox did not answer.",
    "RepositoryUnavailable": "The git host did not answer.",
    "RepositoryRefused": "The git host refused access, or the repository cannot be used.",
    "StateUnavailable": "The database or a queue did not answer.",
    "WorkspaceDamaged": "The workspace is damaged: a stored file is missing or not what it was.",
    "InvalidSettings": "A setting of this deployment is missing or malformed.",
    "Conflict": "Another run held this thread for too long.",
    "LeaseLost": "Another run took over this thread.",
    "Stopped": "Somebody asked it to stop.",
    # What Step Functions and Lambda report.
    "States.Timeout": "A step took too long.",
    "States.DataLimitExceeded": "A step gave back more than the state machine takes.",
    "Sandbox.Timedout": "A step took too long.",
    "Lambda.Unknown": "The process of a step died.",
    "Runtime.ExitError": "The process of a step died.",
    "TIMED_OUT": "It took too long.",
    "ABORTED": "It was stopped from outside, for instance by a restart of the system.",
}


def why(failure: StepFailure | None) -> str:
    """The sentence for a failure."""
    return _REASONS.get(failure.error, UNKNOWN) if failure else UNKNOWN
