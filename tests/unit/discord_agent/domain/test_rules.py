import pytest
from hypothesis import given
from hypothesis import strategies as st

from discord_agent.domain.classification import AgentRole, TaskType
from discord_agent.domain.rules import classify_by_rules


@pytest.mark.parametrize(
    ("text", "task"),
    [
        ("run kubectl get pods", TaskType.COMMAND_RUNNER),
        ("<@42> please run ls -la", TaskType.COMMAND_RUNNER),
        ("run the tests", TaskType.TEST_RUNNER),
        ("Run all unit tests please", TaskType.TEST_RUNNER),
        ("refactor the authentication module to use JWT", TaskType.CODING),
        ("can you please fix the bug in parser.py?", TaskType.CODING),
        ("Add a logout button", TaskType.CODING),
        ("write a function that sorts", TaskType.CODING),
        ("write an email to my landlord", TaskType.WRITING),
        ("write the docs for auth.py", TaskType.DOCUMENTATION),
        ("review my pull request", TaskType.CODE_REVIEW),
        ("deploy the app", TaskType.DEVOPS),
        ("design a schema for orders", TaskType.DATABASE),
        ("what is async/await in JavaScript?", TaskType.EXPLANATION),
        ("Explain monads", TaskType.EXPLANATION),
        ("why does my python code crash?", TaskType.TECHNICAL_QA),
        ("how do I undo a git commit", TaskType.TECHNICAL_QA),
        ("how are you?", TaskType.GENERAL),
        ("hello!", TaskType.SOCIAL),
        ("hidden treasures", TaskType.GENERAL),
        ("nice weather", TaskType.GENERAL),
        ("", TaskType.GENERAL),
    ],
)
def test_without_a_model_a_request_is_classified_by_its_words(text: str, task: TaskType) -> None:
    assert classify_by_rules(text, forced=True).task_type is task


@pytest.mark.parametrize(
    ("text", "role"),
    [
        ("fix the React component", AgentRole.JS_TS_CODER),
        ("fix app.ts", AgentRole.JS_TS_CODER),
        ("fix the parser", AgentRole.PYTHON_CODER),
        ("review the typescript", AgentRole.CODE_REVIEWER),
        ("run ls", AgentRole.COMMAND_EXECUTOR),
    ],
)
def test_the_role_fits_the_task_and_the_language(text: str, role: AgentRole) -> None:
    assert classify_by_rules(text, forced=True).role is role


@given(st.text(), st.booleans())
def test_without_a_model_only_forced_requests_are_answered(text: str, forced: bool) -> None:
    assert classify_by_rules(text, forced=forced).should_respond is forced
