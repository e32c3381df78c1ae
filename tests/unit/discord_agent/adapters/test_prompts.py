from copy import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discord_agent.adapters.folders import find_root
from discord_agent.adapters.prompts import TemplatePrompts
from discord_agent.domain.classification import AgentRole, FlowType, TaskType
from discord_agent.domain.control_tools import NAMES
from discord_agent.domain.conversation import Image, Message, Role, ToolCall
from discord_agent.domain.errors import InvalidSettings
from discord_agent.domain.ids import ChannelId, ExecutionId, MessageId, ThreadId, UserId
from discord_agent.domain.inbound import Attachment
from discord_agent.domain.run import RunState, Signals
from discord_agent.domain.session import ExecutionRecord, Session
from discord_agent.replies import PlanReply

PROMPTS = TemplatePrompts(find_root())
SYSTEM = (
    "decide",
    "plan",
    "reflect",
    "title",
    "compact",
    "summarize",
    "frame",
    "brainstorm",
    "consolidate",
    "breakglass",
)

RUN = RunState(ExecutionId("m-1"), ThreadId("7"), ChannelId("7"), MessageId("1"), UserId("2"), topic="tea", max_turns=4)
RECORD = ExecutionRecord(
    ExecutionId("m-1"),
    ThreadId("7"),
    ChannelId("7"),
    MessageId("1"),
    UserId("2"),
    "Ada",
    FlowType.SEQUENTIAL,
    "Brew tea {{ 7 * 7 }}.",
    datetime(2026, 1, 1, tzinfo=UTC),
    attachments=(Attachment("1", "leaves.txt", "https://cdn.example/leaves.txt", 5),),
)
FACTS: dict[str, Any] = {
    "run": RUN,
    "record": RECORD,
    "session": Session(ThreadId("7")),
    "history": ("Bob: hi", "Ada: hello"),
    "files": ["kettle.py", "tests/test_kettle.py"],
    "more_files": 3,
    "memory": "Reflections, newest first:\nnone",
    "added": [".agent/uploads/leaves.txt"],
}


@pytest.mark.parametrize(
    "name", [*SYSTEM, *(f"roles/{role}" for role in AgentRole), *(f"tasks/{task}" for task in TaskType)]
)
def test_system_prompts_hold_nothing_that_a_person_wrote(name: str) -> None:
    assert len(PROMPTS.render(name)) > 200


@pytest.mark.parametrize("role", [*AgentRole, "a role nobody knows"])
def test_every_role_thinks_in_six_steps_and_ends_by_a_tool_call(role: str) -> None:
    prompt = PROMPTS.render(f"roles/{role}")

    assert [f"\n{number}. " in prompt for number in range(1, 7)] == [True] * 6
    assert all(f"`{name}`" in prompt for name in NAMES)
    assert "<<docs/report.md>>" in prompt


def test_roles_and_tasks_differ() -> None:
    names = [f"roles/{role}" for role in AgentRole] + ["tasks/social", "tasks/writing", "tasks/technical-qa"]

    assert len({PROMPTS.render(name) for name in names}) == len(names)


def test_what_has_no_template_takes_the_default_of_its_folder() -> None:
    assert PROMPTS.render("tasks/code-review") == PROMPTS.render("tasks/_default")
    assert PROMPTS.render("roles/a role nobody knows") == PROMPTS.render("roles/_default")


@pytest.mark.parametrize("reply", [PlanReply])
def test_the_planner_is_told_every_field_it_is_asked_for(reply: type[PlanReply]) -> None:
    prompt = PROMPTS.render("plan")

    assert [name for name in reply.model_fields if f"`{name}`" not in prompt] == []


def test_the_decision_request_shows_the_message_as_data() -> None:
    assert PROMPTS.render("decide_request", history=("Bob: hi",), author='A"da', content="Tea?", forced=True) == (
        "The conversation so far, oldest first:\n"
        "<discord_history>\n"
        "Bob: hi\n"
        "</discord_history>\n"
        "\n"
        "Addressed to the bot: yes\n"
        "\n"
        "The message to decide on:\n"
        '<discord_message author="A\\"da">\n'
        "Tea?\n"
        "</discord_message>"
    )


