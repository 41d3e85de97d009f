"""What the KPI service learns from its peers' feeds."""

from collections.abc import Iterator, Sequence

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.kpi.county import store as county_store
from huaxiao.kpi.county.store import Told
from huaxiao.kpi.domain.definitions import (
    HEADCOUNT_END,
    HEADCOUNT_START,
    ORDERS_DONE,
    ORDERS_LATE,
    ORDERS_ON_TIME,
    PAY,
)
from huaxiao.kpi.measures import lines
from huaxiao.kpi.measures import store as measure_store
from huaxiao.kpi.measures.store import Change
from huaxiao.kpi.tables import positions
from huaxiao.shared.database import Database
from huaxiao.shared.feed import Apply, FeedReader, Follower
from huaxiao.shared.periods import period_of
from huaxiao.shared.wire import (
    appraisals,
    attribution,
    contracts,
    dispatch,
    organisation,
    tickets,
)
from huaxiao.shared.wire.feed import FeedEntry

_HUNDREDTHS = 100


async def apply_contracts(
    connection: AsyncConnection, branch_id: int, entries: Sequence[FeedEntry]
) -> None:
    """Keep the centres, their own staff, the contracts' base, and the pay of each month."""
    stated: list[Change] = []
    for entry in entries:
        told = Told.by(entry)
        match entry.type:
            case contracts.BRANCH_REGISTERED:
                branch = contracts.BranchRegistered.model_validate(entry.data)
                await county_store.put_branch(connection, branch_id, branch, told)
            case contracts.CENTRE_REGISTERED:
                centre = contracts.CentreRegistered.model_validate(entry.data).centre
                await county_store.put_centre(connection, branch_id, centre, told)
            case organisation.CENTRE_CHANGED:
                changed = organisation.CentreChanged.model_validate(entry.data)
                await county_store.put_centre_change(connection, branch_id, changed, told)
            case contracts.PERSON_ASSIGNED:
                assigned = contracts.PersonAssigned.model_validate(entry.data)
                await county_store.put_place(connection, branch_id, assigned, told)
            case organisation.PERSON_LEFT:
                left = organisation.PersonLeft.model_validate(entry.data)
                await county_store.end_place(connection, branch_id, left, told)
            case organisation.REORGANISATION_APPLIED:
                applied = organisation.ReorganisationApplied.model_validate(entry.data)
                await county_store.put_reorganisation(connection, branch_id, applied, told)
            case contracts.CONTRACT_SIGNED:
                signed = contracts.ContractSigned.model_validate(entry.data)
                await county_store.put_contract(connection, branch_id, signed, told)
            case contracts.PAYROLL_RECORDED:
                paid = contracts.PayrollRecorded.model_validate(entry.data)
                stated += _payroll(paid, told)
            case _:
                pass
    # Each fact states the whole month so far, so it takes the place of the one before.
    changes = await measure_store.restated(connection, branch_id, stated)
    await measure_store.record(connection, branch_id, "/contracts", changes)


def _payroll(paid: contracts.PayrollRecorded, told: Told) -> Iterator[Change]:
    for measure, amount in (
        (PAY, paid.pay_fen),
        (HEADCOUNT_START, paid.headcount_start),
        (HEADCOUNT_END, paid.headcount_end),
    ):
        yield Change(told, paid.centre_id, None, paid.period, measure, amount)


async def apply_attribution(
    connection: AsyncConnection, branch_id: int, entries: Sequence[FeedEntry]
) -> None:
    """Add what was booked to the accounts, count charges, and keep which months are closed."""
    changes: list[Change] = []
    uncounted: list[tuple[int, Told]] = []
    for entry in entries:
        told = Told.by(entry)
        if entry.type == attribution.BALANCES_CHANGED:
            fact = msgspec.convert(entry.data, lines.Booked)
            changes += (
                Change(told, one.centre_id, one.field_id, one.period, one.account, one.amount_fen)
                for one in fact.changes
            )
            changes += lines.billed(fact, told)
            uncounted += ((period, told) for period in sorted(lines.uncounted(fact)))
        elif entry.type == attribution.PERIOD_CLOSED:
            closed = attribution.PeriodClosed.model_validate(entry.data)
            await county_store.close_period(connection, branch_id, closed.period, told)
    await lines.keep_uncounted(connection, branch_id, uncounted)
    await measure_store.record(connection, branch_id, "/attribution", changes)


async def apply_dispatch(
    connection: AsyncConnection, branch_id: int, entries: Sequence[FeedEntry]
) -> None:
    """Count orders, less those whose result was not accepted, and tickets; sum appraisals' scores."""
    changes: list[Change] = []
    for entry in entries:
        for centre_id, period, measure, amount in _work(entry):
            changes.append(Change(Told.by(entry), centre_id, None, period, measure, amount))
    await measure_store.record(connection, branch_id, "/dispatch", changes)


def _work(entry: FeedEntry) -> Iterator[tuple[str, int, str, int]]:
    if entry.type in {dispatch.ORDER_FINISHED, dispatch.ORDER_REOPENED}:
        order = dispatch.OrderFinished.model_validate(entry.data)
        counted = 1 if entry.type == dispatch.ORDER_FINISHED else -1
        yield order.centre_id, order.period, ORDERS_DONE, counted
        if order.on_time is not None:
            measure = ORDERS_ON_TIME if order.on_time else ORDERS_LATE
            yield order.centre_id, order.period, measure, counted
    elif entry.type == tickets.TICKET_RAISED:
        ticket = tickets.TicketRaised.model_validate(entry.data)
        yield ticket.raiser_centre_id, period_of(ticket.at), f"tickets.{ticket.category}", 1
    elif entry.type == dispatch.APPRAISAL_PUBLISHED:
        given = dispatch.AppraisalPublished.model_validate(entry.data)
        if given.score is not None:
            of = (given.ratee_centre_id, given.period)
            yield *of, f"appraisal.{given.kind}.count", 1
            yield *of, f"appraisal.{given.kind}.score", int(given.score * _HUNDREDTHS)
    elif entry.type == appraisals.APPRAISAL_RESTATED:
        restated = appraisals.AppraisalRestated.model_validate(entry.data)
        of = (restated.ratee_centre_id, restated.period)
        for score, sign in ((restated.previous_score, -1), (restated.score, 1)):
            if score is not None:
                yield *of, f"appraisal.{restated.kind}.count", sign
                yield *of, f"appraisal.{restated.kind}.score", sign * int(score * _HUNDREDTHS)


def follower(source: str, reader: FeedReader, database: Database) -> Follower:
    """Make the follower of one peer: ``/contracts``, ``/attribution`` or ``/dispatch``."""
    return Follower(source, reader, FOLLOWED[source], database, positions)


FOLLOWED: dict[str, Apply] = {
    "/contracts": apply_contracts,
    "/attribution": apply_attribution,
    "/dispatch": apply_dispatch,
}
"""What is done with the entries of each peer's feed."""
