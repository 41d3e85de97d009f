"""Crews: load, decide, record."""

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.crews import store
from huaxiao.dispatch.domain.crews import crew_faults
from huaxiao.dispatch.orders import handlers as orders
from huaxiao.dispatch.orders import store as orders_store
from huaxiao.shared.auth import Principal
from huaxiao.shared.problems import Conflict, Fault, Malformed, NotFound
from huaxiao.shared.versions import require_version
from huaxiao.shared.wire.orders import Crew, CrewIn


async def put(
    connection: AsyncConnection,
    branch_id: int,
    crew_id: str,
    given: CrewIn,
    *,
    principal: Principal,
    if_match: str | None,
) -> Crew:
    """Register a crew, or change it; work that waits for one is given out again.

    Raises:
        NotFound: the caller is bound to centres, and the crew is or was of another.
        StaleVersion: it is not what the caller read.
        Malformed: the centre is not there, or somebody does not work for it.
        Conflict: it is to change its centre while it has orders, which are named.

    """
    principal.require_centre(given.centre_id)
    await orders_store.place_alone(connection, branch_id)
    row = await orders_store.crew(connection, branch_id, crew_id)
    if row is not None:
        principal.require_centre(row["centre_id"])
        if row["order_id"] is not None:
            raise Conflict(
                f"Crew {crew_id} is for order {row['order_id']} only.",
                f"施工队 {crew_id} 仅为工单 {row['order_id']} 临时组成。",
                order_id=row["order_id"],
            )
    held = None if row is None else await _render(connection, branch_id, row)
    require_version(if_match, held)
    if await orders_store.centre_kind(connection, branch_id, given.centre_id) is None:
        said = f"there is no centre {given.centre_id}", f"没有中心 {given.centre_id}"
        raise Malformed(faults=[Fault("/centre_id", "unknown-centre", *said)])
    faults = list(
        crew_faults(
            given.members,
            homes=await orders_store.homes(connection, branch_id),
            centre_id=given.centre_id,
            company=given.company,
            skills=given.skills,
        )
    )
    if faults:
        raise Malformed(faults=faults)
    if row is not None and row["centre_id"] != given.centre_id:
        still = await store.open_orders(connection, branch_id, crew_id)
        if still:
            raise Conflict(
                f"Crew {crew_id} has orders of {row['centre_id']}: {', '.join(still)}.",
                f"施工队 {crew_id} 仍有 {row['centre_id']} 的工单：{', '.join(still)}。",
                orders=still,
            )
    await store.put(connection, given.model_dump() | {"branch_id": branch_id, "crew_id": crew_id})
    await orders.dispatch_again(connection, branch_id)
    return await show(connection, branch_id, crew_id, principal=principal)


async def show(
    connection: AsyncConnection, branch_id: int, crew_id: str, *, principal: Principal
) -> Crew:
    """Return a crew."""
    row = await orders_store.crew(connection, branch_id, crew_id)
    if row is None:
        raise NotFound
    principal.require_centre(row["centre_id"])
    return await _render(connection, branch_id, row)


async def listed(
    connection: AsyncConnection,
    branch_id: int,
    *,
    principal: Principal,
    after: str,
    limit: int,
) -> list[Crew]:
    """Return the crews of the caller's centres."""
    rows = await store.page(connection, branch_id, principal.centre_ids, after=after, limit=limit)
    skills = await orders_store.skills_of_people(connection, branch_id)
    return [_rendered(row, skills) for row in rows]


async def _render(connection: AsyncConnection, branch_id: int, row: RowMapping) -> Crew:
    return _rendered(row, await orders_store.skills_of_people(connection, branch_id))


def _rendered(row: RowMapping, skills: dict[str, frozenset[str]]) -> Crew:
    together = frozenset(row["skills"]).union(*(skills.get(one, ()) for one in row["members"]))
    return Crew.model_validate(dict(row) | {"skills": sorted(together)})
