from collections.abc import AsyncIterator, Callable

import httpx
import pytest
from fastapi import FastAPI

from huaxiao.cli.sample.county import (
    BRANCH_ID,
    DEFAULT_CENTRE,
    TERM_FROM,
    TERM_TO,
    County,
    SampleField,
    sample_county,
)
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.contracts import ContractsClient
from huaxiao.shared.periods import Period, periods_from, year_before
from huaxiao.shared.wire.contracts import (
    BaseMonth,
    BranchIn,
    CentreIn,
    ChannelIn,
    ContractIn,
    ContractTerms,
    DivisionIn,
    DivisionLevel,
    FieldIn,
    FieldScope,
    Investment,
    ListedCustomer,
    LockState,
    ProfitShareTier,
)


@pytest.fixture
async def client(app: FastAPI, token: Callable[..., str]) -> AsyncIterator[ContractsClient]:
    signed = token(Role.COUNTY_MANAGER, BRANCH_ID)
    transport = httpx.ASGITransport(app=app)
    async with ContractsClient("http://contracts", lambda: signed, transport=transport) as made:
        yield made


def field(one: SampleField) -> FieldIn:
    return FieldIn(
        kind=one.kind,
        centre_id=one.centre_id,
        name_zh=one.name_zh,
        term_from=TERM_FROM,
        term_to=TERM_TO,
        scope=FieldScope(
            address_prefixes=list(one.address_prefixes),
            resource_prefixes=list(one.resource_prefixes),
            customers=[
                ListedCustomer(customer_id=customer_id, segment=segment)
                for customer_id, segment in one.customers
            ],
            channel_ids=list(one.channel_ids),
            channel_mode=one.channel_mode,
        ),
    )


def contract(centre_id: str | None, field_ids: tuple[str, ...]) -> ContractIn:
    tier = ProfitShareTier.model_validate({"growth_from": "0", "share": "0.05"})
    return ContractIn(
        level="county" if centre_id is None else "centre",
        centre_id=centre_id,
        term_from=TERM_FROM,
        term_to=TERM_TO,
        field_ids=list(field_ids),
        terms=ContractTerms(
            risk_deposit_fen=1_000_000,
            profit_share_tiers=[tier],
            free_scope_zh="负面责任清单以外",
            investments=[Investment(by="company", what_zh="终端", amount_fen=0)],
        ),
        base=[
            BaseMonth(
                period=year_before(period),
                revenue_fen=1,
                market_cost_fen=1,
                cash_in_fen=1,
                cash_out_fen=1,
                pay_fen=1,
                headcount=1,
            )
            for period in periods_from(Period(TERM_FROM), Period(TERM_TO))
        ],
    )


async def register(client: ContractsClient, county: County) -> None:
    branch = BranchIn(name="Yunze", name_zh=county.name_zh, default_centre_id=DEFAULT_CENTRE)
    await client.register_branch(BRANCH_ID, branch)
    await client.add_divisions(
        BRANCH_ID,
        [
            DivisionIn(
                code=one.code,
                name=one.name,
                level=DivisionLevel.VILLAGE,
                parent_code=one.township,
            )
            for one in county.villages
        ],
    )
    for centre in county.centres:
        given = CentreIn(kind=centre.kind, name=centre.name, name_zh=centre.name_zh)
        await client.put_centre(BRANCH_ID, centre.centre_id, given)
    for channel in county.channels:
        of_channel = ChannelIn(
            kind=channel.kind, centre_id=channel.centre_id, name_zh=channel.name_zh
        )
        await client.put_channel(BRANCH_ID, channel.channel_id, of_channel)
    for one in county.fields:
        await client.put_field(BRANCH_ID, one.field_id, field(one))


async def test_the_sample_county_is_covered_without_gap_or_overlap_and_all_of_it_is_sealed(
    client: ContractsClient,
) -> None:
    county = sample_county()
    await register(client, county)

    found = await client.coverage(BRANCH_ID)
    for one in county.contracts:
        given = contract(one.centre_id, one.field_ids)
        await client.put_contract(BRANCH_ID, one.contract_id, given)
        await client.sign(BRANCH_ID, one.contract_id)

    assert (found.villages, found.gaps, found.partial, found.overlaps) == (187, [], [], [])
    assert {one.state for one in await client.fields(BRANCH_ID)} == {LockState.SEALED}
