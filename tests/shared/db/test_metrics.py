"""Requests that are sent away for want of a right, as Prometheus is told of them."""

from collections.abc import Callable

import httpx
from prometheus_client.parser import text_string_to_metric_families

from huaxiao.shared.auth import Role
from huaxiao.shared.issuer import Issuer


async def denied(http: httpx.AsyncClient, issuer: Issuer) -> dict[tuple[str, str], float]:
    token = issuer.token("prometheus", roles=[Role.SERVICE], branch_ids=None)
    answer = await http.get("/metrics/requests", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    return {
        (one.labels["status"], one.labels["route"]): one.value
        for family in text_string_to_metric_families(answer.text)
        for one in family.samples
        if one.name == "huaxiao_requests_denied_total" and one.labels["service"] == "kit"
    }


async def test_requests_that_are_denied_are_counted_by_status_and_route(
    http: httpx.AsyncClient, issuer: Issuer, token: Callable[..., str], branch_id: int
) -> None:
    path = f"/v1/branches/{branch_id}/notes"
    engineer = {"Authorization": f"Bearer {token(Role.ENGINEER, branch_id)}"}
    manager = {"Authorization": f"Bearer {token(Role.COUNTY_MANAGER, branch_id)}"}
    before = await denied(http, issuer)

    statuses = [
        (await http.get(path, headers=one)).status_code
        for one in ({}, {"Authorization": "Bearer x"}, engineer, engineer, engineer, manager)
    ]

    after = await denied(http, issuer)
    assert statuses == [401, 401, 403, 403, 403, 200]
    counted = {key: after[key] - before.get(key, 0) for key in after}
    assert counted["401", "list_notes"] == 2
    assert counted["403", "list_notes"] == 3


async def test_only_who_watches_all_branches_is_told(
    http: httpx.AsyncClient, token: Callable[..., str], branch_id: int
) -> None:
    for role in (Role.SERVICE, Role.AUDITOR, Role.COUNTY_MANAGER):
        headers = {"Authorization": f"Bearer {token(role, branch_id)}"}
        assert (await http.get("/metrics/requests", headers=headers)).status_code == 403
    assert (await http.get("/metrics/requests")).status_code == 401
