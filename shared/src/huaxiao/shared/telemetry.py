"""Traces and metrics by OpenTelemetry, told to a collector where the environment names one.

``OTEL_EXPORTER_OTLP_ENDPOINT`` names it, and OpenTelemetry's other variables hold as everywhere.
Without it nothing is measured, and spans cost nothing.
"""

import os
from collections.abc import Iterable, Iterator, MutableMapping
from contextlib import contextmanager
from itertools import islice
from typing import Any

from fastapi.telemetry import TelemetryConfig
from opentelemetry import trace as spans

_COLLECTOR = "OTEL_EXPORTER_OTLP_ENDPOINT"
_PROBES = ("/healthz", "/readyz")
_MOST_LINKS = 128
"""OpenTelemetry keeps no more of a span."""


def collected() -> bool:
    """Say whether there is a collector to tell."""
    return bool(os.environ.get(_COLLECTOR))


def telemetry() -> TelemetryConfig:
    """Return what an app tells of its requests: how many, how they ended and how long they took.

    Logs go to standard error, as lines, and are collected from there.
    """
    return TelemetryConfig(
        auto_configure=collected(), operation_spans=False, logs=False, exclude=_is_probe
    )


def _is_probe(scope: MutableMapping[str, Any]) -> bool:
    return str(scope.get("path", "")).endswith(_PROBES)


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
