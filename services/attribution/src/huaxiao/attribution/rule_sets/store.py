"""Rows of rule sets, and of when each became active."""

from datetime import datetime

from sqlalchemy import RowMapping, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.domain.rule_sets import RuleBook
from huaxiao.attribution.domain.rule_sets import RuleSet as DomainRuleSet
from huaxiao.attribution.rule_sets import reading
from huaxiao.attribution.tables import rule_activations, rule_sets
from huaxiao.shared.wire.attribution import RuleSet, RuleSetIn, RuleSetState


async def book(connection: AsyncConnection, branch_id: int) -> RuleBook:
    """Return which rule set decides from which period."""
    rows = await connection.execute(
        select(rule_activations.c.from_period, rule_sets.c.name, rule_sets.c.given)
        .join(
            rule_sets,
            (rule_sets.c.branch_id == rule_activations.c.branch_id)
            & (rule_sets.c.name == rule_activations.c.name),
        )
        .where(rule_activations.c.branch_id == branch_id)
        .order_by(rule_activations.c.from_period, rule_activations.c.number)
    )
    active = tuple(
        (row.from_period, reading.rule_set(row.name, RuleSetIn.model_validate(row.given)))
        for row in rows
    )
    return RuleBook(reading.default_rule_set(), active)


async def active_count(connection: AsyncConnection, branch_id: int) -> int:
    """Count the activations so far: they only ever grow."""
    found = await connection.scalar(
        select(func.count()).where(rule_activations.c.branch_id == branch_id)
    )
    return found or 0


async def named(connection: AsyncConnection, branch_id: int, name: str) -> DomainRuleSet | None:
    """Return a rule set as decisions use it, the default one included."""
    if name == reading.DEFAULT_NAME:
        return reading.default_rule_set()
    found = await one(connection, branch_id, name)
    if found is None:
        return None
    return reading.rule_set(name, reading.stated(found))


async def one(
    connection: AsyncConnection, branch_id: int, name: str, *, lock: bool = False
) -> RuleSet | None:
    """Return a rule set of the branch."""
    query = select(rule_sets).where(rule_sets.c.branch_id == branch_id, rule_sets.c.name == name)
    rows = await connection.execute(query.with_for_update() if lock else query)
    row = rows.mappings().one_or_none()
    if row is None:
        return None
    return _render(row, await _activation(connection, branch_id, name))


async def page(
    connection: AsyncConnection, branch_id: int, *, after: str, limit: int
) -> list[RuleSet]:
    """Return the branch's rule sets by name."""
    rows = await connection.execute(
        select(rule_sets)
        .where(rule_sets.c.branch_id == branch_id, rule_sets.c.name > after)
        .order_by(rule_sets.c.name)
        .limit(limit)
    )
    return [
        _render(row, await _activation(connection, branch_id, row["name"]))
        for row in rows.mappings().all()
    ]


async def _activation(
    connection: AsyncConnection, branch_id: int, name: str
) -> tuple[int, str] | None:
    """Return from which period a rule set is active, and who activated it; None for a draft."""
    held = rule_activations.c
    row = (
        await connection.execute(
            select(held.from_period, held.activated_by)
            .where(held.branch_id == branch_id, held.name == name)
            .order_by(held.from_period)
            .limit(1)
        )
    ).one_or_none()
    return None if row is None else (row.from_period, row.activated_by)


async def draft(
    connection: AsyncConnection,
    branch_id: int,
    name: str,
    given: RuleSetIn,
    *,
    by: str,
    now: datetime,
) -> None:
    """Write a draft, or write it anew."""
    row = {
        "given": given.model_dump(mode="json"),
        "digest": reading.digest(given),
        "drafted_by": by,
        "drafted_at": now,
    }
    await connection.execute(
        insert(rule_sets)
        .values(branch_id=branch_id, name=name, **row)
        .on_conflict_do_update(index_elements=["branch_id", "name"], set_=row)
    )


async def activate(
    connection: AsyncConnection,
    branch_id: int,
    found: RuleSet,
    from_period: int,
    *,
    by: str,
    now: datetime,
) -> None:
    """Let a rule set decide from a period on."""
    await connection.execute(
        insert(rule_activations).values(
            branch_id=branch_id,
            number=await active_count(connection, branch_id) + 1,
            name=found.name,
            from_period=from_period,
            digest=found.digest,
            activated_by=by,
            activated_at=now,
        )
    )


def _render(row: RowMapping, activation: tuple[int, str] | None) -> RuleSet:
    given = RuleSetIn.model_validate(row["given"])
    faults = [] if activation else reading.faults_of(row["name"], given)
    state = RuleSetState.DRAFT if faults else RuleSetState.VALIDATED
    return RuleSet(
        name=row["name"],
        title=given.title,
        title_zh=given.title_zh,
        rules=given.rules,
        shadow_months=given.shadow_months,
        state=RuleSetState.ACTIVE if activation else state,
        active_from=activation[0] if activation else None,
        digest=row["digest"],
        faults=faults,
        drafted_by=row["drafted_by"],
        activated_by=activation[1] if activation else None,
    )
