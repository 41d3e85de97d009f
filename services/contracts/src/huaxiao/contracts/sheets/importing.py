"""Taking sheets in: every bad row named, and all of it taken or nothing."""

import re
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.branches.store import branch, next_number
from huaxiao.contracts.domain.fields import FieldIsSealed
from huaxiao.contracts.domain.sheets import (
    COLUMNS,
    SEPARATOR,
    SKILLS,
    Covers,
    Row,
    bad,
    marked,
    read,
    repeated,
)
from huaxiao.contracts.fields import handlers as fields
from huaxiao.contracts.fields import store as field_store
from huaxiao.contracts.organisation import handlers as organisation
from huaxiao.contracts.refusals import store as refusals
from huaxiao.contracts.sheets import store
from huaxiao.contracts.sheets.receiving import Upload
from huaxiao.contracts.tables import uploads
from huaxiao.shared.identifiers import IDENTIFIER_PATTERN
from huaxiao.shared.problems import Fault, Malformed, Problem
from huaxiao.shared.wire.contracts import FieldIn, FieldScopeIn, PersonIn
from huaxiao.shared.wire.sheets import BadRow, SheetKind, SheetReport

_SHOWN = 1_000
_PERIOD_DIGITS = 6
_LISTS = {
    Covers.ADDRESS: "address_prefixes",
    Covers.RESOURCE: "resource_prefixes",
    Covers.CUSTOMER: "customers",
    Covers.CHANNEL: "channel_ids",
}
_KEYS = {
    SheetKind.PEOPLE: ("person_id",),
    SheetKind.CUSTOMERS: ("field_id", "customer_id"),
    SheetKind.FIELDS: ("field_id", "covers", "code"),
}


class _Undone(Exception):  # noqa: N818 - control flow inside this module
    """Leaves what was tried untried."""


class _Taking:
    """One upload while its rows are tried."""

    def __init__(self, connection: AsyncConnection, branch_id: int, now: datetime) -> None:
        self.connection = connection
        self.branch_id = branch_id
        self.now = now
        self.bad: list[BadRow] = []
        self.sealed: list[tuple[str, FieldIsSealed]] = []

    @asynccontextmanager
    async def trying(self, kind: SheetKind, rows: Sequence[Row]) -> AsyncIterator[None]:
        """Try what some rows say together; a problem is theirs, and leaves nothing of them."""
        try:
            async with self.connection.begin_nested():
                yield
        except FieldIsSealed as refused:
            self.sealed.append((rows[0].cells["field_id"], refused))
            self.bad += _named(kind, rows, refused)
        except Problem as problem:
            self.bad += _named(kind, rows, problem)
        except ValidationError as error:
            self.bad += _invalid(kind, rows, error)


async def take(
    connection: AsyncConnection,
    branch_id: int,
    kind: SheetKind,
    upload: Upload,
    *,
    preview: bool,
    uploaded_by: str,
    now: datetime,
) -> SheetReport:
    """Try every row of a sheet; take all of it if none is bad and it is no preview.

    The upload and its report are kept in any case; so is what met a seal (R21).
    """
    taking, rows, taken = await _try(connection, branch_id, kind, upload, preview=preview, now=now)
    if not preview:
        await _record_refusals(taking, kind, upload.digest, uploaded_by)
    report = SheetReport(
        number=await next_number(connection, uploads, branch_id),
        kind=kind,
        digest=upload.digest,
        rows=len(rows),
        taken=taken,
        bad=len(taking.bad),
        bad_rows=sorted(taking.bad, key=_place_of)[:_SHOWN],
        uploaded_by=uploaded_by,
        uploaded_at=now,
    )
    await store.add(connection, _kept(branch_id, report))
    return report


async def mark(
    connection: AsyncConnection,
    branch_id: int,
    kind: SheetKind,
    upload: Upload,
    *,
    now: datetime,
) -> list[list[str]]:
    """Return a sheet's own rows with one more column that says what is wrong with each.

    Nothing of it is taken. Mended in place it can be sent again: that column is passed over.
    """
    taking, *_ = await _try(connection, branch_id, kind, upload, preview=True, now=now)
    said: dict[int, list[str]] = {}
    for one in sorted(taking.bad, key=_place_of):
        column = "" if one.column is None else f"{one.column}："
        said.setdefault(one.line, []).append(f"{column}{one.message_zh} {one.message}")
    return list(marked(upload.rows, said))


