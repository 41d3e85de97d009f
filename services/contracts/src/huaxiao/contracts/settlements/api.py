"""Routes of settlements."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Path, Query, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from huaxiao.contracts.callers import Party, Reader, Settler
from huaxiao.contracts.contracts import store as contract_store
from huaxiao.contracts.documents import pdf
from huaxiao.contracts.domain.locks import DigestMismatch
from huaxiao.contracts.domain.results import Told
from huaxiao.contracts.settlements import handlers, printing, steps, store, what_if
from huaxiao.contracts.settlements.documents import sheet_rows
from huaxiao.contracts.settlements.handlers import Agreed
from huaxiao.contracts.settlements.peers import PeerRefused, Peers
from huaxiao.contracts.settlements.steps import (
    BooksStillOpen,
    NoSuchLine,
    ObjectionOpen,
    OtherSideAnswers,
    StatementIsClosed,
    StatementOutdated,
)
from huaxiao.contracts.supplements.reading import bound
from huaxiao.shared import web
from huaxiao.shared.database import Database
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.pages import Page, PageOf
from huaxiao.shared.periods import Period, periods_from
from huaxiao.shared.problems import Conflict, Forbidden, NotFound, TwoPeople, Unavailable
from huaxiao.shared.sheets import CSV_MEDIA_TYPE, XLSX_MEDIA_TYPE, as_file, download
from huaxiao.shared.unit_of_work import ReadTx, WriteTx
from huaxiao.shared.wire.base import PeriodText
from huaxiao.shared.wire.settlement import (
    AnswerIn,
    ConfirmationIn,
    ObjectionIn,
    SettlementIn,
    SettlementOutcome,
    SettlementStatement,
    SettlementSummary,
    SettlementVerification,
    SettlementWhatIf,
    SettlementWhatIfIn,
    StatementFormat,
    StatementState,
)
from huaxiao.shared.wire.sheets import SheetFormat

router = web.router(tags=["settlements"])
_ASKS = web.problem_responses(Forbidden, PeerRefused, Unavailable)
_STATEMENT = "/contracts/{contract_id}/statements/{period}"
_FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The statement.",
        "content": {CSV_MEDIA_TYPE: {}, XLSX_MEDIA_TYPE: {}, pdf.MEDIA_TYPE: {}},
    }
}
_bearer = HTTPBearer(auto_error=False)


@dataclass(frozen=True, slots=True)
class _Asked:
    """Some contracts, and what the other services told of their months, before anything is written."""

    contracts: list[Agreed]
    told: Told | None
    known_at: datetime
    gained: Mapping[tuple[Period, str], int] = field(default_factory=dict)
    """Of a what-if with fields drawn otherwise: revenue by month and centre."""


async def _ask(
    request: Request,
    branch_id: int,
    contracts: list[Agreed],
    periods: Sequence[Period],
    credentials: HTTPAuthorizationCredentials | None,
    *,
    lines: bool,
) -> _Asked:
    known_at: datetime = request.app.state.clock()
    if not contracts or credentials is None:
        return _Asked(contracts, None, known_at)
    peers: Peers = request.app.state.peers
    token = credentials.credentials
    told = await peers.tell(lambda: token, branch_id, periods, known_at, lines=lines)
    return _Asked(contracts, told, known_at)


async def _asked_for_all(
    request: Request,
    branch_id: BranchId,
    given: SettlementIn,
    principal: Settler,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> _Asked:
    """Ask before the transaction that writes begins, so that it waits for nobody."""
    database: Database = request.app.state.database
    async with database.read(principal.scope(branch_id)) as connection:
        rows = await store.signed_contracts(
            connection,
            branch_id,
            principal.centre_ids,
            period=None if given.contract_ids else given.period,
            contract_ids=given.contract_ids,
        )
        changed = await bound(connection, branch_id, rows)
    period = Period(given.period)
    read = [handlers.agreed(row, changed[row["contract_id"]]) for row in rows]
    # One that is over is settled again only when it is named: what has changed of it since.
    contracts = [
        one
        for one in read
        if one.first <= period and (period <= one.last or given.contract_ids is not None)
    ]
    first = min((one.first for one in contracts), default=period)
    periods = list(periods_from(first, period))
    lines = any(one.pays_for_lines for one in contracts)
    return await _ask(request, branch_id, contracts, periods, credentials, lines=lines)


async def _asked_for_one(
    request: Request,
    branch_id: BranchId,
    contract_id: Identifier,
    given: SettlementWhatIfIn,
    principal: Reader,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> _Asked:
    database: Database = request.app.state.database
    async with database.read(principal.scope(branch_id)) as connection:
        row = await contract_store.load(connection, branch_id, contract_id, principal.centre_ids)
        if row is None:
            raise NotFound
        changed = await bound(connection, branch_id, [row])
    contract = handlers.agreed(row, changed[contract_id])
    foreign = set(given.field_ids or ()) - contract.field_ids
    if principal.centre_ids is not None and (given.fields or foreign):
        # Whoever sees one centre only would be told of the others' fields what they are without.
        raise Forbidden
    months = what_if.span(given)
    lines = contract.pays_for_lines or (given.terms is not None and bool(given.terms.line_fees))
    asked = await _ask(request, branch_id, [contract], months, credentials, lines=lines)
    if not given.fields or credentials is None:
        return asked
    token = credentials.credentials
    peers: Peers = request.app.state.peers
    gained = await peers.redrawn(lambda: token, branch_id, months, given.fields)
    return replace(asked, gained=gained)


@router.post("/settlements", responses=_ASKS)
async def draft_statements(
    request: Request,
    branch_id: BranchId,
    given: SettlementIn,
    principal: Settler,
    asked: Annotated[_Asked, Depends(_asked_for_all)],
    connection: WriteTx,
) -> list[SettlementOutcome]:
    """Draft a period's statements; the same figures again make no new revision (R1)."""
    outcomes: list[SettlementOutcome] = []
    if asked.told is not None:
        outcomes = await handlers.draft(
            connection,
            branch_id,
            asked.contracts,
            Period(given.period),
            asked.told,
            known_at=asked.known_at,
            made_by=principal.subject,
            now=request.app.state.clock(),
        )
    settled = {one.contract_id for one in asked.contracts}
    missing = [one for one in given.contract_ids or [] if one not in settled]
    return outcomes + handlers.not_in_term(missing)


