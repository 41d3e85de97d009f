"""A day of the sample's build-and-maintain centre: who works, what is asked for, what is patrolled.

It lies ahead of the real clock, for only such a day can be planned, and no field of the sample covers
it: the contracts are of 2017, and where no field covers an address the build-and-maintain centre does
the work (R25).
"""

import random
from dataclasses import dataclass
from datetime import date, datetime, time

from huaxiao.cli.sample.county import BRANCH_ID, County
from huaxiao.shared.periods import BUSINESS_ZONE
from huaxiao.shared.wire.assets import AssetIn
from huaxiao.shared.wire.dispatch import CustomerClass, Order, OrderKind
from huaxiao.shared.wire.orders import OrderIn, OrderSource
from huaxiao.shared.wire.plans import PlanRulesIn
from huaxiao.shared.wire.service_levels import AssetGrade, AssetKind, Cycle
from huaxiao.shared.wire.visits import Window

CENTRE = "B1"
REFERENCE = "day"
"""What the front end's names of these orders begin with."""
SHIFTS = {
    "P18": (time(8), time(19)),
    "P19": (time(8), time(19)),
    "P20": (time(8, 30), time(19)),
    "P21": (time(9), time(20)),
}
AWAY_FROM_YARD = "P20"
"""Who sets out from home, in a township; everybody else from the centre's yard at the county seat."""
RULES = PlanRulesIn(tolerance_minutes=90)
"""The county tells its customers half a day: a planned visit may move by an hour and a half."""
UNKNOWN_SKILL = "fibre_splicing"
"""A skill that nobody of the centre has."""
_KINDS = (
    (OrderKind.REPAIR, 11),
    (OrderKind.DISMANTLE, 14),
    (OrderKind.CHECK, 8),
    (OrderKind.INSTALL, 2),
)
_PRIORITIES = (2, 3, 3, 4)
_SEED = 8
_EVERY_NTH_WISHES = 4
_EARLY, _LATE = (time(8), time(9)), (time(14), time(18))
_URGENT_FROM, _URGENT_UNTIL = time(11), time(15)
APPOINTED = 6
"""So many repairs get a slot: the first four fill one, for each of the centre's four has an hour."""


PINNED = 2
"""Number of the order that a customer wants done by somebody they know."""
PINNED_TO, PINNED_BECAUSE = "P20", "客户指定"
URGENT = 0
"""Number of the order that comes when the day is planned already."""


def reference_of(day: date, number: int) -> str:
    """Return the front end's name of an order."""
    return f"{REFERENCE}-{day}-{number:02}"


def orders_of_day(county: County, day: date) -> list[OrderIn]:
    """Return what front ends ask for, three of which cannot be done that day, whoever is free."""
    chance = random.Random(_SEED)  # noqa: S311 - reproducible, not secret
    kinds = [kind for kind, count in _KINDS for _ in range(count)]
    chance.shuffle(kinds)
    asked = []
    for number, kind in enumerate(kinds, start=1):
        village = chance.choice(county.villages)
        wished = chance.choice((_EARLY, _LATE)) if number % _EVERY_NTH_WISHES == 0 else None
        asked.append(
            _order(
                day,
                number,
                kind=kind,
                address=f"{village.code}{chance.randrange(1, 1000):04}",
                priority=chance.choice(_PRIORITIES),
                wished=wished,
            )
        )
    asked[-1] = asked[-1].model_copy(update={"needed_skills": [UNKNOWN_SKILL], "wished": None})
    asked[-2] = asked[-2].model_copy(update={"wished": _window(day, time(5), time(7))})
    # Of a village that is not in the list nobody knows where it lies.
    asked[-3] = asked[-3].model_copy(update={"standard_address": f"{BRANCH_ID}9990010001"})
    asked[0] = asked[0].model_copy(update={"people_needed": 2, "priority": 1})
    return asked