def _place_of(one: BadRow) -> tuple[int, str]:
    return one.line, one.column or ""


async def _try(
    connection: AsyncConnection,
    branch_id: int,
    kind: SheetKind,
    upload: Upload,
    *,
    preview: bool,
    now: datetime,
) -> tuple[_Taking, list[Row], bool]:
    await branch(connection, branch_id, lock=True)
    taking = _Taking(connection, branch_id, now)
    rows = _rows(taking, kind, upload.rows)
    taken = False
    try:
        async with connection.begin_nested():
            if kind is SheetKind.PEOPLE:
                await _take_people(taking, rows)
            elif kind is SheetKind.FIELDS:
                await _take_fields(taking, rows)
            else:
                await _take_customers(taking, rows)
            taken = not preview and not taking.bad
            _undo(unless=taken)
    except _Undone:
        pass
    return taking, rows, taken


def _undo(*, unless: bool) -> None:
    if not unless:
        raise _Undone


def _kept(branch_id: int, report: SheetReport) -> dict[str, Any]:
    row = report.model_dump(mode="json", exclude={"uploaded_at"})
    return row | {"branch_id": branch_id, "uploaded_at": report.uploaded_at}


def _rows(taking: _Taking, kind: SheetKind, cells: Sequence[Sequence[str]]) -> list[Row]:
    rows: list[Row] = []
    for one in read(kind, cells):
        if isinstance(one, Row):
            rows.append(one)
        else:
            taking.bad.append(one)
    taking.bad += repeated(rows, _KEYS[kind])
    return rows


async def _take_people(taking: _Taking, rows: Sequence[Row]) -> None:
    by_word = {word: value for value, word in SKILLS.items()}
    for row in rows:
        async with taking.trying(SheetKind.PEOPLE, [row]):
            skills = _several(row.cells["skills"])
            concurrent = [
                dict(zip(("centre_id", "position"), one.split("/", 1), strict=False))
                for one in _several(row.cells["concurrent"])
            ]
            given = PersonIn.model_validate(
                {name: row.cells[name] for name in row.cells if name != "person_id"}
                | {"skills": [by_word.get(one, one) for one in skills], "concurrent": concurrent}
            )
            await organisation.place_person(
                taking.connection, taking.branch_id, _code(row, "person_id"), given, now=taking.now
            )


async def _take_customers(taking: _Taking, rows: Sequence[Row]) -> None:
    """Replace the whole list of each field that the sheet names."""
    for field_id, of_field in _grouped(rows):
        async with taking.trying(SheetKind.CUSTOMERS, of_field):
            # Held before it is read: what is put beside the list meanwhile must not be put back.
            await field_store.lock(taking.connection, taking.branch_id, field_id)
            held = await fields.show(taking.connection, taking.branch_id, field_id, None)
            members = held.model_dump(mode="json", include=set(FieldIn.model_fields))
            members["scope"]["customers"] = [_customer(row, "customer_id") for row in of_field]
            given = FieldIn.model_validate(members)
            await fields.draw(taking.connection, taking.branch_id, field_id, given, if_match=None)


async def _take_fields(taking: _Taking, rows: Sequence[Row]) -> None:
    for _, of_field in _grouped(rows):
        async with taking.trying(SheetKind.FIELDS, of_field):
            first = of_field[0].cells
            scope: dict[str, Any] = {"channel_mode": first["channel_mode"] or None}
            for row in of_field:
                covers = Covers(row.cells["covers"]) if row.cells["covers"] in set(Covers) else None
                if covers is None or any(row.cells[one] != first[one] for one in _OF_FIELD):
                    taking.bad.append(_torn(row, covers))
                    continue
                listed = _customer(row, "code") if covers is Covers.CUSTOMER else row.cells["code"]
                scope.setdefault(_LISTS[covers], []).append(listed)
            given = FieldIn.model_validate(
                {name: first[name] for name in ("kind", "centre_id", "name_zh")}
                | {name: _number(first[name]) for name in ("term_from", "term_to")}
                | {"scope": FieldScopeIn.model_validate(scope)}
            )
            await fields.draw(
                taking.connection,
                taking.branch_id,
                _code(of_field[0], "field_id"),
                given,
                if_match=None,
            )


