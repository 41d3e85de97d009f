"""The routes of versioned data: shown, drafted by one person, put in force by another.

Each kind of such data names its paths, its types and who may do what; how it is asked for is the same
for all of them.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response, status

from huaxiao.shared import web
from huaxiao.shared.identifiers import BranchId
from huaxiao.shared.pages import Page, PageOf
from huaxiao.shared.periods import business_day, period_of
from huaxiao.shared.problems import Forbidden, Problem, StaleVersion, TwoPeople
from huaxiao.shared.unit_of_work import ReadTx, WriteTx
from huaxiao.shared.versions import VERSIONED, IfMatch, name_version
from huaxiao.shared.wire.base import WRITTEN_OUT, PeriodText

OwnVersion = Annotated[int, Path(ge=1, lt=10_000)]
"""A branch's own version; 0 is the suite's."""
AnyVersion = Annotated[int, Path(ge=0, lt=10_000)]
Handler = Callable[..., Awaitable[Any]]


async def _day(
    request: Request,
    on: Annotated[
        date | None, WRITTEN_OUT, Query(description="in force on this day; today when absent")
    ] = None,
) -> date:
    return on or business_day(request.app.state.clock())


OnDay = Annotated[date, Depends(_day)]
"""The day on which a version is in force: the one named, or today."""


def in_month(description: str) -> Any:
    """Return the month in which a version is in force: the one named, or the present one."""

    async def month(
        request: Request,
        period: Annotated[PeriodText | None, Query(description=description)] = None,
    ) -> int:
        return period or period_of(request.app.state.clock())

    return Annotated[int, Depends(month)]


@dataclass(frozen=True, slots=True)
class Told:
    """A route's name, by which clients call it, and what it does."""

    name: str
    description: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Drafted:
    """One kind of versioned data as callers see it; types are given as values."""

    path: str
    """Of what is in force."""
    versions: str
    """Of the versions."""
    put: str
    """What stands behind a version's path to put it in force."""
    moment: Any
    """When it is in force: ``OnDay``, or ``in_month``."""
    reader: Any
    writer: Any
    version: Any
    summary: Any
    given: Any
    put_given: Any
    unchangeable: type[Problem]
    out_of_order: type[Problem]
    in_force: Handler
    list_versions: Handler
    show: Handler
    draft: Handler
    put_in_force: Handler
    get_told: Told
    list_told: Told
    show_told: Told
    draft_told: Told
    put_told: Told


def add_routes(router: APIRouter, kind: Drafted) -> None:
    """Add the five routes of a kind of versioned data to a router."""

    async def get(branch_id: BranchId, connection: ReadTx, moment: Any, _: Any) -> Any:
        return await kind.in_force(connection, branch_id, moment)

    async def list_all(branch_id: BranchId, connection: ReadTx, page: PageOf, _: Any) -> Any:
        (after,) = page.after(int) or (0,)
        found = await kind.list_versions(connection, branch_id, after=after, limit=page.limit + 1)
        return page.page(found, "version")

    async def show(
        response: Response, branch_id: BranchId, version: AnyVersion, connection: ReadTx, _: Any
    ) -> Any:
        found = await kind.show(connection, branch_id, version)
        name_version(response, found)
        return found

    async def draft(
        request: Request,
        response: Response,
        branch_id: BranchId,
        version: OwnVersion,
        given: Any,
        connection: WriteTx,
        principal: Any,
        if_match: IfMatch = None,
    ) -> Any:
        drafted, is_new = await kind.draft(
            connection,
            branch_id,
            version,
            given,
            if_match=if_match,
            drafted_by=principal.subject,
            now=request.app.state.clock(),
        )
        response.status_code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
        name_version(response, drafted)
        return drafted

    async def put_in_force(
        request: Request,
        branch_id: BranchId,
        version: OwnVersion,
        given: Any,
        connection: WriteTx,
        principal: Any,
    ) -> Any:
        return await kind.put_in_force(
            connection,
            branch_id,
            version,
            given,
            by=principal.subject,
            now=request.app.state.clock(),
        )

    def add(
        method: str,
        path: str,
        endpoint: Handler,
        told: Told,
        problems: Sequence[type[Problem]] = (),
        responses: dict[int | str, dict[str, Any]] | None = None,
        **types: Any,
    ) -> None:
        # What a route takes and gives is known only here.
        endpoint.__annotations__ |= types
        router.add_api_route(
            path,
            endpoint,
            methods=[method],
            name=told.name,
            description=told.description,
            response_model=types["return"],
            responses=web.problem_responses(Forbidden, *problems) | (responses or {}),
        )

    version_path = f"{kind.versions}/{{version}}"
    shown = {"return": kind.version}
    add("GET", kind.path, get, kind.get_told, moment=kind.moment, _=kind.reader, **shown)
    listed: Any = Page[kind.summary]  # type: ignore[name-defined]
    add("GET", kind.versions, list_all, kind.list_told, _=kind.reader, **{"return": listed})
    add(
        *("GET", version_path, show, kind.show_told),
        responses={200: VERSIONED},
        _=kind.reader,
        **shown,
    )
    add(
        *("PUT", version_path, draft, kind.draft_told),
        problems=(kind.unchangeable, StaleVersion),
        responses={200: VERSIONED, 201: VERSIONED | {"model": kind.version}},
        given=kind.given,
        principal=kind.writer,
        **shown,
    )
    add(
        *("POST", f"{version_path}/{kind.put}", put_in_force, kind.put_told),
        problems=(kind.unchangeable, kind.out_of_order, TwoPeople),
        given=kind.put_given,
        principal=kind.writer,
        **shown,
    )
