from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discord_agent.domain.classification import Classification, FlowType, TaskType
from discord_agent.domain.routing import (
    BRANCH_PHRASES,
    Breakglass,
    Route,
    breakglass,
    fallback_title,
    file_name,
    is_stale,
    options_tier,
    route,
    unknown_alias,
)
from discord_agent.domain.workspace import safe_path

ALIASES = ("opus", "sonnet", "gemini", "qwen", "gpt", "glm", "default")
NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@Opus fix it", Breakglass("opus", "fix it")),
        ("@opus", Breakglass("opus", "")),
        ("@GPT\nwhy?", Breakglass("gpt", "why?")),
        ("@opus, fix it", Breakglass("opus", ", fix it")),
        ("hey @opus", None),
        ("@opusx", None),
        ("@gpt-5 hello", None),
        ("opus fix it", None),
    ],
)
def test_breakglass_begins_with_an_alias_as_a_whole_word(text: str, expected: Breakglass | None) -> None:
    assert breakglass(text, ALIASES) == expected


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("@opsu fix it", "opsu"),
        ("@Sonet, why?", "sonet"),
        ("@gemni", "gemni"),
        ("@opus fix it", ""),
        ("@property is not found", ""),
        ("@types/node does not install", ""),
        ("@everyone look", ""),
        ("ask @opsu", ""),
        ("", ""),
    ],
)
def test_what_is_nearly_an_alias_is_told_from_other_names(text: str, unknown: str) -> None:
    assert unknown_alias(text, ALIASES) == unknown


def test_where_a_model_must_be_meant_any_other_name_is_unknown() -> None:
    assert unknown_alias("@llama go", ALIASES, is_one=True) == "llama"
    assert unknown_alias("@opus go", ALIASES, is_one=True) == ""
    assert unknown_alias("just go", ALIASES, is_one=True) == ""


def _decided(task: TaskType, *, wants_options: bool = False) -> Classification:
    return Classification(should_respond=True, reason="", task_type=task, wants_options=wants_options)


def test_breakglass_goes_before_everything_and_a_choice_before_phrases_and_tasks() -> None:
    text, coding = "what are the pros and cons", _decided(TaskType.CODING)
    assert route(text, coding, override=FlowType.SIMPLE, alias="opus") == Route(
        FlowType.BREAKGLASS, "the message begins with @opus"
    )
    assert route(text, coding, override=FlowType.SIMPLE) == Route(FlowType.SIMPLE, "it was chosen with /flow")
    assert route(text, coding) == Route(FlowType.BRANCH, "“pros and cons” asks for options")
    assert route("which of them?", _decided(TaskType.CODING, wants_options=True)) == Route(
        FlowType.BRANCH, "the request asks for options"
    )
    assert route("add a test", coding) == Route(FlowType.SEQUENTIAL, "coding-implementation needs an agent with tools")
    assert route("hello", _decided(TaskType.SOCIAL)) == Route(FlowType.SIMPLE, "social is answered at once")


@pytest.mark.parametrize(
    "task", [TaskType.SOCIAL, TaskType.PROOFREADER, TaskType.SHELL, TaskType.ARCHITECTURE, TaskType.TECHNICAL_QA]
)
def test_what_needs_no_tools_is_answered_at_once(task: TaskType) -> None:
    assert route("tell me", _decided(task)).flow is FlowType.SIMPLE


@pytest.mark.parametrize("phrase", BRANCH_PHRASES)
def test_every_branch_phrase_is_found_anywhere_and_in_any_case(phrase: str) -> None:
    found = route(f"Please: {phrase.upper()} for caching?", _decided(TaskType.TECHNICAL_QA))
    assert found.flow is FlowType.BRANCH


@pytest.mark.parametrize(
    ("text", "tier"),
    [
        ("Different approaches?", "tier3"),
        ("Think DEEPLY about different approaches", "tier4"),
        ("Brainstorm thoroughly", "tier4"),
    ],
)
def test_the_strongest_models_weigh_options_where_deep_thought_is_asked_for(text: str, tier: str) -> None:
    assert options_tier(text) == tier


def test_a_message_of_exactly_thirty_minutes_passes_and_an_older_one_does_not() -> None:
    limit = timedelta(minutes=30)
    assert not is_stale(NOW - limit, NOW, limit)
    assert is_stale(NOW - limit - timedelta(milliseconds=1), NOW, limit)


@pytest.mark.parametrize(
    ("request_text", "title"),
    [
        ("<@42> fix the login", "fix the login"),
        ("x" * 60, "x" * 50),
        ("two\n lines", "two lines"),
        ("<@42>", "New task"),
    ],
)
def test_a_thread_without_a_name_gets_the_first_fifty_characters(request_text: str, title: str) -> None:
    assert fallback_title(request_text) == title


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\my file (1).txt", "my_file_1_.txt"),
        (".env", "env"),
        ("", "file"),
        ("///", "file"),
        ("Üben.md", "Üben.md"),
        ("x" * 200 + ".py", "x" * 97 + ".py"),
    ],
)
def test_an_uploaded_file_gets_a_harmless_name(name: str, safe: str) -> None:
    assert file_name(name) == safe


@given(st.text())
def test_every_uploaded_name_is_a_path_inside_the_workspace(name: str) -> None:
    safe = file_name(name)
    assert safe_path(safe) == safe
    assert "/" not in safe
    assert len(safe) <= 100
