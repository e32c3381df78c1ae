"""Where the files lie that are not code."""

from pathlib import Path

from discord_agent.domain.errors import InvalidSettings


def find_root() -> Path:
    """The folder ``prompts``: beside the layer's ``python`` folder where it is installed, else the repository's."""
    for parent in Path(__file__).resolve().parents:
        if (parent / "prompts" / "models.yaml").is_file():
            return parent / "prompts"
    raise InvalidSettings(f"no folder prompts with models.yaml beside or above {Path(__file__).parent}; package it")
