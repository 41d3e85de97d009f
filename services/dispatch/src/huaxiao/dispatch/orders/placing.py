"""Where an order belongs and who gets it: asked of the county as it is known now (R17, R25)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.domain.dispatching import (
    NO_ENGINEER,
    choose_crew,
    choose_engineer,
    is_network_work,
    performing_centre,
    skills_for,
    unmet,
)
from huaxiao.dispatch.domain.level_table import Work
from huaxiao.dispatch.orders import store
from huaxiao.shared.periods import period_of
from huaxiao.shared.wire.contracts import CentreKind
from huaxiao.shared.wire.dispatch import CustomerClass, OrderKind, OrderState
from huaxiao.shared.wire.service_levels import Line

_NO_CENTRE = "no-centre"
_NO_CREW = "no-crew"
_HELD = "held"
"""Why nobody has an order that people give out."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What decides where an order belongs."""

    kind: OrderKind
    customer_class: CustomerClass
    address: str
    requested_at: datetime
    needed_skills: tuple[str, ...] = ()
    requester: str | None = None
    """Who asked, where that was said."""
    performer: str | None = None
    """The centre that has it whatever the address says: it was handed over, or work has begun."""
    rural: bool = False
    """Where the address of such an order lies, as was found out before."""
    owner: str | None = None
    """The centre whose asset is patrolled: it performs, wherever the asset lies (R17)."""
    held: bool = False
    """People give it out."""
    people: int = 1
    """So many work on it at once: a crew, or several who are planned together."""
    line: Line = Line.ORDINARY
    build_needed: bool = False

    @property
    def work(self) -> Work:
        """Return what the service levels are asked about it."""
        return Work(self.kind, self.customer_class, self.line, self.build_needed)


@dataclass(frozen=True, slots=True)
class Place:
    """Whose work it is, and for whom."""

    asked: Asked
    performer: str | None
    requester: str | None
    rural: bool
    engineer: str | None = None
    crew: str | None = None
    unmet_skills: tuple[str, ...] = ()

    @property
    def is_given_out(self) -> bool:
        """Say whether somebody gets it."""
        return self.engineer is not None or self.crew is not None

    @property
    def reason(self) -> str | None:
        """Why nobody has it yet."""
        if self.is_given_out:
            return None
        if self.performer is None:
            return _NO_CENTRE
        if self.asked.held:
            return _HELD
        return NO_ENGINEER if self.asked.people == 1 else _NO_CREW

    def given_out(
        self, at: datetime, *, appointed: bool = False, begun_at: datetime | None = None
    ) -> dict[str, Any]:
        """Return what an order that is given out here has in its row.

        ``begun_at`` is when somebody got it first; whoever gets it now, its clock has run since.
        """
        waiting = OrderState.APPOINTED if appointed else OrderState.NEW
        return {
            "requester_centre_id": self.requester,
            "performer_centre_id": self.performer,
            "rural": self.rural,
            "engineer_id": self.engineer,
            "crew_id": self.crew,
            "unmet_skills": list(self.unmet_skills),
            "state": OrderState.DISPATCHED if self.is_given_out else waiting,
            "reason": self.reason,
            "dispatched_at": begun_at or (at if self.is_given_out else None),
        }


async def find_place(connection: AsyncConnection, branch_id: int, asked: Asked) -> Place:
    """Find the centre that performs an order, and its engineer or crew."""
    requester = asked.requester
    if requester is None and asked.customer_class is not CustomerClass.PUBLIC:
        requester = await store.first_centre(connection, branch_id, CentreKind.ENTERPRISE)
    performer = asked.performer or asked.owner or await _performer(connection, branch_id, asked)
    if performer is None:
        return Place(asked, None, requester, rural=False)
    rural = asked.rural
    if asked.performer is None:
        rural = await store.centre_kind(connection, branch_id, performer) == CentreKind.TOWNSHIP
    there = await store.engineers(connection, branch_id, performer)
    crews = await store.centre_crews(connection, branch_id, performer)
    wanted = skills_for(asked.kind, asked.needed_skills)
    engineer = crew = None
    if not asked.held:
        # Network work is a crew's where there is one; other work is one engineer's, if one is enough.
        if asked.people > 1 or is_network_work(asked.kind, asked.customer_class):
            crew = choose_crew(asked.kind, crews, asked.needed_skills)
        if crew is None and asked.people == 1:
            engineer = choose_engineer(asked.kind, there, asked.needed_skills)
    missing = unmet(wanted, [*(one.skills for one in there), *(one.skills for one in crews)])
    return Place(asked, performer, requester, rural, engineer, crew, tuple(missing))


async def _performer(connection: AsyncConnection, branch_id: int, asked: Asked) -> str | None:
    builders = await store.first_centre(connection, branch_id, CentreKind.BUILD_MAINTAIN)
    if builders is not None and is_network_work(asked.kind, asked.customer_class):
        return builders
    return performing_centre(
        asked.address,
        await store.covering(connection, branch_id, asked.address, period_of(asked.requested_at)),
        build_maintain_id=builders,
    )


async def record_place(
    connection: AsyncConnection,
    branch_id: int,
    order_id: str,
    place: Place,
    *,
    state: str,
    number: int,
    at: datetime,
    reason: str | None = None,
) -> None:
    """Record that the service received an order, or gave it to somebody, and why it did."""
    await store.record_step(
        connection,
        {
            "branch_id": branch_id,
            "order_id": order_id,
            "number": number,
            "step": "dispatch" if place.is_given_out else "receive",
            "state": state,
            "at": at,
            "by": "service:dispatch",
            "engineer_id": place.engineer,
            "crew_id": place.crew,
            "centre_id": place.performer,
            "reason": reason or place.reason,
            "evidence": {},
        },
    )