@router.get("/statements", responses=web.problem_responses(Forbidden))
async def list_statements(
    branch_id: BranchId,
    connection: ReadTx,
    principal: Reader,
    page: PageOf,
    period: Annotated[PeriodText | None, Query(description="of this period")] = None,
    contract_id: Annotated[Identifier | None, Query(description="of this contract")] = None,
    state: Annotated[StatementState | None, Query(description="only these")] = None,
) -> Page[SettlementSummary]:
    """List statements by contract and period: a contractor its centre's."""
    rows = await store.page(
        connection,
        branch_id,
        principal.centre_ids,
        period=period,
        contract_id=contract_id,
        closed=None if state is None else state is StatementState.CLOSED,
        after=page.after(str, int) or ("", 0),
        limit=page.limit + 1,
    )
    return page.page([handlers.summary(row) for row in rows], "contract_id", "period")


@router.get(_STATEMENT, responses=web.problem_responses(Forbidden))
async def get_statement(
    branch_id: BranchId,
    contract_id: Identifier,
    period: PeriodText,
    connection: ReadTx,
    principal: Reader,
) -> SettlementStatement:
    """Show a statement line by line, with what both sides have said of it."""
    return await handlers.show(connection, branch_id, contract_id, period, principal.centre_ids)


@router.get(
    _STATEMENT + "/sheet",
    response_class=Response,
    responses=_FILE | web.problem_responses(Forbidden),
)
async def get_statement_sheet(
    branch_id: BranchId,
    contract_id: Identifier,
    period: PeriodText,
    connection: ReadTx,
    principal: Reader,
    wanted: Annotated[
        StatementFormat, Query(alias="format", description="csv, xlsx or pdf")
    ] = StatementFormat.XLSX,
) -> Response:
    """Download a statement: its lines in yuan, and how each comes about; a PDF is to be printed."""
    statement = await handlers.show(
        connection, branch_id, contract_id, period, principal.centre_ids
    )
    name = f"{contract_id}-{period}"
    if wanted is StatementFormat.PDF:
        content = await printing.printed(connection, branch_id, statement, principal.centre_ids)
        return download(f"{name}.pdf", content, pdf.MEDIA_TYPE)
    return as_file(name, sheet_rows(statement), SheetFormat(wanted))


