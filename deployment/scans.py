"""What scanners of templates find and what is meant so, with reasons; every other finding is a fault.

cdk-nag has its reasons beside the constructs, in ``cdk/``.
"""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from deployment.cdk import ROOT, CdkMissing

_WITH_A_KEY: Final = "encrypted with a key of AWS's; whoever wants a key of their own sets customer_managed_key"

MEANT: Final[Mapping[str, str]] = {
    "CKV_AWS_18": "the functions alone use the bucket, and leave an audit trail; a log of accesses needs a second bucket",
    "CKV_AWS_26": f"alarms hold names and figures; {_WITH_A_KEY}",
    "CKV_AWS_27": f"SQS encrypts with its own key, which checkov does not see; {_WITH_A_KEY}",
    "CKV_AWS_65": "the bridge says itself whether it hears, in a metric with an alarm; insights cost more than the bridge",
    "CKV_AWS_115": "only what strangers can call has its concurrency reserved; the rest would take it from each other",
    "CKV_AWS_116": "called by a state machine, a queue or the API, which wait for it and keep what failed",
    "CKV_AWS_117": "functions speak to Discord and models on the internet; from within a VPC that takes a NAT gateway",
    "CKV_AWS_119": _WITH_A_KEY,
    "CKV_AWS_158": _WITH_A_KEY,
    "CKV_AWS_173": f"the variables are names, addresses and public ids, never secrets; {_WITH_A_KEY}",
}
"""Checks of checkov that fail on purpose."""

KEY_ONLY: Final = frozenset(check for check, reason in MEANT.items() if _WITH_A_KEY in reason)
"""Those of them that pass with a key of one's own."""


def lint(folder: Path) -> str:
    """What cfn-lint has against the templates in a folder, "" for nothing."""
    templates = sorted(map(str, folder.glob("*.template.json")))
    return _run("cfn-lint", *templates)


def checkov(folder: Path, framework: str) -> dict[str, list[str]]:
    """The resources that fail each check of checkov; ``framework`` is ``cloudformation`` or ``terraform``."""
    said = _run(
        "checkov",
        *("--skip-download", "--quiet", "--compact", "--output", "json"),
        *("--framework", framework, "--directory", str(folder)),
    )
    reports: Any = json.loads(said)
    failed: dict[str, list[str]] = {}
    for report in reports if isinstance(reports, list) else [reports]:
        for found in report["results"]["failed_checks"]:
            failed.setdefault(found["check_id"], []).append(found["resource"])
    return failed


def _run(program: str, *arguments: str) -> str:
    path = ROOT / ".cdk" / "bin" / program
    if not path.exists():
        raise CdkMissing(f"{program}: not installed in this folder; run `make cdk-setup`")
    return subprocess.run([str(path), *arguments], capture_output=True, text=True, check=False).stdout
