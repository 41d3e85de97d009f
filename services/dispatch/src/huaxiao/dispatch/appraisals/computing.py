"""A card computed from what is kept: the frozen evidence, what was judged, what was decided since.

The same is computed when a card is submitted, published, restated, and when somebody asks whether it
still comes out the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.appraisals import evidence, store
from huaxiao.dispatch.domain.measuring import (
    Record,
    Verdicts,
    judge,
    judge_own,
    measure,
    measures_of,
)
from huaxiao.dispatch.domain.scorecard import (
    MOST_STARS,
    Card,
    ItemResult,
    Scale,
    final_score,
    form_card,
    horizontal_card,
    mean,
    measured_items,
    rounded,
    scales_of,
    weighted,
)
from huaxiao.dispatch.domain.scorecard_rules import coefficient
from huaxiao.dispatch.scorecards import handlers as scorecards
from huaxiao.shared.periods import Period, ends_at, starts_at
from huaxiao.shared.problems import Fault, Malformed, NotFound
from huaxiao.shared.wire.contracts import Engagement
from huaxiao.shared.wire.dispatch import AppraisalKind, CoefficientKind, CustomerClass
from huaxiao.shared.wire.scorecards import FormRows, Scorecard

Restated = Mapping[str, Fraction]
PERSON = "person_"
"""What the names of a person's own items of F1 begin with, where they stand beside others."""
_MOST_VALUE = 1000


@dataclass(frozen=True, slots=True)
class Basis:
    """What the cards of a month are computed from."""

    branch_id: int
    period: Period
    rules: Scorecard
    records: Sequence[Record]
    late: Mapping[str, int]
    """What centres lose that were late as raters."""

    @property
    def since(self) -> datetime:
        """The month's first moment."""
        return starts_at(self.period)

    @property
    def until(self) -> datetime:
        """The first moment after the month."""
        return ends_at(self.period)

    def served(self, rater: str, ratee: str) -> list[Record]:
        """Return the enterprise orders that one centre did for another."""
        return [
            one
            for one in self.records
            if one.requester_centre_id == rater
            and one.performer_centre_id == ratee
            and one.customer_class is not CustomerClass.PUBLIC
        ]

    def performed(self, centre_id: str) -> list[Record]:
        """Return what a centre did, whoever asked for it."""
        return [one for one in self.records if one.performer_centre_id == centre_id]


@dataclass(frozen=True, slots=True)
class Computed:
    """A card's score, exact, and all that it follows from."""

    exact: Fraction | None
    grade: str | None
    explanation: dict[str, Any]

    @property
    def hundredths(self) -> int | None:
        """The score at two places, rounded once."""
        return None if self.exact is None else int(rounded(self.exact) * 100)


async def basis_of(connection: AsyncConnection, branch_id: int, period: int) -> Basis:
    """Load what a month's cards are computed from; it is frozen."""
    noted = await evidence.frozen(connection, branch_id, period)
    records = await evidence.kept_records(connection, branch_id, period)
    if noted is None or records is None:
        raise NotFound
    return Basis(
        branch_id,
        Period(period),
        await scorecards.show(connection, branch_id, noted["scorecard_version"]),
        records,
        await store.late_points(connection, branch_id, period),
    )


def stars_of(given: Mapping[str, Any]) -> dict[str, int]:
    """Return all stars that a card was given, item by item."""
    stars = dict(given.get("stars") or {})
    if given.get("cooperation_stars") is not None:
        stars["cooperation"] = given["cooperation_stars"]
    return stars


def missing_stars(form: FormRows, stars: Mapping[str, int]) -> list[str]:
    """Return the items in stars that nobody has judged yet."""
    return [row.item for row in form.stars if row.item not in stars]


def require_stars(form: FormRows, stars: Mapping[str, int]) -> None:
    """Refuse a submission in which an item is missing, or that has one too many.

    Raises:
        Malformed: with each of them.

    """
    faults = [
        Fault(f"/stars/{item}", "missing", "every item is rated", "各项均须评价")
        for item in missing_stars(form, stars)
    ]
    known = {row.item for row in form.stars}
    faults += [
        Fault(f"/stars/{item}", "unknown-item", "no such item", "没有此考核项")
        for item in stars
        if item not in known
    ]
    if faults:
        raise Malformed(faults=faults)


async def restated_items(
    connection: AsyncConnection, branch_id: int, appraisal_id: str
) -> dict[str, Fraction]:
    """Return the values that decisions and corrections have set, the last one for each item."""
    rows = await store.appeals(connection, branch_id, [appraisal_id])
    decided = sorted(
        (row for row in rows if row["decision_upheld"]), key=lambda row: row["decision_at"]
    )
    values = {row["item"]: Fraction(row["decision_value"]) for row in decided}
    for row in await store.corrections(connection, branch_id, appraisal_id):
        values[row["item"]] = Fraction(row["value"])
    return values


# --- horizontal ---------------------------------------------------------------------------------


