from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from fastapi import FastAPI
from msgspec import structs
from support.kpi_feeds import (
    NOVEMBER,
    Peers,
    at,
    booked,
    centre,
    closed,
    contract,
    entry,
    finished,
    month,
    paid,
    person,
)

from huaxiao.kpi.worker import apply_attribution
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.clients.kpi import KpiClient
from huaxiao.shared.feed import FeedOutOfOrderError, Follower
from huaxiao.shared.wire import contracts
from huaxiao.shared.wire.feed import FeedEntry
from huaxiao.shared.wire.kpi import TargetName, Verdict
from huaxiao.shared.wire.kpi_history import FieldMeasure

Caller = Callable[..., KpiClient]
FIRST = datetime(2017, 12, 5, 8, tzinfo=UTC)
"""Later than all that the fixture's peers told."""


def day(number: int) -> datetime:
    return FIRST + timedelta(days=number)


async def test_every_figure_can_be_asked_as_it_was_known_at_a_moment(
    peers: Peers, caller: Caller
) -> None:
    manager = caller(Role.COUNTY_MANAGER)
    reports, measures = [], []
    for number, entries in enumerate(
        (
            [at(day(0), one) for one in NOVEMBER],
            [at(day(1), booked(201711, "C1", revenue=9_000, cost__commission=5_000))],
            [at(day(2), paid("C1", 201711, 66_000, 2, 2)), at(day(2), closed(201711))],
            [
                at(day(3), contract("CT-C2", "C2", {201611: month(cash_in=1, pay=1, headcount=1)})),
                at(day(3), centre("C4")),
                at(day(3), person("P03", "C4")),
            ],
            [at(day(4), booked(201711, "C2", revenue=-1))],
        )
    ):
        await peers.told(*entries)
        reports.append(await manager.targets(peers.branch_id, period=201711))
        measures.append(await manager.measures(peers.branch_id))
        then = day(number)
        for known, (report, held) in enumerate(zip(reports, measures, strict=True)):
            asked = then - timedelta(days=number - known)
            again = await manager.targets(peers.branch_id, period=201711, known_at=asked)
            assert again == report
            assert await manager.measures(peers.branch_id, known_at=asked) == held

    assert len({one.model_dump_json() for one in reports}) == len(reports)
    before = datetime(2017, 11, 1, tzinfo=UTC)
    with pytest.raises(PeerProblem) as unknown:
        await manager.targets(peers.branch_id, period=201711, known_at=before)
    assert unknown.value.code == "not-found"


async def test_a_moment_to_come_is_refused(peers: Peers, caller: Caller) -> None:
    manager = caller(Role.COUNTY_MANAGER)
    later = datetime.now(UTC) + timedelta(minutes=5)
    for asking in (
        manager.targets(peers.branch_id, period=201711, known_at=later),
        manager.measures(peers.branch_id, known_at=later),
        manager.field_measures(peers.branch_id, period=201711, known_at=later),
        manager.restatements(peers.branch_id, since=later),
        manager.restatements(peers.branch_id, since=FIRST, until=later),
    ):
        with pytest.raises(PeerProblem) as refused:
            await asking
        assert (refused.value.status, refused.value.code) == (409, "moment-to-come")


