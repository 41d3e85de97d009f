from collections.abc import AsyncIterator, Callable
from datetime import date

import httpx
import pytest
from fastapi import FastAPI

from huaxiao.cli.sample.county import BRANCH_ID, sample_county
from huaxiao.cli.sample.generator import generate
from huaxiao.cli.sample.registration import Speaker, register_county, sign_contracts
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.contracts import ContractsClient
from huaxiao.shared.wire.contracts import LockState
from huaxiao.shared.wire.organisation import Organisation


@pytest.fixture
def speaker(app: FastAPI, token: Callable[..., str]) -> Speaker:
    def connect(role: Role, centre_id: str | None) -> ContractsClient:
        signed = token(role, BRANCH_ID, centre_id and [centre_id])
        transport = httpx.ASGITransport(app=app)
        return ContractsClient("http://contracts", lambda: signed, transport=transport)

    return connect


@pytest.fixture
async def clients(speaker: Speaker) -> AsyncIterator[tuple[ContractsClient, ContractsClient]]:
    """Return the county manager's client and the province's."""
    async with speaker(Role.COUNTY_MANAGER, None) as manager, speaker(Role.PROVINCE, None) as other:
        yield manager, other


def heads(found: Organisation) -> dict[str, int]:
    return {
        one.centre_id: one.heads.own + one.heads.outsourced
        for one in found.centres
        if one.heads.own + one.heads.outsourced
    }


async def test_the_sample_county_is_covered_without_gap_or_overlap_and_all_of_it_is_sealed(
    clients: tuple[ContractsClient, ContractsClient], speaker: Speaker
) -> None:
    client, province = clients
    county = sample_county()
    await register_county(client, county, second=province)
    await register_county(client, county, second=province)

    found = await client.coverage(BRANCH_ID)
    await sign_contracts(speaker, county, generate(county, seed=1, subscribers=200).base)

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
