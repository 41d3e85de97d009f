"""Rule sets: drafted freely, validated, active from an open period; and what others would change."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.county.counties import Counties, County, read
from huaxiao.attribution.domain.books import Known
from huaxiao.attribution.domain.evidence import gather
from huaxiao.attribution.domain.organisation import Organisation, SealedField
from huaxiao.attribution.domain.rule_sets import RuleBook, faults
from huaxiao.attribution.domain.rules import Decision, decide
from huaxiao.attribution.domain.timelines import Owner
from huaxiao.attribution.intake import store as intake
from huaxiao.attribution.intake.taking import decide_again
from huaxiao.attribution.ledger.store import revenue_by_subscription
from huaxiao.attribution.rule_sets import reading, store
from huaxiao.shared.periods import Period
from huaxiao.shared.problems import Conflict, Fault, NotFound, Problem
from huaxiao.shared.wire.attribution import (
    ActivationIn,
    CentreChange,
    DraftField,
    MovedSubscription,
    RuleSet,
    RuleSetIn,
    RuleSetState,
    WhatIf,
    WhatIfIn,
)

_DRAFT = "draft"
_MOVES_SHOWN = 500
_AT_ONCE = 2_000


class RulesNotValid(Problem):
    """A rule set is complete, reachable and unambiguous before it decides anything."""

    code = "rules-not-valid"
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    title = "This rule set cannot be active"
    title_zh = "该规则集不能启用"


class PeriodIsClosed(Problem):
    """Rules change from an open period on; closed ones are never rewritten."""

    code = "period-closed"
    status = HTTPStatus.CONFLICT
    title = "This period is closed"
    title_zh = "该账期已关闭"


async def show(connection: AsyncConnection, branch_id: int, name: str) -> RuleSet:
    """Return a rule set of the branch, or the default one.

    Raises:
        NotFound: there is none of this name.

    """
    if name == reading.DEFAULT_NAME:
        return default()
    found = await store.one(connection, branch_id, name)
    if found is None:
        raise NotFound
    return found


def default() -> RuleSet:
    """Return the default rule set as a resource."""
    given = reading.default_given()
    return RuleSet(
        name=reading.DEFAULT_NAME,
        title=given.title,
        title_zh=given.title_zh,
        rules=given.rules,
        state=RuleSetState.ACTIVE,
        active_from=None,
        digest=reading.digest(given),
    )


async def draft(
    connection: AsyncConnection,
    branch_id: int,
    name: str,
    given: RuleSetIn,
    *,
    by: str,
    now: datetime,
) -> RuleSet:
    """Write a draft; one that is active stays as it is for ever.

    Raises:
        Conflict: the name belongs to an active rule set that says something else.
        NotFound: the branch is not known.

    """
    await _lock(connection, branch_id)
    if name == reading.DEFAULT_NAME:
        found: RuleSet | None = default()
    else:
        found = await store.one(connection, branch_id, name, lock=True)
    if found is not None and found.state is RuleSetState.ACTIVE:
        if found.digest == reading.digest(given):
            return found
        raise Conflict("An active rule set is not rewritten.", "已启用的规则集不得改写。")
    await store.draft(connection, branch_id, name, given, by=by, now=now)
    return await show(connection, branch_id, name)


async def activate(
    connection: AsyncConnection,
    branch_id: int,
    name: str,
    given: ActivationIn,
    *,
    by: str,
    now: datetime,
) -> RuleSet:
    """Let a rule set decide from an open period on, and decide again what it now decides.

    Raises:
        NotFound: there is no such rule set, or no such branch.
        RulesNotValid: some line would end without an owner, or some rule is never asked.
        PeriodIsClosed: the period is.
        Conflict: it is active from another period already.

    """
    closed_through = await _lock(connection, branch_id)
    found = await store.one(connection, branch_id, name, lock=True)
    if found is None:
        raise NotFound
    if found.active_from is not None:
        if found.active_from == given.from_period:
            return found
        raise Conflict("It is active from another period already.", "该规则集已从其他账期启用。")
    stated = RuleSetIn(title=found.title, title_zh=found.title_zh, rules=found.rules)
    _require_valid(name, stated)
    if closed_through is not None and given.from_period <= closed_through:
        raise PeriodIsClosed
    await store.activate(connection, branch_id, found, given.from_period, by=by, now=now)
    county = await read(connection, branch_id)
    if county is not None:
        await decide_again(connection, county, branch_id, now=now)
    return await show(connection, branch_id, name)


async def _lock(connection: AsyncConnection, branch_id: int) -> Period | None:
    """Keep bookings out while rules change; return through which period the books are closed."""
    locked = await intake.lock(connection, branch_id)
    if locked is None:
        raise NotFound
    return locked.closed_through


def _require_valid(name: str, given: RuleSetIn) -> None:
    found = [
        Fault(one.pointer, one.code, one.message, one.message_zh)
        for one in faults(reading.rule_set(name, given))
    ]
    if found:
        raise RulesNotValid(faults=found)


# --- what if ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Move:
    subscription_id: str
    before: Owner
    after: Decision
    revenue_fen: int

    @property
    def is_one(self) -> bool:
        """Say whether the owner would be another."""
        return self.before.place != (self.after.centre_id, self.after.field_id)


async def what_if(
    connection: AsyncConnection, counties: Counties, branch_id: int, given: WhatIfIn
) -> WhatIf:
    """Decide a month's subscriptions again under other rules or fields; change nothing.

    Raises:
        NotFound: the branch is not known.
        RulesNotValid: the rules to try could not be active.

    """
    county = await counties.county(connection, branch_id)
    if county is None:
        raise NotFound
    period = Period(given.period)
    tried = _tried(county, given)
    revenue = await revenue_by_subscription(connection, branch_id, period)
    decided = sorted(revenue)
    moves: list[_Move] = []
    for start in range(0, len(decided), _AT_ONCE):
        some = decided[start : start + _AT_ONCE]
        moves += await _decide_some(connection, branch_id, tried, period, some, revenue)
    return _difference(period, moves)


def _tried(county: County, given: WhatIfIn) -> County:
    rules = county.rules
    if given.rules is not None:
        _require_valid(_DRAFT, given.rules)
        rules = RuleBook(reading.rule_set(_DRAFT, given.rules))
    return County(_with_fields(county.organisation, given), rules)


def _with_fields(organisation: Organisation, given: WhatIfIn) -> Organisation:
    if not given.fields:
        return organisation
    drawn = {one.field_id: _field(one, given.period) for one in given.fields}
    kept = [one for one in organisation.fields if one.field_id not in drawn]
    return replace(organisation, fields=(*kept, *drawn.values()))


def _field(given: DraftField, period: int) -> SealedField:
    scope = given.scope
    return SealedField(
        field_id=given.field_id,
        kind=given.kind,
        centre_id=given.centre_id,
        term_from=period,
        term_to=period,
        address_prefixes=tuple(scope.address_prefixes),
        resource_prefixes=tuple(scope.resource_prefixes),
        customer_ids=frozenset(one.customer_id for one in scope.customers),
        channel_ids=tuple(scope.channel_ids),
        channel_mode=scope.channel_mode,
    )


async def _decide_some(
    connection: AsyncConnection,
    branch_id: int,
    county: County,
    period: Period,
    subscription_ids: Sequence[str],
    revenue: dict[str, int],
) -> list[_Move]:
    known = Known()
    await intake.load_lines(
        connection, branch_id, known, subscription_ids=subscription_ids, dependents=False
    )
    await intake.load_timelines(connection, branch_id, known, subscription_ids)
    register, rules = known.register(), county.rules.at(period)
    return [
        _Move(
            one,
            known.timelines[one].at(period),
            decide(gather(one, period, register, county.organisation), rules),
            revenue[one],
        )
        for one in subscription_ids
    ]


def _difference(period: Period, decided: Sequence[_Move]) -> WhatIf:
    moves = sorted(
        (one for one in decided if one.is_one),
        key=lambda one: (-abs(one.revenue_fen), one.subscription_id),
    )
    before: dict[str, int] = defaultdict(int)
    after: dict[str, int] = defaultdict(int)
    came: dict[str, int] = defaultdict(int)
    went: dict[str, int] = defaultdict(int)
    for one in decided:
        before[one.before.centre_id] += one.revenue_fen
        after[one.after.centre_id] += one.revenue_fen
        if one.before.centre_id != one.after.centre_id:
            went[one.before.centre_id] += 1
            came[one.after.centre_id] += 1
    return WhatIf(
        period=period,
        subscriptions=len(decided),
        moved=len(moves),
        centres=[
            CentreChange(
                centre_id=centre_id,
                before_fen=before[centre_id],
                after_fen=after[centre_id],
                subscriptions_in=came[centre_id],
                subscriptions_out=went[centre_id],
            )
            for centre_id in sorted({*before, *after})
        ],
        moves=[
            MovedSubscription(
                subscription_id=one.subscription_id,
                from_centre_id=one.before.centre_id,
                from_field_id=one.before.field_id,
                from_rule=one.before.unit_rule,
                to_centre_id=one.after.centre_id,
                to_field_id=one.after.field_id,
                to_rule=one.after.unit_rule,
                revenue_fen=one.revenue_fen,
            )
            for one in moves[:_MOVES_SHOWN]
        ],
    )
