"""Runs Terraform on ``terraform/``: finds the program and the provider, applies, reads the state, destroys.

Used by whoever deploys, and by everything that tries a deployment against an emulator.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from deployment.programs import Listen, play, unheard
from discord_agent.domain.errors import AgentError, InvalidSettings

type Json = dict[str, Any]

ROOT: Final = Path(__file__).resolve().parent.parent
FOLDER: Final = ROOT / "terraform"
_PROVIDER: Final = Path("registry.terraform.io/hashicorp/aws")
_DEEPEST_PLUGINS: Final = 3
_DATA: Final = re.compile(
    r"^(aws_dynamodb_table\.|aws_sqs_queue(_\w+)?\.|aws_kms_\w+\.|aws_s3_bucket(_\w+)?\.artifacts)"
)
_CHANGES: Final = 2


class TerraformMissing(InvalidSettings):
    """The program or the provider is not on this machine."""


class TerraformFailed(AgentError):
    """Terraform said no; the message is what it said."""


@dataclass(frozen=True, slots=True)
class Terraform:
    """Terraform with an environment to run in.

    ``plugins`` is the folder the provider is taken from, None: as the configuration file says, or downloaded. With ``work``
    its state and data lie there and not in ``terraform/``, so that trials do not touch a deployment. ``listen`` hears what it
    says while it changes something.
    """

    program: str
    plugins: Path | None
    environment: Mapping[str, str] = field(repr=False)
    work: Path | None = None
    listen: Listen = unheard

    def init(self) -> None:
        """Install what it needs; TerraformMissing when there is no provider to install."""
        source = [f"-plugin-dir={self.plugins}"] if self.plugins else []
        try:
            self._run("init", "-input=false", "-no-color", *source)
        except TerraformFailed as error:
            if "provider" in str(error):
                raise TerraformMissing(f"terraform: no provider ({_first_line(str(error))})") from error
            raise

    def validate(self) -> None:
        """Check everything that can be checked without an account."""
        self._run("validate", "-no-color")

    def test(self) -> str:
        """Run the tests with a mocked provider; what they said."""
        return self._run("test", "-no-color").stdout

    def plan(self, variables: Mapping[str, object]) -> str:
        """What an apply would change, "" for nothing."""
        done = self._run(
            "plan",
            "-input=false",
            "-no-color",
            "-detailed-exitcode",
            *self._state(),
            *_given(variables),
            good=(0, _CHANGES),
        )
        return done.stdout if done.returncode == _CHANGES else ""

    def apply(self, variables: Mapping[str, object], *, targets: Iterable[str] = ()) -> None:
        """Make everything, or the targets and what they need; what is there is changed to what is declared."""
        self._change(
            "apply",
            "-input=false",
            "-no-color",
            "-auto-approve",
            *_FAST,
            *self._state(),
            *_given(variables),
            *_at(targets),
        )

    def destroy(self, variables: Mapping[str, object], *, keep_data: bool) -> None:
        """Take everything down, or everything but tables, queues and bucket, which stay in the state for the next apply."""
        if keep_data:
            targets = [address for address in self.addresses() if not holds_data(address)]
            if targets:
                self._destroy(variables, targets)
            return
        released = {**variables, "keep_data": False}
        self.apply(released, targets=[address for address in self.addresses() if holds_data(address)])
        self._destroy(released, ())

    def addresses(self) -> list[str]:
        """Every resource in the state."""
        return sorted(_addresses(self.state()))

    def state(self) -> Json:
        """The state with all values, as ``terraform show -json`` tells it."""
        where = [str(self._state_file())] if self.work and self._state_file().exists() else []
        if self.work and not where:
            return {}
        state: Json = json.loads(self._run("show", "-json", *where).stdout)
        return state

    def outputs(self) -> dict[str, Any]:
        """The outputs by name."""
        outputs = json.loads(self._run("output", "-json", *self._state()).stdout)
        return {name: output["value"] for name, output in outputs.items()}

    def start_apply(self, variables: Mapping[str, object]) -> subprocess.Popen[str]:
        """An apply that the caller watches, and may interrupt."""
        arguments = ["apply", "-input=false", "-no-color", "-auto-approve", *_FAST, *self._state(), *_given(variables)]
        return subprocess.Popen(
            self._command(*arguments),
            env=self._variables(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def _destroy(self, variables: Mapping[str, object], targets: Iterable[str]) -> None:
        self._change(
            "destroy",
            "-input=false",
            "-no-color",
            "-auto-approve",
            *_FAST,
            *self._state(),
            *_given(variables),
            *_at(targets),
        )

    def _state(self) -> list[str]:
        return [f"-state={self._state_file()}"] if self.work else []

    def _state_file(self) -> Path:
        return (self.work or FOLDER) / "terraform.tfstate"

    def _command(self, *arguments: str) -> list[str]:
        return [self.program, f"-chdir={FOLDER}", *arguments]

    def _variables(self) -> dict[str, str]:
        return {**self.environment, **({"TF_DATA_DIR": str(self.work / "data")} if self.work else {})}

    def _change(self, *arguments: str) -> None:
        self._make_work()
        ended = play(self._command(*arguments), self._variables(), folder=FOLDER, listen=self.listen)
        if ended.status:
            # Above its errors it tells every step that went well.
            _, found, errors = ended.said.partition("Error:")
            raise TerraformFailed(f"terraform {arguments[0]} failed:\n{found}{errors or ended.said}".rstrip())

    def _make_work(self) -> None:
        if self.work:
            self.work.mkdir(parents=True, exist_ok=True)

    def _run(self, *arguments: str, good: Sequence[int] = (0,)) -> subprocess.CompletedProcess[str]:
        self._make_work()
        done = subprocess.run(
            self._command(*arguments), env=self._variables(), capture_output=True, text=True, check=False
        )
        if done.returncode not in good:
            raise TerraformFailed(f"terraform {arguments[0]} failed:\n{done.stderr.strip() or done.stdout.strip()}")
        return done


_FAST: Final = ("-parallelism=30",)
"""Most of the time goes into waiting for AWS to say that something is there."""


def find(variables: Mapping[str, str], *, work: Path | None = None, listen: Listen = unheard) -> Terraform:
    """Terraform on this machine; TerraformMissing when it is not there. ``variables`` are those of the environment."""
    program = shutil.which("terraform", path=variables.get("PATH"))
    if program is None:
        raise TerraformMissing("terraform: not on the PATH; install version 1.11 or newer")
    configured = variables.get("TF_CLI_CONFIG_FILE", "")
    if configured and Path(configured).is_file():
        return Terraform(program, None, dict(variables), work, listen)
    # A variable that names a missing file makes every command fail.
    environment = {**variables, "TF_CLI_CONFIG_FILE": "/dev/null"} if configured else dict(variables)
    return Terraform(program, next(_plugins(Path("/")), None), environment, work, listen)


def against(endpoint: str, credentials: Mapping[str, str]) -> dict[str, str]:
    """The environment that points Terraform at an emulator."""
    return {**credentials, "AWS_ENDPOINT_URL": endpoint, "AWS_EC2_METADATA_DISABLED": "true"}


def holds_data(address: str) -> bool:
    """Whether it is a table, a queue or the bucket, with what belongs to them."""
    return bool(_DATA.match(address))


def _plugins(root: Path) -> Iterator[Path]:
    """Folders in the places for plugins that hold the provider, the shallowest first."""
    for depth in range(_DEEPEST_PLUGINS + 1):
        for found in root.glob("/".join(["*"] * depth + [str(_PROVIDER)])):
            if ".terraform" not in found.parts:
                yield found.parents[len(_PROVIDER.parts) - 1]


def _given(variables: Mapping[str, object]) -> list[str]:
    return [
        f"-var={name}={json.dumps(value) if isinstance(value, bool) else value}" for name, value in variables.items()
    ]


def _at(targets: Iterable[str]) -> list[str]:
    return [f"-target={target}" for target in targets]


def _addresses(state: Json) -> Iterator[str]:
    def within(module: Json) -> Iterator[str]:
        yield from (each["address"] for each in module.get("resources", ()) if each["mode"] == "managed")
        for child in module.get("child_modules", ()):
            yield from within(child)

    yield from within(state.get("values", {}).get("root_module", {}))


def _first_line(text: str) -> str:
    return next((line.strip("│ ") for line in text.splitlines() if "Error" in line), text[:200])
