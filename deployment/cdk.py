"""Runs the CDK on ``cdk/``: finds its programs, synthesises, deploys, destroys.

Used by whoever deploys, and by everything that tries a deployment against an emulator.
"""

import json
import re
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from deployment.programs import Listen, play, unheard
from deployment.settings import FILE
from discord_agent.declaration import PREFIX
from discord_agent.domain.errors import AgentError, InvalidSettings

type Json = dict[str, Any]

ROOT: Final = Path(__file__).resolve().parent.parent
FOLDER: Final = ROOT / "cdk"
DATA: Final = f"{PREFIX}-data"
_COMMAND: Final = FOLDER / "node_modules" / "aws-cdk" / "bin" / "cdk"
_AT_ONCE: Final = 3
_LINES: Final = 20

_REMEDIES: Final = {
    r"BucketAlreadyExists|bucket name is not available": "choose another name: artifact_bucket in settings.json",
    r"Call DescribeEvents": (
        "most often something of the same name is there already: the stack's events in the console say what; for the bucket"
        " choose another name, artifact_bucket in settings.json"
    ),
    r"already exists": (
        "something else made it, or an earlier deployment left it: remove or rename it, or, if it is the data of this"
        " system, deploy once with --import-existing-resources"
    ),
    r"Unable to resolve AWS account|ExpiredToken|InvalidClientTokenId|Could not load credentials": (
        "AWS does not know the credentials: sign in, or choose a profile with AWS_PROFILE"
    ),
    r"(?i)docker": (
        "images are built with Docker: start it, or name images with sandbox_image and bridge_image in settings.json"
    ),
}
"""What the CDK or AWS says, and what to do."""
_NOT_BOOTSTRAPPED: Final = re.compile(r"cdk bootstrap|/cdk-bootstrap/")


class CdkMissing(InvalidSettings):
    """The CDK is not installed here."""


class CdkFailed(AgentError):
    """The CDK said no; the message is what it said, and what to do where that is known."""


class NotBootstrapped(InvalidSettings):
    """Nobody has prepared this account and region for the CDK."""


