"""A county's register as tests fill it: centres, contractors, fields, contracts."""

from collections.abc import Callable
from contextlib import nullcontext
from datetime import date

from huaxiao.cli.sample.registration import sign_contract
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.contracts import ContractsClient
from huaxiao.shared.wire.contracts import (
    BaseMonthIn,
    BranchIn,
    CentreIn,
    CentreKind,
    Contract,
    ContractIn,
    Engagement,
    FieldIn,
    FieldKind,
    FieldScopeIn,
    ListedCustomerIn,
    PersonIn,
    Segment,
    Skill,
)
from huaxiao.shared.wire.dispatch import Area, OrderKind
from huaxiao.shared.wire.terms import (
    ContractTerms,
    Investment,
    OrderFee,
    Parties,
    Party,
    ProfitShare,
    ProfitShareTier,
    RiskDeposit,
)

BASE_PERIODS = [201611, 201612, *range(201701, 201711)]
TERMS = ContractTerms(
    risk_deposit=RiskDeposit(contractor_fen=1_000_000),
    profit_share=ProfitShare(
        tiers=[
            ProfitShareTier(growth_from="0", share="0.05"),
            ProfitShareTier(growth_from="0.05", share="0.10"),
        ]
    ),
    free_scope_zh="负面责任清单以外自主经营",
    investments=[Investment(by="company", what_zh="终端", amount_fen=500_000)],
)
CENTRES = {"C1": CentreKind.TOWN, "C2": CentreKind.TOWNSHIP, "G1": CentreKind.ENTERPRISE}


def contractor(centre_id: str) -> str:
    return f"P-{centre_id}"


def member_of(centre_id: str, engagement: Engagement = Engagement.OWN) -> PersonIn:
    return PersonIn(
        engagement=engagement,
        skills=[Skill.SELL, Skill.INSTALL],
        centre_id=centre_id,
        position="member",
        from_day=date(2017, 11, 1),
    )


def contract(
    centre_id: str | None,
    *field_ids: str,
    first: int = 201711,
    base_fen: int = 100,
    install_fee_fen: int | None = None,
) -> ContractIn:
    """Draft a contract over a year whose base is the same in every month."""
    shift = (first - 201711) // 100
    fees = (
        []
        if install_fee_fen is None
        else [OrderFee(kind=OrderKind.INSTALL, area=area, fee_fen=install_fee_fen) for area in Area]
    )
    return ContractIn(
        level="county" if centre_id is None else "centre",
        centre_id=centre_id,
        term_from=first,
        term_to=201810 + shift * 100,
        field_ids=list(field_ids),
        parties=Parties(
            granting=Party(name_zh="云泽县分公司"),
            contracting=Party(name_zh="承包方", represented_by=centre_id and contractor(centre_id)),
        ),
        terms=TERMS.model_copy(update={"order_fees": fees}),
        base=[
            BaseMonthIn(
                period=period + shift * 100,
                revenue_fen=base_fen,
                market_cost_fen=0,
                cash_in_fen=90,
                cash_out_fen=20,
                pay_fen=30,
                headcount=3,
            )
            for period in BASE_PERIODS
        ],
    )


def regional(*prefixes: str, centre_id: str = "C1", first: int = 201711) -> FieldIn:
    return FieldIn(
        kind=FieldKind.REGIONAL,
        centre_id=centre_id,
        name_zh="片区",
        term_from=first,
        term_to=201810 + first - 201711,
        scope=FieldScopeIn(address_prefixes=list(prefixes)),
    )


def listed(*customer_ids: str, centre_id: str = "G1") -> FieldIn:
    customers = [
        ListedCustomerIn(customer_id=one, segment=Segment.KEY_ACCOUNT) for one in customer_ids
    ]
    return FieldIn(
        kind=FieldKind.CUSTOMER,
        centre_id=centre_id,
        name_zh="清单大客",
        term_from=201711,
        term_to=201810,
        scope=FieldScopeIn(customers=customers),
    )


Caller = Callable[..., ContractsClient]


async def bind(caller: Caller, branch_id: int, contract_id: str) -> Contract:
    """Have both sides sign a contract."""
    held = await caller(Role.COUNTY_MANAGER).contract(branch_id, contract_id)

    def speaker(role: Role, centre_id: str | None) -> nullcontext[ContractsClient]:
        return nullcontext(caller(role, centre_id and [centre_id]))

    return await sign_contract(speaker, branch_id, contract_id, held.centre_id)


async def county_with_centres(caller: Caller, branch_id: int) -> None:
    """Register a branch with three centres and sign its county contract."""
    manager = caller(Role.COUNTY_MANAGER)
    await manager.register_branch(
        branch_id, BranchIn(name="Yunze", name_zh="云泽县分公司", default_centre_id="C0")
    )
    for centre_id, kind in CENTRES.items():
        await manager.put_centre(
            branch_id, centre_id, CentreIn(kind=kind, name=centre_id, name_zh=centre_id)
        )
        await manager.put_person(branch_id, contractor(centre_id), member_of(centre_id))
    await manager.put_contract(branch_id, "CT-COUNTY", contract(None))
    await bind(caller, branch_id, "CT-COUNTY")