def test_a_question_without_history_is_the_question_alone() -> None:
    assert PROMPTS.render("question", history=(), author="Ada", content="Tea?") == (
        'The message to answer:\n<discord_message author="Ada">\nTea?\n</discord_message>'
    )


def test_the_plan_request_shows_all_that_is_known() -> None:
    assert PROMPTS.render("plan_request", **FACTS) == (
        "Thread: 7\n"
        "Workspace: the folder `.` in which every tool starts\n"
        "Topics so far, newest first: none\n"
        "Branch that waits for a decision: none\n"
        "Work of an earlier run that is on no branch yet: no\n"
        "Progress so far: no\n"
        "Previous confidence: 80\n"
        "Last message of the bot: none\n"
        "\n"
        "The conversation so far, oldest first:\n"
        "<discord_history>\n"
        "Bob: hi\n"
        "Ada: hello\n"
        "</discord_history>\n"
        "\n"
        "What earlier runs taught:\n"
        "<memory>\n"
        "Reflections, newest first:\n"
        "none\n"
        "</memory>\n"
        "\n"
        "Files in the workspace:\n"
        "<workspace_files>\n"
        "kettle.py\n"
        "tests/test_kettle.py\n"
        "and 3 more\n"
        "</workspace_files>\n"
        "\n"
        "Uploaded with the message: leaves.txt\n"
        "Added to the workspace from it: .agent/uploads/leaves.txt\n"
        "\n"
        "Classified as: general-convo, python-coder, medium\n"
        "\n"
        "The request to plan:\n"
        '<discord_message author="Ada">\n'
        "Brew tea {{ 7 * 7 }}.\n"
        "</discord_message>"
    )


def test_the_task_gives_the_plan_and_the_memory_to_the_worker() -> None:
    plan = PlanReply(
        reformulated_prompt="Brew green tea.", plan_content="# Plan\n1. Boil.", instruction_content="Gently."
    )
    text = PROMPTS.render("task", **FACTS, plan=plan)

    assert text.endswith(
        "What was asked for:\n"
        '<discord_message author="Ada">\n'
        "Brew tea {{ 7 * 7 }}.\n"
        "</discord_message>\n"
        "\n"
        "The task:\n"
        "<task>\n"
        "Brew green tea.\n"
        "</task>\n"
        "\n"
        "The plan, also in `.agent/plans/tea.md`; deviate from it where what you find asks for it, and say so:\n"
        "<plan>\n"
        "# Plan\n"
        "1. Boil.\n"
        "</plan>\n"
        "\n"
        "Instructions, also in `.agent/instructions/tea.md`:\n"
        "<instructions>\n"
        "Gently.\n"
        "</instructions>\n"
        "\n"
        "You have 4 turns. Begin."
    )
    assert "<memory>" in text


def test_a_plan_without_a_prompt_leaves_the_persons_words() -> None:
    assert "<task>\nBrew tea {{ 7 * 7 }}.\n</task>" in PROMPTS.render("task", **FACTS, plan=PlanReply())


def test_the_evidence_for_a_reflection_shows_figures_and_the_end_of_the_work() -> None:
    run = replace(RUN, signals=Signals(tests_run=3, tests_passed=2, last_error="assert 1 == 2"), summary="Half done.")
    messages = (
        Message(Role.ASSISTANT, "Testing.", (ToolCall("a", "bash", '{"command": "pytest"}'),)),
        Message(Role.TOOL, "x" * 5000, tool_call_id="a"),
    )
    text = PROMPTS.render("reflect_evidence", run=run, evidence=("3 </evidence> failed.",), messages=messages)

    assert "Tests run: 3, passed: 2\n" in text
    assert "last error: assert 1 == 2\n" in text
    assert "<evidence>\n- 3 &lt;/evidence> failed.\n</evidence>" in text
    assert '[assistant] Testing.\n  calls bash: {"command": "pytest"}\n[tool] xxx' in text
    assert len(text) < 3000


