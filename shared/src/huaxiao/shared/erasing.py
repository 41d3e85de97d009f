"""Erasure of a customer's personal data, the same in every service that keeps any: by two people.

One asks for it, another has it done: what is gone cannot be brought back, and whoever answers for the
books looks before it goes. What a service erases, and what must wait, is its own.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Request
from sqlalchemy import Join, RowMapping, Select, Table, case, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.shared import web
from huaxiao.shared.auth import COUNTY_READERS, Principal, Role, allow
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.pages import Page, PageOf
from huaxiao.shared.problems import Forbidden, NotFound, TwoPeople
from huaxiao.shared.unit_of_work import ReadTx, WriteTx
from huaxiao.shared.wire.personal import Erasure, ErasureIn

Erase = Callable[[AsyncConnection, int, str, datetime], Awaitable[tuple[int, int]]]
"""Erase what need not be kept of a customer; return how much was erased, and how much must wait."""
_CONFIRMING = 34
"""Class of the advisory locks under which a branch's erasures are done, one at a time."""
Asker = Annotated[Principal, allow(Role.COUNTY_MANAGER, whole_branch=True)]
"""Asks for an erasure, on behalf of the person."""
Confirmer = Annotated[Principal, allow(Role.COUNTY_MANAGER, Role.COUNTY_FINANCE, whole_branch=True)]
"""Has it done: another who answers for the whole branch, or for its books."""
Reader = Annotated[Principal, allow(*COUNTY_READERS, whole_branch=True)]


def erasure_routes(asked: Table, done: Table, erase: Erase) -> APIRouter:
    """Return the routes by which a service's personal data of a customer is erased."""
    router = web.router(tags=["personal data"])
    known = known_erasures(asked, done)

    @router.post("/erasures", status_code=201, responses=web.problem_responses(Forbidden))
    async def ask_for_erasure(
        request: Request,
        branch_id: BranchId,
        given: ErasureIn,
        connection: WriteTx,
        principal: Asker,
    ) -> Erasure:
        """Ask for the personal data of a customer to be erased; somebody else has it done."""
        row = given.model_dump() | {
            "erasure_id": uuid4().hex,
            "by": principal.subject,
            "at": request.app.state.clock(),
        }
        await connection.execute(insert(asked).values(branch_id=branch_id, **row))
        return await _load(connection, known, asked, branch_id, row["erasure_id"])

    @router.get("/erasures", responses=web.problem_responses(Forbidden))
    async def list_erasures(
        branch_id: BranchId, connection: ReadTx, _: Reader, page: PageOf
    ) -> Page[Erasure]:
        """List the erasures of the branch, those that wait for a second person among them."""
        (after,) = page.after(str) or ("",)
        rows = await connection.execute(
            known.where(asked.c.branch_id == branch_id, asked.c.erasure_id > after)
            .order_by(asked.c.erasure_id)
            .limit(page.limit + 1)
        )
        return page.page([_shown(row) for row in rows.mappings()], "erasure_id")

    @router.post(
        "/erasures/{erasure_id}/confirm", responses=web.problem_responses(Forbidden, TwoPeople)
    )
    async def confirm_erasure(
        request: Request,
        branch_id: BranchId,
        erasure_id: Identifier,
        connection: WriteTx,
        principal: Confirmer,
    ) -> Erasure:
        """Have done what somebody else has asked for; done already, it stays as it is."""
        # Two who confirm at once: the second waits, and finds it done.
        await one_at_a_time(connection, branch_id)
        found = await _load(connection, known, asked, branch_id, erasure_id)
        if found.done_at is not None:
            return found
        if found.by == principal.subject:
            raise TwoPeople
        now = request.app.state.clock()
        erased, waiting = await erase(connection, branch_id, found.customer_id, now)
        await connection.execute(
            insert(done).values(
                branch_id=branch_id,
                erasure_id=erasure_id,
                by=principal.subject,
                at=now,
                erased=erased,
                waiting=waiting,
            )
        )
        return await _load(connection, known, asked, branch_id, erasure_id)

    return router


async def one_at_a_time(connection: AsyncConnection, branch_id: int) -> None:
    """Let nobody else do an erasure of a branch until this transaction ends."""
    await connection.execute(select(func.pg_advisory_xact_lock(_CONFIRMING, branch_id)))


def with_done(asked: Table, done: Table, *, or_not: bool = False) -> Join:
    """Join erasures that were asked for with their being done; ``or_not`` those that are not as well."""
    same = (done.c.branch_id == asked.c.branch_id) & (done.c.erasure_id == asked.c.erasure_id)
    return asked.join(done, same, isouter=or_not)


def known_erasures(asked: Table, done: Table) -> Select[Any]:
    """Select erasures; what one person did alone, before it took two, was done as it was asked."""
    alone = asked.c.erased.is_not(None)
    return select(
        *(asked.c[name] for name in ("erasure_id", "customer_id", "reason", "by", "at")),
        func.coalesce(done.c.by, case((alone, asked.c.by))).label("done_by"),
        func.coalesce(done.c.at, case((alone, asked.c.at))).label("done_at"),
        func.coalesce(done.c.erased, asked.c.erased).label("erased"),
        func.coalesce(done.c.waiting, asked.c.waiting).label("waiting"),
    ).select_from(with_done(asked, done, or_not=True))


async def _load(
    connection: AsyncConnection, known: Select[Any], asked: Table, branch_id: int, erasure_id: str
) -> Erasure:
    """Return an erasure.

    Raises:
        NotFound: there is none of this identifier.

    """
    rows = await connection.execute(
        known.where(asked.c.branch_id == branch_id, asked.c.erasure_id == erasure_id)
    )
    found = rows.mappings().one_or_none()
    if found is None:
        raise NotFound
    return _shown(found)


def _shown(row: RowMapping) -> Erasure:
    return Erasure.model_validate(dict(row))
