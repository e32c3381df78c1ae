"""EC2: rules of security groups for every protocol have no ports, whichever a request names for them."""

from collections.abc import Mapping
from typing import Any, Final

from ministack.services import ec2

_PORTS: Final = frozenset({"FromPort", "ToPort"})
_EVERY_PROTOCOL: Final = "-1"
_rules_match = ec2._rules_match  # noqa: SLF001 (no public way)


def mend() -> None:
    """Find the rule that allows everything when it is to be revoked."""
    ec2._rules_match = _match  # noqa: SLF001 (no public way)


def _match(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return bool(_rules_match(_without_ports(one), _without_ports(other)))


def _without_ports(rule: Mapping[str, Any]) -> dict[str, Any]:
    ignored = _PORTS if rule.get("IpProtocol") == _EVERY_PROTOCOL else frozenset[str]()
    return {key: value for key, value in rule.items() if key not in ignored}
