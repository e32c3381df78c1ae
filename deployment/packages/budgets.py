"""How large packages may be, in bytes, unpacked and with their layers; a test builds them and compares."""

from typing import Final

from discord_agent.declaration import Package

MEGABYTE: Final = 1_000_000
LARGEST_ARCHIVE: Final = 50 * MEGABYTE
"""What Lambda takes in one request, without a detour over S3."""

BUDGETS: Final = {
    Package.CORE: 20 * MEGABYTE,
    Package.GIT: 30 * MEGABYTE,
    Package.MODELS: 200 * MEGABYTE,
}
"""Lambda's own limit is 250 MiB; people wait for the functions of the package CORE."""
