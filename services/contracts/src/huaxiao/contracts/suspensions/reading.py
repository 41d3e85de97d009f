"""Suspensions as they are held: read from their steps."""

from collections.abc import Sequence
from itertools import groupby

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.domain.standing import Stretch
from huaxiao.contracts.suspensions import store
from huaxiao.shared.periods import Period
from huaxiao.shared.wire.signing import Suspension, SuspensionStep, SuspensionStepKind


def _render(contract_id: str, number: int, rows: Sequence[RowMapping]) -> Suspension:
    taken = {SuspensionStepKind(row["kind"]): row for row in rows}
    order = list(SuspensionStepKind)
    ended = SuspensionStepKind.END_APPROVED in taken
    return Suspension(
        contract_id=contract_id,
        number=number,
        from_period=taken[SuspensionStepKind.PROPOSED]["period"],
        last_period=taken[SuspensionStepKind.END_PROPOSED]["period"] if ended else None,
        in_force=SuspensionStepKind.APPROVED in taken,
        steps=[
            SuspensionStep.model_validate(dict(taken[kind]))
            for kind in sorted(taken, key=order.index)
        ],
    )


async def of_contracts(
    connection: AsyncConnection, branch_id: int, contract_ids: Sequence[str]
) -> list[Suspension]:
    """Return the suspensions of some contracts by number, those not approved too."""
    rows = await store.steps(connection, branch_id, contract_ids)
    return [
        _render(contract_id, number, list(of_one))
        for (contract_id, number), of_one in groupby(
            rows, key=lambda row: (row["contract_id"], row["number"])
        )
    ]


def stretch_of(suspension: Suspension) -> Stretch:
    """Return the periods of a suspension."""
    last = suspension.last_period
    return Stretch(Period(suspension.from_period), None if last is None else Period(last))


async def stretches(
    connection: AsyncConnection, branch_id: int, contract_ids: Sequence[str]
) -> dict[str, list[Stretch]]:
    """Return the periods in which some contracts are suspended."""
    found: dict[str, list[Stretch]] = {}
    for one in await of_contracts(connection, branch_id, contract_ids):
        if one.in_force:
            found.setdefault(one.contract_id, []).append(stretch_of(one))
    return found
