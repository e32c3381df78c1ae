"""What is granted and was never used: every line of it is to be explained where it is granted, or to be taken away."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from deployment.iam.documents import Arns, Place
from deployment.iam.policy import Granted
from deployment.roles import AccountRole, roles
from discord_agent.declaration import System
from discord_agent.domain.errors import InvalidSettings

type Used = Mapping[str, frozenset[Granted]]
"""Used grants by the role's name."""


@dataclass(frozen=True, slots=True)
class Line:
    """A grant and what became of it; ``unexercised`` says why it may stay unused here, "" for nothing."""

    role: str
    granted: Granted
    used: bool
    unexercised: str

    @property
    def wrong(self) -> str:
        """What is to be mended, "" for nothing."""
        if self.used or self.unexercised:
            return ""
        return "it is neither used nor explained: take it away, or say why it is not used here"

    @property
    def doubtful(self) -> bool:
        """Whether something used it though it is explained: no fault, since what depends on moments is used in some runs only."""
        return self.used and bool(self.unexercised)


def read(folder: Path) -> Used:
    """What the processes of all tests noted; InvalidSettings when there is nothing to read."""
    files = sorted(folder.glob("*.jsonl"))
    if not files:
        raise InvalidSettings(
            f"{folder} holds no notes of used grants: set DISCORD_AGENT_USED_GRANTS to it and run the tests first"
        )
    used: dict[str, set[Granted]] = {}
    for file in files:
        for line in file.read_text(encoding="utf-8").splitlines():
            role, action, resource = json.loads(line)
            used.setdefault(role.rpartition("/")[2], set()).add(Granted(action, resource))
    return {role: frozenset(grants) for role, grants in used.items()}


def compare(system: System, place: Place, used: Used) -> list[Line]:
    """Every grant of every role, in order; what other systems' roles used does not count."""
    arns = Arns(system, place)
    return [line for role in roles(system).values() for line in _lines(role, arns, used.get(role.name, frozenset()))]


def wrong(lines: Iterable[Line]) -> list[Line]:
    """The lines that are to be mended."""
    return [line for line in lines if line.wrong]


def table(lines: Iterable[Line]) -> Iterator[str]:
    """Granted minus used, as text: one line for each grant that nothing used, with the reason."""
    for line in lines:
        if not line.used:
            yield f"{line.role}  {line.granted.action}  {line.granted.resource}  {line.unexercised or '?'}"


def _lines(role: AccountRole, arns: Arns, used: frozenset[Granted]) -> Iterator[Line]:
    for grant in role.grants:
        for action in grant.actions:
            for ref in grant.resources:
                granted = Granted(action, arns.resource(ref))
                yield Line(role.name, granted, granted in used, grant.unexercised)
