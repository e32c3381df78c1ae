"""JSONata: moto ships no evaluator and pastes data into the expression's text, unescaped.

Here expressions are compiled once, data is bound to them as values, and every failure, an undefined result included,
is States.QueryEvaluationError. Assign and Output see the variables as they were when the state was entered.
"""

import copy
import functools
import hashlib
import json
import random
import uuid
from collections.abc import Mapping
from typing import Any, Final

from jsonata import Jsonata
from moto.stepfunctions.parser.api import EvaluationFailedEventDetails, HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent, FailureEventException
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.common.string.string_expression import StringJSONata, StringVariableSample
from moto.stepfunctions.parser.asl.component.state.state import CommonStateField
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.eval.variable_store import VariableStore

_DIGESTS: Final = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}


class EvaluationFailed(Exception):
    """The expression does not compile, fails, or gives nothing."""


def mend() -> None:
    """Replace the evaluation of expressions and variables."""
    StringJSONata._eval_body = _evaluate_expression  # noqa: SLF001 (replaces moto's)
    StringVariableSample._eval_body = _evaluate_expression  # noqa: SLF001 (replaces moto's)
    CommonStateField._eval_body = _remember_variables(CommonStateField._eval_body)  # noqa: SLF001 (replaces moto's)
    VariableStore.as_inner_scope_of = classmethod(_inner_scope)


def evaluate(expression: str, bindings: Mapping[str, Any]) -> Any:
    """The expression's value as plain JSON data; EvaluationFailed."""
    try:
        # Evaluation keeps state in the compiled object: each thread needs its own.
        compiled = copy.copy(_compile(expression))
        Jsonata.CURRENT.jsonata = compiled
        value = compiled.evaluate(None, {**_functions(), **bindings})
    except Exception as error:
        raise EvaluationFailed(str(error)) from error
    if value is None:
        raise EvaluationFailed(f"the JSONata expression '{expression}' returned nothing (undefined)")
    try:
        return json.loads(json.dumps(value, default=_plain))
    except (TypeError, ValueError) as error:
        raise EvaluationFailed(f"the JSONata expression '{expression}' returned no JSON value") from error


@functools.lru_cache(maxsize=2048)
def _compile(expression: str) -> Jsonata:
    compiled = Jsonata(expression)
    # Tells a null in the data from no value at all.
    compiled.set_output_convert_nulls(False)
    return compiled


def _plain(value: object) -> None:
    if type(value).__name__ == "NullValue":
        return
    raise TypeError(f"{type(value).__name__} is no JSON value")


@functools.cache
def _functions() -> Mapping[str, object]:
    """The functions that Step Functions adds to JSONata."""
    return {
        name: Jsonata.JLambda(function)
        for name, function in {
            "partition": _partition,
            "range": _range,
            "hash": _hash,
            "random": _random,
            "uuid": lambda: str(uuid.uuid4()),
            "parse": json.loads,
        }.items()
    }


def _partition(items: list[Any], size: float) -> list[list[Any]]:
    return [items[start : start + int(size)] for start in range(0, len(items), int(size))]


def _range(first: float, last: float, step: float) -> list[float]:
    count = int((last - first) // step) + 1 if step else 0
    return [first + step * index for index in range(max(count, 0))]


def _hash(text: str, algorithm: str) -> str:
    return hashlib.new(_DIGESTS[algorithm], text.encode()).hexdigest()


def _random(seed: float | None = None) -> float:
    return random.random() if seed is None else random.Random(seed).random()  # noqa: S311 (no secret is made of it)


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
