from collections.abc import Callable

import pytest

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


async def test_the_feed_counts_from_one_and_is_read_from_behind_a_place(
    reader: ContractsClient | FakeContracts, branch_id: int
) -> None:
    entries = await reader.feed(branch_id, after=0)

    assert [(one.position, one.subject) for one in entries] == [
        (1, str(branch_id)),
        (2, "C1"),
        (3, "C2"),
    ]
    assert {one.branchid for one in entries} == {branch_id}
    assert await reader.feed(branch_id, after=1, limit=1) == entries[1:2]
    assert await reader.feed(branch_id, after=3, limit=10, wait_ms=0) == []
