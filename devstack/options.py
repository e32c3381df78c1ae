"""What a person can choose about the development stack."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
SAMPLE: Final = ROOT / "devstack" / "samples" / "auth-service"
DEMO_SCRIPT: Final = ROOT / "devstack" / "scripts" / "demo.yaml"
DEMO_TASK: Final = "refactor the authentication module to use JWT"


@dataclass(frozen=True, slots=True)
class ModelAccess:
    """How to reach real models; without a key the scripted model plays."""

    base_url: str = ""
    key: str = field(default="", repr=False)

    @property
    def is_real(self) -> bool:
        """Whether real models answer."""
        return bool(self.key)


@dataclass(frozen=True, slots=True)
class Options:
    """What to start and how.

    ``data`` None: nothing outlives the stack; port 0: any free port; ``discord_token``: the real Discord, whose
    commands are registered in ``discord_guild``, or everywhere.
    ``time_scale`` shortens the pauses of state machines; ``visibility`` (seconds) replaces that of all queues.
    ``against`` names the tool that deploys what runs, "" runs the declaration from the source tree.
    ``tool_secrets`` is the value of the secret of that name; the sandbox finds the programs in ``programs`` first.
    """

    data: Path | None = None
    repository: Path = SAMPLE
    script: Path = DEMO_SCRIPT
    port: int = 0
    model: ModelAccess = ModelAccess()
    discord_token: str = field(default="", repr=False)
    discord_guild: str = ""
    processes: bool = True
    time_scale: float = 1.0
    visibility: int | None = None
    debounce_seconds: float = 2.0
    parameters: tuple[tuple[str, str], ...] = ()
    tool_secrets: str = field(default="{}", repr=False)
    programs: Path | None = None
    against: str = ""
