from collections.abc import AsyncIterator, Callable

import httpx
import pytest
from fastapi import FastAPI

from huaxiao.cli.sample.county import BRANCH_ID, sample_county
from huaxiao.cli.sample.generator import generate
from huaxiao.cli.sample.registration import register_county, sign_contracts
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.contracts import ContractsClient
from huaxiao.shared.wire.contracts import LockState


@pytest.fixture
async def client(app: FastAPI, token: Callable[..., str]) -> AsyncIterator[ContractsClient]:
    signed = token(Role.COUNTY_MANAGER, BRANCH_ID)
    transport = httpx.ASGITransport(app=app)
    async with ContractsClient("http://contracts", lambda: signed, transport=transport) as made:
        yield made


async def test_the_sample_county_is_covered_without_gap_or_overlap_and_all_of_it_is_sealed(
    client: ContractsClient,
) -> None:
    county = sample_county()
    await register_county(client, county)

    found = await client.coverage(BRANCH_ID)
    await sign_contracts(client, county, generate(county, seed=1, subscribers=200).base)

    assert (found.villages, found.gaps, found.partial, found.overlaps) == (187, [], [], [])
    assert {one.state for one in await client.fields(BRANCH_ID)} == {LockState.SEALED}
