from collections.abc import Callable

import pytest
from attribution.conftest import Sender
from support.feeds import check_feed

from huaxiao.shared.auth import Role
from huaxiao.shared.clients.attribution import AttributionClient, FakeAttribution


@pytest.mark.parametrize("kind", ["real", "fake"])
async def test_the_real_feed_and_the_fake_one_are_read_alike(
    caller: Callable[..., AttributionClient], county: int, sender: Sender, kind: str
) -> None:
    real = caller(Role.SERVICE)
    await real.post_events([sender.opened(), sender.bill()])
    await real.post_events([sender.bill("BI-2")])
    if kind == "real":
        await check_feed(real, county, ["balances", "balances"])
        return
    fake = FakeAttribution()
    fake.publish(county, await real.feed(county, after=0))
    await check_feed(fake, county, ["balances", "balances"])
