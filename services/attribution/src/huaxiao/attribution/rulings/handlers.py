"""Rulings: drafted by one person, approved by another, in force from an open period."""

from collections import defaultdict
from datetime import datetime
from http import HTTPStatus

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.county import store as county_store
from huaxiao.attribution.county.counties import Counties, County
from huaxiao.attribution.disputes import contested
from huaxiao.attribution.domain import histories, rulings
from huaxiao.attribution.domain.books import Known
from huaxiao.attribution.domain.contests import Term, uncovered
from huaxiao.attribution.domain.postings import Move, moves_of
from huaxiao.attribution.intake import store as intake
from huaxiao.attribution.intake.taking import decide_again, rehearse
from huaxiao.attribution.rule_sets.handlers import PeriodIsClosed
from huaxiao.attribution.rulings import store
from huaxiao.shared.periods import LAST_PERIOD, Period
from huaxiao.shared.problems import Conflict, Fault, NotFound, Problem, TwoPeople
from huaxiao.shared.wire.attribution import (
    CentreEffect,
    PreviewedMove,
    Ruling,
    RulingIn,
    RulingPreview,
)

_MOVES_SHOWN = 500


class RulingNotPossible(Problem):
    """A ruling names subscriptions, a centre and a field that are there, within the field's term."""

    code = "ruling-not-possible"
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    title = "This ruling cannot stand"
    title_zh = "该裁定不能成立"


class AmendmentNeeded(Problem):
    """A customer leaves a locked list by an amendment of its contract, not by a ruling alone (R21)."""

    code = "amendment-needed"
    status = HTTPStatus.CONFLICT
    title = "The customer is on a locked list: name the contract amendment"
    title_zh = "该客户在锁定清单中：须注明合同补充协议编号"


class AmendmentUnknown(Problem):
    """An amendment is a supplement that both sides have signed, as contracts has told this service."""

    code = "amendment-unknown"
    status = HTTPStatus.CONFLICT
    title = (
        "No such supplement is known to be signed: name it as CONTRACT/NUMBER, once both sides have"
    )
    title_zh = "未见该补充协议已由双方签署：请在签署后以“合同编号/补充协议序号”注明"


async def draft(
    connection: AsyncConnection,
    counties: Counties,
    branch_id: int,
    ruling_id: str,
    given: RulingIn,
    *,
    by: str,
    now: datetime,
) -> Ruling:
    """Propose a ruling; nothing moves before somebody else approves it.

    Raises:
        NotFound: the branch is not known.
        Conflict: the identifier stands for another ruling.
        PeriodIsClosed: it begins in a closed period and does not say that it restates.
        RulingNotPossible: what it names is not there, or its term does not fit.
        AmendmentNeeded: it takes a subscription off a locked list.
        AmendmentUnknown: it names a supplement that is not known to be signed.

    """
    locked = await intake.lock(connection, branch_id)
    county = await counties.county(connection, branch_id)
    if county is None or locked is None:
        raise NotFound
    found = await store.one(connection, branch_id, ruling_id)
    if found is not None:
        if _given(found) != given:
            raise Conflict
        return found
    await propose(
        connection,
        county,
        branch_id,
        ruling_id,
        given,
        closed_through=locked.closed_through,
        by=by,
        now=now,
    )
    return await show(connection, branch_id, ruling_id)


async def propose(
    connection: AsyncConnection,
    county: County,
    branch_id: int,
    ruling_id: str,
    given: RulingIn,
    *,
    closed_through: Period | None,
    by: str,
    now: datetime,
    dispute_id: str | None = None,
) -> None:
    """Record a proposal that can stand, under the branch's lock; it may be a dispute's decision.

    Raises:
        PeriodIsClosed: it begins in a closed period and does not say that it restates.
        RulingNotPossible: what it names is not there, its term does not fit, or a line is disputed.
        AmendmentNeeded: it takes a subscription off a locked list.
        AmendmentUnknown: it names a supplement that is not known to be signed.

    """
    _require_open(given, closed_through)
    await _require_possible(connection, county, branch_id, given, dispute_id, now=now)
    await store.draft(
        connection, branch_id, ruling_id, given, dispute_id=dispute_id, by=by, now=now
    )


def _given(ruling: Ruling) -> RulingIn:
    return RulingIn.model_validate(ruling.model_dump(include=set(RulingIn.model_fields)))


