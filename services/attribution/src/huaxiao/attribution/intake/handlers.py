"""Intake: sort out what came before, take the rest into the books, write it all in one transaction."""

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime
from functools import lru_cache

from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.requests import ClientDisconnect

from huaxiao.attribution.domain.messages import Message, Refusal
from huaxiao.attribution.intake.arrivals import BOOKED, Verdict
from huaxiao.attribution.intake.reading import Reading, cut_off, read_by_turns
from huaxiao.attribution.intake.stream import Broken, Line
from huaxiao.attribution.intake.turns import Turns
from huaxiao.attribution.tables import UNPLACED
from huaxiao.shared.audit.origins import Origin
from huaxiao.shared.auth import Principal
from huaxiao.shared.clock import Clock
from huaxiao.shared.problems import Unavailable
from huaxiao.shared.rows import Scope
from huaxiao.shared.unit_of_work import DATABASE_ERRORS
from huaxiao.shared.values import changed
from huaxiao.shared.wire.attribution import (
    EventOutcome,
    IntakeReport,
    Outcome,
)

PIECE = 1_000
"""Events of a stream that are committed together, at most."""
PIECE_BYTES = 8 * 1024 * 1024
"""Bytes of a stream that are held before they are committed; the last line may pass it."""
OUTCOMES_SHOWN = 1_000
"""Outcomes that the report of a stream names; every one of them is in quarantine or was known."""
_NOT_ALLOWED = Refusal(
    "branch-not-allowed",
    "Your token does not reach this branch.",
    "当前令牌无权写入该分公司。",
)
_UNKNOWN_BRANCH = Refusal(
    "unknown-branch",
    "This branch is not registered, or its registration has not arrived here yet.",
    "该分公司尚未登记，或登记信息尚未同步到此。",
)


# --- from the edge ------------------------------------------------------------------------------


async def receive(
    turns: Turns,
    principal: Principal,
    readings: Sequence[Reading],
    *,
    now: datetime,
    origin: Origin,
) -> IntakeReport:
    """Take a batch in, each branch's part in one transaction that commits before this returns."""
    named = {one.name.branch_id for one in readings if one.name.branch_id is not None}
    known = turns.counties.known_registered(named)
    if known < named:
        async with turns.database.read(Scope(frozenset(named))) as connection:
            known = await turns.counties.registered(connection, named)
    placed = [place(one, principal, known) for one in readings]
    parts: dict[int, list[int]] = defaultdict(list)
    for index, (branch_id, _) in enumerate(placed):
        parts[branch_id].append(index)
    verdicts: dict[int, Verdict] = {}
    for branch_id, indexes in sorted(parts.items()):
        part = [placed[index][1] for index in indexes]
        judged = await turns.take(
            branch_id, part, posted_by=principal.subject, now=now, origin=origin
        )
        verdicts |= zip(indexes, judged, strict=True)
    return report(readings, [verdicts[index] for index in range(len(readings))])


async def receive_stream(
    turns: Turns,
    principal: Principal,
    lines: AsyncIterator[Line],
    *,
    clock: Clock,
    origin: Origin,
) -> IntakeReport:
    """Take a stream in, a piece at a time, each committed before the next is read.

    A stream that breaks off is taken as far as it is whole, and the report says so.

    Raises:
        Unavailable: the database went away; what had been taken stays, and may be sent again.

    """
    total = report([], [])
    piece: list[Line] = []
    size = 0

    async def take_piece() -> None:
        nonlocal total, size
        now = clock()
        read = await read_by_turns([one.content for one in piece], now=now, posted=True)
        readings = [
            cut_off(line.content) if line.too_long else reading
            for line, reading in zip(piece, read, strict=True)
        ]
        try:
            taken = await receive(turns, principal, readings, now=now, origin=origin)
        except (*DATABASE_ERRORS, PoolTimeoutError, OSError) as error:
            raise Unavailable(taken=total.received) from error
        total = _joined(total, taken)
        piece.clear()
        size = 0

    stopped: str | None = None
    try:
        async for line in lines:
            piece.append(line)
            size += len(line.content)
            if len(piece) == PIECE or size >= PIECE_BYTES:
                await take_piece()
    except (Broken, ClientDisconnect) as error:
        stopped = str(error) or "the connection broke off"
    if piece:
        await take_piece()
    return total.model_copy(update={"complete": stopped is None, "stopped": stopped})


def _joined(total: IntakeReport, taken: IntakeReport) -> IntakeReport:
    """Add a piece's report to that of the stream so far."""
    outcomes = [
        *total.outcomes,
        *(
            one.model_copy(update={"index": one.index + total.received})
            for one in taken.outcomes[: OUTCOMES_SHOWN - len(total.outcomes)]
        ),
    ]
    named = len(total.outcomes) + total.outcomes_omitted + len(taken.outcomes)
    return IntakeReport(
        received=total.received + taken.received,
        booked=total.booked + taken.booked,
        duplicates=total.duplicates + taken.duplicates,
        parked=total.parked + taken.parked,
        refused=total.refused + taken.refused,
        conflicts=total.conflicts + taken.conflicts,
        outcomes=outcomes,
        outcomes_omitted=named - len(outcomes),
    )


def place(
    reading: Reading, principal: Principal, registered: Collection[int]
) -> tuple[int, Reading]:
    """Return the branch an event goes to; one that it may not go to is refused and unplaced."""
    branch_id = reading.name.branch_id
    if branch_id is None:
        return UNPLACED, reading
    if not principal.may_enter(branch_id):
        return UNPLACED, changed(reading, says=_NOT_ALLOWED)
    if branch_id not in registered:
        unknown = isinstance(reading.says, Message)
        refused = changed(reading, says=_UNKNOWN_BRANCH) if unknown else reading
        return UNPLACED, refused
    return branch_id, reading


# --- what the sender is told --------------------------------------------------------------------


def report(readings: Sequence[Reading], verdicts: Sequence[Verdict]) -> IntakeReport:
    """Count the verdicts, and say of each event that was not booked why."""
    if all(one is BOOKED for one in verdicts):
        return _all_booked(len(verdicts))
    counts = Counter(one.outcome for one in verdicts)
    outcomes = [
        EventOutcome(
            index=index,
            event_id=reading.name.event_id,
            outcome=verdict.outcome,
            code=verdict.why.code,
            message=verdict.why.message,
            message_zh=verdict.why.message_zh,
        )
        for index, (reading, verdict) in enumerate(zip(readings, verdicts, strict=True))
        if verdict.outcome is not Outcome.BOOKED
    ]
    return IntakeReport(
        received=len(readings),
        booked=counts[Outcome.BOOKED],
        duplicates=counts[Outcome.DUPLICATE],
        parked=counts[Outcome.PARKED],
        refused=counts[Outcome.REFUSED],
        conflicts=counts[Outcome.CONFLICT],
        outcomes=outcomes,
    )


@lru_cache
def _all_booked(received: int) -> IntakeReport:
    return IntakeReport(
        received=received,
        booked=received,
        duplicates=0,
        parked=0,
        refused=0,
        conflicts=0,
        outcomes=[],
    )