@router.get(_STATEMENT + "/verification", responses=web.problem_responses(Forbidden))
async def verify_statement(
    branch_id: BranchId,
    contract_id: Identifier,
    period: PeriodText,
    connection: ReadTx,
    principal: Reader,
) -> SettlementVerification:
    """Compute a statement again from the inputs stored with it."""
    return await handlers.verify(connection, branch_id, contract_id, period, principal.centre_ids)


@router.post(
    _STATEMENT + "/confirm",
    responses=web.problem_responses(
        Forbidden,
        DigestMismatch,
        BooksStillOpen,
        ObjectionOpen,
        StatementOutdated,
        TwoPeople,
    ),
)
async def confirm_statement(
    request: Request,
    branch_id: BranchId,
    contract_id: Identifier,
    period: PeriodText,
    given: ConfirmationIn,
    connection: WriteTx,
    principal: Party,
) -> SettlementStatement:
    """Confirm the figures for one's side; when both have, the statement is closed."""
    return await steps.confirm(
        connection,
        branch_id,
        contract_id,
        period,
        given.digest,
        principal=principal,
        now=request.app.state.clock(),
    )


@router.post(
    _STATEMENT + "/objections",
    status_code=201,
    responses=web.problem_responses(Forbidden, StatementIsClosed, NoSuchLine),
)
async def object_to_statement(
    request: Request,
    branch_id: BranchId,
    contract_id: Identifier,
    period: PeriodText,
    given: ObjectionIn,
    connection: WriteTx,
    principal: Party,
) -> SettlementStatement:
    """Object to a line of a draft; it must be answered before either side can confirm."""
    return await steps.object_to(
        connection,
        branch_id,
        contract_id,
        period,
        given,
        principal=principal,
        now=request.app.state.clock(),
    )


@router.put(
    _STATEMENT + "/objections/{number}/answer",
    responses=web.problem_responses(
        Forbidden, StatementIsClosed, TwoPeople, OtherSideAnswers, Conflict
    ),
)
async def answer_objection(
    request: Request,
    branch_id: BranchId,
    contract_id: Identifier,
    period: PeriodText,
    number: Annotated[int, Path(ge=1, lt=2**31)],
    given: AnswerIn,
    connection: WriteTx,
    principal: Party,
) -> SettlementStatement:
    """Answer an objection, once, and not one's own."""
    return await steps.answer(
        connection,
        branch_id,
        contract_id,
        period,
        number,
        given,
        principal=principal,
        now=request.app.state.clock(),
    )


@router.post(
    "/contracts/{contract_id}/settlement-what-if",
    responses=_ASKS | web.problem_responses(what_if.BaseMissing),
)
async def settle_what_if(
    given: SettlementWhatIfIn,
    _: Reader,
    asked: Annotated[_Asked, Depends(_asked_for_one)],
) -> SettlementWhatIf:
    """Settle past months under other terms, another base or other fields; nothing is written.

    A draft contract can be tried so before anyone signs it.
    """
    assert asked.told is not None  # noqa: S101 - there is a contract, or it was not found
    return what_if.compare(
        asked.contracts[0], given, asked.told, asked.gained, known_at=asked.known_at
    )
