"""The fairness views: marks put together from cards, votes and decisions, and looked through."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.appraisals.computing import stars_of
from huaxiao.dispatch.domain.fairness import (
    AppealWon,
    Bias,
    Favour,
    Mark,
    Retaliation,
    Source,
    biases,
    favours,
    retaliations,
)
from huaxiao.dispatch.domain.scorecard import MOST_STARS, rounded
from huaxiao.dispatch.fairness import store
from huaxiao.dispatch.reverse_appraisals.store import is_posted
from huaxiao.dispatch.scorecards import handlers as scorecards
from huaxiao.shared.auth import Principal
from huaxiao.shared.spans import span_of
from huaxiao.shared.wire.dispatch import AppraisalKind
from huaxiao.shared.wire.fairness import FairnessReport, Finding, FindingKind, MarkShown
from huaxiao.shared.wire.scorecards import FairnessRules


async def report(
    connection: AsyncConnection,
    branch_id: int,
    span: tuple[int, int],
    *,
    principal: Principal,
) -> FairnessReport:
    """Return the marks of some months against their references, and what deserves a look.

    Raises:
        BadSpan: the months end before they begin, or are more than ten years.

    """
    span = span_of(*span)
    card_rows = await store.cards(connection, branch_id, span)
    decided = await store.decisions(connection, branch_id, span)
    votes = []
    for row in await store.votes(connection, branch_id, span):
        # Whoever has a place with the rated unit learns from here no more than from its card.
        posted = principal.person_id is not None and await is_posted(
            connection, branch_id, principal.person_id, row["ratee_centre_id"]
        )
        if not posted:
            votes.append(row)
    marks = sorted(
        [*_card_marks(card_rows), *_vote_marks(votes, card_rows), *_decision_marks(decided)],
        key=lambda one: (one.period, one.at, one.rater, one.ratee),
    )
    won = [
        AppealWon(_ratee(row), row["rater_centre_id"], row["at"])
        for row in decided
        if row["upheld"]
    ]
    rules = await scorecards.of_period(connection, branch_id, span[1])
    return FairnessReport(
        period_from=span[0],
        period_to=span[1],
        scorecard_version=rules.version,
        marks=[_shown(one) for one in marks],
        findings=[
            *(_bias(one, rules.fairness) for one in biases(marks, rules.fairness)),
            *(_favour(one, rules.fairness) for one in favours(marks, rules.fairness)),
            *(
                _retaliation(one, rules.fairness)
                for one in retaliations(marks, won, rules.fairness)
            ),
        ],
    )


# --- marks --------------------------------------------------------------------------------------


def _ratee(row: RowMapping) -> str:
    person_id: str | None = row["person_id"]
    return person_id or row["ratee_centre_id"]


def _card_marks(rows: Sequence[RowMapping]) -> Iterator[Mark]:
    """Yield what raters judged themselves; a card that nobody submitted is nobody's mark."""
    for row in rows:
        stars = list(stars_of(row["given"]).values())
        stated = row["given"].get("own_score")
        if row["kind"] == AppraisalKind.REVERSE or not (stars or stated):
            continue
        kept = row["explanation"]
        points = Fraction(stated) if stated else Fraction(100 * sum(stars), MOST_STARS * len(stars))
        yield Mark(
            Source(row["kind"]),
            row["rater_centre_id"],
            _ratee(row),
            row["period"],
            row["made_at"],
            points,
            _measured([*kept.get("items", []), *kept.get("own_items", [])]),
        )


def _measured(items: Sequence[dict[str, Any]]) -> Fraction | None:
    """Return what the measured items of a card alone come to, in points of 100."""
    known: list[tuple[int, Fraction]] = [
        (one["weight"], Fraction(one["share"]))
        for one in items
        if one["share"] is not None and one.get("total") is not None
    ]
    if not known:
        return None
    weights = sum(weight for weight, _ in known)
    return 100 * sum((weight * share for weight, share in known), Fraction(0)) / weights


def _vote_marks(votes: Sequence[RowMapping], cards: Sequence[RowMapping]) -> Iterator[Mark]:
    """Yield each centre's mean of its voters' stars, beside the measures, else the other centres'."""
    measured = {
        (row["period"], row["ratee_centre_id"]): _measured(row["explanation"]["items"])
        for row in cards
        if row["kind"] == AppraisalKind.REVERSE
    }
    given: dict[tuple[int, str], dict[str, list[tuple[Fraction, datetime]]]]
    given = defaultdict(lambda: defaultdict(list))
    for row in votes:
        stars = list(row["stars"].values())
        points = Fraction(100 * sum(stars), MOST_STARS * len(stars))
        given[row["period"], row["ratee_centre_id"]][row["centre_id"]].append(
            (points, row["cast_at"])
        )
    for (period, ratee), centres in given.items():
        means = {
            centre_id: sum((points for points, _ in theirs), Fraction(0)) / len(theirs)
            for centre_id, theirs in centres.items()
        }
        for centre_id, theirs in centres.items():
            others = [points for one, points in means.items() if one != centre_id]
            reference = measured.get((period, ratee))
            if reference is None and others:
                reference = sum(others, Fraction(0)) / len(others)
            at = max(moment for _, moment in theirs)
            yield Mark(Source.REVERSE, centre_id, ratee, period, at, means[centre_id], reference)


