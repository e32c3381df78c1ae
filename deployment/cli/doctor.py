"""The command ``doctor``: says what is wrong, here and in the account, and how to mend it."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from deployment.cli.checks import Check, Finding, Level, examine, fail, holds
from deployment.cli.deployed import Deployed
from deployment.cli.ready import Ready

_MARKS: Final = {Level.OK: "ok", Level.WARN: "warn", Level.FAIL: "FAIL", Level.UNKNOWN: "????"}
_WIDTH: Final = 18


@dataclass(frozen=True, slots=True)
class Section:
    """Findings about one thing, under its title."""

    title: str
    findings: Sequence[Finding]


def sections(machine: Sequence[Check], system: Callable[[], tuple[Ready, Deployed]] | None) -> list[Section]:
    """Look at the machine, and at the account that ``system`` reaches, None: only at the machine."""
    found = [Section("This machine", examine(machine))]
    return found if system is None else [*found, *_of(system)]


def _of(system: Callable[[], tuple[Ready, Deployed]]) -> list[Section]:
    reached: list[tuple[Ready, Deployed]] = []

    def reach() -> Iterable[Finding]:
        reached.append(system())
        yield Finding("account", Level.OK, str(reached[0][0].account))

    account = examine([Check("account", reach)])
    if not reached:
        unseen = Finding(
            "system", Level.UNKNOWN, "not looked at, since the account cannot be reached", "mend that first"
        )
        return [Section("Account", account), Section("Deployed system", [unseen])]
    ready, deployed = reached[0]
    return [
        Section("Account", [*account, *examine(ready.checks())]),
        Section("Deployed system", _deployed(deployed)),
    ]


def _deployed(deployed: Deployed) -> list[Finding]:
    there: list[bool] = []

    def look() -> Iterable[Finding]:
        there.append(deployed.is_there())
        if not there[0]:
            yield fail("system", f"nothing is deployed in {deployed.account}", "run `discord-agent deploy`")

    found = examine([Check("system", look)])
    return examine(deployed.checks()) if there == [True] else found


def as_json(found: Sequence[Section]) -> str:
    """One object: whether all is well, and every finding."""
    findings: list[Mapping[str, Any]] = [
        {"about": section.title, **asdict(finding)} for section in found for finding in section.findings
    ]
    return json.dumps({"holds": is_well(found), "findings": findings}, indent=2)


def as_text(found: Sequence[Section]) -> str:
    """For people: what is not well comes with its remedy."""
    lines = []
    for section in found:
        lines += ["", section.title]
        for finding in section.findings:
            lines += _lines(finding)
    return "\n".join([*lines, "", _verdict(found)])


def is_well(found: Sequence[Section]) -> bool:
    """Whether nothing fails, and everything could be looked at."""
    return all(holds(section.findings) for section in found)


def _lines(finding: Finding) -> list[str]:
    line = f"  {_MARKS[finding.level]:5} {finding.name:{_WIDTH}} {finding.what}"
    remedy = f"  {'':5} {'':{_WIDTH}} → {finding.remedy}"
    return [line, remedy] if finding.remedy and finding.level is not Level.OK else [line]


def _verdict(found: Sequence[Section]) -> str:
    levels = [finding.level for section in found for finding in section.findings]
    bad = sum(level in {Level.FAIL, Level.UNKNOWN} for level in levels)
    warnings = levels.count(Level.WARN)
    if bad:
        return f"{bad} of {len(levels)} checks fail; mend the first one first, others may follow from it."
    return "All is well." if not warnings else f"It works; {warnings} of {len(levels)} checks warn."
