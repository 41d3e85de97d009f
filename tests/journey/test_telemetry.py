"""What services tell a collector of OpenTelemetry, over the wire."""

import secrets
from collections.abc import Callable
from typing import Any

import httpx
from support.collector import Collector, attributes, collecting
from support.processes import Processes

from huaxiao.cli import story
from huaxiao.shared.auth import Role
from huaxiao.shared.issuer import Issuer
from huaxiao.shared.wire.contracts import BranchIn

PATIENCE_SECONDS = 30.0
BRANCH = BranchIn(name="Yunze", name_zh="云泽县分公司", default_centre_id="C0")


async def until(holds: Callable[[], bool], what: str) -> None:
    async def look() -> bool:
        return holds()

    await story.until(look, what, patience=PATIENCE_SECONDS)


def started(unstarted: Processes, service: str, collector: Collector) -> None:
    one = unstarted[service]
    one.environment = dict(one.environment) | {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_SERVICE_NAME": f"huaxiao-{service}",
        "OTEL_METRIC_EXPORT_INTERVAL": "300",
        "OTEL_BSP_SCHEDULE_DELAY": "100",
        "OTEL_BLRP_SCHEDULE_DELAY": "100",
        f"{service.upper()}_LOG_FORMAT": "json",
    }
    one.start()


async def test_a_request_what_follows_from_it_and_how_far_behind_is_told_to_a_collector(
    unstarted: Processes, issuer: Issuer, branch_id: int
) -> None:
    trace_id = secrets.token_hex(16)
    token = issuer.token("test", roles=[Role.PROVINCE], branch_ids=None)
    headers = {
        "Authorization": f"Bearer {token}",
        "Idempotency-Key": "register",
        "traceparent": f"00-{trace_id}-{secrets.token_hex(8)}-01",
    }
    given: dict[str, Any] = BRANCH.model_dump(mode="json")
    with collecting() as collector:
        for service in ("contracts", "kpi"):
            started(unstarted, service, collector)
        for service in ("contracts", "kpi"):
            await unstarted[service].ready()
        async with httpx.AsyncClient(base_url=unstarted["contracts"].url, headers=headers) as http:
            made = await http.put(f"/v1/branches/{branch_id}", json=given)
            assert made.is_success, made.text
            bearer = issuer.token("test", roles=[Role.ENGINEER], branch_ids=[branch_id])
            denied = await http.get(
                f"/v1/branches/{branch_id}/audit-entries",
                headers={"Authorization": f"Bearer {bearer}"},
            )
            assert denied.status_code == 403

        await until(
            lambda: (
                collector.latest("huaxiao.follower.position", branch=branch_id) is not None
                and collector.latest("huaxiao.follower.position", branch=branch_id)
                == collector.latest("huaxiao.feed.head", branch=branch_id, service="contracts")
            ),
            "kpi is where the feed of contracts ends",
        )
        await until(lambda: bool(followings(collector)), "kpi tells of what it followed")

        await until(lambda: bool(ends(collector, trace_id)), "the end of the request is logged")
        ((of, span_id), *_) = ends(collector, trace_id)
        assert (of["method"], of["status"]) == ("PUT", made.status_code)
        assert span_id == made.headers["traceparent"].split("-")[2]
        requests = [one for one in collector.spans if one.trace_id.hex() == trace_id]
        assert [one.name for one in requests][:1] == ["PUT /v1/branches/{branch_id}"]
        assert made.headers["traceparent"].split("-")[1:3] == [
            trace_id,
            requests[0].span_id.hex(),
        ]
        linked = {link.trace_id.hex() for one in followings(collector) for link in one.links}
        assert trace_id in linked
        asked = measured(collector)
        assert (("PUT", "/v1/branches/{branch_id}", made.status_code)) in asked
        assert ("GET", "/v1/branches/{branch_id}/audit-entries", 403) in asked
        assert not any(str(route).endswith(("/healthz", "/readyz")) for _, route, _ in asked)


def followings(collector: Collector) -> list[Any]:
    return [one for one in collector.spans if one.name == "follow /contracts"]


def ends(collector: Collector, trace_id: str) -> list[tuple[dict[str, str | int], str]]:
    """Return what was logged of the ends of a trace's requests, with the span of each."""
    return [
        (of, one.span_id.hex())
        for one in list(collector.logs)
        if one.trace_id.hex() == trace_id
        for of in [attributes(one.attributes)]
        if of.get("event") == "request"
    ]


def measured(collector: Collector) -> set[tuple[Any, Any, Any]]:
    """Return which requests were counted: by method, route and answer."""
    return {
        (of.get("http.request.method"), of.get("http.route"), of.get("http.response.status_code"))
        for metric in collector.metrics
        if metric.name == "http.server.request.duration"
        for point in metric.histogram.data_points
        for of in [attributes(point.attributes)]
    }
