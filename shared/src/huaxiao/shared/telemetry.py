"""Traces, metrics and logs by OpenTelemetry, told to a collector where the environment names one.

``OTEL_EXPORTER_OTLP_ENDPOINT`` names it, and OpenTelemetry's other variables hold as everywhere.
Without it nothing is measured, and spans cost nothing.
"""

import logging
import os
from collections.abc import Iterable, Iterator, MutableMapping
from contextlib import contextmanager
from itertools import islice
from typing import Any

from fastapi.telemetry import TelemetryConfig
from opentelemetry import _logs
from opentelemetry import trace as spans
from opentelemetry._logs import SeverityNumber
from typing_extensions import override

_COLLECTOR = "OTEL_EXPORTER_OTLP_ENDPOINT"
_PROBES = ("/healthz", "/readyz")
_OWN_LOGGERS = ("opentelemetry", "urllib3")
"""What tells the collector logs that it cannot, which would be told to the collector."""
_SEVERITY = {
    logging.DEBUG: SeverityNumber.DEBUG,
    logging.INFO: SeverityNumber.INFO,
    logging.WARNING: SeverityNumber.WARN,
    logging.ERROR: SeverityNumber.ERROR,
    logging.CRITICAL: SeverityNumber.FATAL,
}
_MOST_LINKS = 128
"""OpenTelemetry keeps no more of a span."""


def collected() -> bool:
    """Say whether there is a collector to tell."""
    return bool(os.environ.get(_COLLECTOR))


def telemetry() -> TelemetryConfig:
    """Return what an app tells of its requests: how many, how they ended and how long they took."""
    told = collected()
    return TelemetryConfig(
        auto_configure=told,
        tracing=told,
        metrics=told,
        logs=told,
        operation_spans=False,
        exclude=_is_probe,
    )


def _is_probe(scope: MutableMapping[str, Any]) -> bool:
    return str(scope.get("path", "")).endswith(_PROBES)


class ToCollector(logging.Handler):
    """Tells the collector what is logged, in the trace in which it was."""

    @override
    def emit(self, record: logging.LogRecord) -> None:
        if record.name.startswith(_OWN_LOGGERS):
            return
        _logs.get_logger(record.name).emit(
            timestamp=int(record.created * 1_000_000_000),
            severity_number=_SEVERITY[record.levelno // 10 * 10],
            severity_text=record.levelname,
            body=record.getMessage(),
            attributes=dict(_told(record)),
            exception=record.exc_info[1] if record.exc_info else None,
        )


def _told(record: logging.LogRecord) -> Iterator[tuple[str, str | int | float]]:
    """Yield the members of a line for machines that can be looked for."""
    for name, value in getattr(record, "members", {}).items():
        if isinstance(value, str | int | float):
            yield name, value


def current_traceparent() -> str | None:
    """Return the span that is under way as W3C trace context, if there is one."""
    context = spans.get_current_span().get_span_context()
    if not context.is_valid:
        return None
    flags = int(context.trace_flags)
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{flags:02x}"


@contextmanager
def caused_by(name: str, traceparents: Iterable[str], **attributes: str | int) -> Iterator[None]:
    """Do something as a span of its own that is linked to the traces which gave rise to it.

    What is done once for many cannot be a part of each of their traces.
    """
    if not collected():
        yield
        return
    distinct = islice(dict.fromkeys(traceparents), _MOST_LINKS)
    links = [spans.Link(_context_of(one)) for one in distinct]
    tracer = spans.get_tracer("huaxiao")
    with tracer.start_as_current_span(
        name, links=links, attributes=attributes, kind=spans.SpanKind.CONSUMER
    ):
        yield


def _context_of(traceparent: str) -> spans.SpanContext:
    _, trace_id, span_id, flags = traceparent.split("-")
    return spans.SpanContext(
        int(trace_id, 16),
        int(span_id, 16),
        is_remote=True,
        trace_flags=spans.TraceFlags(int(flags, 16)),
    )