async def test_what_was_restated_since_is_told_by_how_much_and_by_which_entries(
    peers: Peers, caller: Caller
) -> None:
    manager = caller(Role.COUNTY_MANAGER)
    await peers.told(*(at(day(0), one) for one in NOVEMBER), at(day(0), closed(201711)))
    await peers.told(
        at(day(1), booked(201711, "C1", revenue=1_000, receivable=-1_000)),
        at(day(2), booked(201711, "C1", revenue=500)),
        at(day(2), paid("C2", 201711, 20_000, 1, 2)),
        at(day(3), booked(201712, "C1", revenue=-7)),
        at(day(4), booked(201712, "C1", revenue=7)),
    )

    found = await manager.restatements(peers.branch_id, since=day(0))

    shown = {(one.centre_id, one.period, one.measure): one for one in found}
    assert {key: (one.amount_before, one.amount) for key, one in shown.items()} == {
        ("C1", 201711, "receivable"): (123, -877),
        ("C1", 201711, "revenue"): (-300_000, -298_500),
        ("C1", 201712, "revenue"): (None, 0),
        # Pay and the heads at the start were stated as they were known.
        ("C2", 201711, "headcount.end"): (1, 2),
    }
    of_revenue = shown["C1", 201711, "revenue"]
    assert (of_revenue.change, of_revenue.period_was_closed) == (1_500, True)
    assert not shown["C1", 201712, "revenue"].period_was_closed
    assert [(one.source, one.position, one.known_at, one.amount) for one in of_revenue.changes] == [
        ("/attribution", 7, day(1), 1_000),
        ("/attribution", 8, day(2), 500),
    ]
    read = await peers.attribution.feed(peers.branch_id, after=6, limit=1)
    assert read[0].data["changes"][0]["amount_fen"] == 1_000

    between = await manager.restatements(
        peers.branch_id, since=day(0), until=day(1), centre_id="C1", measure="revenue"
    )
    assert [(one.amount, one.change) for one in between] == [(-299_000, 1_000)]
    assert await manager.restatements(peers.branch_id, since=day(4)) == []
    mine = await caller(Role.CONTRACTOR, ["C2"]).restatements(peers.branch_id, since=day(0))
    assert [one.centre_id for one in mine] == ["C2"]
    with pytest.raises(PeerProblem) as refused:
        await manager.restatements(peers.branch_id, since=day(1), until=day(0))
    assert refused.value.code == "moments-out-of-order"


async def test_of_many_changes_the_latest_are_shown_and_the_others_counted(
    peers: Peers, caller: Caller
) -> None:
    await peers.told(*(at(day(1), booked(201711, "C1", revenue=-one)) for one in range(1, 104)))

    (found,) = await caller(Role.AUDITOR).restatements(peers.branch_id, since=day(0))

    assert (len(found.changes), found.changes_omitted) == (100, 3)
    assert [one.amount for one in found.changes] == [-one for one in range(4, 104)]
    assert found.change == -sum(range(1, 104))


async def test_measures_are_kept_by_field_where_the_ledger_names_it(
    peers: Peers, caller: Caller
) -> None:
    def of_field(field_id: str, **amounts: int) -> FeedEntry:
        made = booked(201711, "C1", **amounts)
        for change in made.data["changes"]:
            change["field_id"] = field_id
        return made

    await peers.told(
        at(day(0), of_field("F1", revenue=-100)),
        at(day(1), of_field("F1", revenue=-20, tax=-2)),
        at(day(1), of_field("F2", revenue=-5)),
        at(day(1), booked(201711, "C1", revenue=-3)),
    )
    manager = caller(Role.COUNTY_MANAGER)

    def amounts(found: list[FieldMeasure]) -> dict[tuple[str, str], int]:
        return {(one.field_id, one.measure): one.amount for one in found}

    now = await manager.field_measures(peers.branch_id, period=201711)
    assert amounts(now) == {("F1", "revenue"): -120, ("F1", "tax"): -2, ("F2", "revenue"): -5}
    then = await manager.field_measures(peers.branch_id, period=201711, known_at=day(0))
    assert amounts(then) == {("F1", "revenue"): -100}
    (whole,) = (
        one
        for one in await manager.measures(peers.branch_id, period=201711)
        if one.measure == "revenue"
    )
    assert whole.amount == -128
    assert await manager.field_measures(peers.branch_id, period=201712) == []
    one_field = await manager.field_measures(peers.branch_id, period=201711, field_id="F2")
    assert amounts(one_field) == {("F2", "revenue"): -5}
    others = caller(Role.CONTRACTOR, ["C2"])
    assert await others.field_measures(peers.branch_id, period=201711) == []


