"""Log lines as JSON objects, one a line: some of them always, all of them where machines read."""

import json
import logging
import sys
from datetime import UTC, datetime
from enum import StrEnum
from time import perf_counter
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from typing_extensions import override

from huaxiao.shared import trace
from huaxiao.shared.telemetry import ToCollector, collected

_log = logging.getLogger("huaxiao.record")
_UVICORN = ("uvicorn", "uvicorn.error", "uvicorn.access")


class LogFormat(StrEnum):
    """How a service writes its log to standard error."""

    TEXT = "text"
    """For people: what is told for machines alone is JSON even so."""
    JSON = "json"
    """Every line a JSON object, and one for each request."""


def tell(level: int, event: str, **members: Any) -> None:
    """Log an event with its members as one line of JSON, whatever the log is like."""
    told = {"event": event, **members}
    _log.log(level, "%s", _text(told), extra={"members": told})


class _Lines(logging.Formatter):
    """Writes any record: when, how grave, from where, in which trace, and what."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    @override
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "service": self._service,
            "logger": record.name,
        }
        if current := trace.current():
            _, line["trace_id"], line["span_id"], _ = current.split("-")
        line |= getattr(record, "members", None) or {"message": record.getMessage()}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return _text(line)


def _text(line: dict[str, Any]) -> str:
    return json.dumps(line, ensure_ascii=False)


def write_log(log_format: LogFormat, *, service: str) -> None:
    """Begin to write this process's log to standard error."""
    if log_format is LogFormat.JSON:
        _write(logging.getLogger(), _Lines(service))
        for name in _UVICORN:
            own = logging.getLogger(name)
            own.handlers, own.propagate = [], True
        logging.getLogger("huaxiao").setLevel(logging.INFO)
        if collected():
            logging.getLogger().addHandler(ToCollector())
    elif not _log.handlers:
        _write(_log, logging.Formatter())
    if _log.level == logging.NOTSET:
        _log.setLevel(logging.INFO)


def _write(logger: logging.Logger, formatter: logging.Formatter) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logger.handlers = [handler]


class RequestLog:
    """Middleware that tells of every request how it ended: a line each."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an app."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve, and tell."""
        if scope["type"] != "http" or scope["path"].endswith(("/healthz", "/readyz")):
            await self._app(scope, receive, send)
            return
        began, status = perf_counter(), None

        async def noted(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            tell(
                logging.INFO,
                "request",
                method=scope["method"],
                path=scope["path"],
                status=status,
                milliseconds=round(1000 * (perf_counter() - began), 1),
            )
