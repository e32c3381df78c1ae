import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from discord_agent.domain.classification import AgentRole, Classification, Complexity, TaskType
from discord_agent.replies import (
    Approach,
    BrainstormReply,
    ConfidenceAssessment,
    ConsolidateReply,
    DecideReply,
    PlanReply,
    ReflectReply,
    Reply,
    TitleReply,
    schema_of,
)


def test_a_decision_becomes_a_classification() -> None:
    reply = DecideReply.model_validate(
        {
            "should_respond": False,
            "reason": "A greeting.",
            "is_technical": False,
            "task_type": "social",
            "agent_role": "researcher",
            "complexity": "simple",
        }
    )

    assert reply.classification() == Classification(
        should_respond=False,
        reason="A greeting.",
        is_technical=False,
        task_type=TaskType.SOCIAL,
        role=AgentRole.RESEARCHER,
        complexity=Complexity.SIMPLE,
    )
    assert reply.classification(forced=True).should_respond


@pytest.mark.parametrize(("technical", "expected"), [(True, TaskType.CODING), (False, TaskType.GENERAL)])
def test_an_unknown_task_type_falls_back_by_whether_it_is_technical(technical: bool, expected: TaskType) -> None:
    reply = DecideReply.model_validate({"should_respond": True, "is_technical": technical, "task_type": "yodelling"})

    assert reply.classification().task_type is expected


def test_unknown_roles_and_complexities_fall_back() -> None:
    reply = DecideReply.model_validate({"should_respond": True, "agent_role": "wizard", "complexity": 7})

    assert (reply.agent_role, reply.complexity) == (AgentRole.PYTHON_CODER, Complexity.MEDIUM)


def test_enum_values_are_read_in_any_spelling_of_the_same_words() -> None:
    reply = DecideReply.model_validate({"should_respond": True, "task_type": " Technical_QA ", "agent_role": "DBA"})

    assert (reply.task_type, reply.agent_role) == (TaskType.TECHNICAL_QA, AgentRole.DBA)


def test_a_decision_without_a_yes_or_no_is_refused() -> None:
    with pytest.raises(ValidationError):
        DecideReply.model_validate({"reason": "unsure"})


def test_an_empty_plan_has_the_defaults_of_the_contract() -> None:
    plan = PlanReply.model_validate({})

    assert plan.plan_content
    assert plan.instruction_content
    assert plan.model_dump(exclude={"plan_content", "instruction_content"}) == {
        "reformulated_prompt": "",
        "topic_slug": "general-task",
        "is_new_topic": True,
        "task_type": TaskType.CODING,
        "agent_role": AgentRole.PYTHON_CODER,
        "complexity": Complexity.MEDIUM,
        "estimated_turns": 15,
        "confidence_assessment": {
            "has_progress": True,
            "score": 50,
            "reasoning": "The planner gave no assessment.",
        },
        "reflection": None,
    }


@pytest.mark.parametrize(("sent", "expected"), [(False, False), (True, True), (None, True), ("false", True), (0, True)])
def test_a_topic_is_new_unless_the_plan_says_exactly_false(sent: object, expected: bool) -> None:
    assert PlanReply.model_validate({"is_new_topic": sent}).is_new_topic is expected


@pytest.mark.parametrize(("sent", "expected"), [("Auth JWT: Refactor!", "auth-jwt-refactor"), ("", "general-task")])
def test_a_topic_slug_is_made_kebab_case(sent: str, expected: str) -> None:
    assert PlanReply.model_validate({"topic_slug": sent}).topic_slug == expected


@given(st.one_of(st.integers(), st.floats(), st.text(), st.none(), st.lists(st.integers())))
def test_numbers_are_always_clamped(sent: object) -> None:
    plan = PlanReply.model_validate({"estimated_turns": sent, "confidence_assessment": {"score": sent}})

    assert 0 <= plan.estimated_turns <= 35
    assert 0 <= plan.confidence_assessment.score <= 100


def test_the_reflection_of_a_plan_is_kept() -> None:
    plan = PlanReply.model_validate({"reflection": {"what_failed": "The tests.", "key_insight": "Run them."}})

    assert plan.reflection == ReflectReply(what_failed="The tests.", key_insight="Run them.")


