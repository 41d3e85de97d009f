"""The reverse appraisal (逆向考核): those who are served rate those who support them (R28).

Some items are measured from records, the others given in stars. Every centre has the same weight,
however many of its people vote. What a card tells of the votes are the centres' means of each item, in
order of size: enough to compute the score again, and not whose they are.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from huaxiao.dispatch.domain.scorecard import (
    ItemResult,
    Measure,
    Scale,
    measured_items,
    scales_of,
    weighted,
)
from huaxiao.dispatch.domain.scorecard_rules import default_scorecard
from huaxiao.dispatch.domain.tickets import TicketRecord
from huaxiao.shared.problems import Fault
from huaxiao.shared.wire.contracts import CentreKind
from huaxiao.shared.wire.scorecards import ScorecardIn
from huaxiao.shared.wire.tickets import TicketState, TimerName

LEAST_CENTRES = 3
"""Fewer centres than this, and nobody's answer would be anonymous: the vote is void."""
_MOST_STARS = 5
_NEED_REASON = 2
"""So many stars or fewer come with a reason."""


@dataclass(frozen=True, slots=True)
class Form:
    """What a kind of centre is rated by, and by whom."""

    name: str
    ratee_kind: CentreKind
    voter_kinds: frozenset[CentreKind]
    scales: tuple[Scale, ...]
    stars: Mapping[str, int]
    """Items given in stars, and their weights."""


_FRONT_LINE = frozenset(
    {CentreKind.TOWN, CentreKind.TOWNSHIP, CentreKind.OWN_HALL, CentreKind.ENTERPRISE}
)


def reverse_forms(rules: ScorecardIn) -> dict[CentreKind, Form]:
    """Return the forms of a version of the scorecards, by the kind of centre that they rate."""
    support, build = rules.reverse_support, rules.reverse_build
    return {
        CentreKind.SUPPORT: Form(
            name="R1",
            ratee_kind=CentreKind.SUPPORT,
            voter_kinds=_FRONT_LINE | {CentreKind.BUILD_MAINTAIN},
            scales=scales_of(support),
            stars={one.item: one.weight for one in support.stars},
        ),
        CentreKind.BUILD_MAINTAIN: Form(
            name="R2",
            ratee_kind=CentreKind.BUILD_MAINTAIN,
            voter_kinds=_FRONT_LINE,
            scales=scales_of(build),
            stars={one.item: one.weight for one in build.stars},
        ),
    }


FORMS = reverse_forms(default_scorecard())
"""Those of the suite's own scorecards."""
R1, R2 = FORMS[CentreKind.SUPPORT], FORMS[CentreKind.BUILD_MAINTAIN]


@dataclass(frozen=True, slots=True)
class Vote:
    """One person's stars, item by item, for the centre they belong to."""

    centre_id: str
    stars: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ReverseCard:
    """A computed card; ``score`` is exact, and None when the vote is void."""

    voting_centres: int
    items: tuple[ItemResult, ...]
    centre_means: Mapping[str, tuple[Fraction, ...]]
    """For each item in stars the mean of each centre's voters, smallest first."""
    score: Fraction | None

    @property
    def void(self) -> bool:
        """Say whether too few centres voted."""
        return self.voting_centres < LEAST_CENTRES


def vote_faults(
    form: Form, stars: Mapping[str, int], reasons: Mapping[str, str]
) -> Iterator[Fault]:
    """Yield what is wrong with a vote: every item has its stars, and few stars their reason."""
    for item in form.stars:
        if item not in stars:
            yield Fault(f"/stars/{item}", "missing", "every item is rated", "各项均须评价")
        elif stars[item] <= _NEED_REASON and item not in reasons:
            yield Fault(
                f"/reasons/{item}",
                "reason-required",
                "two stars or fewer need a reason",
                "二星及以下须填写原因",
            )
    for name, given in (("stars", stars), ("reasons", reasons)):
        for item in given:
            if item not in form.stars:
                yield Fault(f"/{name}/{item}", "unknown-item", "no such item", "没有此考核项")


def reverse_card(form: Form, measures: dict[str, Measure], votes: Iterable[Vote]) -> ReverseCard:
    """Return the card of a form: each centre's mean first, then the mean of the centres."""
    by_centre: dict[str, list[Vote]] = defaultdict(list)
    for vote in votes:
        by_centre[vote.centre_id].append(vote)
    means = {
        item: tuple(
            sorted(_mean([vote.stars[item] for vote in theirs]) for theirs in by_centre.values())
        )
        for item in form.stars
    }
    return card_of(form, measures, means, voting_centres=len(by_centre))


def card_of(
    form: Form,
    measures: dict[str, Measure],
    centre_means: Mapping[str, Sequence[Fraction]],
    *,
    voting_centres: int,
) -> ReverseCard:
    """Return the card that follows from what a card itself tells."""
    items = measured_items(measures, form.scales)
    for item, weight in form.stars.items():
        means = centre_means[item]
        value = _mean(means) if means else None
        share = None if value is None else value / _MOST_STARS
        items.append(ItemResult(item, weight, len(means), value, share))
    void = voting_centres < LEAST_CENTRES
    return ReverseCard(
        voting_centres=voting_centres,
        items=tuple(items),
        centre_means={item: tuple(means) for item, means in centre_means.items()},
        score=None if void else weighted(items),
    )


def _mean(values: Sequence[Fraction | int]) -> Fraction:
    return sum(map(Fraction, values), Fraction(0)) / len(values)


def ticket_measures(
    tickets: Iterable[TicketRecord], ratee_centre_id: str, *, since: datetime, until: datetime
) -> dict[str, Measure]:
    """Return what the tickets of a county say of its support centre over ``[since, until)``.

    First replies and closures count with the unit that owed the ticket when its clock stood still or
    ran out, whichever came first; supervision counts for all tickets, whoever owes them.
    """
    replies: list[bool] = []
    closures: list[bool] = []
    supervised: list[bool] = []
    for whole in tickets:
        record = whole.as_of(until)
        if record is None:
            continue
        settled = _first_reply(record, until)
        if (
            settled is not None
            and settled[0] >= since
            and _owes(record, settled[0], ratee_centre_id)
        ):
            replies.append(settled[1])
        closed_at, target = record.closed_at(), record.target_at()
        late = target is not None and target < until
        if closed_at is not None and closed_at < since:
            continue
        # What was closed without an answer, because nobody needed one, was not done by anybody.
        answered = any(one.state is TicketState.ANSWERED for one in record.history)
        if late or (closed_at is not None and answered):
            stopped = target if late and target is not None else record.stretches()[-1].until
            if stopped is not None and _owes(record, stopped, ratee_centre_id):
                closures.append(not late)
        if late:
            supervised.append(closed_at is not None)
    return {
        "first_reply": _share(replies),
        "closed_on_time": _share(closures),
        "supervision": _share(supervised),
    }


def _first_reply(record: TicketRecord, until: datetime) -> tuple[datetime, bool] | None:
    """Return when it was settled whether the first reply came in time, and whether it did."""
    reading = record.reading(TimerName.FIRST_REPLY, now=until)
    reply = record.first_reply_at
    if reading is not None and reading.in_time is False and reading.due_at is not None:
        return reading.due_at, False
    return None if reply is None else (reply, True)


def _owes(record: TicketRecord, moment: datetime, centre_id: str) -> bool:
    return record.owner_at(moment).centre_id == centre_id


def _share(verdicts: Sequence[bool]) -> Measure:
    return Measure(100 * sum(verdicts), len(verdicts))
