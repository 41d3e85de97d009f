"""A generated month of the sample county, with what a right booking of it must come to.

Pure and seeded. The base of the year before follows from the planned amounts by the growth the
sample's contract assumes, never from what the suite books.
"""

import json
import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from huaxiao.cli.sample.county import TERM_FROM, County
from huaxiao.shared.periods import Period, periods_from, shift
from huaxiao.shared.wire.contracts import BaseMonthIn

Event = dict[str, Any]
BSS = "/bss/130123"
BILLING = "/billing/130123"
ORDERS_WANTED = 120
PLANNED_SUBSCRIBERS = 10_000
MONTHS = 12

REVENUE_FEN_PER_SUBSCRIBER = {"C1": 2450, "C2": 1900, "C3": 1475, "G1": 1550, "C0": 125}
"""A month's net revenue by centre over all subscribers: the year's shares, 980 : 760 : …"""
MARKET_COST_PER_MILLE = {"C1": 175, "C2": 190, "C3": 220, "G1": 120, "C0": 158}
"""What market cost is of net revenue: margins 82.5, 81, 78, 88 and 84.2 %, together 82.4 %."""
GOAL_MARGIN = Fraction(82, 100)
REVENUE_YEARS = {
    "C1": (910, 980),
    "C2": (700, 760),
    "C3": (560, 590),
    "G1": (540, 620),
    "C0": (60, 50),
}
"""Revenue of the year before against the planned year."""
CASH_YEARS = (1150, 1270)
"""Net cash of the year before against the planned year: +10.43 %."""
PAY_FEN, PAY_FEN_YEAR_BEFORE = 662_500, 600_000
"""Average monthly pay of own staff: +10.42 %."""
EXACTLY_TEN_PERCENT_CENTRE = "C3"
"""Its pay grows by exactly a tenth, which does not meet "over 10 %"."""

_MIX = {
    "fixed:C1": 30, "fixed:C2": 23, "mobile:C1": 6, "mobile:C2": 8,
    "hall": 22, "district": 3, "online": 3, "listed": 4, "iot": 1,
}  # fmt: skip
_MARKET_KINDS = (
    ("commission", 40), ("channel_subsidy", 15), ("handset_subsidy", 15), ("advertising", 10),
    ("hall_rent", 8), ("vehicle", 5), ("office", 4), ("travel", 3),
)  # fmt: skip
_NETWORK_KINDS = (("tower_rent", 60), ("network_power", 40))
_NETWORK_PER_MILLE = 100
_OLD_SHARE, _TV_SHARE, _BUNDLE_SHARE, _TWO_ITEMS_SHARE, _UNPAID_SHARE = 0.95, 0.3, 0.5, 0.25, 0.03
_CONFLICTS, _NO_ADDRESS, _STICKY, _NO_DEVELOPER = 5, 8, 12, 3
_FIRST = date(2017, 11, 1)


@dataclass(frozen=True)
class Payroll:
    """A centre's pay of the month, own staff."""

    centre_id: str
    period: int
    pay_fen: int
    headcount: int


@dataclass(frozen=True)
class Expected:
    """What a right booking of the month comes to."""

    events: int
    billed_fen: int
    """Bill items, corrections and refunds: what revenue by centre must sum to."""
    revenue_fen: dict[str, int]
    cash_in_fen: int
    short_payments: tuple[str, ...]
    """Payments to a hall that did not reach the bank whole (NL-05)."""
    duplicates: int
    refused_forms: dict[str, int]
    """Events of a wrong form, by what is wrong."""
    other_bodies: int
    unknown_refunds: int
    planted: dict[str, tuple[str, ...]]
    """Subscriptions of each planted case."""
    orders: int
    mended_fen: dict[str, int]
    """What the mended event adds once it is replayed, by centre."""
    targets: dict[tuple[str, str], tuple[str, str]]
    """The plan's verdict and percent by centre (the county under the empty name) and target.

    Those of cash hold for the planned 10,000 subscribers; with fewer, pay outweighs cash, and the
    mended event moves a margin's hundredths.
    """


@dataclass(frozen=True)
class Sample:
    """A month of events in the order they arrive, and what belongs to it."""

    events: tuple[Event, ...]
    payroll: tuple[Payroll, ...]
    base: dict[str, tuple[BaseMonthIn, ...]]
    """Base months by contracted centre; the county's under the empty name."""
    mended: Event
    """The right form of the first wrong event, for replay."""
    expected: Expected


