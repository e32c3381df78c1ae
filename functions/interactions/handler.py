"""Lambda entry of ``interactions``: Discord's slash commands and buttons over HTTP, answered within three seconds."""

from discord_agent.loading import loading

with loading():
    from discord_agent import edge

handler = edge.interactions()
