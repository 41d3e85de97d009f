"""Structured log lines: one JSON object each, for machines that watch over the suite."""

import json
import logging
import sys
from typing import Any

from typing_extensions import override

_log = logging.getLogger("huaxiao.record")


class _Lines(logging.Handler):
    @override
    def emit(self, record: logging.LogRecord) -> None:
        sys.stderr.write(record.getMessage() + "\n")


def tell(level: int, event: str, **members: Any) -> None:
    """Log an event with its members as one line of JSON."""
    _log.log(level, "%s", json.dumps({"event": event, **members}, ensure_ascii=False))


def to_standard_error() -> None:
    """Let such lines be seen, each as it is: from INFO on unless the process has said otherwise."""
    if not _log.handlers:
        _log.addHandler(_Lines())
    if _log.level == logging.NOTSET:
        _log.setLevel(logging.INFO)
