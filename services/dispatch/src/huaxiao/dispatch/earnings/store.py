"""SQL of agreed fees, of who did the work, and of what they earned."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from sqlalchemy import RowMapping, and_, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.domain.earnings import FeeContract, FeesFrom
from huaxiao.dispatch.tables import (
    fee_contracts,
    fee_terms,
    order_steps,
    order_workers,
    orders,
    people,
)
from huaxiao.shared.database import within
from huaxiao.shared.periods import Period, ends_at, starts_at
from huaxiao.shared.wire.dispatch import Area, OrderKind, StepName
from huaxiao.shared.wire.terms import OrderFee


async def add_contract(connection: AsyncConnection, contract: Mapping[str, Any]) -> None:
    """Insert a contract that agrees fees; a known one stays as it is."""
    await connection.execute(insert(fee_contracts).values(**contract).on_conflict_do_nothing())


async def end_contract(
    connection: AsyncConnection, branch_id: int, contract_id: str, last_period: int
) -> None:
    """Note that a contract ends before its term."""
    await connection.execute(
        update(fee_contracts)
        .where(fee_contracts.c.branch_id == branch_id, fee_contracts.c.contract_id == contract_id)
        .values(term_to=last_period)
    )


async def add_terms(
    connection: AsyncConnection,
    branch_id: int,
    contract_id: str,
    number: int,
    from_period: int,
    fees: Sequence[OrderFee],
) -> None:
    """Append the fees that a contract or a supplement agrees from a period on."""
    await connection.execute(
        insert(fee_terms)
        .values(
            branch_id=branch_id,
            contract_id=contract_id,
            number=number,
            from_period=from_period,
            fees=[one.model_dump(mode="json") for one in fees],
        )
        .on_conflict_do_nothing()
    )


async def contracts_in(
    connection: AsyncConnection, branch_id: int, period: int
) -> list[FeeContract]:
    """Return the contracts of a period, and the fees that each agrees."""
    agreed = defaultdict[str, list[FeesFrom]](list)
    for row in await connection.execute(
        select(fee_terms).where(fee_terms.c.branch_id == branch_id)
    ):
        fees = {
            (OrderKind(one["kind"]), Area(one["area"])): int(one["fee_fen"]) for one in row.fees
        }
        agreed[row.contract_id].append(FeesFrom(row.number, row.from_period, fees))
    rows = await connection.execute(
        select(fee_contracts)
        .where(
            fee_contracts.c.branch_id == branch_id,
            fee_contracts.c.term_from <= period,
            fee_contracts.c.term_to >= period,
        )
        .order_by(fee_contracts.c.contract_id)
    )
    return [
        FeeContract(
            row.contract_id,
            row.centre_id,
            row.term_from,
            row.term_to,
            tuple(agreed[row.contract_id]),
        )
        for row in rows
    ]


async def engaged(
    connection: AsyncConnection, branch_id: int, person_ids: Sequence[str]
) -> dict[str, RowMapping]:
    """Return people, with their centre and how they are engaged."""
    rows = await connection.execute(
        select(people).where(people.c.branch_id == branch_id, people.c.person_id.in_(person_ids))
    )
    return {row["person_id"]: row for row in rows.mappings()}


async def add_workers(connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Append who did the work on an order."""
    await connection.execute(insert(order_workers), [dict(row) for row in rows])


async def finished(
    connection: AsyncConnection,
    branch_id: int,
    period: Period,
    centre_ids: AbstractSet[str] | None,
) -> Sequence[RowMapping]:
    """Return who did the work on each order that was finished in a period, as work done counts it.

    Whoever took the last step that finished it: an order is paid for once.
    """
    finishing = (
        select(func.max(order_steps.c.number))
        .where(
            order_steps.c.branch_id == orders.c.branch_id,
            order_steps.c.order_id == orders.c.order_id,
            order_steps.c.step == StepName.FINISH,
        )
        .correlate(orders)
        .scalar_subquery()
    )
    rows = await connection.execute(
        select(
            orders.c.order_id,
            orders.c.kind,
            orders.c.rural,
            orders.c.finished_at,
            orders.c.performer_centre_id,
            order_workers.c.person_id,
            order_workers.c.parts,
            order_workers.c.engagement,
        )
        .select_from(
            orders.join(
                order_workers,
                and_(
                    order_workers.c.branch_id == orders.c.branch_id,
                    order_workers.c.order_id == orders.c.order_id,
                    order_workers.c.number == finishing,
                ),
            )
        )
        .where(
            orders.c.branch_id == branch_id,
            orders.c.finished_at >= starts_at(period),
            orders.c.finished_at < ends_at(period),
            orders.c.performer_centre_id.is_not(None),
            within(orders.c.performer_centre_id, centre_ids),
        )
        .order_by(orders.c.order_id, order_workers.c.person_id)
    )
    return rows.mappings().all()
