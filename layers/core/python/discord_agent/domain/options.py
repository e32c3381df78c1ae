"""Ways to go on that people are shown and may choose from."""

from dataclasses import dataclass
from typing import Final

MOST_OPTIONS: Final = 3


@dataclass(frozen=True, slots=True)
class Option:
    """One way to go on; ``text`` is Markdown and holds all that a run needs to know of it."""

    title: str
    text: str


def chosen_request(request: str, option: Option) -> str:
    """What is asked of the run that carries out an option which was shown in answer to ``request``."""
    return f"{request}\n\nCarry out this option, which was chosen from several: {option.title}\n\n{option.text}".strip()
