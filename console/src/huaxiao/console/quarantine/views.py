"""What the pages of quarantine show, and what a form of theirs comes to."""

import json
import re
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Any

import msgspec

from huaxiao.shared.problems import Fault, Malformed, Problem
from huaxiao.shared.wire.attribution import HeldEvent, HeldState, IntakeReport, Outcome

_FOR_THE_COUNTY = {"unknown-branch", "unknown-reference"}
"""Reasons that end when something is registered; the event is as it should be."""
CODES = (
    *("unknown-subscription", "unknown-item", "refund-exceeds-charge", "conflict"),
    *("malformed-event", "unknown-type", "unknown-product", "bad-amount", "unknown-currency"),
    "repeated-member",
    *("bad-period", "bad-date", "clock-off", "already-known", "unknown-reference"),
    *("line-too-long", "foreign-source", "reserved-source", "unknown-branch", "branch-not-allowed"),
)
"""Why events are held (docs/attribution.md), those that book themselves first."""
_MASK = re.compile(r"\*{3}|[0-9]\.[0-9]\*")
"""What stands for personal data in an event that is shown; the second, in degrees."""
_STILL_HELD = {Outcome.REFUSED, Outcome.CONFLICT}


class Shown(StrEnum):
    """Which events a list shows."""

    HELD = "held"
    DISMISSED = "dismissed"
    RESOLVED = "resolved"
    ALL = "all"

    @property
    def state(self) -> HeldState | None:
        """The state that the service is asked for."""
        return None if self is Shown.ALL else HeldState(self)


class Turn(StrEnum):
    """Who has to do something before an event can be booked."""

    OTHER_EVENT = "other_event"
    """Nobody but whoever sends what it waits for: then it books itself."""
    SENDER = "sender"
    COUNTY = "county"
    NOBODY = "nobody"


class StillHeld(Problem):
    """The event was tried again and cannot be booked; it lies where it lay, as it was."""

    code = "still-held"
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    title = "The event cannot be booked as it stands; nothing has changed"
    title_zh = "该事件仍不能入账，原状未变"


class StillUnplaced(Problem):
    """The event was tried again and is refused; it lies where it lay, among those of no branch."""

    code = "still-unplaced"
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    title = "The event cannot be booked as it stands; it still lies here"
    title_zh = "该事件仍不能入账，仍留在此处"


def turn(event: HeldEvent) -> Turn:
    """Say whose turn it is."""
    if event.state is not HeldState.HELD:
        return Turn.NOBODY
    if event.outcome is Outcome.PARKED:
        return Turn.OTHER_EVENT
    return Turn.COUNTY if event.code in _FOR_THE_COUNTY else Turn.SENDER


def waits_for(event: HeldEvent) -> tuple[str, str] | None:
    """Return what a parked event waits for: of which kind, and which one."""
    if event.outcome is not Outcome.PARKED or event.waiting_for is None:
        return None
    kind, _, name = event.waiting_for.partition(":")
    return kind, name


def age_seconds(event: HeldEvent, now: datetime) -> int:
    """Return how long an event has lain in quarantine, or did until it was booked or dismissed."""
    until = event.resolved_at or now
    if event.state is HeldState.DISMISSED and event.dismissal is not None:
        until = event.dismissal.dismissed_at
    return int((until - event.received_at).total_seconds())


def to_mend(body: str) -> str | None:
    """Return what a form for mending begins with; None where personal data in it is masked.

    Whoever sends what is masked would have it booked.
    """
    return None if _MASK.search(body) else indented(body)


def indented(body: str) -> str:
    """Return an event's text with a line for each member; as it is where it is no JSON."""
    try:
        return json.dumps(json.loads(body), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return body


def mended(text: str) -> dict[str, Any]:
    """Read the event that somebody has mended.

    Raises:
        Malformed: it is no JSON object, or what stands for masked personal data is still in it.

    """
    if _MASK.search(text):
        raise Malformed(
            faults=[
                Fault(
                    "/event",
                    "masked",
                    "personal data is masked in it (***); see the event in full, and mend that",
                    "含有已遮盖的个人信息（***）；请先查看完整内容再修正",
                )
            ]
        )
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (ValueError, RecursionError) as error:
        raise Malformed(
            faults=[Fault("/event", "no-json", f"no JSON object: {error}", "不是 JSON 对象")]
        ) from error


def placed_as(report: IntakeReport) -> Outcome:
    """Return what became of an event of no branch that was tried again.

    One that clashes has gone to its branch, and is held there.

    Raises:
        StillUnplaced: it was refused once more, for the reason that is told.

    """
    for one in report.outcomes:
        if one.outcome is Outcome.REFUSED:
            raise StillUnplaced(
                faults=[Fault("/event", one.code, one.message, one.message_zh)],
            )
        return one.outcome
    return Outcome.BOOKED


def outcome_of(report: IntakeReport) -> Outcome:
    """Return what became of the event that was tried again.

    Raises:
        StillHeld: it was refused once more, for the reason that is told.

    """
    for one in report.outcomes:
        if one.outcome in _STILL_HELD:
            raise StillHeld(
                faults=[Fault("/event", one.code, one.message, one.message_zh)],
            )
        return one.outcome
    return Outcome.BOOKED
