"""W3C trace context: the caller's ``traceparent`` is kept, passed on, and written beside facts."""

import re
import secrets
from contextvars import ContextVar

from huaxiao.shared.telemetry import current_traceparent

_PATTERN = re.compile(r"^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$")
_current: ContextVar[str | None] = ContextVar("traceparent", default=None)


def adopt(traceparent: str | None) -> str:
    """Continue the caller's trace, or begin one when the header is missing or not well formed.

    Where the request is a span already, that span is what the trace goes on from.
    """
    if (span := current_traceparent()) is not None:
        _current.set(span)
        return span
    random = secrets.token_hex(24)
    trace_id, span_id, flags = random[:32], random[32:], "01"
    if traceparent and _PATTERN.match(traceparent):
        trace_id, flags = traceparent[3:35], traceparent[-2:]
    value = f"00-{trace_id}-{span_id}-{flags}"
    _current.set(value)
    return value


def current() -> str | None:
    """Return this task's ``traceparent``, if it runs inside a trace or a span."""
    return _current.get() or current_traceparent()
