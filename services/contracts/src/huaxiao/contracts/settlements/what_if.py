"""What past months would have come to under other terms, another base, or other fields."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from http import HTTPStatus

from huaxiao.contracts.domain.results import Scope, Told, months_of
from huaxiao.contracts.domain.settlement import Question, Settlement, settle
from huaxiao.contracts.domain.terms import term_faults
from huaxiao.contracts.settlements.documents import wire_line
from huaxiao.contracts.settlements.handlers import Agreed
from huaxiao.shared.periods import Period, periods_from, year_before
from huaxiao.shared.problems import Fault, Malformed, Problem
from huaxiao.shared.wire.contracts import BaseMonth
from huaxiao.shared.wire.settlement import SettledAmounts, SettlementWhatIf, SettlementWhatIfIn
from huaxiao.shared.wire.terms import ContractTerms

_MOST_MONTHS = 120


class BaseMissing(Problem):
    """Neither the contract nor the question has the base of some months."""

    code = "base-missing"
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    title = "The base of some months is not known"
    title_zh = "缺少部分月份的承包基数"


def span(given: SettlementWhatIfIn) -> list[Period]:
    """Return the months of a question.

    Raises:
        Malformed: they end before they begin, or are more than ten years.

    """
    periods = list(periods_from(Period(given.period_from), Period(given.period_to)))
    if not 0 < len(periods) <= _MOST_MONTHS:
        fault = Fault("/period_to", "bad-term", "1 to 120 months", "账期须为 1 至 120 个月")
        raise Malformed(faults=[fault])
    return periods


def compare(
    contract: Agreed,
    given: SettlementWhatIfIn,
    told: Told,
    gained: Mapping[tuple[Period, str], int],
    *,
    known_at: datetime,
) -> SettlementWhatIf:
    """Settle the months as the contract has it, and as asked; ``gained`` is by fields redrawn.

    Violations, deposits and agreed corrections are left out: no terms bring them about.

    Raises:
        Malformed: the terms asked for are no sound ones.
        BaseMissing: the base of some of the months is known neither here nor there.

    """
    periods = span(given)
    terms = given.terms or contract.terms
    # Targets belong to the contract's own term, whatever months it is tried on.
    faults = list(term_faults(terms, contract.first, contract.last))
    if faults:
        raise Malformed(faults=faults)
    own = {one.period: one for one in contract.base}
    asked: dict[int, BaseMonth] = own | {one.period: one for one in given.base}
    needed = {year_before(one) for one in periods}
    if missing := sorted(needed - asked.keys()):
        raise BaseMissing(periods=missing)
    fields = None if given.field_ids is None else frozenset(given.field_ids)
    agreed = asked | own
    as_agreed = _run(told, Scope(contract.centre_id), periods, contract.terms, agreed.values())
    as_asked = _run(
        told.redrawn(gained), Scope(contract.centre_id, fields), periods, terms, asked.values()
    )
    return SettlementWhatIf(
        contract_id=contract.contract_id,
        known_at=known_at,
        as_agreed=as_agreed,
        as_asked=as_asked,
        difference_fen=sum(one.net_fen for one in as_asked) - sum(one.net_fen for one in as_agreed),
    )


def _run(
    told: Told,
    scope: Scope,
    periods: Sequence[Period],
    terms: ContractTerms,
    base: Iterable[BaseMonth],
) -> list[SettledAmounts]:
    months = months_of(told, scope, periods, dict.fromkeys(periods, terms), list(base), {})
    made: list[SettledAmounts] = []
    before: Settlement | None = None
    for index, period in enumerate(periods, start=1):
        # What is owed is not brought forward here: each month shows what it brings by itself.
        before = settle(Question(months[:index], settled=before.months if before else ()))
        made.append(
            SettledAmounts(
                period=period,
                net_fen=before.net_fen,
                payable_fen=before.payable_fen,
                share_fen=before.months[-1].share_fen,
                lines=[wire_line(line) for line in before.lines],
            )
        )
    return made
