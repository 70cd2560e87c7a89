"""Traces: a span for every request, job and statement, sent by OTLP where an endpoint is configured.

Without ``OTEL_EXPORTER_OTLP_ENDPOINT`` the spans are OpenTelemetry's own that do nothing, and cost next to nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from opentelemetry import context, propagate, trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

if TYPE_CHECKING:
    from sqlalchemy import Engine

NAME = "guohe"


def set_up(endpoint: str, *engines: Engine) -> None:
    """Send spans to a collector from now on; nothing where there is no endpoint.

    The standard variables of OpenTelemetry (``OTEL_SERVICE_NAME``, ``OTEL_EXPORTER_OTLP_HEADERS``, …) are heeded.
    """
    if not endpoint:
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource({SERVICE_NAME: NAME}).merge(OTELResourceDetector().detect()))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(), schedule_delay_millis=1000))
    trace.set_tracer_provider(provider)
    for engine in engines:
        _watch(engine)


@contextmanager
def span(name: str, **facts: Any) -> Iterator[Span]:
    """What happens inside is one span; an exception marks it as failed."""
    with trace.get_tracer(NAME).start_as_current_span(name, attributes=_attributes(facts)) as opened:
        yield opened


class Request:
    """The span of a request, which goes on with the caller's trace where there is one."""

    def __init__(self, name: str, headers: Mapping[str, str], **facts: Any) -> None:
        parent = propagate.extract({name.lower(): value for name, value in headers.items()})
        self.span = trace.get_tracer(NAME).start_span(
            name, context=parent, kind=SpanKind.SERVER, attributes=_attributes(facts)
        )
        self._token = context.attach(trace.set_span_in_context(self.span, parent))

    def answered(self, status: int) -> None:
        """Note how it went."""
        self.span.set_attribute("http.response.status_code", status)
        if status >= 500:
            self.span.set_status(Status(StatusCode.ERROR))

    def end(self) -> None:
        """It is over."""
        context.detach(self._token)
        self.span.end()


def current() -> str | None:
    """The id of the trace that is being written, for the log."""
    found = trace.get_current_span().get_span_context()
    return format(found.trace_id, "032x") if found.is_valid else None


def _attributes(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name.replace("__", "."): value for name, value in facts.items() if value is not None}


def _watch(engine: Engine) -> None:
    """A span for each statement of a request or job: what it is, never the values in it."""
    from sqlalchemy import event

    @event.listens_for(engine, "before_cursor_execute")
    def begin(connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if trace.get_current_span().is_recording():
            words = statement.split(None, 1)
            connection.info["guohe.span"] = trace.get_tracer(NAME).start_span(
                words[0].upper() if words else "SQL",
                kind=SpanKind.CLIENT,
                attributes={"db.system.name": engine.dialect.name, "db.query.text": statement[:2000]},
            )

    @event.listens_for(engine, "after_cursor_execute")
    def end(connection: Any, *_: Any) -> None:
        opened = connection.info.pop("guohe.span", None)
        if opened is not None:
            opened.end()

    @event.listens_for(engine, "handle_error")
    def fail(raised: Any) -> None:
        opened = raised.connection.info.pop("guohe.span", None) if raised.connection is not None else None
        if opened is not None:
            opened.set_status(Status(StatusCode.ERROR))
            opened.end()
