"""State machine definitions as they are deployed: ``${turn}`` stands for the ARN of the function ``turn``."""

import re
from collections.abc import Mapping
from typing import Final

from discord_agent.domain.errors import InvalidInput

_PLACEHOLDER: Final = re.compile(r"\$\{([A-Za-z][A-Za-z0-9_]*)\}")


def placeholders(definition: str) -> frozenset[str]:
    """The names of the functions that a definition calls."""
    return frozenset(_PLACEHOLDER.findall(definition))


def substituted(definition: str, arns: Mapping[str, str]) -> str:
    """The definition with each function's ARN in place; InvalidInput names the functions that have none."""
    missing = placeholders(definition) - arns.keys()
    if missing:
        raise InvalidInput(f"the definition calls {', '.join(sorted(missing))}, which the machine does not declare")
    return _PLACEHOLDER.sub(lambda found: arns[found.group(1)], definition)
