"""What the KPI service learns from its peers' feeds."""

from collections import Counter
from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.kpi.county import store as county_store
from huaxiao.kpi.domain.definitions import (
    HEADCOUNT_END,
    HEADCOUNT_START,
    ORDERS_DONE,
    ORDERS_LATE,
    ORDERS_ON_TIME,
    PAY,
)
from huaxiao.kpi.measures import store as measure_store
from huaxiao.kpi.tables import positions
from huaxiao.shared.database import Database
from huaxiao.shared.feed import Apply, FeedReader, Follower
from huaxiao.shared.wire import appraisals, attribution, contracts, dispatch, organisation
from huaxiao.shared.wire.feed import FeedEntry

_HUNDREDTHS = 100


async def apply_contracts(
    connection: AsyncConnection, branch_id: int, entries: Sequence[FeedEntry]
) -> None:
    """Keep the centres, their own staff, the contracts' base, and the pay of each month."""
    for entry in entries:
        match entry.type:
            case contracts.BRANCH_REGISTERED:
                branch = contracts.BranchRegistered.model_validate(entry.data)
                await county_store.put_branch(connection, branch_id, branch)
            case contracts.CENTRE_REGISTERED:
                centre = contracts.CentreRegistered.model_validate(entry.data).centre
                await county_store.put_centre(connection, branch_id, centre)
            case organisation.CENTRE_CHANGED:
                changed = organisation.CentreChanged.model_validate(entry.data)
                await county_store.put_centre_change(connection, branch_id, changed)
            case contracts.PERSON_ASSIGNED:
                assigned = contracts.PersonAssigned.model_validate(entry.data)
                await county_store.put_place(connection, branch_id, assigned)
            case organisation.PERSON_LEFT:
                left = organisation.PersonLeft.model_validate(entry.data)
                await county_store.end_place(connection, branch_id, left)
            case contracts.CONTRACT_SIGNED:
                signed = contracts.ContractSigned.model_validate(entry.data)
                await county_store.put_contract(connection, branch_id, signed)
            case contracts.PAYROLL_RECORDED:
                paid = contracts.PayrollRecorded.model_validate(entry.data)
                # Each fact states the whole month so far, so it takes the place of the one before.
                await measure_store.replace(
                    connection,
                    branch_id,
                    {
                        (paid.centre_id, paid.period, PAY): paid.pay_fen,
                        (paid.centre_id, paid.period, HEADCOUNT_START): paid.headcount_start,
                        (paid.centre_id, paid.period, HEADCOUNT_END): paid.headcount_end,
                    },
                )
            case _:
                pass


async def apply_attribution(
    connection: AsyncConnection, branch_id: int, entries: Sequence[FeedEntry]
) -> None:
    """Add what was booked to the accounts, and keep which months are closed."""
    changed: Counter[measure_store.Key] = Counter()
    for entry in entries:
        if entry.type == attribution.BALANCES_CHANGED:
            for one in attribution.BalancesChanged.model_validate(entry.data).changes:
                changed[one.centre_id, one.period, one.account] += one.amount_fen
        elif entry.type == attribution.PERIOD_CLOSED:
            closed = attribution.PeriodClosed.model_validate(entry.data)
            await county_store.close_period(connection, branch_id, closed.period)
    await measure_store.add(connection, branch_id, changed)


async def apply_dispatch(
    connection: AsyncConnection, branch_id: int, entries: Sequence[FeedEntry]
) -> None:
    """Count orders, less those whose result was not accepted, and sum the scores of appraisals."""
    changed: Counter[measure_store.Key] = Counter()
    for entry in entries:
        if entry.type in {dispatch.ORDER_FINISHED, dispatch.ORDER_REOPENED}:
            order = dispatch.OrderFinished.model_validate(entry.data)
            counted = 1 if entry.type == dispatch.ORDER_FINISHED else -1
            changed[order.centre_id, order.period, ORDERS_DONE] += counted
            if order.on_time is not None:
                measure = ORDERS_ON_TIME if order.on_time else ORDERS_LATE
                changed[order.centre_id, order.period, measure] += counted
        elif entry.type == dispatch.APPRAISAL_PUBLISHED:
            given = dispatch.AppraisalPublished.model_validate(entry.data)
            if given.score is not None:
                key = (given.ratee_centre_id, given.period)
                changed[*key, f"appraisal.{given.kind}.count"] += 1
                changed[*key, f"appraisal.{given.kind}.score"] += int(given.score * _HUNDREDTHS)
        elif entry.type == appraisals.APPRAISAL_RESTATED:
            _restate(changed, appraisals.AppraisalRestated.model_validate(entry.data))
    await measure_store.add(connection, branch_id, changed)


def _restate(changed: Counter[measure_store.Key], given: appraisals.AppraisalRestated) -> None:
    """Let a score take the place of the one that was told before."""
    key = (given.ratee_centre_id, given.period)
    for score, sign in ((given.previous_score, -1), (given.score, 1)):
        if score is not None:
            changed[*key, f"appraisal.{given.kind}.count"] += sign
            changed[*key, f"appraisal.{given.kind}.score"] += sign * int(score * _HUNDREDTHS)


def follower(source: str, reader: FeedReader, database: Database) -> Follower:
    """Make the follower of one peer: ``/contracts``, ``/attribution`` or ``/dispatch``."""
    return Follower(source, reader, FOLLOWED[source], database, positions)


FOLLOWED: dict[str, Apply] = {
    "/contracts": apply_contracts,
    "/attribution": apply_attribution,
    "/dispatch": apply_dispatch,
}
"""What is done with the entries of each peer's feed."""
