"""The ledger: sums that come to zero, balances that are the sum of their entries, and documents."""

from collections.abc import Iterator, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.ledger import store
from huaxiao.attribution.tables import branches
from huaxiao.cli.doctor.findings import Finding, Level, unless_found
from huaxiao.shared.wire.attribution import PeriodBooks

CHECK = "ledger"
_KEEP = (
    "Close no month and release no settlement; keep the database as it is, and compare the entries"
    " of the period with a backup."
)


async def check(connection: AsyncConnection) -> list[Finding]:
    """Hold the books of every branch and period against what they were made from."""
    found: list[Finding] = []
    periods = 0
    for branch_id in (await connection.scalars(select(branches.c.branch_id))).all():
        books = await store.books(connection, branch_id)
        periods += len(books)
        for one in books:
            entered = await store.entered(connection, branch_id, one.period)
            unbalanced = await store.unbalanced(connection, branch_id, one.period)
            found += [_wrong(branch_id, what) for what in faults(one, entered, unbalanced)]
        found += [
            _wrong(branch_id, what) for what in await store.misnumbered(connection, branch_id)
        ]
    return unless_found(
        CHECK, found, f"{periods} periods add up: to zero, to their entries, to their documents"
    )


def faults(books: PeriodBooks, entered_fen: int, unbalanced: Sequence[str]) -> Iterator[str]:
    """Yield what does not add up in a period."""
    if books.ledger_sum_fen:
        yield f"{books.period}: all accounts together come to {books.ledger_sum_fen} fen, not 0"
    if unbalanced:
        yield f"{books.period}: not the sum of their entries: {', '.join(unbalanced)}"
    if books.difference_fen:
        yield (
            f"{books.period}: documents come to {books.billed_fen} fen, balances to"
            f" {books.booked_fen}"
        )
    if entered_fen != books.billed_fen:
        yield f"{books.period}: documents come to {books.billed_fen} fen, entries to {entered_fen}"


def _wrong(branch_id: int, what: str) -> Finding:
    return Finding(CHECK, Level.WRONG, what, _KEEP, "attribution", branch_id)
