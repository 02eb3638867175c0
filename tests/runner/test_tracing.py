"""Traces: spans reach an exporter, follow W3C headers, and are nothing where nobody asked for them."""

from __future__ import annotations

import subprocess
import sys

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from runner import tracing

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_spans_reach_the_exporter_with_parent_and_attributes() -> None:
    exporter = InMemorySpanExporter()
    stop = tracing.configure("test", exporter)
    try:
        with tracing.span("request", PARENT, method="GET", tenant=None):
            inside = tracing.ids()
            header = tracing.current_traceparent()
            with tracing.span("component"):
                pass
        with pytest.raises(ValueError, match="no"), tracing.span("failing"):
            raise ValueError("no")
    finally:
        stop()
    component, request, failing = exporter.get_finished_spans()
    assert request.name == "request"
    assert dict(request.attributes or {}) == {"method": "GET"}
    assert inside["trace"] == "0af7651916cd43dd8448eb211c80319c"
    assert header is not None and header.startswith("00-0af7651916cd43dd8448eb211c80319c-" + inside["span"])
    assert component.parent is not None and format(component.parent.span_id, "016x") == inside["span"]
    assert not failing.status.is_ok
    assert request.resource.attributes["service.name"] == "test"


def test_without_a_configuration_spans_are_nothing() -> None:
    with tracing.span("request", PARENT, method="GET") as found:
        assert found is None
        assert tracing.ids() == {}
        assert tracing.current_traceparent() is None


def test_without_the_extra_the_runner_does_without_and_says_what_to_install() -> None:
    program = """
import sys
sys.modules["opentelemetry.sdk"] = None
from runner import tracing
with tracing.span("x"):
    pass
assert not [name for name in sys.modules if name.startswith("opentelemetry.") and sys.modules[name]]
try:
    tracing.configure()
except ImportError as error:
    print(error)
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout == "traces need OpenTelemetry: pip install 'witgen[otel]'\n"
