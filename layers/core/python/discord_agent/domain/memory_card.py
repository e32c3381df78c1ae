"""What was learned, as people read it, with a mark by which each item is named in commands."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from discord_agent.domain.ago import ago
from discord_agent.domain.layout import fit, line
from discord_agent.domain.memory import Insight, Reflection, says_nothing
from discord_agent.domain.posts import Embed, Post

INSIGHT_MARK: Final = "i"
REFLECTION_MARK: Final = "r"
_ID_SHOWN: Final = 6
_NO_LESSON: Final = "A run without a lesson of its own."
_ROOM: Final = 2700
"""Characters of each of the two lists: together they have 6000 with their titles."""


def mark(item: Insight | Reflection) -> str:
    """The short name of an item: it stays the same while others come and go."""
    letter = INSIGHT_MARK if isinstance(item, Insight) else REFLECTION_MARK
    return f"{letter}{item.id[:_ID_SHOWN]}"


def memory(reflections: Sequence[Reflection], insights: Sequence[Insight], now: datetime) -> Post:
    """Everything that the next run is given."""
    return Post(
        embeds=(
            _embed("🧠 Learned in this thread", [_reflection(item, now) for item in reflections]),
            _embed("💡 Learned on this server", [_insight(item, now) for item in insights]),
        )
    )


def _embed(title: str, lines: list[str]) -> Embed:
    shown: list[str] = []
    room = _ROOM
    for text in lines:
        room -= len(text) + 1
        if room < 0:
            shown.append(f"… and {len(lines) - len(shown)} more")
            break
        shown.append(text)
    return fit(Embed(title=title, description="\n".join(shown) or "Nothing yet."))


def _reflection(item: Reflection, now: datetime) -> str:
    fields = (item.strategy_change, item.key_insight, item.what_worked, item.what_failed, item.evidence)
    said = next((text for text in fields if not says_nothing(text)), _NO_LESSON)
    return f"`{mark(item)}` {line(said, 300)}\n-# score {item.score} · {ago(item.at, now)}{_edited(item)}"


def _insight(item: Insight, now: datetime) -> str:
    seen = f" · seen {item.times} times" if item.times > 1 else ""
    where = f" · {line(item.repository, 80)}" if item.repository else ""
    asked = f"asked by <@{item.author_id}> in <#{item.learned_in}>"
    return f"`{mark(item)}` {line(item.text, 300)}\n-# {asked} · {ago(item.at, now)}{where}{seen}{_edited(item)}"


def _edited(item: Insight | Reflection) -> str:
    return f" · put this way by <@{item.edited_by}>" if item.edited_by else ""