def test_parts_of_a_plan_that_are_no_objects_fall_back() -> None:
    plan = PlanReply.model_validate({"reflection": "N/A", "confidence_assessment": "high"})

    assert (plan.reflection, plan.confidence_assessment) == (None, ConfidenceAssessment())


def test_findings_that_say_nothing_are_empty() -> None:
    reply = ReflectReply.model_validate(
        {"what_worked": "N/A", "what_failed": "None.", "root_cause": None, "strategy_change": " - "}
    )

    assert not reply.says_something


def test_a_list_of_findings_becomes_lines() -> None:
    assert ReflectReply.model_validate({"what_worked": ["reading", "tests"]}).what_worked == "- reading\n- tests"


def test_a_title_loses_its_quotes_and_line_breaks_and_is_cut() -> None:
    assert TitleReply.model_validate({"title": '"Move auth\nto JWT."'}).title == "Move auth to JWT"
    assert len(TitleReply.model_validate({"title": "word " * 60}).title) <= 100


def test_an_empty_title_is_refused() -> None:
    with pytest.raises(ValidationError):
        TitleReply.model_validate({"title": '""'})


@pytest.mark.parametrize("reply", [DecideReply, PlanReply, ReflectReply, TitleReply])
def test_a_schema_asks_for_every_field(
    reply: type[Reply],
) -> None:
    schema = schema_of(reply)

    assert schema["required"] == list(schema["properties"])


def test_values_that_are_not_taken_as_they_came_are_told_with_a_reason() -> None:
    reasons: list[str] = []
    sent = {
        "task_type": "world-domination",
        "agent_role": "",
        "complexity": "simple",
        "estimated_turns": 10_000,
        "confidence_assessment": {"score": -7},
    }
    PlanReply.model_validate(sent, context=reasons)

    assert reasons == [
        "task_type: 'world-domination' is unknown, coding-implementation is taken",
        "estimated_turns: 10000 is not between 0 and 35, 35 is taken",
        "score: -7 is not between 0 and 100, 0 is taken",
    ]


@given(st.one_of(st.integers(), st.floats(), st.text(), st.none(), st.lists(st.integers())))
def test_a_number_is_told_of_exactly_if_it_is_out_of_range(sent: object) -> None:
    reasons: list[str] = []
    PlanReply.model_validate({"estimated_turns": sent}, context=reasons)

    is_usable = isinstance(sent, int | float) and 0 <= sent <= 35
    is_spelled = isinstance(sent, str) and bool(reasons) is False
    assert bool(reasons) is not (is_usable or is_spelled)


def _approach(**values: object) -> dict[str, object]:
    return {"title": "Tokens", "overview": "Sign them.", **values}


def test_an_approach_is_words_without_code_and_lists_whatever_form_they_came_in() -> None:
    approach = Approach.model_validate(
        _approach(
            overview="Sign them.\n```python\nimport jwt\n```\nThat is all.",
            architecture="~~~\nunclosed",
            pros="- fast\n2. cheap\n\n• known",
            cons=["slow", 7, "```sh\nrm\n```", "  "],
        )
    )
    assert approach.overview == "Sign them.\n\nThat is all."
    assert (approach.architecture, approach.pros, approach.cons) == ("", ("fast", "cheap", "known"), ("slow",))


def test_of_too_many_options_the_first_three_count_and_of_too_many_points_the_first_seven() -> None:
    reply = ConsolidateReply.model_validate({"options": [_approach(pros=list("abcdefghij"))] * 5})
    assert len(reply.options) == 3
    assert reply.options[0].pros == tuple("abcdefg")


@pytest.mark.parametrize("options", [[], [_approach()], "two", None])
def test_fewer_than_two_options_are_no_choice(options: object) -> None:
    with pytest.raises(ValidationError):
        ConsolidateReply.model_validate({"options": options})


@pytest.mark.parametrize("approaches", [[], [_approach(title="")], [_approach(overview="```\ncode only\n```")]])
def test_a_proposal_without_words_is_none(approaches: object) -> None:
    with pytest.raises(ValidationError):
        BrainstormReply.model_validate({"approaches": approaches})


@pytest.mark.parametrize("value", ["yes", 1, None, "true"])
def test_only_a_plain_true_says_that_options_are_wanted(value: object) -> None:
    assert DecideReply.model_validate({"should_respond": True, "wants_options": value}).wants_options is False
