"""Supplements as they are held, and what of contracts they and early exits have changed."""

from collections.abc import Mapping, Sequence

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.domain.standing import Amendment, Bound
from huaxiao.contracts.exits import store as exit_store
from huaxiao.contracts.supplements import store
from huaxiao.contracts.suspensions.reading import stretches
from huaxiao.shared.periods import Period
from huaxiao.shared.wire.supplements import Supplement, SupplementSignature

_SIDES = 2


def _render(row: RowMapping, signed: Sequence[RowMapping]) -> Supplement:
    return Supplement.model_validate(
        dict(row)
        | {
            "signatures": [SupplementSignature.model_validate(dict(one)) for one in signed],
            "binding": len(signed) == _SIDES,
        }
    )


async def of_contract(
    connection: AsyncConnection,
    branch_id: int,
    contract_id: str,
    *,
    after: int = 0,
    limit: int | None = None,
) -> list[Supplement]:
    """Return a contract's supplements behind a number."""
    rows = await store.of_contracts(connection, branch_id, [contract_id], after=after, limit=limit)
    signed = await store.signatures(connection, branch_id, [contract_id])
    return [_render(row, signed.get((contract_id, row["number"]), [])) for row in rows]


def amendments(held: Sequence[Supplement]) -> list[Amendment]:
    """Return the supplements that bind."""
    return [
        Amendment(one.number, Period(one.effective_from), one.terms, one.parties)
        for one in held
        if one.binding
    ]


async def bound(
    connection: AsyncConnection, branch_id: int, contracts: Sequence[RowMapping]
) -> Mapping[str, Bound]:
    """Return what has changed of some contracts since they were signed."""
    ids = [row["contract_id"] for row in contracts]
    signed = await store.signatures(connection, branch_id, ids)
    held: dict[str, list[Supplement]] = {}
    for row in await store.of_contracts(connection, branch_id, ids):
        key = (row["contract_id"], row["number"])
        held.setdefault(row["contract_id"], []).append(_render(row, signed.get(key, [])))
    ends = await exit_store.last_periods(connection, branch_id, ids)
    suspended = await stretches(connection, branch_id, ids)
    return {
        row["contract_id"]: Bound(
            amendments=tuple(amendments(held.get(row["contract_id"], []))),
            last=Period(ends.get(row["contract_id"], row["term_to"])),
            suspended=tuple(suspended.get(row["contract_id"], ())),
        )
        for row in contracts
    }
