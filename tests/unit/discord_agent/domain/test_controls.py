import pytest
from hypothesis import given
from hypothesis import strategies as st

from discord_agent.domain.controls import MAX_CUSTOM_ID, Action, Control, decode, encode
from discord_agent.domain.errors import InvalidInput
from discord_agent.domain.ids import ExecutionId

EXECUTIONS = st.from_regex(r"[mi]-[0-9]{17,20}(-r[0-9])?", fullmatch=True).map(ExecutionId)


@given(st.sampled_from(Action), EXECUTIONS, st.text(max_size=50))
def test_every_control_comes_back_from_its_custom_id(action: Action, execution: ExecutionId, argument: str) -> None:
    control = Control(action, execution, argument)
    assert decode(encode(control)) == control


def test_a_custom_id_reads_action_execution_argument() -> None:
    assert encode(Control(Action.MERGE, ExecutionId("m-1"), "a1b2")) == "merge:m-1:a1b2"
    assert encode(Control(Action.STOP, ExecutionId("m-1"))) == "stop:m-1"


def test_a_control_that_does_not_fit_is_refused() -> None:
    with pytest.raises(InvalidInput):
        encode(Control(Action.ANSWER, ExecutionId("m-1"), "x" * MAX_CUSTOM_ID))


@pytest.mark.parametrize("execution", ["", "m:1", "m 1", "x" * 81])
def test_an_execution_id_that_could_not_be_read_back_is_refused(execution: str) -> None:
    with pytest.raises(InvalidInput):
        encode(Control(Action.STOP, ExecutionId(execution)))


@pytest.mark.parametrize(
    "custom_id", ["", "stop", "stop:", "launch:m-1", "STOP:m-1", "stop:m 1", "stop:m-1:" + "x" * 100, ":m-1"]
)
def test_a_custom_id_that_is_not_ours_is_refused(custom_id: str) -> None:
    with pytest.raises(InvalidInput):
        decode(custom_id)
