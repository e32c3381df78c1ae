"""Nothing that scanners find is left without a reason, and no reason is left without a finding.

The synthesis itself fails when cdk-nag finds something.
"""

import subprocess
from pathlib import Path

import pytest

from deployment import scans
from deployment.cdk import ROOT
from tests.infrastructure.cdk.templates import Templates


def test_cfn_lint_has_nothing_against_the_templates(default: Templates) -> None:
    assert scans.lint(default.folder) == ""


def test_checkov_finds_what_is_meant_and_nothing_else(default: Templates) -> None:
    assert scans.checkov(default.folder, "cloudformation").keys() == scans.MEANT.keys()


UNEXPLAINED = """
import aws_cdk
from aws_cdk import aws_sqs
from cdk.app import watch
app = aws_cdk.App()
watch(app)
aws_sqs.CfnQueue(aws_cdk.Stack(app, "stack"), "Queue")
app.synth()
"""


def test_what_cdk_nag_finds_and_nobody_explained_stops_the_synthesis(tmp_path: Path) -> None:
    tools = ROOT / ".cdk" / "bin"
    if not tools.is_dir():
        pytest.skip("cdk: not installed in this folder; run `make cdk-setup`")
    variables = {"PATH": str(tools), "CDK_OUTDIR": str(tmp_path)}
    done = subprocess.run(
        [tools / "python", "-c", UNEXPLAINED], env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    report = (tmp_path / "validation-report.json").read_text(encoding="utf-8")
    assert "AwsSolutions-SQS3" in report
    assert "Serverless-SQSRedrivePolicy" in report
