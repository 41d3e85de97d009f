"""The route that Prometheus asks: how the targets stand, as it was kept when something was told."""

from collections.abc import Iterable, Sequence
from typing import Annotated

from fastapi import Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from sqlalchemy import RowMapping
from typing_extensions import override

from huaxiao.kpi.alerts.store import all_standings
from huaxiao.shared import web
from huaxiao.shared.auth import Principal, Role, allow
from huaxiao.shared.unit_of_work import ReadTx
from huaxiao.shared.wire.kpi import Verdict

router = web.router(tags=["operations"], prefix="")
_OPERATORS = allow(
    Role.SERVICE, Role.PROVINCE, Role.AUDITOR, Role.COUNTY_MANAGER, whole_branch=True
)
_LABELS = ("branch", "centre", "span", "target")


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {CONTENT_TYPE_LATEST: {}}, "description": "The metrics."}},
)
async def read_metrics(connection: ReadTx, principal: Annotated[Principal, _OPERATORS]) -> Response:
    """Tell Prometheus how the targets stand in the last month with books, of the caller's branches.

    One query of what was kept; nothing is computed when it asks.
    """
    rows = await all_standings(connection, principal.branch_ids)
    registry = CollectorRegistry()
    registry.register(_Standings(rows))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class _Standings(Collector):
    """Rows as gauges; a centre without a name is the county."""

    def __init__(self, rows: Sequence[RowMapping]) -> None:
        self._rows = rows

    @override
    def collect(self) -> Iterable[Metric]:
        value = GaugeMetricFamily(
            "huaxiao_kpi_target_value",
            "Value of a target as a ratio; absent where it cannot be computed",
            labels=_LABELS,
        )
        met = GaugeMetricFamily(
            "huaxiao_kpi_target_met",
            "1 where the target is met, 0 where it is not; absent where it cannot be computed",
            labels=_LABELS,
        )
        period = GaugeMetricFamily(
            "huaxiao_kpi_target_period", "The month that was judged, YYYYMM", labels=_LABELS
        )
        for row in self._rows:
            labels = (str(row["branch_id"]), row["centre_id"], row["span"], row["target"])
            period.add_metric(labels, row["period"])
            if row["value"] is not None:
                value.add_metric(labels, row["value"])
                met.add_metric(labels, float(row["verdict"] == Verdict.PASS))
        return [value, met, period]
