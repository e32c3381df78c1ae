"""What people see while models propose options, and the options they choose from (behaviour contract, section 15)."""

from collections.abc import Sequence
from typing import Final

from discord_agent.domain import cards, chunking
from discord_agent.domain.controls import Action, Control, encode
from discord_agent.domain.ids import ExecutionId
from discord_agent.domain.layout import BUTTON_LABEL_LIMIT, fit, line, short
from discord_agent.domain.options import Option, Proposal
from discord_agent.domain.posts import Button, ButtonStyle, Embed, Post
from discord_agent.domain.reasons import why
from discord_agent.domain.run import RunState, Voice

COLOUR: Final = 0xE74C3C
_TITLE: Final = 100
_FILE: Final = "options.md"


def branching(run: RunState, voice: Voice) -> Post:
    """The card of a model that is thinking of options."""
    embed = _card(run, "💡 Branching", f"Brainstorming ({line(voice.model, _TITLE)})…")
    stop = Button("Stop", encode(Control(Action.STOP, run.execution_id)), ButtonStyle.DANGER, "🛑")
    return Post(embeds=(embed,), buttons=((stop,),))


def proposed(run: RunState, voice: Voice, proposal: Proposal) -> Post:
    """The card of a model that has thought of options."""
    titles = "\n".join(f"- {line(option.title, _TITLE)}" for option in proposal.options)
    return Post(embeds=(_card(run, "💡 Branching", f"✅ Brainstorming ({line(voice.model, _TITLE)})\n{titles}"),))


def silent(run: RunState, voice: Voice) -> Post:
    """The card of a model that gave no options."""
    text = f"⚠️ Brainstorming ({line(voice.model, _TITLE)}) gave nothing. {why(voice.failure)}"
    return Post(embeds=(_card(run, "💡 Branching", text),))


def options(
    run: RunState, shown: Sequence[Option], *, recommendation: str, question: str, notes: Sequence[str]
) -> tuple[Post, ...]:
    """The options in full, and under them the card with a button for each."""
    texts = (f"## {number}. {line(option.title, _TITLE)}\n\n{option.text}" for number, option in enumerate(shown, 1))
    advice = (recommendation and f"**Which one, when:** {recommendation}", *notes)
    ending = cards.ending(run, question or "Which one shall I carry out?")
    embed = _card(run, "🧠 Consolidator", f"Consolidating ({line(run.model, _TITLE)})")
    last = Post(ending, embeds=(embed,), buttons=option_buttons(run.execution_id, shown))
    body = "\n\n".join((*texts, *(part for part in advice if part)))
    return (*chunking.posts(body, file_name=_FILE), last)


def option_buttons(execution: ExecutionId, shown: Sequence[Option]) -> tuple[tuple[Button, ...], ...]:
    """A button per option; where there is only one, its title says what the button does."""
    is_only_one = len(shown) == 1
    buttons = (
        Button(
            short(option.title if is_only_one else f"{number}. {option.title}", BUTTON_LABEL_LIMIT),
            encode(Control(Action.CHOOSE, execution, str(number))),
            ButtonStyle.PRIMARY,
            "🚀",
        )
        for number, option in enumerate(shown, 1)
    )
    return (tuple(buttons),)


def unknown_alias(run: RunState, alias: str, known: Sequence[str]) -> Post:
    """Somebody named a model that is not there."""
    names = ", ".join(f"`@{name}`" for name in known)
    return _refused(run, f"I do not know a model by the name of `@{line(alias, 40)}`.", f"write one of {names} first.")


def nothing_asked(run: RunState, alias: str) -> Post:
    """Somebody named a model and said nothing else."""
    return _refused(run, "There is nothing to answer.", f"write your question after `@{line(alias, 40)}`.")


def _refused(run: RunState, sentence: str, next_step: str) -> Post:
    content = f"❌ **Failed.** {sentence} Nothing was spent.\nNext: {next_step}\n-# Reference: {run.execution_id}"
    return Post(content, reply_to=run.message_id)


def _card(run: RunState, title: str, text: str) -> Embed:
    return fit(Embed(title=title, description=text, colour=COLOUR, footer=f"Reference: {run.execution_id}"))