_OF_FIELD = ("kind", "centre_id", "name_zh", "term_from", "term_to", "channel_mode")


def _torn(row: Row, covers: Covers | None) -> BadRow:
    if covers is None:
        return bad(
            row.line, "覆盖类别", "enum", "address, resource, customer or channel", "覆盖类别不明"
        )
    return bad(row.line, None, "field-differs", "the field's rows differ", "同一责任田各行不一致")


def _code(row: Row, name: str) -> str:
    """Return a code of the form that paths have.

    Raises:
        Malformed: it has another.

    """
    code = row.cells[name]
    if re.fullmatch(IDENTIFIER_PATTERN, code) is None:
        fault = Fault(f"/{name}", "bad-code", f"{code[:64]!r} is no code", f"{code[:64]} 不是编码")
        raise Malformed(faults=[fault])
    return code


def _several(cell: str) -> list[str]:
    return [one.strip() for one in cell.split(SEPARATOR) if one.strip()]


def _number(cell: str) -> int | str:
    is_period = cell.isascii() and cell.isdecimal() and len(cell) <= _PERIOD_DIGITS
    return int(cell) if is_period else cell


def _customer(row: Row, name: str) -> dict[str, str]:
    return {"customer_id": row.cells[name], "segment": row.cells["segment"]}


def _grouped(rows: Sequence[Row]) -> Iterator[tuple[str, list[Row]]]:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.cells["field_id"], []).append(row)
    yield from groups.items()


# --- what a problem says of which row -----------------------------------------------------------


def _named(kind: SheetKind, rows: Sequence[Row], problem: Problem) -> Iterator[BadRow]:
    if not problem.faults:
        yield bad(rows[0].line, None, problem.code, problem.detail, problem.detail_zh)
    for fault in problem.faults:
        row, column = _place(kind, rows, fault.pointer.strip("/").split("/"))
        yield bad(row.line, column, fault.code, fault.message, fault.message_zh)


def _invalid(kind: SheetKind, rows: Sequence[Row], error: ValidationError) -> Iterator[BadRow]:
    for one in error.errors():
        row, column = _place(kind, rows, [str(part) for part in one["loc"]])
        yield bad(row.line, column, one["type"].replace("_", "-"), one["msg"], "取值不符合要求")


def _place(kind: SheetKind, rows: Sequence[Row], path: Sequence[str]) -> tuple[Row, str | None]:
    """Return the row and column that a pointer into what the rows say together leads to."""
    headers = {column.name: column.header for column in COLUMNS[kind]}
    members = [part for part in path if not part.isdecimal() and part != "scope"]
    index = next((int(part) for part in path if part.isdecimal()), None)
    listed = next((covers for covers, name in _LISTS.items() if name in members), None)
    row = rows[0]
    if listed is not None and index is not None:
        of_list = [one for one in rows if one.cells.get("covers", Covers.CUSTOMER) == listed]
        row = of_list[index] if index < len(of_list) else row
    named = next((headers[part] for part in reversed(members) if part in headers), None)
    return row, named or (headers.get("code") if listed is not None else None)


async def _record_refusals(taking: _Taking, kind: SheetKind, digest: str, uploaded_by: str) -> None:
    for field_id, refused in taking.sealed:
        await refusals.add(
            taking.connection,
            taking.branch_id,
            {
                "subject_kind": refused.subject,
                "subject_id": field_id,
                "centre_id": refused.centre_id,
                "code": refused.code,
                "digest": refused.digest,
                "asked_by": uploaded_by,
                "asked_at": taking.now,
                "asked": {"sheet": kind, "file_digest": digest},
            },
        )