def _decision_marks(decided: Sequence[RowMapping]) -> Iterator[Mark]:
    """Yield what share of a centre's appeals a unit upheld in a month, beside the other centres'."""
    units = defaultdict[str, list[RowMapping]](list)
    for row in decided:
        if row["centre_id"] is not None and row["kind"] == AppraisalKind.HORIZONTAL:
            units[row["centre_id"]].append(row)
    for unit, rows in units.items():
        for period, ratee in sorted({(row["period"], row["ratee_centre_id"]) for row in rows}):
            theirs = [
                row for row in rows if (row["period"], row["ratee_centre_id"]) == (period, ratee)
            ]
            others = [row for row in rows if row["ratee_centre_id"] != ratee]
            yield Mark(
                Source.DECISION,
                unit,
                ratee,
                period,
                max(row["at"] for row in theirs),
                _upheld(theirs),
                _upheld(others) if others else None,
            )


def _upheld(rows: Sequence[RowMapping]) -> Fraction:
    return Fraction(100 * sum(bool(row["upheld"]) for row in rows), len(rows))


# --- in words -----------------------------------------------------------------------------------


def _two(value: Fraction) -> Decimal:
    return rounded(value) if value >= 0 else -rounded(-value)


def _shown(one: Mark) -> MarkShown:
    return MarkShown(
        source=one.source,
        rater=one.rater,
        ratee=one.ratee,
        period=one.period,
        at=one.at,
        points=_two(one.points),
        reference=None if one.reference is None else _two(one.reference),
        deviation=None if one.excess is None else _two(one.excess),
    )


def _bias(one: Bias, rules: FairnessRules) -> Finding:
    side, side_zh = ("above", "高于") if one.mean > 0 else ("below", "低于")
    sample, value = len(one.marks), _two(one.mean)
    return Finding(
        kind=FindingKind.RATER_BIAS,
        units=[one.rater, one.ratee],
        marks=[_shown(mark) for mark in one.marks],
        value=value,
        threshold=rules.bias_points,
        sample=sample,
        least_sample=rules.bias_months,
        text=(
            f"In {sample} months the stars {one.rater} gave {one.ratee} lay {side} what was measured,"
            f" by {abs(value)} points on average (told of from {rules.bias_points} points over"
            f" {rules.bias_months} months on)."
        ),
        text_zh=(
            f"{one.rater} 对 {one.ratee} 的星级评价在 {sample} 个月中均{side_zh}系统计量，"
            f"平均 {abs(value)} 分（提示线：{rules.bias_months} 个月、{rules.bias_points} 分）。"
        ),
    )


def _favour(one: Favour, rules: FairnessRules) -> Finding:
    least = min(one.given_mean, one.got_mean)
    sample = min(len(one.given), len(one.got))
    return Finding(
        kind=FindingKind.MUTUAL_FAVOUR,
        units=[one.one, one.other],
        marks=[_shown(mark) for mark in (*one.given, *one.got)],
        value=_two(least),
        threshold=rules.favour_points,
        sample=sample,
        least_sample=rules.favour_marks,
        text=(
            f"{one.one} marks {one.other} {_two(one.given_mean)} points above the reference on"
            f" average, and is marked {_two(one.got_mean)} points above it by {one.other} (told of"
            f" from {rules.favour_points} points and {rules.favour_marks} marks each on)."
        ),
        text_zh=(
            f"{one.one} 对 {one.other} 的评价平均高出参照 {_two(one.given_mean)} 分，"
            f"{one.other} 对 {one.one} 高出 {_two(one.got_mean)} 分"
            f"（提示线：双方各 {rules.favour_marks} 次、{rules.favour_points} 分）。"
        ),
    )


def _retaliation(one: Retaliation, rules: FairnessRules) -> Finding:
    mark, after = one.mark, one.after
    if isinstance(after, Mark):
        cause = f"a mark of {_two(after.points)} points by {mark.ratee}"
        cause_zh = f"{mark.ratee} 曾给出 {_two(after.points)} 分"
        marks = [after, mark]
    else:
        cause = f"an appeal that {mark.ratee} won against {mark.rater}"
        cause_zh = f"{mark.ratee} 对 {mark.rater} 的申诉获支持"
        marks = [mark]
    return Finding(
        kind=FindingKind.RETALIATION,
        units=[mark.rater, mark.ratee],
        marks=[_shown(each) for each in marks],
        value=Decimal(one.days),
        threshold=Decimal(rules.retaliation_days),
        sample=1,
        least_sample=1,
        text=(
            f"{mark.rater} marked {mark.ratee} {_two(mark.points)} points {one.days} days after"
            f" {cause} (told of up to {rules.low_points} points within"
            f" {rules.retaliation_days} days)."
        ),
        text_zh=(
            f"{mark.rater} 给 {mark.ratee} {_two(mark.points)} 分，距{cause_zh} {one.days} 天"
            f"（提示线：{rules.low_points} 分及以下、{rules.retaliation_days} 天内）。"
        ),
    )
