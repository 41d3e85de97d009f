"""A county whose months have their days: who rates whom, and what was measured of them."""

from collections.abc import Awaitable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.dialects.postgresql import insert
from support.work import START, centre, finish, person, work

from huaxiao.dispatch.tables import branches
from huaxiao.dispatch.timer import JOBS
from huaxiao.dispatch.worker import apply_attribution, apply_contracts
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.periods import BUSINESS_ZONE
from huaxiao.shared.rows import EVERYTHING
from huaxiao.shared.ticking import catch_up
from huaxiao.shared.wire.dispatch import FinalIn, HorizontalIn

PERIOD = 201711
MONTH_END = datetime(2017, 12, 1, tzinfo=BUSINESS_ZONE)
DAY, MOMENT = timedelta(days=1), timedelta(microseconds=1)
FROZEN, SUBMITTED, ANSWERED, DECIDED, PUBLISHED, CLOSED = (
    MONTH_END + days * DAY for days in (3, 5, 8, 10, 12, 15)
)
GOOD = {"photo": True, "satisfaction": 97, "onu_online": True}


class Appraisals:
    """A county's people, and the hands of its calendar."""

    def __init__(self, app: Any, county: int, caller: Any, clock: Any) -> None:
        self.app, self.county, self.caller, self.clock = app, county, caller, clock
        self.manager = caller(Role.COUNTY_MANAGER)
        self.rater = caller(Role.CONTRACTOR, ["G1"], "P12")
        self.ratee = caller(Role.CONTRACTOR, ["C1"], "P01")
        self.support = caller(Role.SUPPORT_CENTRE, ["SS"], "P29")

    async def begin(self) -> None:
        """Let the county be known since the month's first week."""
        async with self.app.state.database.write(EVERYTHING) as connection:
            await connection.execute(
                insert(branches).values(branch_id=self.county, name_zh="云泽", known_at=START)
            )
            await apply_contracts(
                connection,
                self.county,
                [
                    centre(self.county, "SS", "support"),
                    centre(self.county, "C2", "township"),
                    *(
                        person(self.county, who, where, skills=["sell"])
                        for who, where in (("P12", "G1"), ("P01", "C1"), ("P29", "SS"))
                    ),
                ],
            )

    async def ask(self, *order_ids: str, kind: str = "install") -> None:
        async with self.app.state.database.write(EVERYTHING) as connection:
            entries = [work(self.county, one, kind) for one in order_ids]
            await apply_attribution(connection, self.county, entries)

    async def do(self, *order_ids: str, **evidence: Any) -> None:
        """Have orders finished by whoever has them."""
        for order_id in order_ids:
            order = await self.manager.order(self.county, order_id)
            engineer = self.caller(Role.ENGINEER, ["C1"], order.engineer_id)
            await finish(engineer, self.county, order_id, **(GOOD | evidence))

    async def work(self, count: int = 12) -> list[str]:
        """Have some orders asked for and done within the month."""
        self.clock.at(START + 6 * DAY)
        orders = [f"O{number:02}" for number in range(count)]
        await self.ask(*orders)
        await self.do(*orders)
        return orders

    async def to(self, moment: datetime) -> None:
        """Put the clock to a moment, and let the calendar catch up."""
        self.clock.at(moment)
        await self.tick()

    async def tick(self) -> None:
        jobs = {"appraisals": JOBS["appraisals"]}
        await catch_up(self.app.state.database, jobs, self.county, clock=self.app.state.clock)

    async def rate(self, stars: int = 4, by: Any = None, **given: Any) -> Any:
        given = {"period": PERIOD, "rater_centre_id": "G1", "ratee_centre_id": "C1"} | given
        asked = HorizontalIn(cooperation_stars=stars, **given)
        return await (by or self.rater).appraise_horizontal(self.county, asked)

    async def rate_person(self, person_id: str = "W01", by: Any = None, **given: Any) -> Any:
        given = {"stars": {"own_sales": 4, "own_safety": 4}} | given
        asked = FinalIn(period=PERIOD, person_id=person_id, **given)
        return await (by or self.ratee).appraise_final(self.county, asked)

    async def cards(self, kind: str) -> list[Any]:
        page = await self.manager.appraisals(self.county)
        return sorted(
            (one for one in page.items if one.kind == kind),
            key=lambda one: (one.ratee_centre_id, one.person_id or ""),
        )

    async def facts(self, *types: str) -> list[Any]:
        told = await self.caller(Role.SERVICE).feed(self.county, after=0)
        return [one for one in told if one.type in types]

    def engineer(self, person_id: str) -> Any:
        return self.caller(Role.ENGINEER, ["C1"], person_id)


async def refusal(of: Awaitable[Any]) -> tuple[int, str]:
    """Return with which status and code something is refused."""
    with pytest.raises(PeerProblem) as refused:
        await of
    return refused.value.status, refused.value.code
