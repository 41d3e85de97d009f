"""What a process tells Prometheus of the requests it has sent away for want of a right."""

from collections import Counter
from collections.abc import Iterable
from typing import Annotated

from fastapi import Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from typing_extensions import override

from huaxiao.shared import web
from huaxiao.shared.auth import Principal, Role, allow
from huaxiao.shared.refusals import DENIED

Operator = Annotated[Principal, allow(Role.SERVICE, Role.PROVINCE, Role.AUDITOR, every_branch=True)]
"""Watches the installation: what is counted here is of all branches together."""


router = web.router(tags=["operations"], prefix="")


@router.get(
    "/metrics/requests",
    response_class=Response,
    responses={200: {"content": {CONTENT_TYPE_LATEST: {}}, "description": "The metrics."}},
)
async def read_request_metrics(_: Operator) -> Response:
    """Tell Prometheus how often this process has answered 401 and 403, by route."""
    registry = CollectorRegistry()
    registry.register(_Denied(DENIED))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class _Denied(Collector):
    def __init__(self, counted: Counter[tuple[str, int, str]]) -> None:
        self._counted = counted

    @override
    def collect(self) -> Iterable[Metric]:
        denied = CounterMetricFamily(
            "huaxiao_requests_denied",
            "Requests answered 401 (no token that holds) and 403 (a token without the right)",
            labels=("service", "status", "route"),
        )
        for (service, status, route), times in sorted(self._counted.items()):
            denied.add_metric((service, str(status), route), times)
        return [denied]
