"""Rule sets: drafted freely, validated, active from an open period; and what others would change."""

from datetime import datetime
from http import HTTPStatus

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.county.counties import read
from huaxiao.attribution.intake import store as intake
from huaxiao.attribution.intake.taking import decide_again
from huaxiao.attribution.rule_sets import reading, store
from huaxiao.shared.periods import Period
from huaxiao.shared.problems import Conflict, Fault, NotFound, Problem, TwoPeople
from huaxiao.shared.wire.attribution import (
    ActivationIn,
    RuleSet,
    RuleSetIn,
    RuleSetState,
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


class RulesChanged(Problem):
    """What is activated is what was read: a draft may be rewritten until then."""

    code = "rules-changed"
    status = HTTPStatus.CONFLICT
    title = "The draft has been rewritten since you read it"
    title_zh = "该草稿在您阅读之后已被改写"


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
        shadow_months=given.shadow_months,
        state=RuleSetState.ACTIVE,
        active_from=None,
        digest=reading.digest(given),
        faults=[],
        drafted_by=None,
        activated_by=None,
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
        TwoPeople: the one who drafted it may not activate it.
        RulesChanged: the digest is not the draft's.
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
    if found.drafted_by == by:
        raise TwoPeople
    if found.digest != given.digest:
        raise RulesChanged
    require_valid(name, reading.stated(found))
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


def require_valid(name: str, given: RuleSetIn) -> None:
    """Refuse rules that could not be active.

    Raises:
        RulesNotValid: some line would end without an owner, or some rule is never asked.

    """
    found = [
        Fault(one.pointer, one.code, one.message, one.message_zh)
        for one in reading.faults_of(name, given)
    ]
    if found:
        raise RulesNotValid(faults=found)
