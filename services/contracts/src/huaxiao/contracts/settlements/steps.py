"""What both sides say of a statement, until it is closed."""

from datetime import datetime
from http import HTTPStatus

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.callers import side_of
from huaxiao.contracts.contracts import store as contract_store
from huaxiao.contracts.domain.locks import DigestMismatch
from huaxiao.contracts.settlements import store
from huaxiao.contracts.settlements.documents import read_question
from huaxiao.contracts.settlements.handlers import (
    agreed,
    held_of,
    render,
    still_asked,
    summary,
)
from huaxiao.contracts.supplements.reading import bound
from huaxiao.contracts.tables import answers, confirmations, feed, objections
from huaxiao.shared.auth import Principal
from huaxiao.shared.feed import NewFact
from huaxiao.shared.periods import Period
from huaxiao.shared.problems import Conflict, NotFound, Problem, TwoPeople
from huaxiao.shared.wire.settlement import (
    STATEMENT_CLOSED,
    AnswerIn,
    ObjectionIn,
    SettlementStatement,
    Side,
    StatementClosed,
)


class StatementIsClosed(Problem):
    """A closed statement stays as it is; what is wrong with it is corrected in a later one."""

    code = "statement-closed"
    status = HTTPStatus.CONFLICT
    title = "The statement is closed; correct it in a later period"
    title_zh = "结算单已关闭，请在以后账期更正"


class BooksStillOpen(Problem):
    """A statement over open books may still change; it is drafted again once they are closed."""

    code = "books-open"
    status = HTTPStatus.CONFLICT
    title = "The month's books were open when this was drafted; draft it again once they are closed"
    title_zh = "起草时该月账务尚未关账，请关账后重新起草"


class StatementOutdated(Problem):
    """Terms, an early exit, the deposit or a correction have changed since it was drafted."""

    code = "statement-outdated"
    status = HTTPStatus.CONFLICT
    title = "What the statement rests on has changed since; draft it again"
    title_zh = "结算单所依据的内容已变化，请重新起草"


class OtherSideAnswers(Problem):
    """A side does not answer its own objection."""

    code = "other-side-answers"
    status = HTTPStatus.CONFLICT
    title = "The other side answers an objection"
    title_zh = "异议须由对方答复"


class ObjectionOpen(Problem):
    """An objection has not been answered."""

    code = "objection-open"
    status = HTTPStatus.CONFLICT
    title = "An objection waits for its answer"
    title_zh = "尚有异议未答复"


class NoSuchLine(Problem):
    """The statement has no line of this number."""

    code = "no-such-line"
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    title = "The statement has no such line"
    title_zh = "结算单没有该行"


async def _locked(
    connection: AsyncConnection,
    branch_id: int,
    contract_id: str,
    period: int,
    principal: Principal,
) -> tuple[RowMapping, Side]:
    row = await store.load(
        connection, branch_id, contract_id, period, principal.centre_ids, lock=True
    )
    if row is None:
        raise NotFound
    return row, side_of(principal, row["centre_id"])


async def confirm(
    connection: AsyncConnection,
    branch_id: int,
    contract_id: str,
    period: int,
    digest: str,
    *,
    principal: Principal,
    now: datetime,
) -> SettlementStatement:
    """Confirm the figures for one's side; when both have, the statement is closed.

    Raises:
        DigestMismatch: they are not the statement's.
        BooksStillOpen: the statement is provisional.
        ObjectionOpen: an objection has no answer yet.
        TwoPeople: the same person has confirmed for the other side.
        StatementOutdated: it would be drafted otherwise now.

    """
    # No run drafts meanwhile, and nothing of the contract changes until this is done.
    await store.settle_alone(connection, branch_id)
    await contract_store.lock(connection, branch_id, contract_id)
    row, side = await _locked(connection, branch_id, contract_id, period, principal)
    if digest != row["digest"]:
        raise DigestMismatch
    key = (branch_id, contract_id, period)
    given = await store.confirmations_of(connection, *key, row["revision"])
    if row["closed_at"] is not None or any(one["side"] == side for one in given):
        return await render(connection, row)
    if row["provisional"]:
        raise BooksStillOpen
    if any(one["answered_at"] is None for one in await store.objections_of(connection, *key)):
        raise ObjectionOpen
    if any(one["by"] == principal.subject for one in given):
        raise TwoPeople
    await _require_current(connection, row)
    confirmation = {
        "branch_id": branch_id,
        "contract_id": contract_id,
        "period": period,
        "revision": row["revision"],
        "side": side,
        "by": principal.subject,
        "at": now,
    }
    await store.append(connection, confirmations, confirmation)
    if given:
        await store.close(connection, *key, now)
        fact = StatementClosed.model_validate(summary(row).model_dump())
        subject = f"{contract_id}/{period}"
        await feed.append(
            connection, branch_id, [NewFact(STATEMENT_CLOSED, subject, fact)], now=now
        )
    return await _shown(connection, branch_id, contract_id, period)


