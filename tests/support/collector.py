"""A collector of OpenTelemetry as services reach it: over HTTP, in protobuf."""

import gzip
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from typing_extensions import override

_TOLD: dict[str, tuple[Any, str, str]] = {
    "/v1/traces": (ExportTraceServiceRequest, "spans", "spans"),
    "/v1/metrics": (ExportMetricsServiceRequest, "metrics", "metrics"),
    "/v1/logs": (ExportLogsServiceRequest, "logs", "log_records"),
}
"""By its path, what a message is, of what, and what that is called in it."""


@dataclass
class Collector:
    """Keeps what it was told."""

    url: str = ""
    spans: list[Span] = field(default_factory=list)
    metrics: list[Metric] = field(default_factory=list)
    logs: list[LogRecord] = field(default_factory=list)

    def take(self, path: str, body: bytes) -> None:
        message, kind, items = _TOLD[path]
        told = message.FromString(body)
        kept = getattr(self, kind)
        for resource in getattr(told, f"resource_{kind}"):
            for scope in getattr(resource, f"scope_{kind}"):
                kept += getattr(scope, items)

    def latest(self, name: str, **labels: str | int) -> float | None:
        """Return what a gauge showed last for these labels."""
        points = [
            point
            for metric in self.metrics
            if metric.name == name
            for point in metric.gauge.data_points
            if labels.items() <= attributes(point.attributes).items()
        ]
        return max(points, key=lambda one: one.time_unix_nano).as_double if points else None


def attributes(given: Iterable[KeyValue]) -> dict[str, str | int]:
    return {one.key: one.value.string_value or one.value.int_value for one in given}


@contextmanager
def collecting() -> Iterator[Collector]:
    """Listen until the block ends."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            collector.take(self.path, body)
            self.send_response(200)
            self.end_headers()

        @override
        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collector.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
