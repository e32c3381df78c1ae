"""A run asks what only people know, waits at no cost, and goes on with the answer."""

from devstack.scenarios.stage import Findings, Stage
from discord_agent.domain.ids import ThreadId
from discord_agent.domain.run import Outcome


def play(stage: Stage) -> Findings:
    """Two runs ask the same: one is answered by a message, the other by a button."""
    written = stage.ask("write the greeting in a language that I have yet to choose")
    written.parked()
    lease_while_parked = stage.records.leases.holder(ThreadId(written.thread))
    written.say("French, please", person=stage.linus)
    written.ended()
    heard = stage.calls("turn", "French, please")

    pressed = stage.ask("write the greeting in a language that I have yet to choose")
    pressed.parked()
    pressed.press("Esperanto")
    pressed.ended()
    chosen = stage.calls("turn", "Esperanto")

    question = written.message(written.record.question_message_id)
    return Findings(
        {"question": written.record.question},
        (
            *written.ends,
            *pressed.ends,
            ("both runs are done", written.outcome is pressed.outcome is Outcome.DONE),
            ("the question is recorded", len(written.entries_of("clarification")) == 1),
            ("a parked run holds no lease", lease_while_parked is None),
            ("the model hears the written answer", bool(heard)),
            ("the model hears the chosen answer", any("Esperanto" in call.messages[-1]["content"] for call in chosen)),
            ("an answered question has no buttons", question is not None and not question.components),
        ),
    )
