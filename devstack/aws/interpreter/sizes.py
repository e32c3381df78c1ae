"""moto draws the line of the payload limit one byte too early, and does not count the quotes of a string."""

import sys

from moto.stepfunctions.parser import quotas

from devstack.aws.interpreter.limits import within


def mend() -> None:
    """Replace the check wherever it was imported."""
    original = quotas.is_within_size_quota
    for module in [module for name, module in sys.modules.items() if name.startswith("moto.stepfunctions.parser")]:
        if getattr(module, "is_within_size_quota", None) is original:
            module.is_within_size_quota = within  # type: ignore[attr-defined] # found by this very name
