"""The coverage report: what the fields of a period hold, leave open and take twice (R8)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.branches.store import branch
from huaxiao.contracts.domain.coverage import (
    Claim,
    Clash,
    CoverageIncomplete,
    Overlap,
    clashes,
    coverage,
    listed_twice,
)
from huaxiao.contracts.fields import store
from huaxiao.contracts.tables import feed
from huaxiao.shared.documents import digest
from huaxiao.shared.feed import NewFact
from huaxiao.shared.periods import Period, shift
from huaxiao.shared.problems import NotFound
from huaxiao.shared.wire.contracts import (
    COVERAGE_DECLARED,
    Coverage,
    CoverageDeclaration,
    CoverageDeclared,
    CoverageOverlap,
    DroppedCustomer,
    FieldKind,
    PrefixClash,
)


async def show_coverage(
    connection: AsyncConnection, branch_id: int, period: int | None, *, sealed_only: bool
) -> Coverage:
    """Compare the fields of a period, or of the newest term, with all there is to be covered."""
    await branch(connection, branch_id)
    if period is None:
        period = await store.newest_term(connection, branch_id)
    villages = await store.villages(connection, branch_id)
    units = await store.units(connection, branch_id)
    fields: Sequence[RowMapping] = []
    if period is not None:
        fields = await store.of_period(connection, branch_id, period, sealed_only=sealed_only)
    found = coverage(villages, _claims(fields, "address_prefixes"), units)
    resources = list(clashes(sorted(_claims(fields, "resource_prefixes"))))
    customers = list(_listed(fields))
    twice = listed_twice((one["customer_id"], field_id) for one, field_id in customers)
    channels = listed_twice(
        (channel_id, row["field_id"])
        for row in fields
        for channel_id in row["scope"]["channel_ids"]
    )
    dropped = await _dropped(
        connection, branch_id, fields, {one["customer_id"] for one, _ in customers}
    )
    named = {*found.gaps, *found.partial, *(one.code for one in found.overlaps)}
    names = {code: name for code, name in (villages | units).items() if code in named}
    return Coverage(
        period=period,
        sealed_only=sealed_only,
        complete=found.is_complete and not (resources or twice or dropped or channels),
        villages=len(villages),
        address_units=len(units),
        customers=len({one["customer_id"] for one, _ in customers}),
        gaps=list(found.gaps),
        partial=list(found.partial),
        open_villages=list(found.open_villages),
        overlaps=_overlaps(found.overlaps),
        prefix_clashes=[_clash(one) for one in (*found.clashes, *resources)],
        customers_listed_twice=_overlaps(twice),
        customers_dropped=dropped,
        channels_listed_twice=_overlaps(channels),
        names=names | {row["field_id"]: row["name_zh"] for row in fields},
    )


async def declare(
    connection: AsyncConnection,
    branch_id: int,
    period: int,
    *,
    declared_by: str,
    now: datetime,
) -> CoverageDeclaration:
    """Declare that the sealed fields of a period cover everything once; again changes nothing.

    Raises:
        CoverageIncomplete: they do not; what lies open or is taken twice is named.

    """
    await branch(connection, branch_id, lock=True)
    held = await store.declaration(connection, branch_id, period)
    if held is not None:
        return CoverageDeclaration.model_validate(dict(held))
    found = await show_coverage(connection, branch_id, period, sealed_only=True)
    told = found.model_dump(mode="json")
    if not found.complete:
        raise CoverageIncomplete(coverage=told)
    row = {
        "branch_id": branch_id,
        "period": period,
        "digest": digest(told),
        "coverage": told,
        "declared_by": declared_by,
        "declared_at": now,
    }
    await store.add_declaration(connection, row)
    fact = CoverageDeclared(period=period, digest=digest(told), declared_at=now)
    await feed.append(
        connection, branch_id, [NewFact(COVERAGE_DECLARED, str(period), fact)], now=now
    )
    return CoverageDeclaration.model_validate(row)


async def show_declaration(
    connection: AsyncConnection, branch_id: int, period: int
) -> CoverageDeclaration:
    """Return what was declared of a period."""
    held = await store.declaration(connection, branch_id, period)
    if held is None:
        raise NotFound
    return CoverageDeclaration.model_validate(dict(held))


def _claims(fields: Iterable[RowMapping], name: str) -> list[Claim]:
    return [Claim(prefix, row["field_id"]) for row in fields for prefix in row["scope"][name]]


def _listed(fields: Iterable[RowMapping]) -> Iterable[tuple[dict[str, Any], str]]:
    for row in fields:
        for one in row["scope"]["customers"]:
            yield one, row["field_id"]


async def _dropped(
    connection: AsyncConnection, branch_id: int, fields: Sequence[RowMapping], listed: set[str]
) -> list[DroppedCustomer]:
    """Return the customers of the lists of the term before who are on none now."""
    lists = [row["term_from"] for row in fields if row["kind"] == FieldKind.CUSTOMER]
    if not lists:
        return []
    before = shift(Period(min(lists)), -1)
    former = await store.of_period(connection, branch_id, before, sealed_only=True)
    return [
        DroppedCustomer(customer_id=one["customer_id"], segment=one["segment"], field_id=field_id)
        for one, field_id in sorted(_listed(former), key=lambda each: str(each[0]["customer_id"]))
        if one["customer_id"] not in listed
    ]


def _overlaps(found: Iterable[Overlap]) -> list[CoverageOverlap]:
    return [CoverageOverlap(code=one.code, field_ids=list(one.field_ids)) for one in found]


def _clash(one: Clash) -> PrefixClash:
    return PrefixClash(
        prefix=one.inner.prefix,
        field_id=one.inner.field_id,
        other_prefix=one.outer.prefix,
        other_field_id=one.outer.field_id,
    )
