"""Who does the work: the centre whose field covers the address, then its engineer (R25)."""

from collections.abc import Iterable
from dataclasses import dataclass

from huaxiao.shared.addresses import contains
from huaxiao.shared.wire.contracts import Skill
from huaxiao.shared.wire.dispatch import OrderKind

SKILL_FOR = {
    OrderKind.INSTALL: Skill.INSTALL,
    OrderKind.MOVE: Skill.INSTALL,
    OrderKind.DISMANTLE: Skill.INSTALL,
    OrderKind.REPAIR: Skill.REPAIR,
    OrderKind.CHECK: Skill.MAINTAIN,
    OrderKind.PATROL: Skill.MAINTAIN,
}
NO_ENGINEER = "no-engineer"


@dataclass(frozen=True, slots=True)
class Territory:
    """A regional field's hold on the addresses under a prefix."""

    prefix: str
    centre_id: str


@dataclass(frozen=True, slots=True)
class Engineer:
    """Somebody who may be sent, and how many open orders they have."""

    person_id: str
    skills: frozenset[str]
    open_orders: int


def performing_centre(
    address: str, territories: Iterable[Territory], *, build_maintain_id: str | None
) -> str | None:
    """Return the centre by the deepest prefix, else the build-and-maintain centre."""
    covering = [one for one in territories if contains(one.prefix, address)]
    if not covering:
        return build_maintain_id
    return min(covering, key=lambda one: (-len(one.prefix), one.centre_id)).centre_id


def choose_engineer(kind: OrderKind, engineers: Iterable[Engineer]) -> str | None:
    """Return the skilled engineer with the fewest open orders, then the smallest id."""
    able = [one for one in engineers if SKILL_FOR[kind] in one.skills]
    if not able:
        return None
    return min(able, key=lambda one: (one.open_orders, one.person_id)).person_id
