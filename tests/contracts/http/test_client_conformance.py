from collections.abc import Callable

import pytest
from support.feeds import check_feed

from huaxiao.shared.auth import Role
from huaxiao.shared.clients.contracts import ContractsClient, FakeContracts
from huaxiao.shared.wire.contracts import BranchIn, CentreIn, CentreKind


@pytest.fixture(params=["real", "fake"])
async def reader(
    request: pytest.FixtureRequest,
    manager: ContractsClient,
    caller: Callable[..., ContractsClient],
    branch_id: int,
) -> ContractsClient | FakeContracts:
    """Return the service, or its fake, with one branch and three facts."""
    branch = BranchIn(name="Yunze", name_zh="云泽", default_centre_id="C0")
    await manager.register_branch(branch_id, branch)
    for centre_id in ("C1", "C2"):
        centre = CentreIn(kind=CentreKind.TOWN, name=centre_id, name_zh=centre_id)
        await manager.put_centre(branch_id, centre_id, centre)
    # A service's own token enters every branch; a test sees only its own.
    real = caller(Role.AUDITOR)
    if request.param == "real":
        return real
    fake = FakeContracts()
    fake.publish(branch_id, await real.feed(branch_id, after=0))
    return fake


async def test_branches_are_those_that_were_registered(
    reader: ContractsClient | FakeContracts, branch_id: int
) -> None:
    assert await reader.branches() == [branch_id]


async def test_the_real_feed_and_the_fake_one_are_read_alike(
    reader: ContractsClient | FakeContracts, branch_id: int
) -> None:
    await check_feed(reader, branch_id, [str(branch_id), "C1", "C2"])
