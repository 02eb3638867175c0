"""Traces by OpenTelemetry, where the extra ``witgen[otel]`` is installed and `configure` was called; nothing else.

Without them a span is nothing and costs next to nothing. It knows no exporter but the one of OTLP over HTTP, which is
told where to send by the variables of the OpenTelemetry specification (``OTEL_EXPORTER_OTLP_ENDPOINT``).
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

__all__ = ["configure", "current_traceparent", "ids", "span", "traced"]

#: An application of ASGI 3.0.
Application: TypeAlias = Callable[[MutableMapping[str, Any], Any, Any], Awaitable[None]]

#: The tracer, once there is one.
_tracer: Any = None
_NOTHING: contextlib.nullcontext[None] = contextlib.nullcontext()


def configure(service: str = "runner", exporter: Any = None) -> Callable[[], None]:
    """Begins to trace. `exporter` is another one than that of OTLP. Returns what sends the rest and ends it.

    Raises ImportError, which names the extra, where OpenTelemetry is not installed.
    """
    global _tracer
    try:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        if exporter is None:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

            exporter = OTLPSpanExporter()
    except ImportError as error:
        raise ImportError("traces need OpenTelemetry: pip install 'witgen[otel]'") from error
    provider = TracerProvider(resource=Resource.create({"service.name": service}))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    _tracer = provider.get_tracer("runner")

    def stop() -> None:
        global _tracer
        _tracer = None
        provider.shutdown()

    return stop


def span(name: str, traceparent: str | None = None, **attributes: Any) -> contextlib.AbstractContextManager[Any]:
    """A span around what is done inside; an exception that leaves it marks it as failed.

    `traceparent` is the header of that name (W3C Trace Context) of who asked. `None` attributes are left out.
    """
    if _tracer is None:
        return _NOTHING
    said = {key: value for key, value in attributes.items() if value is not None}
    return _tracer.start_as_current_span(name, context=_parent(traceparent), attributes=said)  # type: ignore[no-any-return]


def traced(app: Application) -> Application:
    """An application of ASGI each of whose requests is a span, below that of who asked."""

    async def call(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        parent = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"traceparent"), None)
        said = {"http.request.method": scope["method"], "url.path": scope["path"]}
        with span(f"{scope['method']} {scope['path']}", parent, **said) as current:

            async def told(message: MutableMapping[str, Any]) -> None:
                if current is not None and message["type"] == "http.response.start":
                    current.set_attribute("http.response.status_code", message["status"])
                await send(message)

            await app(scope, receive, told)

    return call


def current_traceparent() -> str | None:
    """The header for whom we ask, if there is a trace."""
    if _tracer is None:
        return None
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier = dict[str, str]()
    TraceContextTextMapPropagator().inject(carrier)
    return carrier.get("traceparent")


def ids() -> dict[str, str]:
    """The ids of the present trace and span as logs have them; nothing without a trace."""
    if _tracer is None:
        return {}
    from opentelemetry import trace

    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return {}
    return {"trace": trace.format_trace_id(context.trace_id), "span": trace.format_span_id(context.span_id)}


def _parent(traceparent: str | None) -> Any:
    if traceparent is None:
        return None
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    return TraceContextTextMapPropagator().extract({"traceparent": traceparent})