@dataclass(frozen=True, slots=True)
class Cdk:
    """The CDK with an environment to run in, for the settings in a file.

    What it synthesises lies in ``output``. ``account`` and ``region``, if given, are the only ones that it deploys to.
    ``listen`` hears what it says meanwhile.
    """

    environment: Mapping[str, str] = field(repr=False)
    settings: Path
    output: Path
    account: str = ""
    region: str = ""
    listen: Listen = unheard

    def synth(self, *, keep_data: bool = True) -> Path:
        """Build what is deployed, and check it; the folder with a template for each stack."""
        self._run("synth", "--quiet", "--output", str(self.output), *self._context(keep_data=keep_data))
        return self.output

    def bootstrap(self) -> None:
        """Prepare the account and region: a bucket, a registry and roles that the CDK deploys with."""
        self._run("bootstrap", *self._synthesised())

    def deploy(self) -> dict[str, str]:
        """Make everything as it is declared; the outputs by name. What is unchanged is left alone."""
        self.synth()
        return self.deploy_synthesised()

    def deploy_synthesised(self, stacks: Iterable[str] = ()) -> dict[str, str]:
        """Deploy what lies in ``output`` already: everything, or some stacks and what they need."""
        with tempfile.TemporaryDirectory() as folder:
            outputs = Path(folder) / "outputs.json"
            self._run(
                "deploy",
                *self._synthesised(),
                *("--require-approval", "never", "--concurrency", str(_AT_ONCE)),
                *("--outputs-file", str(outputs)),
                *(list(stacks) or ["--all"]),
            )
            found = json.loads(outputs.read_text(encoding="utf-8")) if outputs.exists() else {}
        return {name: value for stack in found.values() for name, value in stack.items()}

    def differences(self) -> str:
        """What a deployment would change, "" for nothing."""
        self.synth()
        said = self._run("diff", *self._synthesised(), "--method=change-set")
        return "" if "Number of stacks with differences: 0" in said else said

    def destroy(self, *, keep_data: bool) -> None:
        """Take everything down, or everything but the stack with tables, queues and bucket.

        Without ``keep_data`` the bucket must be empty: S3 deletes no other.
        """
        self.synth(keep_data=keep_data)
        stacks = [stack for stack in self.stacks() if stack != DATA]
        if not keep_data:
            # Until then tables and bucket are protected from this very thing.
            self.deploy_synthesised([DATA])
            stacks.append(DATA)
        self._run("destroy", *self._synthesised(), "--force", *stacks)

    def stacks(self) -> list[str]:
        """The names of the stacks that were synthesised."""
        return sorted(path.name.removesuffix(".template.json") for path in self.output.glob("*.template.json"))

    def template(self, stack: str) -> Json:
        """The template of a stack that was synthesised."""
        template: Json = json.loads((self.output / f"{stack}.template.json").read_text(encoding="utf-8"))
        return template

    def start_deploy(self) -> subprocess.Popen[str]:
        """A deployment of what lies in ``output``, which the caller watches and may interrupt."""
        return subprocess.Popen(
            self._command("deploy", *self._synthesised(), "--require-approval", "never", "--all"),
            cwd=FOLDER,
            env=dict(self.environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def _context(self, *, keep_data: bool) -> list[str]:
        values = {
            "settings": str(self.settings),
            "keep_data": "true" if keep_data else "false",
            "account": self.account,
            "region": self.region,
        }
        return [argument for key, value in values.items() if value for argument in ("--context", f"{key}={value}")]

    def _synthesised(self) -> list[str]:
        return ["--app", str(self.output)]

    def _command(self, *arguments: str) -> list[str]:
        return [str(_tools() / "node"), str(_COMMAND), *arguments, "--no-color", "--no-notices", "--ci"]

    def _run(self, *arguments: str) -> str:
        ended = play(self._command(*arguments), self.environment, folder=FOLDER, listen=self.listen)
        if ended.status:
            raise _failure(arguments[0], ended.said)
        return ended.said


def find(
    variables: Mapping[str, str],
    *,
    settings: Path = FILE,
    output: Path = FOLDER / "cdk.out",
    account: str = "",
    region: str = "",
    listen: Listen = unheard,
) -> Cdk:
    """The CDK of this folder; CdkMissing when it is not there. ``variables`` are those of the environment."""
    if not ((_tools() / "node").exists() and _COMMAND.exists()):
        raise CdkMissing("cdk: not installed in this folder; run `make cdk-setup`")
    environment = {
        **variables,
        "PATH": f"{_tools()}:{variables.get('PATH', '')}",
        "CDK_DISABLE_CLI_TELEMETRY": "true",
    }
    return Cdk(environment, settings, output, account, region, listen)


def against(endpoint: str, credentials: Mapping[str, str]) -> dict[str, str]:
    """The environment that points the CDK at an emulator."""
    return {**credentials, "AWS_ENDPOINT_URL": endpoint, "AWS_EC2_METADATA_DISABLED": "true"}


def _tools() -> Path:
    return ROOT / ".cdk" / "bin"


def _failure(command: str, said: str) -> AgentError:
    if _NOT_BOOTSTRAPPED.search(said):
        return NotBootstrapped(
            "this account and region are not prepared for the CDK: run `npx cdk bootstrap` in cdk/ once,"
            " which makes a bucket, a registry and the roles that it deploys with"
        )
    remedies = [remedy for pattern, remedy in _REMEDIES.items() if re.search(pattern, said)]
    advice = f"\nWhat to do: {remedies[0]}." if remedies else ""
    return CdkFailed(f"cdk {command} failed:\n{_told(said)}{advice}")


def _told(said: str) -> str:
    """The lines that say what is wrong, each with the one below it, or the last ones where none does."""
    lines = [line.rstrip() for line in said.splitlines() if line.strip()]
    marked = [at for at, line in enumerate(lines) if re.search(r"(?i)❌|error|failed|must be|exists", line)]
    chosen = [line for at in marked for line in lines[at : at + 2]] or lines
    return "\n".join(list(dict.fromkeys(chosen))[-_LINES:])