def horizontal(
    basis: Basis,
    rater: str,
    ratee: str,
    given: Mapping[str, Any],
    restated: Restated | None = None,
) -> Computed:
    """Compute the card F1; ``given`` is empty where nobody submitted it."""
    records = basis.served(rater, ratee)
    card = horizontal_card(
        measure(records, since=basis.since, until=basis.until),
        stars=stars_of(given),
        reason=given.get("reason"),
        rules=basis.rules,
        restated=restated,
        points_off=basis.late.get(ratee, 0),
    )
    explanation = {
        "form": "F1",
        "reason": given.get("reason"),
        "late_rater_points": card.points_off,
    } | _explained(card, basis.rules.horizontal, records)
    return Computed(card.score, None, explanation)


# --- final --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bound:
    """The horizontal cards that a final one is bound to: all of them stand."""

    appraisal_ids: tuple[str, ...]
    raters: tuple[str, ...]
    scores: tuple[Fraction, ...]
    """Of those that could be rated."""


def bound_to(rows: Sequence[RowMapping]) -> Bound:
    """Return what final cards of a centre are bound to."""
    exact = [row["explanation"]["exact_score"] for row in rows]
    return Bound(
        tuple(row["appraisal_id"] for row in rows),
        tuple(row["rater_centre_id"] for row in rows),
        tuple(Fraction(score) for score in exact if score is not None),
    )


def final(
    basis: Basis,
    centre_id: str,
    person_id: str,
    given: Mapping[str, Any],
    *,
    bound: Bound | None,
    violations: Sequence[Mapping[str, Any]] = (),
    restated: Restated | None = None,
) -> Computed:
    """Compute the card F2; its score is not known before what it is bound to stands."""
    restated = restated or {}
    rules = basis.rules
    performed = basis.performed(centre_id)
    measures = measures_of(judge_own(performed, person_id, since=basis.since, until=basis.until))
    own_card = form_card(
        measures,
        rules.own,
        stars_of(given),
        missing_share=Fraction(rules.missing_share),
        restated=restated,
    )
    stated = given.get("own_score")
    own: Fraction | None = own_card.score if stated is None else Fraction(stated)
    own = restated.get("own_score", own)
    adjustment = restated.get("adjustment", Fraction(given.get("adjustment") or 0))
    explanation: dict[str, Any] = {
        "form": "F2",
        "formula": "(1 - horizontal_weight) * own + horizontal_weight * horizontal + adjustment"
        " - negative_list_points",
        "own_score": None if own is None else str(own),
        "own_stated": stated is not None or "own_score" in restated,
        "own_items": ([] if stated is not None else _items(own_card, rules.own, "own")),
        "adjustment": str(adjustment),
        "reason": given.get("reason"),
        "exact_score": None,
        "rated": False,
    }
    if bound is None:
        return Computed(None, None, explanation)
    records = [one for rater in bound.raters for one in basis.served(rater, centre_id)]
    person = _person_card(basis, records, person_id, restated)
    centre_score = mean(bound.scores)
    points = sum(row["points"] for row in violations)
    explanation |= {
        "centre_score": None if centre_score is None else str(centre_score),
        "horizontal_appraisal_ids": list(bound.appraisal_ids),
        "person_items": _explained(person, rules.horizontal, records, part="person"),
        "negative_list": [
            {"number": row["number"], "entry": row["entry"], "points": row["points"]}
            for row in violations
        ],
    }
    if own is None:
        return Computed(None, None, explanation)
    score = final_score(
        own=own,
        centre_score=centre_score,
        person_score=person.score,
        adjustment=Decimal(adjustment.numerator) / adjustment.denominator,
        reason=given.get("reason") or ("restated" if "adjustment" in restated else None),
        points_off=points,
        rules=rules,
    )
    explanation |= {
        "horizontal_weight": str(score.horizontal_weight),
        "horizontal": None if score.horizontal is None else str(score.horizontal),
        "exact_score": str(score.exact),
        "rated": True,
    }
    return Computed(score.exact, score.grade, explanation)


def _person_card(
    basis: Basis, records: Sequence[Record], person_id: str, restated: Restated
) -> Card:
    items = measured_items(
        measure(
            records,
            since=basis.since,
            until=basis.until,
            mine=lambda one: one.is_of(person_id),
        ),
        scales_of(basis.rules.horizontal),
        {
            item.removeprefix(PERSON): value
            for item, value in restated.items()
            if item.startswith(PERSON)
        },
    )
    return Card(tuple(items), weighted(items))


def coefficient_of(
    rules: Scorecard, engagement: str | None, exact: Fraction | None
) -> tuple[CoefficientKind | None, Decimal | None]:
    """Return what a final score is used for, and the coefficient that it becomes."""
    if engagement is None or exact is None:
        return None, None
    if engagement == Engagement.OUTSOURCED:
        return CoefficientKind.SUPPLIER, coefficient(rules.supplier_steps, rounded(exact))
    return CoefficientKind.PAY, coefficient(rules.pay_steps, rounded(exact))


# --- any card -----------------------------------------------------------------------------------


