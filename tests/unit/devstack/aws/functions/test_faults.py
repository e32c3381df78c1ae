import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from devstack.aws.functions.faults import FunctionFaults, Run
from devstack.aws.functions.model import Invocation, InvocationRefused

ANSWER = Invocation(b'"answer"')


def meet(faults: FunctionFaults, function: str, payload: bytes = b"{}", run: Run = lambda: ANSWER) -> Invocation:
    fault = faults.take(function, payload)
    return run() if fault is None else fault.meet(run)


def test_a_planned_error_is_met_once_by_the_function_it_is_planned_for() -> None:
    faults = FunctionFaults()
    faults.fail_next("turn", "ModelUnavailable")
    assert meet(faults, "plan") == ANSWER
    assert meet(faults, "turn").error_type == "ModelUnavailable"
    assert meet(faults, "turn") == ANSWER


def test_several_errors_are_met_in_their_order() -> None:
    faults = FunctionFaults()
    faults.fail_next("turn", "A", "B", times=2)
    assert [meet(faults, "turn").error_type for _ in range(4)] == ["A", "B", "A", "B"]
    assert meet(faults, "turn") == ANSWER


def test_a_fault_waits_for_the_call_that_holds_all_of_its_texts() -> None:
    faults = FunctionFaults()
    faults.fail_next("turn", "A", only=("m-1", "token"))
    assert meet(faults, "turn", b'"m-1"') == ANSWER
    assert (faults.left(), faults.left("m-1"), faults.left("m-2")) == (1, 1, 0)
    assert meet(faults, "turn", b'"m-1 token"').error_type == "A"
    assert faults.left() == 0


@pytest.mark.parametrize(("error", "status"), [("TooManyRequestsException", 429), ("ServiceException", 500)])
def test_an_error_of_the_service_refuses_the_call(error: str, status: int) -> None:
    faults = FunctionFaults()
    faults.fail_next("turn", f"Lambda.{error}")
    with pytest.raises(InvocationRefused) as refused:
        meet(faults, "turn")
    assert (refused.value.code, refused.value.status) == (error, status)


def test_a_lost_answer_leaves_the_call_done() -> None:
    faults, done = FunctionFaults(), list[str]()
    faults.fail_next("turn", "States.Timeout", after=True)

    def run() -> Invocation:
        done.append("it")
        return ANSWER

    with pytest.raises(TimeoutError):
        meet(faults, "turn", run=run)
    assert done == ["it"]


def test_an_answer_can_be_put_in_the_place_of_the_functions_own() -> None:
    faults = FunctionFaults()
    faults.answer_next("turn", None)
    assert meet(faults, "turn", run=pytest.fail).raw == b"null"


def test_a_gate_holds_the_call_until_it_is_opened() -> None:
    faults = FunctionFaults()
    gate = faults.hold_next("turn")
    ran = threading.Event()

    def run() -> Invocation:
        ran.set()
        return ANSWER

    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(meet, faults, "turn", run=run)
        gate.await_call()
        assert not ran.is_set()
        gate.open()
        gate.await_end()
        assert ran.is_set()
        assert call.result(timeout=10) == ANSWER


def test_nobody_at_the_gate_is_told() -> None:
    gate = FunctionFaults().hold_next("turn")
    for wait in (gate.await_call, gate.await_end):
        with pytest.raises(TimeoutError):
            wait(seconds=0.01)