class Shaken:
    """A feed as a bad line between delivers it: repeated, turned round, with holes, or silent."""

    def __init__(self, entries: list[FeedEntry]) -> None:
        self._entries = entries
        self.turn = 0

    async def feed(
        self, branch_id: int, *, after: int, limit: int, wait_ms: int
    ) -> list[FeedEntry]:
        self.turn += 1
        rest = self._entries[after:]
        match self.turn % 4:
            case 0:
                return []
            case 1:
                return [*self._entries[: after + 2], *reversed(rest[:3])]
            case 2:
                return rest[1:]
            case _:
                return list(reversed(rest[:2])) + rest[:2]


async def test_a_feed_that_repeats_turns_round_or_pauses_is_counted_exactly_once(
    peers: Peers, app: FastAPI, caller: Caller
) -> None:
    told = [booked(201711, "C1", revenue=-(2**one)) for one in range(20)]
    peers.attribution.publish(peers.branch_id, told)
    entries = await peers.attribution.feed(peers.branch_id, after=0)
    honest = peers.followers[1]
    shaken = Follower(
        "/attribution", Shaken(entries), apply_attribution, honest.database, honest.positions
    )

    done = refused = 0
    while done < len(entries):
        try:
            done += await shaken.step(peers.branch_id)
        except FeedOutOfOrderError:
            refused += 1

    assert refused > 0
    (found,) = await caller(Role.AUDITOR).measures(peers.branch_id)
    assert found.amount == -(2**20 - 1)
    (history,) = await caller(Role.AUDITOR).restatements(
        peers.branch_id, since=datetime(2017, 1, 1, tzinfo=UTC)
    )
    assert [one.position for one in history.changes] == list(range(1, 21))


async def test_a_verdict_that_turned_is_told_from_what_was_known(
    peers: Peers, caller: Caller
) -> None:
    await peers.told(*(at(day(0), one) for one in NOVEMBER))
    await peers.told(at(day(1), booked(201711, "C1", cost__commission=1)))
    manager = caller(Role.COUNTY_MANAGER)

    async def margin(known_at: datetime | None) -> Verdict:
        report = await manager.targets(peers.branch_id, period=201711, known_at=known_at)
        (found,) = (
            one for one in report.centres[1].targets if one.target is TargetName.MARKET_GROSS_MARGIN
        )
        return found.verdict

    assert [await margin(one) for one in (day(0), day(1), None)] == ["pass", "fail", "fail"]


async def test_orders_are_known_by_when_they_were_told(peers: Peers, caller: Caller) -> None:
    await peers.told(
        at(day(0), finished("O1", "C1", on_time=True)),
        at(day(1), finished("O2", "C1", on_time=False)),
    )
    manager = caller(Role.COUNTY_MANAGER)

    then = await manager.measures(peers.branch_id, known_at=day(0))

    assert {one.measure: one.amount for one in then} == {"orders.done": 1, "orders.on_time": 1}


async def test_facts_of_kinds_nobody_knows_yet_are_passed_over(
    peers: Peers, caller: Caller
) -> None:
    fact = booked(201711, "C1", revenue=-7)
    await peers.told(
        *(
            structs.replace(fact, type=f"{peer}.something.new")
            for peer in ("contracts", "attribution", "dispatch")
        ),
        fact,
    )
    found = await caller(Role.AUDITOR).measures(peers.branch_id)
    assert [(one.measure, one.amount) for one in found] == [("revenue", -7)]


async def test_books_of_a_branch_that_nobody_has_registered_yet_wait_for_it(
    app: FastAPI, branch_id: int, caller: Caller
) -> None:
    early, manager = Peers(app, branch_id), caller(Role.COUNTY_MANAGER)
    await early.told(booked(201711, "C1", revenue=-7), finished("O1", "C1", on_time=True))
    with pytest.raises(PeerProblem) as unknown:
        await manager.targets(branch_id, period=201711)
    assert unknown.value.status == 404

    registered = contracts.BranchRegistered(
        branch_id=branch_id, name_zh="云泽", default_centre_id="C0"
    )
    await early.told(entry(contracts.BRANCH_REGISTERED, registered))

    (first,) = (await manager.targets(branch_id, period=201711)).centres
    assert (first.centre_id, first.name) == ("C1", "C1")
    assert first.targets[0].display == "100.00 %"
