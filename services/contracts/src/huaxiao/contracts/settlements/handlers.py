"""Settlements: load, compute, record; and computed again from what was recorded."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from http import HTTPStatus
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.branches.store import branch
from huaxiao.contracts.corrections import store as correction_store
from huaxiao.contracts.deposits import store as deposit_store
from huaxiao.contracts.domain.differences import first_difference
from huaxiao.contracts.domain.results import Scope, Told, months_of
from huaxiao.contracts.domain.settlement import (
    AgreedCorrection,
    DepositMovement,
    Month,
    Question,
    StandingViolation,
    settle,
)
from huaxiao.contracts.domain.standing import (
    Amendment,
    Binding,
    Bound,
    Stretch,
    binding_in,
    suspended_among,
)
from huaxiao.contracts.settlements import store
from huaxiao.contracts.settlements.documents import (
    answer_document,
    question_document,
    read_answer,
    read_question,
    statement_digest,
    wire_line,
)
from huaxiao.contracts.violations.reading import standing
from huaxiao.shared.periods import Period, periods_from, shift
from huaxiao.shared.problems import NotFound, Problem
from huaxiao.shared.wire.contracts import BaseMonth
from huaxiao.shared.wire.settlement import (
    Confirmation,
    Objection,
    SettlementOutcome,
    SettlementStatement,
    SettlementSummary,
    SettlementVerification,
    StatementState,
)
from huaxiao.shared.wire.terms import ContractTerms, Parties

_base = TypeAdapter(list[BaseMonth])
Violations = Mapping[Period, tuple[StandingViolation, ...]]


class NotInTerm(Problem):
    """No signed contract of this name is in its term in this period."""

    code = "not-in-term"
    status = HTTPStatus.CONFLICT
    title = "No such contract is signed and in its term in this period"
    title_zh = "该账期内没有此已签署且在承包期内的合同"


class EarlierStatementOpen(Problem):
    """A period is settled when the one before is: each begins where the last one ended."""

    code = "earlier-statement-open"
    status = HTTPStatus.CONFLICT
    title = "The statement of the period before is not closed"
    title_zh = "上一账期的结算单尚未关闭"


class NothingToSettle(Problem):
    """The contract is over, and nothing has turned out otherwise since its last statement."""

    code = "nothing-to-settle"
    status = HTTPStatus.CONFLICT
    title = "The contract is over and nothing of it has changed since"
    title_zh = "合同已结束，末次结算之后没有变化"


@dataclass(frozen=True, slots=True)
class Agreed:
    """What is agreed for a contract, as far as its settlement goes."""

    contract_id: str
    centre_id: str | None
    first: Period
    last: Period
    field_ids: frozenset[str]
    terms: ContractTerms
    parties: Parties
    base: tuple[BaseMonth, ...]
    amendments: tuple[Amendment, ...] = ()
    suspended: tuple[Stretch, ...] = ()

    @property
    def pays_for_lines(self) -> bool:
        """Say whether lines are paid for in any part of the term."""
        later = (one.terms for one in self.amendments if one.terms is not None)
        return any(terms.line_fees for terms in (self.terms, *later))

    def through(self, period: Period) -> list[Period]:
        """Return the months of the term up to a period."""
        return list(periods_from(self.first, min(period, self.last)))

    def binding(self, period: Period) -> Binding:
        """Return what binds in a period."""
        return binding_in(period, self.terms, self.parties, self.amendments)

    def terms_through(self, period: Period) -> dict[Period, ContractTerms]:
        """Return the terms of each month up to a period."""
        return {month: self.binding(month).terms for month in self.through(period)}


def agreed(row: RowMapping, changed: Bound) -> Agreed:
    """Read what a contract says, with its supplements and an end before its term."""
    return Agreed(
        contract_id=row["contract_id"],
        centre_id=row["centre_id"],
        first=Period(row["term_from"]),
        last=changed.last,
        field_ids=frozenset(row["field_ids"]),
        terms=ContractTerms.model_validate(row["terms"]),
        parties=Parties.model_validate(row["parties"]),
        base=tuple(_base.validate_python(row["base"])),
        amendments=changed.amendments,
        suspended=changed.suspended,
    )


# --- drafting -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Held:
    """What is on record of a contract before its period is settled."""

    current: RowMapping | None
    previous: RowMapping | None
    corrections: Sequence[RowMapping]
    movements: Sequence[RowMapping]
    violations: Violations


async def draft(
    connection: AsyncConnection,
    branch_id: int,
    contracts: Sequence[Agreed],
    period: Period,
    told: Told,
    *,
    known_at: datetime,
    made_by: str,
    now: datetime,
) -> list[SettlementOutcome]:
    """Draft the statements of a period; figures that are the same make no new revision."""
    await branch(connection, branch_id)
    await store.settle_alone(connection, branch_id)
    held = await held_of(connection, branch_id, contracts, period, known_at)
    outcomes: list[SettlementOutcome] = []
    rows: list[dict[str, Any]] = []
    for contract in contracts:
        of_contract = held[contract.contract_id]
        current = of_contract.current
        if current is not None and current["closed_at"] is not None:
            outcomes.append(_outcome("closed", current))
            continue
        if current is not None and current["known_at"] > known_at:
            # Whoever asked later has been here first: what they were told is newer.
            outcomes.append(_outcome("unchanged", current))
            continue
        try:
            question = _question(contract, period, told, of_contract)
            row = _revision(
                question,
                of_contract,
                provisional=told.closed_through is None
                or min(period, contract.last) > told.closed_through,
                contract_id=contract.contract_id,
                period=period,
            )
        except (EarlierStatementOpen, NothingToSettle) as refused:
            outcomes.append(_refused(contract.contract_id, refused))
            continue
        if current is not None and current["digest"] == row["digest"]:
            outcomes.append(_outcome("unchanged", current))
            continue
        row |= {
            "branch_id": branch_id,
            "known_at": known_at,
            "made_by": made_by,
            "made_at": now,
        }
        rows.append(row)
        shown = row | {"centre_id": contract.centre_id, "closed_at": None}
        outcomes.append(_outcome("drafted" if current is None else "revised", shown))
    await store.add_revisions(
        connection, rows, {one.contract_id: one.centre_id for one in contracts}
    )
    return outcomes


async def held_of(
    connection: AsyncConnection,
    branch_id: int,
    contracts: Sequence[Agreed],
    period: Period,
    known_at: datetime,
) -> dict[str, Held]:
    """Return what is on record of some contracts before a period is settled."""
    ids = [one.contract_id for one in contracts]
    centre_ids = [one.centre_id for one in contracts if one.centre_id is not None]
    violations = _by_centre(
        await standing(connection, branch_id, known_at=known_at, centre_ids=centre_ids)
    )
    known = await store.statements_of(connection, branch_id, ids, period)
    before = await store.statements_before(connection, branch_id, ids, period)
    corrections = _by_contract(await correction_store.of_contracts(connection, branch_id, ids))
    movements = _by_contract(await deposit_store.of_contracts(connection, branch_id, ids))
    return {
        contract_id: Held(
            current=known.get(contract_id),
            previous=before.get(contract_id),
            corrections=corrections.get(contract_id, ()),
            movements=movements.get(contract_id, ()),
            violations=violations.get(centre_id or "", {}),
        )
        for contract_id, centre_id in ((one.contract_id, one.centre_id) for one in contracts)
    }


def _by_centre(rows: Iterable[Mapping[str, Any]]) -> dict[str, Violations]:
    """Return what stands against each centre, by the month it happened in."""
    found: dict[str, dict[Period, tuple[StandingViolation, ...]]] = {}
    for row in rows:
        of_centre = found.setdefault(row["centre_id"], {})
        period = Period(row["period"])
        of_centre[period] = (
            *of_centre.get(period, ()),
            StandingViolation(
                number=row["number"],
                code=row["entry"],
                severity=row["counted_as"],
                points=Decimal(row["points"]),
                recover_fen=row["recover_fen"],
            ),
        )
    return dict(found)


def _by_contract(rows: Iterable[RowMapping]) -> dict[str, list[RowMapping]]:
    found: dict[str, list[RowMapping]] = {}
    for row in rows:
        found.setdefault(row["contract_id"], []).append(row)
    return found


def _question(contract: Agreed, period: Period, told: Told, held: Held) -> Question:
    """Put together what a statement is computed from, on what the one before has left."""
    months = months_of(
        told,
        Scope(contract.centre_id),
        contract.through(period),
        contract.terms_through(period),
        contract.base,
        held.violations,
        suspended_among(contract.through(period), contract.suspended),
    )
    return _asked(contract, period, months, held)


def _asked(contract: Agreed, period: Period, months: Sequence[Month], held: Held) -> Question:
    """Ask for the settlement of some months after what the statement before has left."""
    previous = held.previous
    needed = shift(min(period, shift(contract.last, 1)), -1)
    if period > contract.first and (
        previous is None or previous["closed_at"] is None or previous["period"] < needed
    ):
        raise EarlierStatementOpen
    before = None if previous is None else read_answer(previous["answer"])
    counted = _counted(previous)
    return Question(
        months=tuple(months),
        settled=before.months if before else (),
        brought_forward_fen=before.carried_forward_fen if before else 0,
        deposit_fen=before.deposit_fen if before else 0,
        deposit_movements=tuple(
            DepositMovement(row["number"], deposit_store.signed_fen(row))
            for row in held.movements
            if row["number"] > counted["movement"]
        ),
        corrections=tuple(
            AgreedCorrection(
                row["number"], Period(row["of_period"]), row["amount_fen"], row["reason"]
            )
            for row in held.corrections
            if row["approved_at"] is not None and row["number"] not in counted["corrections"]
        ),
        is_last=period >= contract.last,
        is_over=period > contract.last,
    )


def still_asked(contract: Agreed, period: Period, question: Question, held: Held) -> Question:
    """Return a question as it would be asked now, with what the other services told left as it was."""
    terms = contract.terms_through(period)
    months = [one for one in question.months if one.period in terms]
    suspended = suspended_among(terms, contract.suspended)
    return _asked(
        contract,
        period,
        [
            replace(
                one,
                terms=terms[one.period],
                violations=held.violations.get(one.period, ()),
                suspended=one.period in suspended,
            )
            for one in months
        ],
        held,
    )


def _counted(previous: RowMapping | None) -> dict[str, Any]:
    return {"corrections": [], "movement": 0} if previous is None else dict(previous["counted"])


def _revision(
    question: Question, held: Held, *, contract_id: str, period: Period, provisional: bool
) -> dict[str, Any]:
    settled = settle(question)
    if question.is_over and not any(one.amount_fen for one in settled.lines if one.counts):
        raise NothingToSettle
    answer = answer_document(settled)
    counted = _counted(held.previous)
    return {
        "contract_id": contract_id,
        "period": period,
        "revision": 1 if held.current is None else held.current["revision"] + 1,
        "digest": statement_digest(contract_id, period, answer, provisional=provisional),
        "provisional": provisional,
        "question": question_document(question),
        "answer": answer,
        "counted": {
            "corrections": counted["corrections"] + [one.number for one in question.corrections],
            "movement": max(
                [counted["movement"], *(one.number for one in question.deposit_movements)]
            ),
        },
    }


def _outcome(outcome: Any, row: RowMapping | dict[str, Any]) -> SettlementOutcome:
    return SettlementOutcome(
        contract_id=row["contract_id"],
        outcome=outcome,
        code=None,
        detail=None,
        detail_zh=None,
        statement=summary(row),
    )


def _refused(contract_id: str, problem: Problem) -> SettlementOutcome:
    return SettlementOutcome(
        contract_id=contract_id,
        outcome="refused",
        code=problem.code,
        detail=problem.detail,
        detail_zh=problem.detail_zh,
        statement=None,
    )


def not_in_term(contract_ids: Iterable[str]) -> list[SettlementOutcome]:
    """Return the outcome for contracts that were named and cannot be settled in this period."""
    return [_refused(one, NotInTerm()) for one in contract_ids]


# --- showing ------------------------------------------------------------------------------------


def summary(row: RowMapping | dict[str, Any]) -> SettlementSummary:
    """Return a statement as a list has it."""
    answer = row["answer"]
    state = StatementState.DRAFT if row["closed_at"] is None else StatementState.CLOSED
    figures = {
        name: answer[name]
        for name in (
            "net_fen",
            "payable_fen",
            "carried_forward_fen",
            "deposit_fen",
            "payment_stopped",
        )
    }
    return SettlementSummary.model_validate(dict(row) | figures | {"state": state})


async def show(
    connection: AsyncConnection,
    branch_id: int,
    contract_id: str,
    period: int,
    centre_ids: AbstractSet[str] | None,
) -> SettlementStatement:
    """Return a statement that the caller may see, with what both sides said of it."""
    row = await store.load(connection, branch_id, contract_id, period, centre_ids)
    if row is None:
        raise NotFound
    return await render(connection, row)


async def render(connection: AsyncConnection, row: RowMapping) -> SettlementStatement:
    """Return a statement whole."""
    key = (row["branch_id"], row["contract_id"], row["period"])
    answer = read_answer(row["answer"])
    return SettlementStatement(
        **summary(row).model_dump(),
        lines=[wire_line(line) for line in answer.lines],
        confirmations=[
            Confirmation.model_validate(dict(one))
            for one in await store.confirmations_of(connection, *key, row["revision"])
        ],
        objections=[
            Objection.model_validate(dict(one))
            for one in await store.objections_of(connection, *key)
        ],
    )


async def verify(
    connection: AsyncConnection,
    branch_id: int,
    contract_id: str,
    period: int,
    centre_ids: AbstractSet[str] | None,
) -> SettlementVerification:
    """Compute a statement again from the inputs stored with it, and hold both against its digest."""
    row = await store.load(connection, branch_id, contract_id, period, centre_ids)
    if row is None:
        raise NotFound
    again = answer_document(settle(read_question(row["question"])))
    recomputed = statement_digest(contract_id, period, again, provisional=row["provisional"])
    stored = statement_digest(contract_id, period, row["answer"], provisional=row["provisional"])
    difference = first_difference(row["answer"], again)
    return SettlementVerification(
        revision=row["revision"],
        digest=row["digest"],
        recomputed_digest=recomputed,
        agrees=row["digest"] == recomputed == stored,
        first_difference=difference and difference[0],
    )