async def _require_current(connection: AsyncConnection, row: RowMapping) -> None:
    branch_id, contract_id, period = row["branch_id"], row["contract_id"], Period(row["period"])
    contracts = await store.signed_contracts(
        connection, branch_id, None, period=None, contract_ids=[contract_id]
    )
    changed = await bound(connection, branch_id, contracts)
    contract = agreed(contracts[0], changed[contract_id])
    held = await held_of(connection, branch_id, [contract], period, row["known_at"])
    question = read_question(row["question"])
    if still_asked(contract, period, question, held[contract_id]) != question:
        raise StatementOutdated


async def object_to(
    connection: AsyncConnection,
    branch_id: int,
    contract_id: str,
    period: int,
    given: ObjectionIn,
    *,
    principal: Principal,
    now: datetime,
) -> SettlementStatement:
    """Object to a line; until it is answered, neither side can confirm."""
    row, side = await _locked(connection, branch_id, contract_id, period, principal)
    if row["closed_at"] is not None:
        raise StatementIsClosed
    if given.line > len(row["answer"]["lines"]):
        raise NoSuchLine
    known = await store.objections_of(connection, branch_id, contract_id, period)
    objection = {
        "branch_id": branch_id,
        "contract_id": contract_id,
        "period": period,
        "number": len(known) + 1,
        "revision": row["revision"],
        "line": given.line,
        "side": side,
        "text": given.text,
        "by": principal.subject,
        "at": now,
    }
    await store.append(connection, objections, objection)
    return await _shown(connection, branch_id, contract_id, period)


async def answer(
    connection: AsyncConnection,
    branch_id: int,
    contract_id: str,
    period: int,
    number: int,
    given: AnswerIn,
    *,
    principal: Principal,
    now: datetime,
) -> SettlementStatement:
    """Answer an objection of the other side, once."""
    row, side = await _locked(connection, branch_id, contract_id, period, principal)
    if row["closed_at"] is not None:
        raise StatementIsClosed
    known = await store.objections_of(connection, branch_id, contract_id, period)
    raised = next((one for one in known if one["number"] == number), None)
    if raised is None:
        raise NotFound
    if raised["by"] == principal.subject:
        raise TwoPeople
    if raised["side"] == side:
        raise OtherSideAnswers
    if raised["answered_at"] is not None:
        if (raised["answer"], raised["answered_by"]) != (given.text, principal.subject):
            raise Conflict("The objection has been answered.", "该异议已答复。")
        return await render(connection, row)
    said = {
        "branch_id": branch_id,
        "contract_id": contract_id,
        "period": period,
        "number": number,
        "text": given.text,
        "by": principal.subject,
        "at": now,
    }
    await store.append(connection, answers, said)
    return await _shown(connection, branch_id, contract_id, period)


async def _shown(
    connection: AsyncConnection, branch_id: int, contract_id: str, period: int
) -> SettlementStatement:
    row = await store.load(connection, branch_id, contract_id, period, None)
    if row is None:
        raise NotFound
    return await render(connection, row)
