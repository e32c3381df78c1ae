"""What was learned: listed, put differently, forgotten."""

from msgspec import Struct

from discord_agent.domain import memory, memory_card
from discord_agent.domain.errors import InvalidInput
from discord_agent.domain.layout import line
from discord_agent.domain.memory import Insight, Reflection, Shelf
from discord_agent.domain.posts import Post
from discord_agent.domain.redaction import Redactor
from discord_agent.ports import Clock, Insights, Reflections
from discord_agent.steps.commands.asked import Asked


class Memory(Struct, frozen=True):
    """The thread's reflections and the guild's insights."""

    reflections: Reflections
    insights: Insights
    clock: Clock
    redactor: Redactor

    def list(self, asked: Asked) -> Post:
        """``/memory list``."""
        shelf = _shelf(asked)
        return memory_card.memory(self.reflections.list(asked.thread), self.insights.list(shelf), self.clock.now())

    def edit(self, asked: Asked) -> Post:
        """``/memory edit``."""
        # It is shown to models, and to everybody in the guild.
        text = self.redactor.text(asked.invocation.text("text"))
        item, by = self._named(asked), asked.event.author.id
        done = (
            self.insights.edit(_shelf(asked), item.id, text, by=by)
            if isinstance(item, Insight)
            else self.reflections.edit(asked.thread, item.id, text, by=by)
        )
        if done is None:
            raise _gone(asked)
        return Post(f"✏️ `{memory_card.mark(item)}` says now: {line(text, 600)}")

    def forget(self, asked: Asked) -> Post:
        """``/memory forget``."""
        item = self._named(asked)
        done = (
            self.insights.forget(_shelf(asked), item.id, by=asked.event.author.id)
            if isinstance(item, Insight)
            else self.reflections.forget(asked.thread, item.id)
        )
        if done is None:
            raise _gone(asked)
        return Post(f"🗑️ Forgotten: `{memory_card.mark(item)}`.")

    def _named(self, asked: Asked) -> Insight | Reflection:
        wanted = asked.invocation.text("item").strip("` ").casefold()
        known: tuple[Insight | Reflection, ...] = (
            *self.reflections.list(asked.thread),
            *self.insights.list(_shelf(asked)),
        )
        found = [item for item in known if memory_card.mark(item) == wanted]
        if len(found) != 1:
            raise _gone(asked)
        return found[0]


def _shelf(asked: Asked) -> Shelf:
    return memory.shelf(asked.event.guild_id, asked.thread)


def _gone(asked: Asked) -> InvalidInput:
    named = line(asked.invocation.text("item"), 40)
    return InvalidInput(f"No single thing learned has the mark `{named}`; `/memory list` shows what there is.")