def _require_open(given: RulingIn, closed_through: Period | None) -> None:
    if given.restate or closed_through is None or given.from_period > closed_through:
        return
    raise PeriodIsClosed(
        "This period is closed; to correct it in the first open one, propose with restate.",
        "该账期已关闭；如需在首个开放账期更正，请以 restate 提出。",
    )


async def _require_possible(
    connection: AsyncConnection,
    county: County,
    branch_id: int,
    given: RulingIn,
    dispute_id: str | None,
    *,
    now: datetime,
) -> None:
    known = Known()
    await intake.load_lines(
        connection,
        branch_id,
        known,
        subscription_ids=given.subscription_ids,
        dependents=False,
    )
    register, organisation = known.register(), county.organisation
    faults = list(rulings.faults(given, register, organisation))
    frozen = await contested.frozen(connection, branch_id, given.subscription_ids)
    for index, line in enumerate(given.subscription_ids):
        if frozen.get(line, dispute_id) != dispute_id:
            message = f"dispute {frozen[line]} decides on it"
            message_zh = f"该用户由争议 {frozen[line]} 裁决"
            faults.append(Fault(f"/subscription_ids/{index}", "disputed", message, message_zh))
    if dispute_id is None:
        faults += await _division_faults(connection, branch_id, given, now=now)
    if faults:
        raise RulingNotPossible(faults=faults)
    taken = rulings.taken_off_lists(given, register, organisation)
    if given.amendment_id is not None:
        amendment = await _amendment(connection, branch_id, given.amendment_id)
        if faults := list(rulings.amendment_faults(amendment, taken)):
            raise RulingNotPossible(faults=faults)
    elif taken:
        lines = list(dict.fromkeys(one.subscription_id for one in taken))
        raise AmendmentNeeded(subscription_ids=lines)


async def _amendment(
    connection: AsyncConnection, branch_id: int, amendment_id: str
) -> rulings.Supplement:
    """Return the supplement that an amendment's number names."""
    contract_id, _, number = amendment_id.rpartition("/")
    found = None
    if contract_id and number.isdecimal():
        found = await county_store.supplement(connection, branch_id, contract_id, int(number))
    if found is None:
        # One signed just now comes with the feed: say how far that has been followed.
        raise AmendmentUnknown(
            amendment_id=amendment_id,
            contracts_position=await county_store.position(connection, branch_id),
        )
    return found


async def _division_faults(
    connection: AsyncConnection, branch_id: int, given: RulingIn, *, now: datetime
) -> list[Fault]:
    """Find the decisions that may still be appealed and would be left in two pieces.

    What is left of a decision is appealed as one; of two pieces one would go without its appeal.
    """
    found: list[Fault] = []
    open_to_appeal = await contested.appealable(
        connection, branch_id, given.subscription_ids, now=now
    )
    term = Term(given.from_period, given.to_period or LAST_PERIOD)
    for line in sorted(open_to_appeal):
        record = await contested.record(connection, branch_id, line)
        decided = record.appealable(now)
        if decided is None:
            continue
        before = record.own(decided)
        after = [left for one in before for left in uncovered(one, [term])]
        if len(after) > max(len(before), 1):
            named = decided.dispute_id
            message = (
                f"dispute {named} may still be appealed: rule on the first of its months, the last or"
                " all, or wait until then"
            )
            message_zh = f"争议 {named} 尚在申诉期内：裁定应涵盖其起始、末尾或全部账期，或待期满"
            pointer = f"/subscription_ids/{given.subscription_ids.index(line)}"
            found.append(Fault(pointer, "divides-decision", message, message_zh))
    return found


async def approve(
    connection: AsyncConnection,
    counties: Counties,
    branch_id: int,
    ruling_id: str,
    *,
    by: str,
    now: datetime,
) -> Ruling:
    """Put a ruling in force, and decide its subscriptions again; once approved it stays so.

    Raises:
        NotFound: there is no such ruling.
        Conflict: it is a dispute's decision, confirmed there.
        TwoPeople: the one who drafted it may not approve it.
        PeriodIsClosed: it would begin in a closed period, and does not say that it restates.
        RulingNotPossible: by what is known now, its term does not fit.
        AmendmentNeeded: by what is known now, it takes a subscription off a locked list.
        AmendmentUnknown: it names a supplement that is not known to be signed.

    """
    locked = await intake.lock(connection, branch_id)
    county = await counties.county(connection, branch_id)
    found = await store.one(connection, branch_id, ruling_id)
    if county is None or locked is None or found is None:
        raise NotFound
    if found.approved_at is not None:
        return found
    if found.dispute_id is not None:
        raise Conflict(
            "This ruling is proposed in a dispute and confirmed there.",
            "该裁定属于争议裁决，应在争议中确认。",
            dispute_id=found.dispute_id,
        )
    if found.drafted_by == by:
        raise TwoPeople
    await put_in_force(
        connection,
        county,
        branch_id,
        found,
        closed_through=locked.closed_through,
        by=by,
        now=await moment_of_approval(connection, branch_id, locked, now),
    )
    return await show(connection, branch_id, ruling_id)


