"""Builds what a deployment uploads: layers, functions, and the folders that images are built from.

The same sources give the same bytes. What is there already and was made from the same sources is left as it is.
"""

import fcntl
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from deployment.packages import requirements
from deployment.packages.archive import files, write_archive
from deployment.packages.bytecode import compile_folder
from deployment.packages.contents import LIBRARIES, Left, Libraries
from deployment.packages.images import write_contexts
from deployment.packages.requirements import Pin
from discord_agent.declaration import Package, System
from discord_agent.domain.errors import InvalidSettings

PLATFORMS: Final = {"arm64": "aarch64-manylinux_2_34", "x86_64": "x86_64-manylinux_2_34"}
"""Lambda's architectures as uv names them; the runtime is Amazon Linux 2023, with glibc 2.34."""

_OPT: Final = "/opt"
_TASK: Final = "/var/task"
_FORMAT: Final = "2"
"""Counted up when the same sources are to give other bytes than before."""


@dataclass(frozen=True, slots=True)
class Packages:
    """Where everything lies, and how many bytes each archive takes unpacked."""

    folder: Path
    unpacked: Mapping[str, int]

    def layer(self, name: str) -> Path:
        """The archive of a layer."""
        return self.folder / "layers" / f"{name}.zip"

    def function(self, name: str) -> Path:
        """The archive of a function."""
        return self.folder / "functions" / f"{name}.zip"

    def image(self, name: str) -> Path:
        """The folder that an image is built from."""
        return self.folder / "images" / name


