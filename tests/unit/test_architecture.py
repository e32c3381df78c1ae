"""Dependencies point inward, and nothing but the settings reads the environment."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from msgspec import Struct

ROOT = Path(__file__).resolve().parents[2]
LAYER = ROOT / "layers" / "core" / "python"
CORE = LAYER / "discord_agent"
PRODUCT = (CORE, ROOT / "functions", ROOT / "gateway_bridge")

INWARD = ("discord_agent.domain", "discord_agent.ports", "discord_agent.replies", "discord_agent.envelope")
HEAVY = {"boto3", "botocore", "dulwich", "httpx", "jinja2", "litellm", "mcp", "pydantic", "websockets", "yaml"}
SHAPES = "msgspec"
"""What values are declared with."""
MOST_MODULES = 170


def _modules(folder: Path) -> list[Path]:
    found = sorted(folder.rglob("*.py"))
    assert found, f"{folder} holds no modules"
    return found


def _imports(path: Path) -> Iterator[str]:
    """The modules a file names in its imports, wherever they stand."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            assert node.module is not None
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _is_of(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def _foreign(path: Path, allowed: tuple[str, ...]) -> list[str]:
    """Imports that are neither of the standard library nor allowed."""
    return [
        module
        for module in _imports(path)
        if module.partition(".")[0] not in sys.stdlib_module_names and not _is_of(module, allowed)
    ]


def _uses_environment(path: Path) -> bool:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Attribute(value=ast.Name(id="os"), attr="environ" | "environb" | "getenv"):
                return True
            case ast.ImportFrom(module="os", names=names) if {"environ", "environb", "getenv"} & {
                n.name for n in names
            }:
                return True
    return False


@pytest.mark.parametrize("path", _modules(CORE / "domain"), ids=lambda path: path.stem)
def test_the_domain_imports_nothing_but_itself(path: Path) -> None:
    assert _foreign(path, ("discord_agent.domain", SHAPES)) == []


@pytest.mark.parametrize("path", _modules(CORE / "steps"), ids=lambda path: path.stem)
def test_steps_speak_to_ports_only(path: Path) -> None:
    shapes_of_replies = ("pydantic",) if path.stem == "asking" else ()
    assert _foreign(path, (*INWARD, "discord_agent.steps", SHAPES, *shapes_of_replies)) == []


@pytest.mark.parametrize("path", _modules(CORE / "ports"), ids=lambda path: path.stem)
def test_ports_know_no_adapter(path: Path) -> None:
    assert _foreign(path, ("discord_agent.domain", "discord_agent.envelope", "discord_agent.ports", SHAPES)) == []


@pytest.mark.parametrize("path", _modules(CORE / "adapters"), ids=lambda path: path.stem)
def test_adapters_do_not_know_who_uses_them(path: Path) -> None:
    outward = ("discord_agent.steps", "discord_agent.bootstrap", "discord_agent.entrypoint", "discord_agent.settings")
    assert [module for module in _imports(path) if _is_of(module, outward)] == []


def test_only_the_settings_read_the_environment() -> None:
    users = {path for folder in PRODUCT for path in _modules(folder) if _uses_environment(path)}
    # litellm takes some switches from nowhere else: they are set before it is imported, nothing is read.
    assert users - {CORE / "adapters" / "llm" / "client.py"} == {CORE / "settings.py"}


def test_handlers_import_the_composition_root_and_the_core_only() -> None:
    for path in (ROOT / "functions").glob("*/handler.py"):
        assert _foreign(path, ("discord_agent",)) == [], path
        assert [module for module in _imports(path) if _is_of(module, ("discord_agent.adapters",))] == [], path


def test_the_domain_loads_no_library_and_few_modules() -> None:
    names = [f"discord_agent.domain.{path.stem}" for path in _modules(CORE / "domain") if path.stem != "__init__"]
    script = f"import sys; sys.path.insert(0, {str(LAYER)!r}); before = set(sys.modules)\n"
    script += "".join(f"import {name}\n" for name in names)
    script += "print(*sorted(set(sys.modules) - before))"
    loaded = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout.split()
    assert {module.partition(".")[0] for module in loaded} & HEAVY == set()
    assert set(names) <= set(loaded)
    assert len(loaded) < MOST_MODULES


@pytest.mark.parametrize("path", [*_modules(CORE / "domain"), *_modules(CORE / "ports")], ids=lambda path: path.stem)
def test_what_the_domain_shares_is_frozen(path: Path) -> None:
    module = import_module(".".join(path.relative_to(LAYER).with_suffix("").parts).removesuffix(".__init__"))
    shared = [each for each in vars(module).values() if isinstance(each, type) and issubclass(each, Struct)]
    mutable = {each.__name__ for each in shared if each is not Struct and not each.__struct_config__.frozen}
    # A tree is grown while its text is made, and seen by nobody else.
    assert mutable == ({"_Folder"} if path.stem == "file_tree" else set())


DECLARATION = ("choices", "declaration", "holdings", "needs", "operations", "system")


@pytest.mark.parametrize("folder", PRODUCT, ids=lambda folder: folder.name)
def test_nothing_that_runs_in_aws_reads_the_declaration(folder: Path) -> None:
    # It is for whoever deploys; every cold start would pay for reading it.
    inside = {CORE / f"{name}.py" for name in DECLARATION}
    names = tuple(f"discord_agent.{name}" for name in DECLARATION)
    readers = [
        path
        for path in _modules(folder)
        if path not in inside and any(_is_of(module, names) for module in _imports(path))
    ]
    assert readers == []