@dataclass
class _Subscription:
    subscription_id: str
    customer_id: str
    product: str
    owner: str
    opened: Event
    bills: list[Event] = field(default_factory=list)


class _Month:
    def __init__(self, county: County, seed: int, subscribers: int) -> None:
        self.county = county
        self.random = random.Random(seed)  # noqa: S311 - reproducible, not secret
        self.subscribers = subscribers
        self.numbers: dict[str, int] = {}
        self.subscriptions: list[_Subscription] = []
        self.bundles: list[Event] = []
        self.changes: list[Event] = []
        self.planted: dict[str, list[str]] = {}
        self.villages = {one: county.villages_of(one) for one in ("C1", "C2")}
        self.listed = [c for one in county.fields for c, _ in one.customers]

    def number(self, prefix: str) -> str:
        self.numbers[prefix] = self.numbers.get(prefix, 0) + 1
        return f"{prefix}-{self.numbers[prefix]:06}"

    def event(self, kind: str, subject: str, data: Event, *, day: date, source: str) -> Event:
        return {
            "specversion": "1.0",
            "id": self.number("E"),
            "source": source,
            "type": kind,
            "time": f"{day.isoformat()}T10:00:00+08:00",
            "branchid": self.county.branch_id,
            "subject": subject,
            "data": {name: value for name, value in data.items() if value is not None},
        }

    def day(self) -> date:
        return _FIRST + timedelta(days=self.random.randrange(30))

    def open(self, owner: str, product: str, customer: str, **given: Any) -> _Subscription:
        number = self.number("S")
        old = self.random.random() < _OLD_SHARE
        opened_on = _FIRST - timedelta(days=self.random.randrange(30, 1500)) if old else _FIRST
        data = {
            "subscription_id": number,
            "customer_id": customer,
            "product": product,
            "opened_on": opened_on.isoformat(),
            **given,
        }
        event = self.event("subscription.opened", number, data, day=opened_on, source=BSS)
        made = _Subscription(number, customer, product, owner, event)
        self.subscriptions.append(made)
        return made

    def address(self, centre_id: str) -> str:
        village = self.random.choice(self.villages[centre_id])
        return f"{village}{self.random.randrange(1, 1000):04}"

    def household(self, centre_id: str) -> None:
        customer = self.number("PER")
        address = self.address(centre_id)
        resource = f"OLT-{address[:9]}-{self.random.randrange(1, 17)}"
        hall = self.random.choice(("HALL-1", "HALL-2", f"AGENT-{centre_id}-01"))
        fixed = {"standard_address": address, "resource_address": resource, "channel_id": hall}
        line = self.open(centre_id, "broadband", customer, **fixed)
        members = [line]
        if self.random.random() < _TV_SHARE:
            members.append(self.open(centre_id, "tv", customer, **fixed))
        sticky = len(self.planted.get("sticky", [])) < _STICKY
        if sticky or self.random.random() < _BUNDLE_SHARE:
            members.append(self.open(centre_id, "mobile", customer, channel_id=hall))
            self.bundle(members, sticky=sticky)

    def bundle(self, members: list[_Subscription], *, sticky: bool) -> None:
        bundle = self.number("B")
        day = _FIRST - timedelta(days=20)
        ids = [one.subscription_id for one in members]
        data = {"bundle_id": bundle, "effective_on": day.isoformat(), "subscription_ids": ids}
        self.bundles.append(self.event("bundle.formed", bundle, data, day=day, source=BSS))
        if sticky:
            self.planted.setdefault("sticky", []).append(ids[-1])
            left = {"bundle_id": bundle, "effective_on": "2017-11-10", "subscription_ids": ids[:-1]}
            self.changes.append(
                self.event("bundle.changed", bundle, left, day=date(2017, 11, 10), source=BSS)
            )

    def subscriber(self, kind: str) -> None:
        name, _, centre = kind.partition(":")
        customer = self.number("PER") if name not in {"fixed", "listed", "iot"} else ""
        if name == "fixed":
            self.household(centre)
        elif name == "mobile":
            agent = f"AGENT-{centre}-{self.random.randrange(1, 11):02}"
            self.open(centre, "mobile", customer, channel_id=agent)
        elif name == "hall":
            hall = self.random.choice(("HALL-1", "HALL-2"))
            self.open("C3", "mobile", customer, channel_id=hall, developer_id="P05")
        elif name == "district":
            self.open("C1", "mobile", customer, channel_id="DISTRICT-1")
        elif name == "online":
            self.open("C0", "mobile", customer, channel_id="ONLINE-1")
        else:
            product = "iot" if name == "iot" else self.random.choice(("leased_line", "broadband"))
            centre = self.random.choice(("C1", "C2"))
            self.open(
                "G1",
                product,
                self.random.choice(self.listed),
                customer_kind="enterprise",
                standard_address=None if name == "iot" else self.address(centre),
                account_manager_id=self.random.choice(("P13", "P14", "P15")),
            )

    def plant(self) -> None:
        conflict = self.villages["C1"][0]
        elsewhere = f"OLT-{self.villages['C2'][0][:9]}-1"
        for _ in range(_CONFLICTS):
            made = self.open(
                "C1",
                "broadband",
                self.number("PER"),
                standard_address=f"{conflict}0001",
                resource_address=elsewhere,
            )
            self.planted.setdefault("address_conflict", []).append(made.subscription_id)
        for _ in range(_NO_ADDRESS):
            made = self.open("C0", "broadband", self.number("PER"))
            self.planted.setdefault("no_address", []).append(made.subscription_id)
        for _ in range(_NO_DEVELOPER):
            made = self.open("C0", "leased_line", self.number("PER"), customer_kind="enterprise")
            self.planted.setdefault("circuit_no_developer", []).append(made.subscription_id)
        disputed = self.open(
            "G1",
            "broadband",
            self.listed[0],
            customer_kind="enterprise",
            standard_address=f"{conflict}0002",
            channel_id="AGENT-C1-01",
            developer_id="P02",
        )
        self.planted["listed_dispute"] = [disputed.subscription_id]
        moving = self.open(
            "C1", "broadband", self.number("PER"), standard_address=f"{conflict}0003"
        )
        self.planted["moved"] = [moving.subscription_id]
        data = {
            "subscription_id": moving.subscription_id,
            "effective_on": "2017-11-15",
            "standard_address": f"{self.villages['C2'][0]}0003",
        }
        self.changes.append(
            self.event(
                "subscription.moved", moving.subscription_id, data,
                day=date(2017, 11, 15), source=BSS,
            )
        )  # fmt: skip

    def bill(self) -> None:
        """Issue the month's bill items, so that each centre comes to its planned revenue."""
        for owner, per_subscriber in REVENUE_FEN_PER_SUBSCRIBER.items():
            items = [
                (one, kind)
                for one in self.subscriptions
                if one.owner == owner
                for kind in (
                    ("monthly", "usage")
                    if self.random.random() < _TWO_ITEMS_SHARE
                    else ("monthly",)
                )
            ]
            weights = [self.random.randrange(60, 140) for _ in items]
            amounts = split(per_subscriber * self.subscribers, weights)
            for (one, kind), amount in zip(items, amounts, strict=True):
                number = self.number("BI")
                data = {
                    "bill_item_id": number,
                    "subscription_id": one.subscription_id,
                    "period": TERM_FROM,
                    "item_kind": kind,
                    "amount_fen": amount,
                    "tax_fen": amount * 6 // 100,
                }
                day = date(2017, 11, 30)
                one.bills.append(
                    self.event("bill_item.issued", number, data, day=day, source=BILLING)
                )

    def payments(self) -> list[Event]:
        made: list[Event] = []
        halls = 0
        for one in self.subscriptions:
            if self.random.random() < _UNPAID_SHARE:
                continue
            number = self.number("PAY")
            due = sum(b["data"]["amount_fen"] + b["data"]["tax_fen"] for b in one.bills)
            data = {"payment_id": number, "subscription_id": one.subscription_id, "amount_fen": due}
            if one.owner == "C3":
                # One hall payment in 500 never reaches the bank whole (NL-05).
                short = due // 2 if halls % 500 == 0 else 0
                halls += 1
                hall = one.opened["data"]["channel_id"]
                data |= {"channel_id": hall, "remitted_fen": due - short}
            made.append(
                self.event("payment.received", number, data, day=date(2017, 11, 30), source=BILLING)
            )
        return made

    def refunds(self) -> list[Event]:
        billed = [one for one in self.subscriptions if one.bills]
        made = []
        for one in self.random.sample(billed, self.subscribers // 50):
            item = one.bills[0]["data"]
            number = self.number("R")
            data = {
                "refund_id": number,
                "bill_item_id": item["bill_item_id"],
                "amount_fen": max(1, item["amount_fen"] // 10),
            }
            made.append(
                self.event("refund.issued", number, data, day=date(2017, 11, 30), source=BILLING)
            )
        return made

    def costs(self, revenue: dict[str, int]) -> list[Event]:
        made = []
        for owner, net in revenue.items():
            groups = (
                (net * MARKET_COST_PER_MILLE[owner] // 1000, _MARKET_KINDS),
                (net * _NETWORK_PER_MILLE // 1000, _NETWORK_KINDS),
            )
            for total, kinds in groups:
                amounts = split(total, [weight for _, weight in kinds])
                for (kind, _), amount in zip(kinds, amounts, strict=True):
                    data = {
                        "kind": kind,
                        "period": TERM_FROM,
                        "amount_fen": amount,
                        "centre_id": owner,
                    }
                    for step in ("cost.incurred", "cost.paid"):
                        number = self.number("K")
                        made.append(
                            self.event(
                                step,
                                number,
                                {"cost_id": number} | data,
                                day=date(2017, 11, 28),
                                source=BILLING,
                            )
                        )
        return made

    def work(self) -> list[Event]:
        fixed = [one for one in self.subscriptions if "standard_address" in one.opened["data"]]
        enterprise = [one for one in fixed if one.customer_id in set(self.listed)]
        public = [one for one in fixed if one.customer_id not in set(self.listed)]
        wanted = min(ORDERS_WANTED, len(fixed))
        keys = min(wanted // 4, len(enterprise))
        chosen = self.random.sample(enterprise, keys)
        chosen += self.random.sample(public, min(wanted - keys, len(public)))
        made = []
        for one in chosen:
            number = self.number("WO")
            day = _FIRST + timedelta(days=self.random.randrange(25))
            listed = one.customer_id in set(self.listed)
            data = {
                "order_id": number,
                "kind": self.random.choice(("install", "repair", "repair", "move", "check")),
                "customer_class": "key" if listed else "public",
                "customer_id": one.customer_id,
                "standard_address": one.opened["data"]["standard_address"],
                "requested_at": f"{day.isoformat()}T09:00:00+08:00",
                "subscription_id": one.subscription_id,
            }
            made.append(self.event("work.requested", number, data, day=day, source=BSS))
        return made


def generate(county: County, seed: int, subscribers: int = PLANNED_SUBSCRIBERS) -> Sample:
    """Generate November 2017 for a county: the same seed gives the same month, byte for byte."""
    month = _Month(county, seed, subscribers)
    kinds = month.random.choices(list(_MIX), list(_MIX.values()), k=subscribers)
    for kind in kinds:
        month.subscriber(kind)
    month.plant()
    month.bill()
    bills = [bill for one in month.subscriptions for bill in one.bills]
    opened = [one.opened for one in month.subscriptions]
    payments, refunds = month.payments(), month.refunds()
    revenue = _net_revenue(month.subscriptions, refunds)
    costs, work = month.costs(revenue), month.work()
    right = [*opened, *month.bundles, *month.changes, *bills, *payments, *refunds, *costs, *work]
    wrong, refused, mended = _wrong(month, bills)
    duplicates = month.random.sample(right, max(1, len(right) // 500))
    other_bodies = [
        one | {"data": one["data"] | {"amount_fen": one["data"]["amount_fen"] + 1}}
        for one in month.random.sample(payments, max(1, len(payments) // 1000))
    ]
    late = month.random.sample(opened, max(1, len(opened) // 250))
    late_ids = {one["id"] for one in late}
    arriving = [one for one in right if one["id"] not in late_ids]
    events = (*arriving, *late, *wrong, *duplicates, *other_bodies)
    cash_in = sum(one["data"]["amount_fen"] for one in payments)
    payroll = _payroll(county)
    paid_out = _paid_out(county, costs, payroll)
    unknown_refunds = refused.pop("unknown_refund")
    return Sample(
        events=events,
        payroll=payroll,
        base=_base(county, month.subscriptions, revenue, payments, refunds, paid_out, payroll),
        mended=mended,
        expected=Expected(
            events=len(events),
            billed_fen=sum(revenue.values()),
            revenue_fen=revenue,
            cash_in_fen=cash_in,
            short_payments=tuple(
                one["data"]["payment_id"]
                for one in payments
                if one["data"].get("remitted_fen", one["data"]["amount_fen"])
                < one["data"]["amount_fen"]
            ),
            duplicates=len(duplicates),
            refused_forms=refused,
            other_bodies=len(other_bodies),
            unknown_refunds=unknown_refunds,
            planted={name: tuple(ids) for name, ids in month.planted.items()},
            orders=len(work),
            mended_fen={
                next(one.owner for one in month.subscriptions if one.bills): mended["data"][
                    "amount_fen"
                ]
            },
            targets=_planned_targets(),
        ),
    )


def _planned_targets() -> dict[tuple[str, str], tuple[str, str]]:
    """Judge the plan's own figures, none of the suite's."""
    whole = sum(REVENUE_FEN_PER_SUBSCRIBER.values())
    market = sum(
        REVENUE_FEN_PER_SUBSCRIBER[one] * MARKET_COST_PER_MILLE[one]
        for one in REVENUE_FEN_PER_SUBSCRIBER
    )
    cost = {one: Fraction(MARKET_COST_PER_MILLE[one], 1000) for one in ("C1", "C2", "C3", "G1")}
    planned = {
        (unit, "market_gross_margin"): (_verdict(1 - share >= GOAL_MARGIN), _percent(1 - share))
        for unit, share in ({"": Fraction(market, 1000 * whole)} | cost).items()
    }
    before, now = CASH_YEARS
    cash, pay = Fraction(now, before) - 1, Fraction(PAY_FEN, PAY_FEN_YEAR_BEFORE) - 1
    tenth = Fraction(1, 10)
    planned["", "cash_flow_growth"] = _verdict(cash >= tenth), _percent(cash)
    planned["", "average_wage_growth"] = _verdict(pay > tenth), _percent(pay)
    # Exactly 10 % is not "more than 10 %".
    planned[EXACTLY_TEN_PERCENT_CENTRE, "average_wage_growth"] = (
        "fail",
        _percent(tenth),
    )
    return planned


def _percent(ratio: Fraction) -> str:
    hundredths = int(ratio * 10_000 + Fraction(1, 2))
    return f"{hundredths // 100}.{hundredths % 100:02} %"


def _verdict(held: bool) -> str:  # noqa: FBT001 - the verdict on a condition
    return "pass" if held else "fail"


def split(total: int, weights: list[int]) -> list[int]:
    """Divide an amount by weights, to the fen: the parts sum to it exactly."""
    if not weights:
        return []
    whole, running, given = sum(weights), 0, 0
    parts = []
    for weight in weights:
        running += weight
        upto = total * running // whole
        parts.append(upto - given)
        given = upto
    return parts


def _net_revenue(
    subscriptions: Iterable[_Subscription], refunds: Iterable[Event]
) -> dict[str, int]:
    revenue = dict.fromkeys(REVENUE_FEN_PER_SUBSCRIBER, 0)
    owner_of = {}
    for one in subscriptions:
        for bill in one.bills:
            revenue[one.owner] += bill["data"]["amount_fen"]
            owner_of[bill["data"]["bill_item_id"]] = one.owner
    for refund in refunds:
        revenue[owner_of[refund["data"]["bill_item_id"]]] -= refund["data"]["amount_fen"]
    return revenue


def _wrong(month: _Month, bills: list[Event]) -> tuple[list[Event], dict[str, int], Event]:
    """Make events that must be refused, one of them mended for replay."""
    count = max(1, month.subscribers // 200)
    wrong: list[Event] = []
    template = bills[0]["data"]

    def bill(**changed: Any) -> Event:
        number = month.number("BX")
        data = template | {"bill_item_id": number} | changed
        day = date(2017, 11, 30)
        return month.event("bill_item.issued", number, data, day=day, source=BILLING)

    for _ in range(count):
        wrong.append(bill(amount_fen=12.5))
        incomplete = bill()
        del incomplete["data"]["subscription_id"]
        wrong.extend((incomplete, bill(period=201713)))
        wrong.append(bill() | {"type": "bill_item.guessed"})
    refund_count = max(1, count // 2)
    for _ in range(refund_count):
        number = month.number("RX")
        data = {"refund_id": number, "bill_item_id": f"NONE-{number}", "amount_fen": 100}
        day = date(2017, 11, 30)
        wrong.append(month.event("refund.issued", number, data, day=day, source=BILLING))
    refused = dict.fromkeys(("float_amount", "missing_field", "period_13", "unknown_type"), count)
    first = wrong[0]
    mended = json.loads(json.dumps(first))
    mended["data"]["amount_fen"] = 1250
    mended["data"]["tax_fen"] = 75
    return wrong, refused | {"unknown_refund": refund_count}, mended


def _payroll(county: County) -> tuple[Payroll, ...]:
    heads = {one.centre_id: county.own_headcount(one.centre_id) for one in county.centres}
    heads = {centre_id: count for centre_id, count in heads.items() if count}
    flat = heads[EXACTLY_TEN_PERCENT_CENTRE] * PAY_FEN_YEAR_BEFORE * 11 // 10
    others = [centre_id for centre_id in heads if centre_id != EXACTLY_TEN_PERCENT_CENTRE]
    rest = split(sum(heads.values()) * PAY_FEN - flat, [heads[one] for one in others])
    pay = dict(zip(others, rest, strict=True)) | {EXACTLY_TEN_PERCENT_CENTRE: flat}
    return tuple(Payroll(one, TERM_FROM, pay[one], heads[one]) for one in heads)


def _paid_out(county: County, costs: Iterable[Event], payroll: Iterable[Payroll]) -> dict[str, int]:
    out = {one.centre_id: 0 for one in county.centres}
    for cost in costs:
        if cost["type"] == "cost.paid":
            out[cost["data"]["centre_id"]] += cost["data"]["amount_fen"]
    for paid in payroll:
        out[paid.centre_id] += paid.pay_fen
    return out


def _base(
    county: County,
    subscriptions: Iterable[_Subscription],
    revenue: dict[str, int],
    payments: Iterable[Event],
    refunds: Iterable[Event],
    paid_out: dict[str, int],
    payroll: Iterable[Payroll],
) -> dict[str, tuple[BaseMonthIn, ...]]:
    owner_of = {one.subscription_id: one.owner for one in subscriptions}
    owner_of_item = {
        bill["data"]["bill_item_id"]: one.owner for one in subscriptions for bill in one.bills
    }
    cash_in = dict.fromkeys(paid_out, 0)
    cash_out = dict(paid_out)
    for payment in payments:
        cash_in[owner_of[payment["data"]["subscription_id"]]] += payment["data"]["amount_fen"]
    for refund in refunds:
        owner = owner_of_item[refund["data"]["bill_item_id"]]
        cash_out[owner] += refund["data"]["amount_fen"]
    heads = {one.centre_id: one.headcount for one in payroll}
    before, now = CASH_YEARS
    rows: dict[str, dict[str, int]] = {}
    for one in county.centres:
        centre_id = one.centre_id
        was, plan = REVENUE_YEARS.get(centre_id, (1, 1))
        earned = revenue.get(centre_id, 0) * was // plan
        rows[centre_id] = {
            "revenue_fen": earned,
            "market_cost_fen": earned * MARKET_COST_PER_MILLE.get(centre_id, 0) // 1000,
            "cash_in_fen": cash_in[centre_id] * before // now,
            "cash_out_fen": cash_out[centre_id] * before // now,
            "pay_fen": heads.get(centre_id, 0) * PAY_FEN_YEAR_BEFORE,
            "headcount": heads.get(centre_id, 0),
        }
    rows[""] = {name: sum(row[name] for row in rows.values()) for name in rows["C1"]}
    first = shift(Period(TERM_FROM), -MONTHS)
    periods = list(periods_from(first, shift(first, MONTHS - 1)))
    contracted = {one.centre_id or "" for one in county.contracts}
    return {
        centre_id: tuple(BaseMonthIn(period=period, **row) for period in periods)
        for centre_id, row in rows.items()
        if centre_id in contracted
    }
