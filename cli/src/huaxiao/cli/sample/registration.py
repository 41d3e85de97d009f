"""The sample county, registered through the contracts service as a county manager would."""

from collections.abc import Mapping, Sequence
from datetime import date

from huaxiao.cli.sample.county import (
    DEFAULT_CENTRE,
    TERM_FROM,
    TERM_TO,
    County,
    SampleContract,
    SampleField,
    SamplePerson,
)
from huaxiao.cli.sample.generator import Payroll, split
from huaxiao.shared.clients.contracts import ContractsClient
from huaxiao.shared.wire.contracts import (
    BaseMonthIn,
    BranchIn,
    CentreIn,
    ChannelIn,
    ConcurrentPlace,
    ContractIn,
    ContractTerms,
    DivisionIn,
    DivisionLevel,
    Engagement,
    FieldIn,
    FieldScopeIn,
    Investment,
    ListedCustomerIn,
    PayIn,
    PersonIn,
    ProfitShareTier,
)

_SINCE = date(2010, 1, 1)


async def register_county(client: ContractsClient, county: County) -> None:
    """Register the branch, its organisation and its fields."""
    branch_id = county.branch_id
    branch = BranchIn(name="Yunze", name_zh=county.name_zh, default_centre_id=DEFAULT_CENTRE)
    await client.register_branch(branch_id, branch)
    divisions = [
        DivisionIn(
            code=one.code,
            name=one.name,
            level=DivisionLevel.VILLAGE,
            parent_code=one.township,
        )
        for one in county.villages
    ]
    await client.add_divisions(branch_id, divisions)
    for centre in county.centres:
        given = CentreIn(kind=centre.kind, name=centre.name, name_zh=centre.name_zh)
        await client.put_centre(branch_id, centre.centre_id, given)
    for person in county.persons:
        await client.put_person(branch_id, person.person_id, _person(person))
    for channel in county.channels:
        of_channel = ChannelIn(
            kind=channel.kind, centre_id=channel.centre_id, name_zh=channel.name_zh
        )
        await client.put_channel(branch_id, channel.channel_id, of_channel)
    for one in county.fields:
        await client.put_field(branch_id, one.field_id, _field(one))


async def sign_contracts(
    client: ContractsClient, county: County, base: Mapping[str, Sequence[BaseMonthIn]]
) -> None:
    """Draft and sign every contract, which seals the fields."""
    for one in county.contracts:
        given = _contract(one, base[one.centre_id or ""])
        await client.put_contract(county.branch_id, one.contract_id, given)
        await client.sign(county.branch_id, one.contract_id)


async def record_pay(client: ContractsClient, county: County, payroll: Sequence[Payroll]) -> None:
    """Record the month's pay, each centre's spread over its own staff."""
    given = []
    for of_centre in payroll:
        own = [
            person.person_id
            for person in county.persons
            if person.engagement is Engagement.OWN
            and any(p.primary and p.centre_id == of_centre.centre_id for p in person.assignments)
        ]
        given += [
            PayIn(
                person_id=person_id,
                centre_id=of_centre.centre_id,
                period=of_centre.period,
                pay_fen=pay_fen,
            )
            for person_id, pay_fen in zip(
                own, split(of_centre.pay_fen, [1] * len(own)), strict=True
            )
        ]
    await client.record_payroll(county.branch_id, given)


def _person(person: SamplePerson) -> PersonIn:
    (place,) = (one for one in person.assignments if one.primary)
    return PersonIn(
        engagement=person.engagement,
        skills=list(person.skills),
        centre_id=place.centre_id,
        position=place.position,
        from_day=_SINCE,
        concurrent=[
            ConcurrentPlace(centre_id=one.centre_id, position=one.position)
            for one in person.assignments
            if not one.primary
        ],
    )


def _field(one: SampleField) -> FieldIn:
    return FieldIn(
        kind=one.kind,
        centre_id=one.centre_id,
        name_zh=one.name_zh,
        term_from=TERM_FROM,
        term_to=TERM_TO,
        scope=FieldScopeIn(
            address_prefixes=list(one.address_prefixes),
            resource_prefixes=list(one.resource_prefixes),
            customers=[
                ListedCustomerIn(customer_id=customer_id, segment=segment)
                for customer_id, segment in one.customers
            ],
            channel_ids=list(one.channel_ids),
            channel_mode=one.channel_mode,
        ),
    )


def _contract(one: SampleContract, base: Sequence[BaseMonthIn]) -> ContractIn:
    tiers = [
        ProfitShareTier.model_validate({"growth_from": growth, "share": share})
        for growth, share in (("0", "0.05"), ("0.05", "0.10"), ("0.10", "0.15"))
    ]
    return ContractIn(
        level="county" if one.centre_id is None else "centre",
        centre_id=one.centre_id,
        term_from=TERM_FROM,
        term_to=TERM_TO,
        field_ids=list(one.field_ids),
        terms=ContractTerms(
            risk_deposit_fen=1_000_000,
            profit_share_tiers=tiers,
            free_scope_zh="负面责任清单以外",
            investments=[Investment(by="company", what_zh="终端", amount_fen=0)],
        ),
        base=list(base),
    )
