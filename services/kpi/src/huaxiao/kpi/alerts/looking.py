"""Look at a branch when something was told of it or became due: judge, compare, tell what changed."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.kpi.alerts import store
from huaxiao.kpi.alerts.watching import FiguresAt, aims_in
from huaxiao.kpi.domain.alerts import Condition, Event, Held, Patience, due_at, step
from huaxiao.kpi.domain.default_rules import Rules, rules_of
from huaxiao.kpi.domain.definitions import TARGETS, TargetRule
from huaxiao.kpi.domain.measured import amount_outlook, measured
from huaxiao.kpi.domain.months import BranchMonths, Unit
from huaxiao.kpi.domain.observing import (
    Expected,
    Observation,
    Sight,
    changes_at,
    expected_month,
    observe,
)
from huaxiao.kpi.domain.outlook import Year, outlook, year_of
from huaxiao.kpi.domain.progress import AmountTarget, FigureGoal
from huaxiao.kpi.domain.targets import Judgement, judge
from huaxiao.kpi.forecasts.handlers import (
    HISTORY_MONTHS,
    causes_against,
    estimate,
    estimate_amount,
    own_rule,
)
from huaxiao.kpi.forecasts.running import Forecasters
from huaxiao.kpi.loading import branch_months, first_of_span
from huaxiao.kpi.tables import feed
from huaxiao.shared.feed import NewFact
from huaxiao.shared.identifiers import new_id
from huaxiao.shared.periods import Period, period_of, shift
from huaxiao.shared.ticking import Job
from huaxiao.shared.wire.alerts import (
    ALERT_FIRING,
    ALERT_RESOLVED,
    AlertFact,
    AlertKind,
    AlertRule,
    AlertState,
    WebhookBody,
)
from huaxiao.shared.wire.kpi import Span, TargetName

AT_MOST_EVERY = timedelta(seconds=15)
"""A branch that is told of all the time is looked at no more often."""
_FORECAST_SECONDS = timedelta(seconds=15)
_AT_LEAST_EVERY = timedelta(days=1)
_LATE = {AlertKind.BOOKS_LATE, AlertKind.PAYROLL_LATE}
_OF_UNIT_TARGETS = {AlertKind.UNIT_TARGET_BEHIND, AlertKind.UNIT_TARGET_FORECAST}
_FORECASTS = {AlertKind.FORECAST, AlertKind.UNIT_TARGET_FORECAST}
_TYPES = {
    Event.FIRING: ALERT_FIRING,
    Event.RESOLVED: ALERT_RESOLVED,
}
_RULES = {rule.target: rule for rule in TARGETS}


def jobs(forecasters: Forecasters) -> Mapping[str, Job]:
    """Return what is done while nobody asks."""
    return {"alerts": partial(look, forecasters=forecasters)}


async def look(
    connection: AsyncConnection, branch_id: int, now: datetime, *, forecasters: Forecasters
) -> int:
    """Look at a branch if there is reason to; return whether there was."""
    held = await store.clock(connection, branch_id)
    mark = await store.mark(connection, branch_id)
    looked_at, next_at = held["looked_at"], held["next_at"]
    told = held["mark"] != mark and (looked_at is None or now >= looked_at + AT_MOST_EVERY)
    if not told and (next_at is None or now < next_at):
        return 0
    all_rules = rules_of(await store.rules(connection, branch_id))
    rules = all_rules.watching
    board = await _Board.load(connection, branch_id, rules, now, forecasters)
    await store.put_standings(connection, branch_id, board.standings())
    observed: dict[tuple[str, str], Observation] = {}
    dues = [now + _AT_LEAST_EVERY]
    for rule in rules:
        if not rule.enabled:
            continue
        sight = board.sight(rule)
        for one in observe(rule, sight):
            observed[rule.rule_id, one.subject] = one
        if (due := changes_at(rule, sight)) is not None:
            dues.append(due)
    dues += await _move(connection, branch_id, all_rules, observed, now)
    if board.waiting:
        dues.append(now + _FORECAST_SECONDS)
    next_at = max(min(dues), now + timedelta(seconds=1))
    await store.set_clock(connection, branch_id, mark=mark, looked_at=now, next_at=next_at)
    return 1


@dataclass
class _Board:
    """A branch as it is looked at: each month that matters as it stood then."""

    counties: Mapping[Period, BranchMonths]
    booked: Period | None
    closed: Period | None
    followed_at: Mapping[str, datetime]
    now: datetime
    forecasters: Forecasters
    aims: Mapping[Period, Sequence[AmountTarget | FigureGoal]]
    figures: Mapping[tuple[Period, Span], FiguresAt]
    waiting: bool = field(default=False)
    """Some forecast is still being made."""

    @classmethod
    async def load(
        cls,
        connection: AsyncConnection,
        branch_id: int,
        rules: Sequence[AlertRule],
        now: datetime,
        forecasters: Forecasters,
    ) -> "_Board":
        until = period_of(now)
        found = await store.last_booked(connection, branch_id, until=until)
        booked = None if found is None else Period(found)
        enabled = [one for one in rules if one.enabled]
        wanted = {expected_month(one.days, now) for one in enabled if one.kind in _LATE}
        wanted.add(booked or until)
        kinds = {one.kind for one in enabled}
        far = not kinds.isdisjoint(_FORECASTS)
        aims: dict[Period, list[AmountTarget | FigureGoal]] = {}

        async def load(month: Period) -> BranchMonths:
            if not kinds.isdisjoint(_OF_UNIT_TARGETS):
                aims[month] = await aims_in(connection, branch_id, month)
            begin = [one.months.first for one in aims.get(month, ())]

            def first(county: BranchMonths) -> Period:
                far_back = shift(month, -HISTORY_MONTHS if far else 0)
                spans = (first_of_span(span, month)(county) for span in Span)
                return min(far_back, *begin, *spans)

            return await branch_months(connection, branch_id, period=month, first_of=first)

        counties = {month: await load(month) for month in sorted(wanted)}
        through = counties[booked or until].closed_through
        closed = None
        if booked is not None and through:
            closed = min(booked, Period(through))
            if closed not in counties:
                counties[closed] = await load(closed)
        followed_at = await store.followed_at(connection, branch_id)
        figures = {}
        for one in enabled:
            at = booked if one.open_months else closed
            if one.kind is AlertKind.FIGURE and at is not None:
                figures[at, one.span] = await FiguresAt.load(connection, branch_id, at, one.span)
        return cls(counties, booked, closed, followed_at, now, forecasters, aims, figures)

    def sight(self, rule: AlertRule) -> Sight:
        """Return what a rule looks at: the county as of the month that it judges."""
        if rule.kind in _LATE:
            month = expected_month(rule.days, self.now)
        else:
            month = (self.booked if rule.open_months else self.closed) or max(self.counties)
        return Sight(
            county=self.counties[month],
            now=self.now,
            booked=self.booked,
            closed=self.closed,
            followed_at=self.followed_at,
            judged=self._judged,
            expected=self._expected,
            figure=lambda rule, unit, at: self.figures[at, rule.span].held(rule.figure, unit),
            aims=self.aims,
            reached=self._reached,
            aimed=self._aimed,
        )

    def standings(self) -> list[dict[str, Any]]:
        """Return how every target stands in the last month with books."""
        if self.booked is None:
            return []
        county = self.counties[self.booked]
        units: list[Unit] = [None, *county.listed([self.booked])]
        return [
            {
                "centre_id": unit or "",
                "span": span,
                "target": one.rule.target,
                "period": self.booked,
                "verdict": one.verdict,
                "value": None if one.ratio is None else one.ratio[0] / one.ratio[1],
            }
            for unit in units
            for span in Span
            for one in judge(county.known(unit, county.span_of(unit, span, self.booked)))
        ]

    def _judged(self, rule: AlertRule, unit: Unit, period: Period) -> Judgement:
        county = self.counties[period]
        known = county.known(unit, county.span_of(unit, rule.span, period))
        return next(one for one in judge(known) if one.rule.target is rule.target)

    def _expected(self, rule: AlertRule, unit: Unit, period: Period) -> Expected | None:
        wanted = _RULES[TargetName(rule.target or "")]
        return self._forecast(wanted, unit, period, year_of(self.counties[period], unit, period))

    def _forecast(
        self, wanted: TargetRule, unit: Unit, period: Period, year: Year
    ) -> Expected | None:
        county = self.counties[period]
        view = outlook(county, unit, period, year, wanted.target)
        if view is None or not view.left:
            return None
        if causes_against(county, unit, period, year, wanted, view):
            return None
        paths = self.forecasters.soon(view, wanted.target)
        if paths is None:
            self.waiting = True
            return None
        found = estimate(wanted, view, paths)
        return _expected(found.value, found.probability, expected_met=found.expected_met)

    def _reached(self, aim: AmountTarget, period: Period) -> int | None:
        county = self.counties[period]
        found = measured(county, aim.unit, aim.months.until(period), aim.measure)
        return None if found.amount is None else found.amount.numerator

    def _aimed(self, aim: AmountTarget | FigureGoal, period: Period) -> Expected | None:
        county = self.counties[period]
        left = aim.months.after(period)
        if isinstance(aim, FigureGoal):
            rule = own_rule(aim)
            if rule is None:
                return None
            contract_id = year_of(county, aim.unit, period).contract_id
            months = Year((*aim.months.until(period), *left), contract_id)
            return self._forecast(rule, aim.unit, period, months)
        view = amount_outlook(county, aim, period)
        if view is None:
            return None
        if not left:
            (reached,) = view.so_far
            return _expected(reached, None, expected_met=aim.met_by(reached))
        paths = self.forecasters.soon(view, None)
        if paths is None:
            self.waiting = True
            return None
        found = estimate_amount(aim, view, paths)
        return _expected(found.amount, found.probability, expected_met=found.expected_met)


def _expected(
    value: Decimal | int | None, probability: Decimal | None, *, expected_met: bool
) -> Expected:
    if probability is None:
        probability = Decimal(expected_met)
    return Expected(Fraction(probability), f"{value} ({probability:.0%})")


async def _move(
    connection: AsyncConnection,
    branch_id: int,
    rules: Rules,
    observed: Mapping[tuple[str, str], Observation],
    now: datetime,
) -> list[datetime]:
    """Move every alert by what was observed, tell the events; return when others are due."""
    held = await store.held(connection, branch_id)
    dues: list[datetime] = []
    changed: list[dict[str, Any]] = []
    happened: list[tuple[dict[str, Any], Event]] = []
    for key in sorted(held.keys() | observed.keys()):
        rule, before = rules.of(key[0]), held.get(key)
        one = observed.get(key) or _gone(key[1], before)
        state = Held(AlertState.QUIET, now)
        if before is not None:
            state = Held(AlertState(before["state"]), before["since"])
        patience = Patience(
            timedelta(minutes=rule.hold_minutes), timedelta(minutes=rule.clear_minutes)
        )
        after, event = step(state, one.condition, now, patience)
        if (due := due_at(after, patience)) is not None:
            dues.append(due)
        row = _row(rule, one, after, before)
        if event is Event.FIRING:
            row |= _FRESH | {"alert_id": str(new_id()), "fired_at": now}
        if before is None and after.state is AlertState.QUIET:
            continue
        if before is None or any(before[name] != value for name, value in row.items()):
            changed.append(row)
        if event is not None:
            happened.append((row, event))
    await store.put(connection, branch_id, changed)
    for row, event in happened:
        await store.add_transition(
            connection,
            branch_id,
            {"alert_id": row["alert_id"], "event": event, "at": now, "value": row["value"]},
        )
    await tell(
        connection,
        branch_id,
        [
            (_TYPES[event], fact_of(rules.of(row["rule_id"]), row, now=now))
            for row, event in happened
        ],
        now=now,
    )
    return dues


_FRESH = dict.fromkeys(("acknowledged_by", "acknowledged_at", "note"))


def _gone(subject: str, before: RowMapping | None) -> Observation:
    if before is None:
        return Observation(subject, Condition.GONE)
    kept = {name: before[name] for name in ("centre_id", "target", "figure", "target_id")}
    return Observation(subject, Condition.GONE, **kept)


def _row(
    rule: AlertRule, one: Observation, after: Held, before: RowMapping | None
) -> dict[str, Any]:
    kept = ("alert_id", "fired_at", "acknowledged_by", "acknowledged_at", "note")
    row = {name: None if before is None else before[name] for name in kept}
    return row | {
        "rule_id": rule.rule_id,
        "subject": one.subject,
        "kind": rule.kind,
        "centre_id": one.centre_id,
        "target": one.target,
        "figure": one.figure,
        "target_id": one.target_id,
        "state": after.state,
        "since": after.since,
        "period": one.period,
        "value": one.value,
    }


def fact_of(
    rule: AlertRule,
    row: Mapping[str, Any],
    *,
    now: datetime,
    by: str | None = None,
    note: str | None = None,
) -> AlertFact:
    """Return an alert as the feed and webhooks are told of it."""
    return AlertFact(
        alert_id=row["alert_id"],
        rule_id=rule.rule_id,
        kind=row["kind"],
        subject=row["subject"],
        centre_id=row["centre_id"],
        target=row["target"],
        figure=row["figure"],
        target_id=row["target_id"],
        period=row["period"],
        value=row["value"],
        name=rule.name,
        name_zh=rule.name_zh,
        at=now,
        by=by,
        note=note,
    )


async def tell(
    connection: AsyncConnection,
    branch_id: int,
    facts: Sequence[tuple[str, AlertFact]],
    *,
    now: datetime,
) -> None:
    """Let facts enter the feed, and the way to every webhook that is enabled."""
    if not facts:
        return
    hooks = await store.all_webhooks(connection, branch_id)
    rows = []
    for kind, fact in facts:
        body = WebhookBody(id=str(new_id()), type=kind, branch_id=branch_id, data=fact)
        text = json.dumps(body.model_dump(mode="json"), ensure_ascii=False)
        rows += [
            {
                "webhook_id": one["webhook_id"],
                "delivery_id": str(new_id()),
                "type": kind,
                "body": text,
                "made_at": now,
                "next_at": now,
            }
            for one in hooks
            if one["enabled"]
        ]
    await store.add_deliveries(connection, branch_id, rows)
    await feed.append(
        connection,
        branch_id,
        [NewFact(kind, f"{fact.rule_id}/{fact.subject}", fact) for kind, fact in facts],
        now=now,
    )
