"""Earnings: who did the work, what is agreed for it, and what each gets."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.callers import reads_as_engineer
from huaxiao.dispatch.domain.earnings import Fee, fee_of, shares_of
from huaxiao.dispatch.earnings import store
from huaxiao.shared.auth import COUNTY_READERS, Principal, Role
from huaxiao.shared.periods import Period
from huaxiao.shared.problems import Fault, Malformed
from huaxiao.shared.wire import contracts, supplements
from huaxiao.shared.wire.contracts import ContractSigned, Engagement
from huaxiao.shared.wire.dispatch import Area, OrderKind, WorkShare
from huaxiao.shared.wire.earnings import (
    CentreEarnings,
    EarnedFigure,
    EarnedOrder,
    Earnings,
    PersonEarnings,
)
from huaxiao.shared.wire.feed import FeedEntry
from huaxiao.shared.wire.supplements import ContractExited, SupplementSigned

AGREEING = {
    contracts.CONTRACT_SIGNED,
    supplements.SUPPLEMENT_SIGNED,
    supplements.CONTRACT_EXITED,
}
"""Facts of contracts that say which fees are agreed, and for how long."""


async def learn(connection: AsyncConnection, branch_id: int, entry: FeedEntry) -> None:
    """Keep what a fact says of the fees that are agreed."""
    match entry.type:
        case contracts.CONTRACT_SIGNED:
            signed = ContractSigned.model_validate(entry.data)
            await _learn_contract(connection, branch_id, signed)
        case supplements.SUPPLEMENT_SIGNED:
            supplement = SupplementSigned.model_validate(entry.data)
            await _learn_supplement(connection, branch_id, supplement)
        case _:
            exited = ContractExited.model_validate(entry.data)
            await store.end_contract(connection, branch_id, exited.contract_id, exited.last_period)


async def _learn_contract(
    connection: AsyncConnection, branch_id: int, fact: ContractSigned
) -> None:
    """Keep the fees of a centre's contract; the county's own pays no engineer."""
    if fact.centre_id is None:
        return
    await store.add_contract(
        connection,
        {
            "branch_id": branch_id,
            "contract_id": fact.contract_id,
            "centre_id": fact.centre_id,
            "term_from": fact.term_from,
            "term_to": fact.term_to,
        },
    )
    await store.add_terms(
        connection, branch_id, fact.contract_id, 0, fact.term_from, fact.order_fees
    )


async def _learn_supplement(
    connection: AsyncConnection, branch_id: int, fact: SupplementSigned
) -> None:
    """Keep the fees that a supplement agrees; one that leaves the terms as they are agrees none."""
    if fact.order_fees is not None:
        await store.add_terms(
            connection,
            branch_id,
            fact.contract_id,
            fact.number,
            fact.effective_from,
            fact.order_fees,
        )


async def record_workers(
    connection: AsyncConnection,
    order: RowMapping,
    number: int,
    sent: Sequence[str],
    named: Sequence[WorkShare],
    *,
    day: date,
) -> None:
    """Record who did the work on an order with the step that finished it.

    Where nobody is named it was done by who was ``sent`` and had not left, with equal parts.

    Raises:
        Malformed: somebody is named twice, or was not sent and does not work for the centre that has
            the order on the ``day`` it is finished.

    """
    branch_id, centre_id = order["branch_id"], order["performer_centre_id"]
    known = await store.engaged(connection, branch_id, [*sent, *(one.person_id for one in named)])
    gone = {one for one, row in known.items() if row["left_on"] and row["left_on"] <= day}
    here = {one for one, row in known.items() if row["centre_id"] == centre_id} - gone
    # Of an outside company's crew nobody is known, and so nobody is known to have left.
    there = [one for one in sent if one not in gone] or sent
    workers = [(one.person_id, one.parts) for one in named] or [(one, 1) for one in there]
    ids = [person_id for person_id, _ in workers]
    faults = [
        Fault(
            f"/worked_by/{index}/person_id",
            "named-twice" if one in ids[:index] else "not-of-centre",
            f"{one} cannot be named here",
            f"{one} 重复或不在该中心",
        )
        for index, one in enumerate(ids)
        if named and (one in ids[:index] or one not in here.union(there))
    ]
    if faults:
        raise Malformed(faults=faults)
    await store.add_workers(
        connection,
        [
            {
                "branch_id": branch_id,
                "order_id": order["order_id"],
                "number": number,
                "person_id": person_id,
                "parts": parts,
                "engagement": known[person_id]["engagement"] if person_id in known else None,
            }
            for person_id, parts in workers
        ],
    )


@dataclass(frozen=True, slots=True)
class _Sort:
    """What the orders behind one figure have in common."""

    kind: OrderKind
    area: Area
    engagement: Engagement | None
    fee: Fee | None

    @property
    def key(self) -> tuple[str, str, str, str]:
        """Return what figures are listed by."""
        contract_id = "" if self.fee is None else self.fee.contract_id
        return self.kind, self.area, self.engagement or "", contract_id


async def show(
    connection: AsyncConnection, branch_id: int, period: Period, principal: Principal
) -> Earnings:
    """Return what people earned in a period: an engineer their own, a contractor its centres'."""
    only, centre_ids = None, principal.centre_ids
    if reads_as_engineer(principal, readers={Role.CONTRACTOR, *COUNTY_READERS}):
        # Theirs wherever they have earned it: they may have worked for another centre then.
        only, centre_ids = principal.person_id or "", None
    agreed = await store.contracts_in(connection, branch_id, period)
    done = await store.finished(connection, branch_id, period, centre_ids)
    earned = defaultdict[tuple[str, str], dict[_Sort, list[EarnedOrder]]](dict)
    counted = defaultdict[str, set[str]](set)
    for order_id, rows in groupby(done, key=lambda row: str(row["order_id"])):
        workers = list(rows)
        order = workers[0]
        kind, centre_id = OrderKind(order["kind"]), order["performer_centre_id"]
        area = Area.RURAL if order["rural"] else Area.TOWN
        fee = fee_of(agreed, centre_id, period, kind, area)
        shares = shares_of(
            0 if fee is None else fee.amount_fen,
            [(one["person_id"], one["parts"]) for one in workers],
        )
        for one in workers:
            if only not in {None, one["person_id"]}:
                continue
            sort = _Sort(kind, area, one["engagement"] and Engagement(one["engagement"]), fee)
            earned[one["person_id"], centre_id].setdefault(sort, []).append(
                EarnedOrder(
                    order_id=order_id,
                    finished_at=order["finished_at"],
                    shared_by=len(workers),
                    amount_fen=shares[one["person_id"]],
                )
            )
            counted[centre_id].add(order_id)
    people = [
        _person(person_id, centre_id, figures)
        for (person_id, centre_id), figures in sorted(earned.items())
    ]
    return Earnings(
        period=period,
        people=people,
        centres=[
            CentreEarnings(
                centre_id=centre_id,
                orders=len(order_ids),
                amount_fen=sum(one.amount_fen for one in people if one.centre_id == centre_id),
            )
            for centre_id, order_ids in sorted(counted.items())
        ],
    )


def _person(
    person_id: str, centre_id: str, figures: dict[_Sort, list[EarnedOrder]]
) -> PersonEarnings:
    shown = [
        EarnedFigure(
            kind=sort.kind,
            area=sort.area,
            engagement=sort.engagement,
            fee_fen=None if sort.fee is None else sort.fee.amount_fen,
            contract_id=None if sort.fee is None else sort.fee.contract_id,
            count=len(orders),
            amount_fen=sum(one.amount_fen for one in orders),
            orders=orders,
        )
        for sort, orders in sorted(figures.items(), key=lambda item: item[0].key)
    ]
    return PersonEarnings(
        person_id=person_id,
        centre_id=centre_id,
        amount_fen=sum(one.amount_fen for one in shown),
        figures=shown,
    )
