"""The sample county, registered through the contracts service as a county manager would."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import date

from huaxiao.cli.sample.county import (
    DEFAULT_CENTRE,
    DEPARTMENTS,
    TERM_FROM,
    TERM_TO,
    County,
    SampleContract,
    SampleField,
    SamplePerson,
)
from huaxiao.cli.sample.generator import Payroll, split
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.contracts import ContractsClient
from huaxiao.shared.wire.contracts import (
    BaseMonthIn,
    BranchIn,
    CentreIn,
    ChannelIn,
    ConcurrentPlace,
    Contract,
    ContractIn,
    DivisionIn,
    DivisionLevel,
    Engagement,
    FieldIn,
    FieldScopeIn,
    ListedCustomerIn,
    PayIn,
    PersonIn,
)
from huaxiao.shared.wire.dispatch import Area, OrderKind
from huaxiao.shared.wire.organisation import (
    NewCentre,
    PlannedPlace,
    PlannedPositions,
    ReorganisationIn,
)
from huaxiao.shared.wire.shares import CompanyIn, ShareMovementIn, ShareMovementKind
from huaxiao.shared.wire.terms import (
    ContractMode,
    ContractTerms,
    Investment,
    OrderFee,
    Parties,
    Party,
    PayLimit,
    ProfitShare,
    ProfitShareTier,
    RiskDeposit,
)

_SINCE = date(2010, 1, 1)
_FOUNDED = date(2017, 11, 1)
_SHARES_EACH = 1_000
_PLAN_ID = "R-2017-11"
_KEPT = {DEFAULT_CENTRE, "MG"}
"""Units that are there before the division and after."""


async def register_county(
    client: ContractsClient, county: County, *, second: ContractsClient
) -> None:
    """Register the branch as it was, re-organise it as planned, and draw its fields.

    ``second`` is somebody else, who applies what the first has planned.
    """
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
    for centre in (*DEPARTMENTS, *(one for one in county.centres if one.centre_id in _KEPT)):
        given = CentreIn(kind=centre.kind, name=centre.name, name_zh=centre.name_zh)
        await client.put_centre(branch_id, centre.centre_id, given)
    await _reorganise(client, county, second)
    await _give_shares(client, branch_id)
    for channel in county.channels:
        of_channel = ChannelIn(
            kind=channel.kind, centre_id=channel.centre_id, name_zh=channel.name_zh
        )
        await client.put_channel(branch_id, channel.channel_id, of_channel)
    for one in county.fields:
        await client.put_field(branch_id, one.field_id, _field(one))


async def _give_shares(client: ContractsClient, branch_id: int) -> None:
    """Register the operating company and issue shares to whoever of the own staff has none (R6)."""
    await client.put_company(
        branch_id,
        CompanyIn(
            name_zh="云泽县通信承包经营有限公司",
            credit_code="91350100M000100Y43",
            authorised_shares=_SHARES_EACH * 100,
        ),
    )
    for person_id in (await client.cap_table(branch_id, on=_FOUNDED)).without_shares:
        given = ShareMovementIn(
            kind=ShareMovementKind.ISSUE,
            day=_FOUNDED,
            to_person=person_id,
            shares=_SHARES_EACH,
            price_fen=_SHARES_EACH * 100,
            reason="员工持股计划",
        )
        await client.move_shares(branch_id, given)


Speaker = Callable[[Role, str | None], AbstractAsyncContextManager[ContractsClient]]
"""Connects as somebody of a role, of a centre or of none."""


async def sign_contracts(
    speaker: Speaker, county: County, base: Mapping[str, Sequence[BaseMonthIn]]
) -> None:
    """Draft every contract and have both its sides sign, which seals the fields."""
    async with speaker(Role.COUNTY_MANAGER, None) as manager:
        for one in county.contracts:
            given = _contract(county, one, base[one.centre_id or ""])
            await manager.put_contract(county.branch_id, one.contract_id, given)
            await sign_contract(speaker, county.branch_id, one.contract_id, one.centre_id)


async def sign_contract(
    speaker: Speaker, branch_id: int, contract_id: str, centre_id: str | None
) -> Contract:
    """Lay a contract before its two sides and have each sign it (R7)."""
    async with speaker(Role.COUNTY_MANAGER, None) as manager:
        review = await manager.submit(branch_id, contract_id)
    if centre_id is None:
        granting, contracting = Role.PROVINCE, Role.COUNTY_MANAGER
    else:
        granting, contracting = Role.COUNTY_MANAGER, Role.CONTRACTOR
    async with speaker(granting, None) as side:
        await side.sign(branch_id, contract_id, review.digest)
    async with speaker(contracting, centre_id) as side:
        return await side.sign(branch_id, contract_id, review.digest)


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


async def _reorganise(client: ContractsClient, county: County, second: ContractsClient) -> None:
    """Place everybody where they were, and carry out the division into centres (R20)."""
    branch_id = county.branch_id
    drafted = await client.put_reorganisation(branch_id, _PLAN_ID, _plan(county))
    if drafted.applied_at is not None:
        return
    for person in county.persons:
        place = PersonIn(
            engagement=person.engagement,
            skills=list(person.skills),
            centre_id=person.before.centre_id,
            position=person.before.position,
            from_day=_SINCE,
        )
        await client.put_person(branch_id, person.person_id, place)
    preview = await client.reorganisation_preview(branch_id, _PLAN_ID)
    await second.apply_reorganisation(branch_id, _PLAN_ID, preview.digest)


def _plan(county: County) -> ReorganisationIn:
    positions = Counter(
        (place.centre_id, place.position)
        for person in county.persons
        for place in person.assignments
    )
    return ReorganisationIn(
        name_zh="全业务划小承包组织与人员调整",
        from_day=_FOUNDED,
        centres=[
            NewCentre(centre_id=one.centre_id, kind=one.kind, name=one.name, name_zh=one.name_zh)
            for one in county.centres
            if one.centre_id not in _KEPT
        ],
        positions=[
            PlannedPositions(centre_id=centre_id, position=position, places=places)
            for (centre_id, position), places in sorted(positions.items())
        ],
        places=[_place(person) for person in county.persons],
    )


def _place(person: SamplePerson) -> PlannedPlace:
    (place,) = (one for one in person.assignments if one.primary)
    return PlannedPlace(
        person_id=person.person_id,
        centre_id=place.centre_id,
        position=place.position,
        engagement=person.engagement,
        skills=list(person.skills),
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


def _contract(county: County, one: SampleContract, base: Sequence[BaseMonthIn]) -> ContractIn:
    return ContractIn(
        level="county" if one.centre_id is None else "centre",
        centre_id=one.centre_id,
        term_from=TERM_FROM,
        term_to=TERM_TO,
        field_ids=list(one.field_ids),
        parties=_parties(county, one),
        terms=ContractTerms(
            risk_deposit=RiskDeposit(contractor_fen=1_000_000, member_fen=300_000),
            profit_share=ProfitShare(tiers=_TIERS),
            free_scope_zh="负面责任清单以外",
            investments=[Investment(by="company", what_zh="终端", amount_fen=0)],
            order_fees=ORDER_FEES,
            mode=ContractMode.INTERNAL_RESPONSIBILITY,
            pay_limit=PayLimit(),
        ),
        base=list(base),
    )


_TIERS = [
    ProfitShareTier.model_validate({"growth_from": growth, "share": share})
    for growth, share in (("0", "0.05"), ("0.05", "0.10"), ("0.10", "0.15"))
]
ORDER_FEES = [
    OrderFee(kind=kind, area=area, fee_fen=fee_fen)
    for kind, *fees in (
        (OrderKind.INSTALL, 7_000, 9_000),
        (OrderKind.MOVE, 6_000, 7_500),
        (OrderKind.DISMANTLE, 2_000, 2_500),
        (OrderKind.REPAIR, 2_500, 3_500),
    )
    for area, fee_fen in zip((Area.TOWN, Area.RURAL), fees, strict=True)
]


def _parties(county: County, one: SampleContract) -> Parties:
    if one.centre_id is None:
        return Parties(
            granting=Party(name_zh="省公司"),
            contracting=Party(name_zh=county.name_zh, represented_by=one.contractor_id),
        )
    (centre,) = (each for each in county.centres if each.centre_id == one.centre_id)
    members = [
        person.person_id
        for person in county.persons
        if any(place.centre_id == one.centre_id for place in person.assignments)
        and person.person_id != one.contractor_id
    ]
    return Parties(
        granting=Party(name_zh=county.name_zh),
        contracting=Party(name_zh=centre.name_zh, represented_by=one.contractor_id),
        member_ids=members,
    )
