"""Who does the work: the centre whose field covers the address, then its engineer or crew (R25)."""

from collections.abc import Iterable
from dataclasses import dataclass

from huaxiao.shared.addresses import contains
from huaxiao.shared.wire.contracts import Skill
from huaxiao.shared.wire.dispatch import CustomerClass, OrderKind

SKILL_FOR = {
    OrderKind.INSTALL: Skill.INSTALL,
    OrderKind.MOVE: Skill.INSTALL,
    OrderKind.DISMANTLE: Skill.INSTALL,
    OrderKind.REPAIR: Skill.REPAIR,
    OrderKind.CHECK: Skill.MAINTAIN,
    OrderKind.PATROL: Skill.MAINTAIN,
    OrderKind.CONSTRUCTION: Skill.MAINTAIN,
    OrderKind.COMMISSIONING: Skill.MAINTAIN,
}
NO_ENGINEER = "no-engineer"
_BUILDING = {OrderKind.CONSTRUCTION, OrderKind.COMMISSIONING}


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


@dataclass(frozen=True, slots=True)
class Crew:
    """Several people who are sent together, all that they can do, and how many open orders they have."""

    crew_id: str
    skills: frozenset[str]
    open_orders: int


def is_network_work(kind: OrderKind, customer_class: CustomerClass) -> bool:
    """Say whether work is the build-and-maintain centre's, wherever it lies (R17).

    To walk an enterprise customer's line is last-mile work of the centre where it lies, and counts
    in what the enterprise centre thinks of that centre (R25, R26); any other patrol is the network's.
    """
    if kind is OrderKind.PATROL:
        return customer_class is CustomerClass.PUBLIC
    return kind in _BUILDING


def performing_centre(
    address: str, territories: Iterable[Territory], *, build_maintain_id: str | None
) -> str | None:
    """Return the centre by the deepest prefix, else the build-and-maintain centre."""
    covering = [one for one in territories if contains(one.prefix, address)]
    if not covering:
        return build_maintain_id
    return min(covering, key=lambda one: (-len(one.prefix), one.centre_id)).centre_id


def skills_for(kind: OrderKind, needed: Iterable[str] = ()) -> frozenset[str]:
    """Return every skill an order needs: its kind's, and what was asked for beyond it (R13)."""
    return frozenset({SKILL_FOR[kind], *needed})


def choose_engineer(
    kind: OrderKind, engineers: Iterable[Engineer], needed: Iterable[str] = ()
) -> str | None:
    """Return the skilled engineer with the fewest open orders, then the smallest id."""
    wanted = skills_for(kind, needed)
    able = [one for one in engineers if wanted <= one.skills]
    if not able:
        return None
    return min(able, key=lambda one: (one.open_orders, one.person_id)).person_id


def choose_crew(kind: OrderKind, crews: Iterable[Crew], needed: Iterable[str] = ()) -> str | None:
    """Return the able crew with the fewest open orders, then the smallest id."""
    wanted = skills_for(kind, needed)
    able = [one for one in crews if wanted <= one.skills]
    if not able:
        return None
    return min(able, key=lambda one: (one.open_orders, one.crew_id)).crew_id


def unmet(wanted: frozenset[str], people: Iterable[frozenset[str]]) -> list[str]:
    """Return the skills that are wanted and that nobody has, in order."""
    return sorted(wanted.difference(*people))
