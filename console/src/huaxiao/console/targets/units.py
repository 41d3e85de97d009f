"""The page of units' own targets: how far each is against the calendar, and the forms that set one."""

import asyncio
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Form, Response

from huaxiao.console.page import Page, in_section
from huaxiao.shared.auth import Role
from huaxiao.shared.identifiers import new_id
from huaxiao.shared.money import FEN_PER_YUAN
from huaxiao.shared.problems import Fault, Malformed
from huaxiao.shared.wire.base import PeriodText
from huaxiao.shared.wire.kpi import Unit
from huaxiao.shared.wire.unit_targets import UnitTargetIn, UnitTargetState

router = APIRouter(prefix="/branches/{branch_id}/unit-targets")
UnitsPage = Annotated[Page, in_section("targets")]
_SETS = (Role.PROVINCE, Role.COUNTY_MANAGER, Role.COUNTY_FINANCE)
MEASURES = {"revenue": Unit.FEN, "cash.in": Unit.FEN, "orders.done": Unit.ORDERS}
"""What a form offers; others are set by the API."""


@router.get("")
async def unit_targets(page: UnitsPage, period: PeriodText | None = None) -> Response:
    """Show how far units are with what they are to reach, and drafts that wait for a second person."""
    month = await page.period(period)
    progress, known, definitions, names = await asyncio.gather(
        page.peers.kpi.progress(page.branch, period=month),
        page.peers.kpi.unit_targets(page.branch),
        page.peers.kpi.definitions(page.branch),
        page.centre_names(),
    )
    return page.show(
        "targets/units.html",
        section="targets",
        progress=progress,
        drafts=[one for one in known if one.state is UnitTargetState.DRAFT],
        measures=MEASURES,
        definitions=definitions,
        names=names,
        period=month,
        may_set=page.bearer.decides_for_county(*_SETS),
    )


@router.post("")
async def draft(
    page: UnitsPage,
    measure: Annotated[str, Form()],
    value: Annotated[str, Form()],
    from_period: Annotated[PeriodText, Form()],
    to_period: Annotated[PeriodText, Form()],
    source: Annotated[str, Form(min_length=1, max_length=200)],
    centre_id: Annotated[str, Form()] = "",
) -> Response:
    """Draft an amount that a unit is to reach."""
    given = UnitTargetIn(
        measure=measure,
        value=amount_of(value, MEASURES.get(measure, Unit.FEN)),
        centre_id=centre_id or None,
        from_period=from_period,
        to_period=to_period,
        source=source,
    )
    await page.peers.kpi.put_unit_target(page.branch, str(new_id()), given)
    return page.back("unit-targets", period=from_period)


@router.post("/{target_id}/confirm")
async def confirm(page: UnitsPage, target_id: str, period: PeriodText | None = None) -> Response:
    """Confirm what somebody else has drafted."""
    await page.peers.kpi.confirm_unit_target(page.branch, target_id)
    return page.back("unit-targets", period=period)


def amount_of(text: str, unit: Unit) -> int:
    """Return an amount in its unit, money from yuan, to the fen.

    Raises:
        Malformed: it is no amount above zero, or has parts of a fen or of what is counted.

    """
    scale = FEN_PER_YUAN if unit is Unit.FEN else 1
    try:
        amount = Decimal(text.replace(",", "").strip()) * scale
        whole = int(amount)
    except (ArithmeticError, ValueError):
        amount, whole = Decimal(0), 0
    if whole <= 0 or whole != amount:
        fault = Fault("/value", "bad-amount", "an amount above zero", "须为大于零的数")
        raise Malformed(faults=[fault])
    return whole