def test_small_prompts_name_what_they_are_given() -> None:
    assert "gemini-3-pro" in PROMPTS.render("escalated", model="gemini-3-pro", reason="same error 3 times")
    heard = PROMPTS.render("heard", message_id="9", author="Ada", content="Wait", files=["a.png"])
    assert '<discord_message id="9" author="Ada">' in heard
    assert heard.endswith("Attached to it, in the workspace: a.png")
    assert "`finish`" in PROMPTS.render("go_on")
    assert PROMPTS.render("title_request", text="Brew tea") == "<discord_message>\nBrew tea\n</discord_message>"


@given(st.text(), st.sampled_from(["</discord_message>", "<discord_message>", "</DISCORD_HISTORY >", "</plan>"]))
def test_no_text_can_close_the_marks_around_it(text: str, tag: str) -> None:
    shown = PROMPTS.render("title_request", text=f"{text}{tag}{text}")

    assert shown.count("<discord_message>") == 1
    assert shown.count("</discord_message>") == 1
    assert shown.endswith("\n</discord_message>")


@pytest.mark.parametrize(
    "tag", ["< /discord_message>", "</ discord_message>", "<\u200b/discord_message >", "<\n/task>"]
)
def test_blanks_inside_a_tag_do_not_help(tag: str) -> None:
    assert "<" not in PROMPTS.render("title_request", text=tag).removeprefix("<discord_message>").removesuffix(
        "</discord_message>"
    )


def test_inserted_text_is_not_expanded_again() -> None:
    assert "{{ 7 * 7 }} {% raw %}" in PROMPTS.render("title_request", text="{{ 7 * 7 }} {% raw %}")


def test_a_missing_variable_is_named_with_its_template() -> None:
    with pytest.raises(InvalidSettings, match="question: 'author' is undefined"):
        PROMPTS.render("question", history=(), content="Tea?")


def test_a_missing_template_is_named_with_its_folder(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match=f"prompt nothing: .*{tmp_path}"):
        TemplatePrompts(tmp_path).render("nothing")


def test_a_broken_template_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "bad.md.jinja").write_text("one\n{{ two", encoding="utf-8")

    with pytest.raises(InvalidSettings, match=r"prompt bad: .*line 2"):
        TemplatePrompts(tmp_path).render("bad")


def test_what_is_attached_stays_inside_its_tags() -> None:
    text = PROMPTS.render(
        "attached",
        texts=(("a<attachment>.md", "one</attachment> two"),),
        pictures=(Image("cat.png", "image/png"),),
        left_out=("tool.zip",),
    )

    assert text == (
        "Attached to it, as a picture: cat.png:\n"
        '<attachment name="a&lt;attachment>.md">\none&lt;/attachment> two\n</attachment>\n'
        "Not shown to you, because they are neither text nor pictures, or too large: tool.zip"
    )


@pytest.mark.parametrize(
    ("name", "values", "tag"),
    [
        ("compact_request", {"transcript": "done</transcript> now"}, "transcript"),
        ("compacted", {"summary": "done</summary> now"}, "summary"),
        ("summarize_request", {"summary": "done</summary> now", "history": ()}, "summary"),
        ("summarize_request", {"summary": "", "history": ("Bob: done</discord_history> now",)}, "discord_history"),
    ],
)
def test_what_is_summed_up_stays_inside_its_tags(name: str, values: dict[str, Any], tag: str) -> None:
    text = PROMPTS.render(name, **values)

    assert f"done&lt;/{tag}> now\n</{tag}>" in text


def test_a_thread_without_a_summary_shows_none() -> None:
    assert "<summary>" not in PROMPTS.render("summarize_request", summary="", history=("Bob: hi",))
