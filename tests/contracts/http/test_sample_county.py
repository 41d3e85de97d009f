from collections.abc import AsyncIterator, Callable
from datetime import date
from functools import partial

import httpx
import pytest
from fastapi import FastAPI

from huaxiao.cli.sample.county import BRANCH_ID, sample_county
from huaxiao.cli.sample.generator import generate
from huaxiao.cli.sample.registration import register_county, sign_contracts
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.contracts import ContractsClient
from huaxiao.shared.wire.contracts import LockState
from huaxiao.shared.wire.organisation import Organisation


@pytest.fixture
async def clients(
    app: FastAPI, token: Callable[..., str]
) -> AsyncIterator[tuple[ContractsClient, ContractsClient]]:
    """Return the county manager's client and the province's."""
    transport = httpx.ASGITransport(app=app)
    manager, province = (
        ContractsClient("http://contracts", partial(str, signed), transport=transport)
        for signed in (token(Role.COUNTY_MANAGER, BRANCH_ID), token(Role.PROVINCE, BRANCH_ID))
    )
    async with manager, province:
        yield manager, province


def heads(found: Organisation) -> dict[str, int]:
    return {
        one.centre_id: one.heads.own + one.heads.outsourced
        for one in found.centres
        if one.heads.own + one.heads.outsourced
    }


async def test_the_sample_county_is_covered_without_gap_or_overlap_and_all_of_it_is_sealed(
    clients: tuple[ContractsClient, ContractsClient],
) -> None:
    client, province = clients
    county = sample_county()
    await register_county(client, county, second=province)
    await register_county(client, county, second=province)

    found = await client.coverage(BRANCH_ID)
    await sign_contracts(client, county, generate(county, seed=1, subscribers=200).base)

    assert (found.villages, found.gaps, found.partial, found.overlaps) == (187, [], [], [])
    before = await client.organisation(BRANCH_ID, on=date(2017, 10, 31))
    after = await client.organisation(BRANCH_ID, on=date(2017, 11, 1))
    assert heads(before) == {"D1": 10, "D2": 1, "D3": 6, "D4": 8, "D5": 5, "MG": 2}
    assert heads(after) == {"B1": 6, "C1": 4, "C2": 6, "C3": 5, "G1": 4, "MG": 2, "SS": 5}
    for found in (before, after):
        assert (found.heads.own, found.heads.outsourced) == (29, 3)
    preview = await client.reorganisation_preview(BRANCH_ID, "R-2017-11")
    assert (len(preview.moves), preview.staying) == (31, 1)
    assert (preview.vacancies, preview.without_place) == ([], [])
    assert {one.state for one in await client.fields(BRANCH_ID)} == {LockState.SEALED}