def urgent_order(county: County, day: date) -> OrderIn:
    """Return a repair that comes in for eleven o'clock, when the day is planned already."""
    (circuit,) = (one for one in ASSETS if one.kind is AssetKind.CIRCUIT)
    return _order(
        day,
        URGENT,
        kind=OrderKind.REPAIR,
        address=circuit.address(county),
        priority=1,
        wished=(_URGENT_FROM, _URGENT_UNTIL),
    ).model_copy(
        update={
            "customer_class": CustomerClass.KEY,
            "customer_id": circuit.customer_id,
            "source": OrderSource.MONITORING,
            "give_out": True,
        }
    )


def _order(
    day: date,
    number: int,
    *,
    kind: OrderKind,
    address: str,
    priority: int,
    wished: tuple[time, time] | None,
) -> OrderIn:
    return OrderIn(
        source=OrderSource.FRONT_END,
        reference=reference_of(day, number),
        kind=kind,
        priority=priority,
        customer_id=f"PER-TODAY-{number:02}",
        standard_address=address,
        wished=None if wished is None else _window(day, *wished),
        give_out=False,
    )


def _window(day: date, opens: time, closes: time) -> Window:
    return Window(opens_at=moment(day, opens), closes_at=moment(day, closes))


def moment(day: date, hour: time) -> datetime:
    """Return an hour of a day in the county."""
    return datetime.combine(day, hour, BUSINESS_ZONE)


@dataclass(frozen=True, slots=True)
class SampleAsset:
    """Something that is patrolled, on its own cycle or on that of the service levels."""

    asset_id: str
    kind: AssetKind
    grade: AssetGrade
    name_zh: str
    village: int
    """Its village, by the place in the county's list."""
    cycle: Cycle | None = None
    customer_id: str | None = None
    walked: bool = True
    """Somebody walks its rounds when they are due."""

    def address(self, county: County) -> str:
        """Return its standard address."""
        return f"{county.villages[self.village].code}0001"

    def given(self, county: County, from_day: date) -> AssetIn:
        """Return it as it is registered, from a day on."""
        return AssetIn(
            kind=self.kind,
            grade=self.grade,
            name_zh=self.name_zh,
            standard_address=self.address(county),
            centre_id=CENTRE,
            customer_id=self.customer_id,
            cycle=self.cycle,
            from_day=from_day,
        )


ASSETS = (
    SampleAsset("BS-001", AssetKind.BASE_STATION, AssetGrade.KEY, "县城基站", 5),
    SampleAsset("BS-002", AssetKind.BASE_STATION, AssetGrade.KEY, "新安镇基站", 90),
    SampleAsset(
        "BS-003",
        AssetKind.BASE_STATION,
        AssetGrade.ORDINARY,
        "南楼乡基站",
        160,
        cycle=Cycle(every="days", days=20),
    ),
    SampleAsset(
        "CIRCUIT-001",
        AssetKind.CIRCUIT,
        AssetGrade.AAA,
        "县医院专线",
        20,
        customer_id="ENT-key-account-001",
        walked=False,
    ),
)


def slots_booked(day: date) -> list[datetime]:
    """Return the slots that repairs get, the first of them until it is full."""
    full, other = time(10), time(14)
    return [moment(day, full)] * len(SHIFTS) + [moment(day, other)] * (APPOINTED - len(SHIFTS))


def name_of(county: County, order: Order) -> str:
    """Return what to call an order: its number, its kind, and the village."""
    number = (order.reference or "").rpartition("-")[2]
    where = next(
        (one.name for one in county.villages if order.standard_address.startswith(one.code)), "?"
    )
    for suffix in ("民委员会", "居", "村", "社区"):
        where = where.removesuffix(suffix)
    return f"{number} {_KINDS_ZH[order.kind]} {where}".strip()


_KINDS_ZH = {
    OrderKind.INSTALL: "装",
    OrderKind.MOVE: "移",
    OrderKind.DISMANTLE: "拆",
    OrderKind.REPAIR: "修",
    OrderKind.CHECK: "查",
    OrderKind.PATROL: "巡",
    OrderKind.CONSTRUCTION: "施工",
    OrderKind.COMMISSIONING: "调试",
}
