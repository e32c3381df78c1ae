"""JSONata: moto ships no evaluator and pastes data into the expression's text, unescaped.

Mended here: data is bound to expressions as values; every failure, an undefined result included, is
States.QueryEvaluationError; Assign and Output see the variables as they were when the state was entered.
"""

import json
from typing import Any

from moto.stepfunctions.parser.api import EvaluationFailedEventDetails, HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent, FailureEventException
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.common.string.string_expression import StringJSONata, StringVariableSample
from moto.stepfunctions.parser.asl.component.state.state import CommonStateField
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.eval.variable_store import VariableStore

from devstack.aws.interpreter.evaluation import EvaluationFailed, evaluate


def mend() -> None:
    """Replace the evaluation of expressions and variables."""
    StringJSONata._eval_body = _evaluate_expression  # noqa: SLF001 (replaces moto's)
    StringVariableSample._eval_body = _evaluate_expression  # noqa: SLF001 (replaces moto's)
    CommonStateField._eval_body = _remember_variables(CommonStateField._eval_body)  # noqa: SLF001 (replaces moto's)
    VariableStore.as_inner_scope_of = classmethod(_inner_scope)
    VariableStore.get_assigned_variables = _assigned


def _remember_variables(original: Any) -> Any:
    def body(self: Any, env: Any) -> None:
        store = env.variable_store
        store.entry_variables = {**store._outer_scope, **store._inner_scope}  # noqa: SLF001 (no public way)
        original(self, env)

    return body


def _inner_scope(cls: Any, outer_variable_store: Any) -> Any:
    """The variables of a Map's or Parallel's branch: the outer ones, to read only."""
    inner = cls()
    inner._outer_scope.update(outer_variable_store._outer_scope | outer_variable_store._inner_scope)  # noqa: SLF001 (no public way)
    inner.entry_variables = dict(inner._outer_scope)
    return inner


def _assigned(self: Any) -> dict[str, str]:
    """The variables of the history's events, as JSON."""
    return {name: json.dumps(self.get(name), separators=(",", ":")) for name in self._declaration_tracing}


def _evaluate_expression(self: Any, env: Any) -> None:
    bindings = {**env.variable_store.entry_variables, "states": env.states._states_data}  # noqa: SLF001 (no public way)
    try:
        env.stack.append(evaluate(self.expression, bindings))
    except EvaluationFailed as error:
        name = StatesErrorName(typ=StatesErrorNameType.StatesQueryEvaluationError)
        details = EvaluationFailedEventDetails(error=name.error_name, cause=str(error))
        raise FailureEventException(
            failure_event=FailureEvent(
                env=env,
                error_name=name,
                event_type=HistoryEventType.EvaluationFailed,
                event_details=EventDetails(evaluationFailedEventDetails=details),
            )
        ) from error