def build(system: System, root: Path, architecture: str) -> Packages:
    """Build everything for an architecture under ``.build``, one process at a time; InvalidSettings says what is missing."""
    if architecture not in PLATFORMS:
        raise InvalidSettings(f"no architecture {architecture!r}: choose {' or '.join(PLATFORMS)}")
    with _alone(root / ".build" / architecture):
        return _Build(system, root, architecture).run()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class _Build:
    def __init__(self, system: System, root: Path, architecture: str) -> None:
        self._system = system
        self._root = root
        self._platform = PLATFORMS[architecture]
        self._folder = root / ".build" / architecture
        self._sizes: dict[str, int] = {}

    def run(self) -> Packages:
        record = self._folder / "unpacked.json"
        self._sizes = _read(record)
        for name, libraries in LIBRARIES.items():
            self._libraries(name, libraries)
        self._core()
        for function in self._system.functions.values():
            if function.package is not Package.SANDBOX:
                self._function(function.name)
        write_contexts(self._root, self._folder / "images")
        record.write_text(json.dumps(self._sizes, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        return Packages(self._folder, self._sizes)

    def _libraries(self, name: str, libraries: Libraries) -> None:
        pins = self._pins(libraries)
        lines = "".join(pin.lines for pin in pins.values())
        code = sorted((self._root / "deployment" / "packages").glob("*.py"))
        with self._archive(f"layers/{name}", [lines, self._platform], code) as folder:
            if folder is not None:
                self._install(lines, folder / "python")
                _leave_out(folder / "python", libraries.files_left)
                for path in _meant(folder / "python", libraries.files_emptied):
                    path.write_text("{}", encoding="utf-8")
                _refuse_start_up_code(folder / "python")
                compile_folder(folder / "python", f"{_OPT}/python")

    def _pins(self, libraries: Libraries) -> Mapping[str, Pin]:
        left = [name for each in libraries.distributions_left for name in each.what]
        pins = requirements.without(self._read(libraries.requirements), left)
        for layer in libraries.beneath:
            pins = requirements.beyond(pins, self._pins(LIBRARIES[layer]))
        return pins

    def _read(self, name: str) -> Mapping[str, Pin]:
        return requirements.read_pins(self._root / "requirements" / f"{name}.txt")

    def _core(self) -> None:
        package = self._root / "layers" / "core" / "python" / "discord_agent"
        prompts = self._root / "prompts"
        with self._archive("layers/core", [], [*_sources(package), *_sources(prompts)]) as folder:
            if folder is not None:
                _copy(package, folder / "python" / "discord_agent")
                _copy(prompts, folder / "prompts")
                _as_json(folder / "prompts" / "models.yaml")
                compile_folder(folder / "python", f"{_OPT}/python")

    def _function(self, name: str) -> None:
        source = self._root / "functions" / name
        with self._archive(f"functions/{name}", [], _sources(source)) as folder:
            if folder is not None:
                _copy(source, folder)
                compile_folder(folder, _TASK)

    def _archive(self, name: str, words: Iterable[str], sources: Iterable[Path]) -> "_Archive":
        return _Archive(
            self._root, self._folder / f"{name}.zip", _digest(self._root, words, sources), self._sizes, name
        )

    def _install(self, lines: str, target: Path) -> None:
        with tempfile.TemporaryDirectory() as folder:
            wanted = Path(folder) / "requirements.txt"
            wanted.write_text(lines, encoding="utf-8")
            command = [
                *(
                    str(self._uv()),
                    "pip",
                    "install",
                    "--quiet",
                    "--no-deps",
                    "--require-hashes",
                    "--no-installer-metadata",
                ),
                *("--target", str(target), "--link-mode", "copy", "--only-binary", ":all:"),
                *("--python-platform", self._platform, "--python-version", "3.13", "--requirements", str(wanted)),
            ]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise InvalidSettings(
                f"the libraries cannot be fetched for {self._platform}; uv says:\n{done.stderr.strip()}"
            )

    def _uv(self) -> Path:
        beside = self._root / ".tools" / "bin" / "uv"
        found = shutil.which("uv")
        if beside.is_file():
            return beside
        if found is None:
            raise InvalidSettings("packages are made with uv, which is not here: run `make setup`")
        return Path(found)


class _Archive:
    """A folder to fill and pack, or None where the archive was made from the same sources before."""

    def __init__(self, root: Path, archive: Path, digest: str, sizes: dict[str, int], name: str) -> None:
        self._archive = archive
        self._stamp = archive.with_suffix(".digest")
        self._digest = digest
        self._sizes = sizes
        self._name = name
        self._work = root / ".build"
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> Path | None:
        known = self._stamp.read_text(encoding="utf-8") if self._stamp.is_file() else ""
        if self._archive.is_file() and known == self._digest and self._name in self._sizes:
            return None
        self._work.mkdir(exist_ok=True)
        self._folder = tempfile.TemporaryDirectory(dir=self._work)
        return Path(self._folder.name)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._folder is None:
            return
        with self._folder as folder:
            if kind is None:
                self._sizes[self._name] = write_archive(Path(folder), self._archive)
                self._stamp.write_text(self._digest, encoding="utf-8")


def _digest(root: Path, words: Iterable[str], sources: Iterable[Path]) -> str:
    digest = hashlib.sha256(repr((_FORMAT, sys.version_info[:3], *words)).encode())
    for path in sources:
        digest.update(f"\0{path.relative_to(root).as_posix()}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def _sources(folder: Path) -> list[Path]:
    return [path for path in files(folder) if "__pycache__" not in path.parts and path.name != "Dockerfile"]


def _copy(source: Path, target: Path) -> None:
    for path in _sources(source):
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)


def _as_json(file: Path) -> None:
    """Put the same beside it as JSON, which functions read in no time: our YAML reader is one in Python."""
    data = yaml.safe_load(file.read_text(encoding="utf-8"))
    file.with_suffix(".json").write_text(json.dumps(data), encoding="utf-8")


def _leave_out(folder: Path, left: Iterable[Left]) -> None:
    for path in _meant(folder, left):
        path.unlink()


def _meant(folder: Path, left: Iterable[Left]) -> Iterator[Path]:
    """The files that the patterns find; InvalidSettings for a pattern that finds none."""
    for pattern in (pattern for each in left for pattern in each.what):
        found = sorted(path for path in folder.glob(pattern) if path.is_file())
        if not found and not pattern.startswith("**"):
            raise InvalidSettings(
                f"nothing to leave out matches {pattern}: take it out of deployment/packages/contents.py"
            )
        yield from found


def _refuse_start_up_code(folder: Path) -> None:
    """A ``.pth`` file runs code at every start of Python, before anything of ours: malicious releases came that way."""
    found = [path.name for path in files(folder) if path.suffix == ".pth"]
    if found:
        raise InvalidSettings(
            f"{', '.join(found)} would run at every start of Python; find out which library brings it"
        )


def _read(record: Path) -> dict[str, int]:
    return dict(json.loads(record.read_text(encoding="utf-8"))) if record.is_file() else {}