async def computed(
    connection: AsyncConnection,
    row: RowMapping,
    basis: Basis,
    *,
    bound: bool = False,
    only_look: bool = False,
) -> Computed:
    """Compute a stored card again; a final one with what it is bound to, if it is to be.

    Who only looks takes what the negative list said when the card was computed.
    """
    branch_id, appraisal_id = row["branch_id"], row["appraisal_id"]
    restated = await restated_items(connection, branch_id, appraisal_id)
    if row["kind"] == AppraisalKind.HORIZONTAL:
        return horizontal(
            basis, row["rater_centre_id"], row["ratee_centre_id"], row["given"], restated
        )
    centre_id, person_id = row["ratee_centre_id"], row["person_id"]
    if not bound:
        return final(basis, centre_id, person_id, row["given"], bound=None, restated=restated)
    horizontals = await store.cards(
        connection,
        branch_id,
        AppraisalKind.HORIZONTAL,
        period=basis.period,
        ratee_centre_id=centre_id,
        # Not locked: whoever restates one of them waits for this card, and then restates it too.
        lock=False,
    )
    violations: Sequence[Mapping[str, Any]] = row["explanation"].get("negative_list", [])
    if not only_look:
        held = await store.upheld_violations(connection, branch_id, basis.period, person_id)
        violations = [dict(one) for one in held]
    return final(
        basis,
        centre_id,
        person_id,
        row["given"],
        bound=bound_to(horizontals),
        violations=violations,
        restated=restated,
    )


def verdicts_of(basis: Basis, row: RowMapping) -> Verdicts:
    """Return the orders that count on each measured item of a card, and what each counts."""
    centre_id = row["ratee_centre_id"]
    if row["kind"] == AppraisalKind.HORIZONTAL:
        return judge(
            basis.served(row["rater_centre_id"], centre_id), since=basis.since, until=basis.until
        )
    person_id = row["person_id"]
    own = judge_own(basis.performed(centre_id), person_id, since=basis.since, until=basis.until)
    raters = {one.requester_centre_id for one in basis.records}
    served = [
        one
        for rater in sorted(rater for rater in raters if rater is not None)
        for one in basis.served(rater, centre_id)
    ]
    items = judge(
        served,
        since=basis.since,
        until=basis.until,
        mine=lambda one: one.is_of(person_id),
    )
    return own | {PERSON + item: given for item, given in items.items()}


def value_faults(rules: Scorecard, row: RowMapping, item: str, value: Fraction) -> list[Fault]:
    """Return what is wrong with a value that an item of a card is to have."""
    form = rules.horizontal if row["kind"] == AppraisalKind.HORIZONTAL else rules.own
    if item in {one.item for one in form.stars}:
        good = value.denominator == 1 and 1 <= value <= MOST_STARS
    elif item == "adjustment":
        good = abs(value) <= rules.most_adjustment
    elif item == "own_score":
        good = 0 <= value <= 100  # noqa: PLR2004 - a percentage
    else:
        good = 0 <= value <= _MOST_VALUE
    if good:
        return []
    return [Fault("/value", "out-of-range", "the item has no such value", "该项不能取此值")]


def items_of(rules: Scorecard, row: RowMapping) -> set[str]:
    """Return the items of a card that an appeal or a correction may be about."""
    if row["kind"] == AppraisalKind.HORIZONTAL:
        return _names(rules.horizontal)
    items = {PERSON + one.item for one in rules.horizontal.scales} | {"adjustment"}
    if row["given"].get("own_score") is not None:
        return items | {"own_score"}
    return items | _names(rules.own)


def _names(form: FormRows) -> set[str]:
    return {one.item for one in form.scales} | {one.item for one in form.stars}


# --- what is kept with a card -------------------------------------------------------------------


def _explained(
    card: Card, form: FormRows, records: Sequence[Record], part: str = "card"
) -> dict[str, Any]:
    return {
        "exact_score": None if card.score is None else str(card.score),
        "rated": card.score is not None,
        "service_levels": sorted(
            {one.level_version for one in records if one.level_version is not None}
        ),
        "items": _items(card, form, part),
    }


def _items(card: Card, form: FormRows, part: str) -> list[dict[str, Any]]:
    scales = {one.item: one for one in scales_of(form)}
    weights = sum(one.weight for one in card.items if one.share is not None)
    return [_item(one, scales.get(one.item), weights, part) for one in card.items]


def _item(one: ItemResult, scale: Scale | None, weights: int, part: str) -> dict[str, Any]:
    return {
        "part": part,
        "item": one.item,
        "weight": one.weight,
        "counts": "stars" if scale is None else "orders",
        "orders": one.count,
        "total": one.total,
        "least": scale and scale.least,
        "floor": scale and scale.floor,
        "base": scale and scale.base,
        "challenge": scale and scale.challenge,
        "value": None if one.value is None else str(one.value),
        "share": None if one.share is None else str(one.share),
        "points": None if one.share is None else str(100 * one.weight * one.share / weights),
        "restated": one.restated,
    }
