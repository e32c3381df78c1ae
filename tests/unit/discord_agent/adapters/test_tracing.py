"""Spans reach the daemon that Lambda announces, and say nothing of what people or models wrote."""

import json
import socket
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from discord_agent.adapters.tracing import TracedModel, XRayTracer
from discord_agent.domain.conversation import Message, ModelRequest, Purpose, Role
from discord_agent.domain.errors import ModelRefused
from discord_agent.domain.ids import ModelName
from tests.support.clock import ManualClock
from tests.support.fakes.effects import Effects
from tests.support.fakes.models import ScriptedModel, says

ROOT = "1-6741f5e0-0123456789abcdef01234567"
ADDRESS = "169.254.79.129:2000"
HEADER = f"Root={ROOT};Parent=53995c3f42cd8ad8;Sampled=1;Lineage=1:a:0"


@dataclass
class Daemon:
    """Takes datagrams; its tracer is told where it listens and what is traced as Lambda tells it."""

    address: str = ADDRESS
    header: str = HEADER
    clock: ManualClock = field(default_factory=ManualClock)
    received: list[tuple[tuple[str, int], dict[str, Any]]] = field(default_factory=list)

    def take(self, address: tuple[str, int], datagram: bytes) -> None:
        header, _, document = datagram.partition(b"\n")
        assert json.loads(header) == {"format": "json", "version": 1}
        self.received.append((address, json.loads(document)))

    @property
    def tracer(self) -> XRayTracer:
        return XRayTracer(self.address, lambda: self.header, self.clock, self.take)

    @property
    def spans(self) -> list[dict[str, Any]]:
        return [document for _, document in self.received]


def test_a_span_is_a_subsegment_of_the_segment_that_lambda_made() -> None:
    daemon = Daemon()
    with daemon.tracer.span("step", execution_id="m-1", turn=3):
        daemon.clock.pass_by(timedelta(seconds=2))
    [(address, span)] = daemon.received
    began = ManualClock().now().timestamp()
    assert address == ("169.254.79.129", 2000)
    assert len(span.pop("id")) == 16
    assert span == {
        "name": "step",
        "trace_id": ROOT,
        "parent_id": "53995c3f42cd8ad8",
        "type": "subsegment",
        "start_time": began,
        "end_time": began + 2,
        "annotations": {"execution_id": "m-1", "turn": 3},
    }


def test_a_span_within_a_span_is_its_child_and_the_next_one_its_sibling() -> None:
    daemon = Daemon()
    with daemon.tracer.span("step"):
        with daemon.tracer.span("model"):
            pass
        with daemon.tracer.span("sandbox"):
            pass
    model, sandbox, step = daemon.spans
    assert model["parent_id"] == sandbox["parent_id"] == step["id"]
    assert len({span["id"] for span in daemon.spans}) == 3


def test_an_error_is_told_by_its_type_alone_and_goes_on_its_way() -> None:
    daemon = Daemon()
    with pytest.raises(ModelRefused), daemon.tracer.span("model"):
        raise ModelRefused("the prompt was: rotate my token hunter2")
    [span] = daemon.spans
    assert span["fault"] is True
    assert [each["type"] for each in span["cause"]["exceptions"]] == ["ModelRefused"]
    assert "hunter2" not in json.dumps(span)


@pytest.mark.parametrize(
    ("address", "header"),
    [
        ("", HEADER),
        ("nowhere", HEADER),
        (ADDRESS, ""),
        (ADDRESS, f"Root={ROOT};Parent=53995c3f42cd8ad8;Sampled=0"),
        (ADDRESS, f"Root={ROOT};Parent=53995c3f42cd8ad8"),
        (ADDRESS, "Root=1-2"),
    ],
    ids=["no daemon", "no address", "no trace", "not sampled", "not said", "half a header"],
)
def test_nothing_is_sent_where_nobody_listens_or_the_trace_is_not_sampled(address: str, header: str) -> None:
    daemon = Daemon(address, header)
    with daemon.tracer.span("step"):
        pass
    assert daemon.received == []


def test_each_invocation_has_its_own_trace() -> None:
    daemon = Daemon()
    tracer = daemon.tracer
    with tracer.span("step"):
        pass
    daemon.header = "Root=1-2-3;Parent=b;Sampled=1"
    with tracer.span("step"):
        pass
    assert [(span["trace_id"], span["parent_id"]) for span in daemon.spans] == [
        (ROOT, "53995c3f42cd8ad8"),
        ("1-2-3", "b"),
    ]


def test_a_call_of_a_model_is_a_span_with_its_name_and_purpose_but_not_its_words() -> None:
    daemon, model = Daemon(), ScriptedModel(Effects())
    model.script[Purpose.RESPOND] = [says("my answer")]
    request = ModelRequest(Purpose.RESPOND, ModelName("qwen3-max"), (Message(Role.USER, "my question"),))
    assert TracedModel(model, daemon.tracer).complete(request).message.text == "my answer"
    [span] = daemon.spans
    assert (span["name"], span["annotations"]) == ("model", {"model": "qwen3-max", "purpose": "respond"})
    assert "my " not in json.dumps(span)


def test_a_span_arrives_at_a_daemon_in_one_datagram() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.settimeout(5)
        address = f"127.0.0.1:{listening.getsockname()[1]}"
        with XRayTracer(address, lambda: HEADER, ManualClock()).span("step"):
            pass
        assert json.loads(listening.recv(65536).split(b"\n")[1])["name"] == "step"


def test_a_daemon_that_cannot_be_reached_harms_nobody() -> None:
    def refuse(address: tuple[str, int], datagram: bytes) -> None:
        raise OSError("no route")

    with XRayTracer(ADDRESS, lambda: HEADER, ManualClock(), refuse).span("step"):
        done = True
    assert done
