from copy import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discord_agent.domain import sandbox_tools
from discord_agent.domain.card_lines import (
    LINE_LIMIT,
    checkpoint_line,
    escalation_line,
    plan_line,
    tool_line,
    turn_done_line,
    turn_line,
)
from discord_agent.domain.conversation import ToolCall, ToolSpec
from discord_agent.domain.ids import ChannelId, ExecutionId, MessageId, ModelName, ThreadId, UserId
from discord_agent.domain.run import Outcome, RunState

RUN = RunState(
    execution_id=ExecutionId("m-1"),
    thread_id=ThreadId("1"),
    channel_id=ChannelId("1"),
    message_id=MessageId("1"),
    author_id=UserId("1"),
    model=ModelName("gpt-5.1-codex-mini"),
    topic="auth-jwt",
    turn=5,
    max_turns=20,
    confidence=85,
    files_changed=("a.py", "b.py"),
)


@pytest.mark.parametrize(
    ("name", "arguments", "shown"),
    [
        ("file-read_text_file", '{"path": "src/auth.py"}', "📁 Reading: src/auth.py"),
        ("read_file", '{"path": "src/auth.py", "limit": 5}', "📁 Reading: src/auth.py"),
        ("file-read_multiple_files", '{"paths": ["a.py", "b.py"]}', "📁 Reading: a.py, b.py"),
        ("write_file", '{"path": "src/a.py", "content": "x"}', "✏️ Writing: src/a.py"),
        ("edit_file", '{"path": "src/a.py", "old": "x"}', "✏️ Writing: src/a.py"),
        ("file-edit_file", '{"path": "src/a.py"}', "✏️ Writing: src/a.py"),
        ("bash", '{"command": "pytest -q\\n"}', "🔧 Running: pytest -q"),
        ("shell-run_command", '{"command": "ls"}', "🔧 Running: ls"),
        ("grep", '{"pattern": "TODO", "path": "src"}', "🔍 Searching: TODO"),
        ("list_files", "{}", "📁 Reading: ."),
        ("tickets-create", '{"title": "x"}', '🔧 Running: tickets-create {"title": "x"}'),
        ("bash", "not json", "🔧 Running: not json"),
        ("bash", "[1]", "🔧 Running: \\[1]"),
    ],
)
def test_a_tool_call_is_shown_by_what_it_works_on(name: str, arguments: str, shown: str) -> None:
    assert tool_line(ToolCall("1", name, arguments)) == shown


@pytest.mark.parametrize("tool", sandbox_tools.SANDBOX_TOOLS)
def test_every_tool_of_the_sandbox_has_a_line_of_its_own(tool: ToolSpec) -> None:
    assert tool.name not in tool_line(ToolCall("1", tool.name, "{}"))


def test_a_long_command_is_cut_at_a_hundred_characters() -> None:
    shown = tool_line(ToolCall("1", "bash", '{"command": "' + "x" * 300 + '"}'))
    assert shown == "🔧 Running: " + "x" * 99 + "…"


def test_a_run_is_told_in_the_published_lines() -> None:
    assert turn_line(1, RUN) == "🤔 Turn 1/20 | Confidence: 85% | Model: gpt-5.1-codex-mini"
    assert turn_done_line(RUN, files=2) == "✅ Turn 5 complete | Confidence: 85% | Files: 2 modified"
    stopped = replace(RUN, outcome=Outcome.STOPPED)
    assert turn_done_line(stopped, files=2) == "⏹️ Turn 5 stopped | Files: 2 modified"
    assert checkpoint_line(RUN) == "💾 Checkpoint 5/20 | Files: 2 modified | Confidence: 85%"
    assert plan_line(RUN) == "📋 Plan: auth-jwt | Up to 20 turns | Model: gpt-5.1-codex-mini"
    assert escalation_line(ModelName("a"), ModelName("b"), "same error 3 times") == (
        "🚀 Model Escalation: a → b | same error 3 times"
    )


@pytest.mark.parametrize(("confidence", "mark"), [(71, "✅"), (70, "⚠️"), (51, "⚠️"), (50, "❌"), (0, "❌")])
def test_a_turn_is_marked_by_its_confidence(confidence: int, mark: str) -> None:
    assert turn_done_line(replace(RUN, confidence=confidence), files=0).startswith(f"{mark} Turn 5 complete")


@given(st.text(), st.text(), st.sampled_from(["bash", "read_file", "tickets-create", "x" * 300]))
def test_every_line_is_one_short_line_whatever_models_write(text: str, arguments: str, tool: str) -> None:
    model = ModelName(text * 20)
    run = replace(RUN, model=model, topic=text * 20)
    lines = (
        tool_line(ToolCall("1", tool, arguments)),
        turn_line(1, run),
        plan_line(run),
        escalation_line(model, model, text * 20),
    )
    assert all(len(shown) <= LINE_LIMIT and "\n" not in shown for shown in lines)
