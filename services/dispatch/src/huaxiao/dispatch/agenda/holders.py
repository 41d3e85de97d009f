"""Who has an order, by the one name that plans know an engineer or a crew by."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import RowMapping

from huaxiao.shared.wire.dispatch import OrderState

CREW = "crew/"
"""What the name of a crew begins with; no person's id has a slash."""


def crew_key(crew_id: str) -> str:
    """Return a crew's name in plans."""
    return CREW + crew_id


def named(holder: str) -> tuple[str | None, str | None]:
    """Return the engineer, or the crew, that a name in a plan stands for."""
    if holder.startswith(CREW):
        return None, holder.removeprefix(CREW)
    return holder, None


def people_of(holders: Iterable[str]) -> tuple[list[str], str | None]:
    """Return the engineers among some names, by id, and the crew."""
    split = [named(one) for one in sorted(holders)]
    crew = next((crew_id for _, crew_id in split if crew_id is not None), None)
    return [engineer for engineer, _ in split if engineer is not None], crew


def holders_of(order: RowMapping, members: Mapping[str, Sequence[str]]) -> frozenset[str]:
    """Return who has an order: nobody, when it was rejected.

    ``members`` are those of crews that are for one order only.
    """
    rejected = order["state"] == OrderState.REJECTED
    return frozenset() if rejected else given_to(order, members)


def given_to(order: RowMapping, members: Mapping[str, Sequence[str]]) -> frozenset[str]:
    """Return to whom an order was given last, whether or not they have rejected it."""
    if order["engineer_id"] is not None:
        return frozenset({order["engineer_id"]})
    crew_id = order["crew_id"]
    if crew_id is None:
        return frozenset()
    if crew_id in members:
        return frozenset(members[crew_id])
    return frozenset({crew_key(crew_id)})
