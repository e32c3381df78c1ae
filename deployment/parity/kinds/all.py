"""Every kind that can be compared, and how Terraform writes it."""

from typing import Final

from deployment.parity.kinds import access, compute, data, network, watching
from deployment.parity.kinds.model import As, Kind, Mapped, Shape

_MODULES: Final = (data, compute, access, network, watching)

KINDS: Final[dict[str, Kind]] = {kind.name: kind for module in _MODULES for kind in module.KINDS}
"""By our name."""

BY_RESOURCE: Final[dict[str, Kind]] = {kind.resource: kind for kind in KINDS.values()}
"""By CloudFormation's name."""

MAPPED: Final[dict[str, Mapped]] = {mapped.type: mapped for module in _MODULES for mapped in module.MAPPED}
"""By Terraform's name."""


def properties(kind: str) -> frozenset[str]:
    """The properties of a kind that can be compared: those that Terraform's attributes, or AWS's defaults, are mapped to."""
    named = [
        target
        for mapped in MAPPED.values()
        for part in mapped.parts
        if part.kind == kind
        for target in _targets(part.shape)
    ]
    of = KINDS[kind]
    return of.templates_only.union(path.split(".")[0] for path in (*named, *of.defaults, *of.reads, *of.by_arn))


def _targets(shape: Shape) -> list[str]:
    return [
        path
        for target in shape.values()
        for path in (
            [target]
            if isinstance(target, str)
            else [target.property]
            if isinstance(target, As) or target.property
            else _targets(target.shape)
        )
    ]
