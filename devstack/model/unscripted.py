"""What the scripted model answers where its script has no line: valid for the purpose, and honest about itself."""

import json
import re
from typing import Final

from devstack.model.request import ChatRequest, Json, text_of
from devstack.model.script import Script
from discord_agent.domain.classification import AgentRole, Complexity, TaskType
from discord_agent.domain.conversation import Purpose

REMEDY: Final = (
    "To give me lines, start with --model-script FILE (docs/SCRIPTS.md). For a real model, start with "
    "LITELLM_BASE_URL and LITELLM_API_KEY, or with a provider's key."
)
_NO_LINE: Final = f"I am the scripted demo model and my script has no line for this. {REMEDY}"
_NO_MORE_LINES: Final = f"I am the scripted demo model and my script ends here. {REMEDY}"

_TAGGED: Final = re.compile(r"<discord_message[^>]*>\s*(.*?)\s*</discord_message>", re.DOTALL)
_MENTION: Final = re.compile(r"<@[!&]?\d+>|^@\S+\s*")

_GREETING: Final = re.compile(
    r"(hi|hello|hey|thanks?|thank you|good (morning|evening|night)|cheers|bye)\b[\s!.,\w]{0,20}$"
)
_WORK: Final = (
    (TaskType.CODE_REVIEW, AgentRole.CODE_REVIEWER, r"review"),
    (TaskType.TEST_RUNNER, AgentRole.COMMAND_EXECUTOR, r"(run|execute) (the |all )?(unit )?tests?"),
    (TaskType.COMMAND_RUNNER, AgentRole.COMMAND_EXECUTOR, r"run|execute"),
    (
        TaskType.DOCUMENTATION,
        AgentRole.DOCUMENTATION_WRITER,
        r"document|(write|update) (the |a )?(docs|readme|documentation)",
    ),
    (
        TaskType.DATABASE,
        AgentRole.DBA,
        r"(design|create|add|write) (the |a )?(\w+ )?(database|schema|migration|table|index)",
    ),
    (
        TaskType.DEVOPS,
        AgentRole.DEVOPS_ENGINEER,
        r"deploy|(write|add|create) (the |a )?(dockerfile|terraform|helm|pipeline)",
    ),
    (
        TaskType.CODING,
        AgentRole.PYTHON_CODER,
        r"refactor|implement|fix|add|create|build|write|change|update|replace|remove|rename|move|port|migrate|make|mend",
    ),
)
_POLITENESS: Final = r"(please\s+|can you\s+|could you\s+|would you\s+|let'?s\s+|now\s+)*"
_QUESTION: Final = re.compile(r"(what|why|how|when|where|which|who|is|are|does|do|can|should|explain|describe)\b")
_EXPLAIN: Final = re.compile(r"(explain|describe|what (is|are))\b")


def answer_without_script(script: Script, request: ChatRequest, *, exhausted: bool) -> Json:
    """An assistant message; ``exhausted`` when the script had lines for this conversation, but fewer."""
    notice = _NO_MORE_LINES if exhausted else _NO_LINE
    content: str | Json
    match request.purpose:
        case Purpose.TURN if _offers(request, "finish"):
            return _finish(request, notice)
        case Purpose.DECIDE:
            content = _decide(script, request)
        case Purpose.PLAN:
            content = _plan(script, request)
        case Purpose.REFLECT:
            content = {"key_insight": "", "what_worked": "", "what_failed": "", "root_cause": notice}
        case Purpose.TITLE:
            content = {"title": " ".join(_request_text(request).split()[:7]) or "Scripted demo"}
        case Purpose.BRAINSTORM:
            content = {"approaches": _approaches(notice)}
        case Purpose.CONSOLIDATE:
            content = {"options": _approaches(notice), "recommendation": notice, "question": "Which one?"}
        case _:
            content = notice
    return _say(content)


def _approaches(notice: str) -> list[Json]:
    """Two options in name only."""
    return [
        {
            "title": title,
            "overview": notice,
            "rationale": "",
            "architecture": "",
            "pros": ["It is there."],
            "cons": ["It says nothing."],
            "best_for": "trying out the buttons",
        }
        for title in ("The first way", "The second way")
    ]


def _say(content: str | Json) -> Json:
    return {"role": "assistant", "content": content if isinstance(content, str) else json.dumps(content)}


def _finish(request: ChatRequest, notice: str) -> Json:
    call = {"name": "finish", "arguments": json.dumps({"summary": notice})}
    number = sum(message["role"] == "assistant" for message in request.messages)
    return {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": f"call_unscripted_{number}", "type": "function", "function": call}],
    }


def _offers(request: ChatRequest, tool: str) -> bool:
    return any(offered.get("function", {}).get("name") == tool for offered in request.tools)


def _request_text(request: ChatRequest) -> str:
    """What the person wrote: the marked part of the last user message, or all of it."""
    said = next((text_of(message) for message in reversed(request.messages) if message["role"] == "user"), "")
    tagged = _TAGGED.findall(said)
    return _MENTION.sub("", tagged[-1] if tagged else said).strip()


def _decide(script: Script, request: ChatRequest) -> Json:
    task_type, role = _classify(script, request)
    technical = task_type not in {TaskType.SOCIAL, TaskType.GENERAL, TaskType.WRITING}
    return {
        "should_respond": True,
        "reason": "The scripted demo model classifies by a few fixed words.",
        "is_technical": technical,
        "task_type": task_type,
        "agent_role": role,
        "complexity": Complexity.SIMPLE,
    }


def _classify(script: Script, request: ChatRequest) -> tuple[TaskType, AgentRole]:
    text = _request_text(request).lower()
    if _GREETING.match(text):
        return TaskType.SOCIAL, AgentRole.RESEARCHER
    for task_type, role, words in _WORK:
        if re.match(rf"{_POLITENESS}({words})\b", text):
            return task_type, role
    if _QUESTION.match(text) or text.endswith("?"):
        return (TaskType.EXPLANATION if _EXPLAIN.match(text) else TaskType.TECHNICAL_QA), AgentRole.RESEARCHER
    # Marked as in the requests that the entry's expression is written for.
    marked = f"<discord_message>\n{text}\n</discord_message>"
    has_turns = any(entry.when is None or entry.when.search(marked) for entry in script.turn)
    return (TaskType.CODING if has_turns else TaskType.GENERAL), AgentRole.PYTHON_CODER


def _plan(script: Script, request: ChatRequest) -> Json:
    text = _request_text(request)
    task_type, role = _classify(script, request)
    title = " ".join(text.split()[:6])
    return {
        "reformulated_prompt": text,
        "topic_slug": title,
        "is_new_topic": True,
        "plan_content": f"# Plan\n\nObjective: {text}\n\n1. Play the lines of the model script.\n\n{script.introduction}",
        "instruction_content": "# Instructions\n\nWrite a file with a tool before referring to it.",
        "task_type": task_type,
        "agent_role": role,
        "complexity": Complexity.SIMPLE,
        "estimated_turns": 0,
        "confidence_assessment": {"has_progress": True, "score": 50, "reasoning": _NO_LINE},
        "reflection": None,
    }
