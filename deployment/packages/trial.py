"""Packages laid out as Lambda lays them out, to try them on this machine: nothing else of it can be imported then."""

import shutil
import sysconfig
import zipfile
from importlib.metadata import distribution
from pathlib import Path
from typing import Final

from deployment.packages.build import Packages
from deployment.packages.contents import RUNTIME
from discord_agent.declaration import LAYERS, System

_STARTER: Final = ("snapshot-restore-py",)
"""What the runtime brings beside the SDK and our code asks for."""


class Trial:
    """Functions of ``packages`` under ``folder``, beside what the Lambda runtime brings, copied from this environment."""

    def __init__(self, system: System, packages: Packages, folder: Path) -> None:
        self._system = system
        self._packages = packages
        self._folder = folder
        self.runtime = folder / "runtime"
        for name in (*RUNTIME.what, *_STARTER):
            _copy_distribution(name, self.runtime)

    def path(self, function: str) -> list[str]:
        """Where the function's modules are found, in Lambda's order but for Python's own."""
        task = self._unpacked(self._packages.function(function), self._folder / "task" / function)
        layers = LAYERS[self._system.functions[function].package]
        # One folder per layer here, one for all there: no two layers bring the same file.
        folders = [self._unpacked(self._packages.layer(layer), self._folder / "opt" / layer) for layer in layers]
        return [str(task), *(str(folder / "python") for folder in folders), str(self.runtime)]

    def size(self, function: str) -> int:
        """Bytes of the function with its layers, unpacked."""
        layers = LAYERS[self._system.functions[function].package]
        names = (f"functions/{function}", *(f"layers/{layer}" for layer in layers))
        return sum(self._packages.unpacked[name] for name in names)

    def _unpacked(self, archive: Path, folder: Path) -> Path:
        if not folder.exists():
            with zipfile.ZipFile(archive) as packed:
                packed.extractall(folder)
        return folder


def _copy_distribution(name: str, target: Path) -> None:
    """The files of a distribution that lie in site-packages, bytecode included."""
    root = Path(sysconfig.get_path("purelib"))
    for file in distribution(name).files or ():
        source = Path(str(file.locate()))
        compiled = [*source.parent.glob(f"__pycache__/{source.stem}.*.pyc")] if source.suffix == ".py" else []
        for each in (source, *compiled):
            if each.is_file() and each.is_relative_to(root):
                copy = target / each.relative_to(root)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(each, copy)
