"""Lambda entry of ``interactions``: Discord's slash commands and buttons over HTTP."""

from typing import Any

from discord_agent import edge


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer within three seconds."""
    return edge.interactions(event)
