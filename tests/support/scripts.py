"""What the scripted model says on the stage: a request is recognised by a word in it."""

from typing import Any

from devstack.model.script import Script, parse_script

type Line = dict[str, Any]


def call(name: str, **arguments: Any) -> Line:
    """A reply that calls one tool."""
    return {"tool_calls": [{"function": {"name": name, "arguments": arguments}}]}


NOTE = call("bash", command="date > note-$(date +%s%N).txt")
"""Every run has a file of its own, so that all of them can be merged."""
FINISH = call("finish", summary="The note is written.")
ASK = call("ask_user", question="In which language?", options=["English", "Greek"])
PONDER: Line = {"content": "I ponder."}
THROTTLED: Line = {"http": 429, "retry_after": 60}
"""A provider that asks for more patience than a step has."""

TURNS = {
    "short": [NOTE, FINISH],
    "journey": [NOTE, *[PONDER] * 6, ASK, FINISH],
    "question": [ASK, NOTE, FINISH],
    "throttled": [NOTE | {"fault": THROTTLED}, FINISH],
    "refused": [{"fault": {"http": 400}}],
    "silent": [NOTE, {"fault": {"hang": True}}],
    "clash": [call("write_file", path="README.md", content="Ours.\n"), FINISH],
    "chatter": [call("finish", summary="Nothing had to change.")],
    "verbose": [NOTE, call("finish", summary="long " * 60_000)],
}
"""The journey takes eight turns: a file, six of pondering with a checkpoint on the way, a question, the end."""

RESPONSES = {"simple": "An answer."}


def stage_script() -> Script:
    """The script of all of them."""
    return parse_script(
        {
            "introduction": "I am a script.",
            "turn": [{"when": word, **line} for word, lines in TURNS.items() for line in lines],
            "respond": [{"when": word, "content": text} for word, text in RESPONSES.items()],
        },
        "the stage",
    )
