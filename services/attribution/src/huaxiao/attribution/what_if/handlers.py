"""Decide past months again under other rules or fields, and change nothing."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from http import HTTPStatus
from itertools import pairwise

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.county.counties import Counties, County
from huaxiao.attribution.county.fields import field_with
from huaxiao.attribution.domain.books import Known
from huaxiao.attribution.domain.decisions import decide_on
from huaxiao.attribution.domain.differences import Difference
from huaxiao.attribution.domain.evidence import Register
from huaxiao.attribution.domain.organisation import Organisation
from huaxiao.attribution.domain.rule_sets import RuleBook
from huaxiao.attribution.domain.timelines import Stretch, Timeline, joined
from huaxiao.attribution.intake import store as intake
from huaxiao.attribution.ledger.store import revenue_by_subscription
from huaxiao.attribution.rule_sets import reading
from huaxiao.attribution.rule_sets.handlers import require_valid
from huaxiao.shared.by_turns import by_turns
from huaxiao.shared.periods import Period, shift
from huaxiao.shared.problems import Fault, NotFound, Problem
from huaxiao.shared.wire.attribution import (
    CentreChange,
    MovedSubscription,
    WhatIf,
    WhatIfIn,
)

_DRAFT = "draft"
_READ_AT_ONCE = 1_000
"""Subscriptions that are read while those before are decided."""


class FieldsNotPossible(Problem):
    """Fields are tried as they could be sealed: each once, of a centre there is, nothing in two."""

    code = "fields-not-possible"
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    title = "These fields cannot be tried"
    title_zh = "这些责任田无法试算"


async def what_if(
    connection: AsyncConnection,
    counties: Counties,
    branch_id: int,
    given: WhatIfIn,
) -> WhatIf:
    """Decide the subscriptions billed in some months again; change nothing.

    Raises:
        NotFound: the branch is not known.
        RulesNotValid: the rules to try could not be active.
        FieldsNotPossible: the fields to try could not be sealed beside each other.

    """
    county = await counties.county(connection, branch_id)
    if county is None:
        raise NotFound
    first, last = Period(given.period), Period(given.to_period or given.period)
    tried = _tried(county, given, first, last)
    revenue = await revenue_by_subscription(connection, branch_id, first, last)
    difference = Difference()

    async def read(some: Sequence[str]) -> Known:
        known = Known()
        await intake.load_lines(
            connection, branch_id, known, subscription_ids=some, dependents=False
        )
        await intake.load_timelines(connection, branch_id, known, some)
        return known

    billed = sorted(revenue)
    starts = range(0, len(billed), _READ_AT_ONCE)
    parts = [*(billed[start : start + _READ_AT_ONCE] for start in starts), []]
    ahead = asyncio.create_task(read(parts[0]))
    try:
        for some, following in pairwise(parts):
            known = await ahead
            ahead = asyncio.create_task(read(following))
            register = known.register()
            async for few in by_turns(some):
                for one in few:
                    after = _decided(one, register, tried, first, last)
                    difference.add(one, known.timelines[one], after, revenue[one])
    finally:
        ahead.cancel()
        await asyncio.gather(ahead, return_exceptions=True)
    return _render(given, difference)


def _decided(
    subscription_id: str, register: Register, tried: County, first: Period, last: Period
) -> Timeline:
    """Return whose a subscription would be; what its evidence is called does not matter here."""
    decided = decide_on(
        subscription_id,
        register,
        tried.organisation,
        tried.rules,
        first=first,
        last=last,
        digest=lambda _: b"",
    )
    return joined(Stretch(each.from_period, each.owner) for each in decided)


def _tried(county: County, given: WhatIfIn, first: Period, last: Period) -> County:
    """Return a county as if what is tried had begun with the first of the months.

    What is asked of months before, of a line that was closed in one, stays as it was.
    """
    rules = county.rules
    if given.rules is not None:
        require_valid(_DRAFT, given.rules)
        before = tuple(one for one in rules.active if one[0] < first)
        rules = RuleBook(rules.default, (*before, (first, reading.rule_set(_DRAFT, given.rules))))
    organisation = _with_fields(county.organisation, given, first, last)
    return replace(county, organisation=organisation, rules=rules)


def _with_fields(
    organisation: Organisation, given: WhatIfIn, first: Period, last: Period
) -> Organisation:
    if not given.fields:
        return organisation
    _require_drawable(organisation, given)
    drawn = {
        one.field_id: field_with(
            one.scope,
            field_id=one.field_id,
            kind=one.kind,
            centre_id=one.centre_id,
            term=(first, last),
        )
        for one in given.fields
    }
    kept = [one for one in organisation.fields if one.field_id not in drawn]
    ended = [
        replace(one, term_to=min(one.term_to, shift(first, -1)))
        for one in organisation.fields
        if one.field_id in drawn and one.term_from < first
    ]
    tried = replace(organisation, fields=(*kept, *drawn.values(), *ended))
    places = {one.field_id: index for index, one in enumerate(given.fields)}
    faults = [
        Fault(
            f"/fields/{places[field_id]}/scope",
            "drawn-twice",
            f"{what} is in field {other} as well: draw that one anew, too",
            f"{what} 同时在责任田 {other} 中：请一并重新划定",
        )
        for other, field_id, what in tried.drawn_twice(first, last)
        if field_id in places
    ]
    if faults:
        raise FieldsNotPossible(faults=faults)
    return tried


def _require_drawable(organisation: Organisation, given: WhatIfIn) -> None:
    """Refuse fields to try that are named twice, or of a centre that is not there."""
    faults: list[Fault] = []
    codes = [one.field_id for one in given.fields]
    for index, one in enumerate(given.fields):
        if one.field_id in codes[:index]:
            pointer = f"/fields/{index}/field_id"
            faults.append(Fault(pointer, "twice", "it is drawn twice", "责任田重复"))
        if one.centre_id not in organisation.centres:
            pointer = f"/fields/{index}/centre_id"
            faults.append(Fault(pointer, "unknown", "no such centre", "无此中心"))
    if faults:
        raise FieldsNotPossible(faults=faults)


def _render(given: WhatIfIn, difference: Difference) -> WhatIf:
    moves = difference.largest_first()
    return WhatIf(
        period=given.period,
        to_period=given.to_period or given.period,
        subscriptions=difference.subscriptions,
        moved=difference.moved,
        centres=[
            CentreChange(
                centre_id=centre_id,
                before_fen=sums.before_fen,
                after_fen=sums.after_fen,
                subscriptions_in=len(sums.came),
                subscriptions_out=len(sums.went),
            )
            for centre_id, sums in sorted(difference.centres.items())
        ],
        moves=[
            MovedSubscription(
                subscription_id=one.subscription_id,
                from_period=one.from_period,
                to_period=one.to_period,
                from_centre_id=one.before.centre_id,
                from_field_id=one.before.field_id,
                from_rule=one.before.unit_rule,
                to_centre_id=one.after.centre_id,
                to_field_id=one.after.field_id,
                to_rule=one.after.unit_rule,
                revenue_fen=one.revenue_fen,
            )
            for one in moves[: given.moves_shown]
        ],
        moves_omitted=max(0, len(moves) - given.moves_shown),
    )