async def moment_of_approval(
    connection: AsyncConnection, branch_id: int, locked: intake.Intake, now: datetime
) -> datetime:
    """Return when to approve: after all that was approved before, whatever a process's clock says."""
    now = locked.not_before(now)
    return max(now, await store.after_approvals(connection, branch_id) or now)


async def put_in_force(
    connection: AsyncConnection,
    county: County,
    branch_id: int,
    ruling: Ruling,
    *,
    closed_through: Period | None,
    by: str,
    now: datetime,
) -> None:
    """Approve a ruling if it still can stand, and decide its subscriptions again, under the lock.

    Raises:
        PeriodIsClosed: it would begin in a closed period, and does not say that it restates.
        RulingNotPossible: by what is known now, its term does not fit, or a line is disputed.
        AmendmentNeeded: by what is known now, it takes a subscription off a locked list.
        AmendmentUnknown: it names a supplement that is not known to be signed.

    """
    _require_open(_given(ruling), closed_through)
    await _require_possible(
        connection, county, branch_id, _given(ruling), ruling.dispute_id, now=now
    )
    await store.approve(connection, branch_id, ruling.ruling_id, by=by, now=now)
    await decide_again(
        connection,
        county,
        branch_id,
        now=now,
        subscription_ids=ruling.subscription_ids,
        ruling=_in_force(ruling, now),
        restating=ruling.restate,
    )


def _in_force(ruling: Ruling, approved_at: datetime) -> histories.Ruling:
    return histories.Ruling(
        ruling.ruling_id,
        ruling.centre_id,
        ruling.field_id,
        ruling.from_period,
        ruling.to_period,
        approved_at,
        ruling.amendment_id,
    )


async def preview(
    connection: AsyncConnection,
    counties: Counties,
    branch_id: int,
    ruling_id: str,
    *,
    now: datetime,
) -> RulingPreview:
    """Say what approving a ruling would move; change nothing.

    Raises:
        NotFound: there is no such ruling.

    """
    county = await counties.county(connection, branch_id)
    found = await store.one(connection, branch_id, ruling_id)
    if county is None or found is None:
        raise NotFound
    moves: list[Move] = []
    if found.approved_at is None:
        entries = await rehearse(
            connection,
            county,
            branch_id,
            _in_force(found, now),
            now=now,
            subscription_ids=found.subscription_ids,
            restating=found.restate,
        )
        moves = moves_of(entries)
    effects: dict[tuple[str, Period], int] = defaultdict(int)
    for one in moves:
        effects[one.before[0], one.period] -= one.revenue_fen
        effects[one.after[0], one.period] += one.revenue_fen
    return RulingPreview(
        ruling_id=ruling_id,
        moved=len(moves),
        centres=[
            CentreEffect(centre_id=centre_id, period=period, revenue_fen=amount)
            for (centre_id, period), amount in sorted(effects.items())
            if amount
        ],
        moves=[
            PreviewedMove(
                subscription_id=one.subscription_id,
                period=one.owner_period,
                booked_in=one.period,
                from_centre_id=one.before[0],
                from_field_id=one.before[1],
                to_centre_id=one.after[0],
                to_field_id=one.after[1],
                revenue_fen=one.revenue_fen,
            )
            for one in sorted(moves, key=lambda one: -abs(one.revenue_fen))[:_MOVES_SHOWN]
        ],
    )


async def show(connection: AsyncConnection, branch_id: int, ruling_id: str) -> Ruling:
    """Return a ruling.

    Raises:
        NotFound: there is no such ruling.

    """
    found = await store.one(connection, branch_id, ruling_id)
    if found is None:
        raise NotFound
    return found
