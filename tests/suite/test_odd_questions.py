"""What no column could hold is refused where it is asked for, by every service."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from huaxiao.cli.suite import create_service
from huaxiao.shared.auth import Role
from huaxiao.shared.provision import SERVICES


@pytest.mark.parametrize("service", SERVICES)
async def test_no_column_is_asked_for_what_it_cannot_hold(
    service: str,
    settings_for: Callable[[str], dict[str, Any]],
    token: Callable[..., str],
    branch_id: int,
) -> None:
    app = create_service(service, settings_for(service))
    asked = ["audit-entries?subject=%00", "audit-entries?route=%00", f"feed?lastEventId={2**63}"]
    asked += ["quarantine?code=%00"] if service == "attribution" else []
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app),
        base_url=f"http://service/v1/branches/{branch_id}/",
        headers={"Authorization": f"Bearer {token(Role.COUNTY_MANAGER, branch_id)}"},
    ) as client:
        answers = [await client.get(one) for one in asked]
    await app.state.database.close()

    assert [one.status_code for one in answers] == [422] * len(asked)
