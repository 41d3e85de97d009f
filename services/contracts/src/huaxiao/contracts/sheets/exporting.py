"""Sheets of what is there now, as an import would take them."""

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from datetime import date
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.domain.sheets import COLUMNS, SEPARATOR, SKILLS, Covers, header
from huaxiao.contracts.fields import store as field_store
from huaxiao.contracts.organisation import store as organisation_store
from huaxiao.shared.periods import period_of_day
from huaxiao.shared.wire.contracts import Skill
from huaxiao.shared.wire.sheets import SheetKind

_ALL = 1_000_000


async def rows_of(
    connection: AsyncConnection,
    branch_id: int,
    kind: SheetKind,
    centre_ids: AbstractSet[str] | None,
    *,
    on: date | None = None,
) -> list[list[str]]:
    """Return a sheet's rows, header first, of the centres that the caller may see.

    With a day: people where they work on it, and fields whose term it lies in.
    """
    if kind is SheetKind.PEOPLE:
        people = await _people(connection, branch_id, centre_ids, on)
        given: Iterable[dict[str, Any]] = (_person(row) for row in people)
    else:
        fields = await field_store.whole(connection, branch_id, centre_ids)
        if on is not None:
            period = period_of_day(on)
            fields = [one for one in fields if one["term_from"] <= period <= one["term_to"]]
        given = _fields(fields) if kind is SheetKind.FIELDS else _customers(fields)
    return [header(kind), *(_written(kind, one) for one in given)]


async def _people(
    connection: AsyncConnection,
    branch_id: int,
    centre_ids: AbstractSet[str] | None,
    on: date | None,
) -> list[RowMapping]:
    if on is None:
        latest = await organisation_store.people_page(
            connection, branch_id, centre_ids, after="", limit=_ALL
        )
        return [row for row in latest if row["here"]]
    placed = await organisation_store.placed_on(connection, branch_id, on)
    return [row for row in placed if centre_ids is None or row["centre_id"] in centre_ids]


def _written(kind: SheetKind, given: dict[str, Any]) -> list[str]:
    return [
        column.write("" if given.get(column.name) is None else str(given[column.name]))
        for column in COLUMNS[kind]
    ]


def _person(row: RowMapping) -> dict[str, Any]:
    skills = SEPARATOR.join(SKILLS[Skill(one)] for one in row["skills"])
    concurrent = SEPARATOR.join(
        f"{one['centre_id']}/{one['position']}" for one in row["concurrent"]
    )
    return dict(row) | {"skills": skills, "concurrent": concurrent}


def _customers(fields: Iterable[RowMapping]) -> Iterator[dict[str, Any]]:
    for row in fields:
        for one in row["scope"]["customers"]:
            yield one | {"field_id": row["field_id"]}


def _fields(fields: Iterable[RowMapping]) -> Iterator[dict[str, Any]]:
    for row in fields:
        scope = row["scope"]
        covered = [
            *((Covers.ADDRESS, one, None) for one in scope["address_prefixes"]),
            *((Covers.RESOURCE, one, None) for one in scope["resource_prefixes"]),
            *((Covers.CUSTOMER, one["customer_id"], one["segment"]) for one in scope["customers"]),
            *((Covers.CHANNEL, one, None) for one in scope["channel_ids"]),
        ]
        for covers, code, segment in covered:
            yield dict(row) | {
                "covers": covers,
                "code": code,
                "segment": segment,
                "channel_mode": scope["channel_mode"],
            }
