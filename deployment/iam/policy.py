"""IAM policies, and what they say to one access: an explicit Deny wins, a session policy can only take away.

Read are Allow and Deny with Action, Resource and the conditions named here. Anything else in a document is an error
instead of a guess: a Deny that is not understood must not be taken for one that does not apply.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from discord_agent.domain.errors import AgentError

type Json = Mapping[str, Any]

_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
_KNOWN: Final = frozenset({"Sid", "Effect", "Action", "Resource", "Condition", "Principal"})
_IF_EXISTS: Final = "IfExists"


class UnreadablePolicy(AgentError):
    """A policy holds something that is not evaluated here."""


@dataclass(frozen=True, slots=True)
class Access:
    """An action on a resource's ARN (``*`` if it has none); ``context`` are condition keys in lower case."""

    action: str
    resource: str
    context: Mapping[str, str] = field(default=_NOTHING)


@dataclass(frozen=True, slots=True)
class Granted:
    """An action and a resource as a policy grants them, wildcards included."""

    action: str
    resource: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """``granted`` is all that allows the access: empty when it is denied; ``explicit`` when a Deny says so."""

    granted: tuple[Granted, ...] = ()
    explicit: bool = False

    @property
    def allowed(self) -> bool:
        """Whether the access may take place."""
        return bool(self.granted)


@dataclass(frozen=True, slots=True)
class _Condition:
    holds: Callable[[str | None, tuple[str, ...]], bool]
    key: str
    values: tuple[str, ...]

    def met(self, context: Mapping[str, str]) -> bool:
        return self.holds(context.get(self.key), self.values)


@dataclass(frozen=True, slots=True)
class _Rule:
    """One action on one resource, with the conditions of its statement."""

    granted: Granted
    action: re.Pattern[str]
    resource: re.Pattern[str]
    denies: bool
    conditions: tuple[_Condition, ...]

    def applies(self, access: Access) -> bool:
        return self.resource.fullmatch(access.resource) is not None and all(
            condition.met(access.context) for condition in self.conditions
        )


class Policy:
    """The statements of one or several documents, ready to be asked."""

    def __init__(self, documents: Iterable[Json]) -> None:
        self._rules = [rule for document in documents for rule in _rules(document)]
        self._by_action: dict[str, list[_Rule]] = {}

    @property
    def grants(self) -> frozenset[Granted]:
        """Everything it allows, as written."""
        return frozenset(rule.granted for rule in self._rules if not rule.denies)

    def judge(self, access: Access) -> Verdict:
        """What it says to an access by itself."""
        rules = self._by_action.get(access.action)
        if rules is None:
            rules = [rule for rule in self._rules if rule.action.fullmatch(access.action)]
            self._by_action[access.action] = rules
        applying = [rule for rule in rules if rule.applies(access)]
        if any(rule.denies for rule in applying):
            return Verdict(explicit=True)
        return Verdict(tuple(rule.granted for rule in applying))


def judge(policy: Policy, session: Policy | None, access: Access) -> Verdict:
    """What a role's policy says, and the session policy under which it was assumed allows too."""
    verdict = policy.judge(access)
    if session is None or verdict.explicit:
        return verdict
    narrowed = session.judge(access)
    return verdict if narrowed.allowed else narrowed


def principals(trust: Json) -> tuple[str, ...]:
    """The ARNs of those whom a trust policy lets assume its role; services are left out, for they do not call STS."""
    named: list[str] = []
    for statement in _statements(trust):
        principal = statement["Principal"]
        if principal.keys() == {"Service"}:
            continue
        if statement["Effect"] != "Allow" or statement.get("Condition") or principal.keys() != {"AWS"}:
            raise UnreadablePolicy(f"a trust policy that is more than a list of principals is not read here: {trust}")
        named += _texts(principal["AWS"])
    return tuple(named)


@cache
def pattern(text: str, *, any_case: bool = False) -> re.Pattern[str]:
    """What ``*`` (any text) and ``?`` (one character) stand for."""
    if "${" in text:
        raise UnreadablePolicy(f"policy variables are not evaluated here: {text}")
    wild = {"*": ".*", "?": "."}
    return re.compile(
        "".join(wild.get(letter) or re.escape(letter) for letter in text),
        re.DOTALL | (re.IGNORECASE if any_case else 0),
    )


def _rules(document: Json) -> Iterable[_Rule]:
    for statement in _statements(document):
        denies, conditions = statement["Effect"] == "Deny", _conditions(statement.get("Condition", {}))
        for action in _texts(statement["Action"]):
            for resource in _texts(statement["Resource"]):
                yield _Rule(
                    Granted(action, resource), pattern(action, any_case=True), pattern(resource), denies, conditions
                )


def _statements(document: Json) -> Iterable[Json]:
    found = document.get("Statement", ())
    for statement in (found,) if isinstance(found, Mapping) else found:
        unknown = statement.keys() - _KNOWN
        if unknown or statement.get("Effect") not in {"Allow", "Deny"}:
            raise UnreadablePolicy(f"this statement of a policy is not evaluated here: {dict(statement)}")
        yield statement


def _conditions(condition: Json) -> tuple[_Condition, ...]:
    return tuple(
        _Condition(_operator(operator), key.lower(), _texts(values))
        for operator, keys in condition.items()
        for key, values in keys.items()
    )


def _operator(name: str) -> Callable[[str | None, tuple[str, ...]], bool]:
    if name == "Null":
        return lambda value, wanted: (value is None) == (wanted[0].lower() == "true")
    base = name.removesuffix(_IF_EXISTS)
    if base not in _OPERATORS:
        raise UnreadablePolicy(f"the condition operator {name} is not evaluated here")
    compare, negated = _OPERATORS[base]
    # An absent key never equals anything: it fails what asks for a value and meets what excludes one.
    when_absent = negated or base != name

    def holds(value: str | None, wanted: tuple[str, ...]) -> bool:
        if value is None:
            return when_absent
        return any(compare(value, each) for each in wanted) != negated

    return holds


_OPERATORS: Final[Mapping[str, tuple[Callable[[str, str], bool], bool]]] = {
    "StringEquals": (lambda value, wanted: value == wanted, False),
    "StringNotEquals": (lambda value, wanted: value == wanted, True),
    "StringLike": (lambda value, wanted: pattern(wanted).fullmatch(value) is not None, False),
    "StringNotLike": (lambda value, wanted: pattern(wanted).fullmatch(value) is not None, True),
    "Bool": (lambda value, wanted: value.lower() == wanted.lower(), False),
}
"""How a value is compared, and whether the condition excludes what compares as equal."""


def _texts(value: object) -> tuple[str, ...]:
    return (str(value),) if not isinstance(value, list | tuple) else tuple(map(str, value))
