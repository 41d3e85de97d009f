"""How fast figures are asked, and how fast the feeds behind them are caught up with.

``KPI_ENTRIES`` says how many entries are caught up with; a million if it does not.
"""

import asyncio
import itertools
import os
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from statistics import median, quantiles
from urllib.parse import quote

import asyncpg

from bench.measuring import Figure, Size, Suite, Wire, figure, tell, timed
from huaxiao.kpi.tables import positions
from huaxiao.kpi.worker import apply_attribution
from huaxiao.shared.auth import Role
from huaxiao.shared.background import beside
from huaxiao.shared.clients.base import ServiceClient
from huaxiao.shared.database import Database
from huaxiao.shared.feed import Follower
from huaxiao.shared.web import spare_collector

FIRST_BRANCH = 200_001
CLIENTS = 32
ENTRIES_FOR_EACH_EVENT = 50
_PERIODS = """
    SELECT to_char(date '2015-11-01' + make_interval(months => n), 'YYYYMM')::int AS period
    FROM generate_series(0, 35) AS n
"""
FILL = (
    (
        "INSERT INTO kpi.branches (branch_id, name_zh, default_centre_id, position, known_at)"
        " SELECT b, '县分公司', 'C0', 1, now() FROM generate_series($1::int, $2::int) AS b"
    ),
    (
        "INSERT INTO kpi.centres (branch_id, centre_id, name, name_zh, position, known_at)"
        " SELECT b, 'C' || c, 'Centre', '营服中心', c + 2, now()"
        " FROM generate_series($1::int, $2::int) AS b, generate_series(0, 11) AS c"
    ),
    (
        "INSERT INTO kpi.contracts (branch_id, contract_id, centre_id, term_from, term_to, position,"
        " known_at) SELECT b, 'CT-' || c, CASE WHEN c < 12 THEN 'C' || c END, 201711, 201810, c, now()"
        " FROM generate_series($1::int, $2::int) AS b, generate_series(0, 12) AS c"
    ),
    (
        "INSERT INTO kpi.base_months (branch_id, contract_id, period, revenue_fen, market_cost_fen,"
        " cash_in_fen, cash_out_fen, pay_fen, headcount, position, known_at)"
        " SELECT b, 'CT-' || c, period, 1000000, 170000, 900000, 400000, 100000, 4, c, now()"
        f" FROM generate_series($1::int, $2::int) AS b, generate_series(0, 12) AS c, ({_PERIODS}) AS p"
        " WHERE period BETWEEN 201611 AND 201710"
    ),
    (
        "INSERT INTO kpi.places (branch_id, person_id, from_day, centre_id, own_staff, position, known_at)"
        " SELECT b, 'P' || n, '2015-01-01', 'C' || n % 12, true, n, now()"
        " FROM generate_series($1::int, $2::int) AS b, generate_series(1, 36) AS n"
    ),
    (
        "INSERT INTO kpi.closed_periods (branch_id, period, position, known_at)"
        f" SELECT b, period, 1, now() FROM generate_series($1::int, $2::int) AS b, ({_PERIODS}) AS p"
    ),
    (
        "INSERT INTO kpi.measures (branch_id, centre_id, period, measure, amount)"
        " SELECT b, 'C' || c, period, m, CASE WHEN m IN ('revenue', 'cash.out.commission')"
        " THEN -100000 WHEN m ~ 'head' THEN 3 ELSE 7000 END"
        f" FROM generate_series($1::int, $2::int) AS b, generate_series(0, 11) AS c, ({_PERIODS}) AS p,"
        " unnest(ARRAY['revenue', 'refunds', 'adjustments', 'bad_debt', 'tax', 'receivable', 'payable',"
        " 'cash.in', 'cash.out.commission', 'cash.out.hall_rent', 'cost.commission', 'cost.hall_rent',"
        " 'cost.advertising', 'cost.tower_rent', 'cost.office', 'pay', 'headcount.start',"
        " 'headcount.end', 'orders.done', 'orders.on_time', 'orders.late', 'tickets.complaint']) AS m"
    ),
    (
        "INSERT INTO kpi.feed_positions (branch_id, source, position)"
        " SELECT b, s, 100 FROM generate_series($1::int, $2::int) AS b,"
        " unnest(ARRAY['/contracts', '/attribution', '/dispatch']) AS s"
    ),
)
FILL_HISTORY = (
    (
        "INSERT INTO kpi.measure_changes (branch_id, source, position, line, known_at, centre_id,"
        " field_id, period, measure, amount) SELECT branch_id, '/attribution',"
        " row_number() OVER (PARTITION BY branch_id ORDER BY period, centre_id, measure), 1, now(),"
        " centre_id, NULL, period, measure, amount"
        " FROM kpi.measures WHERE branch_id BETWEEN $1 AND $2"
    ),
    (
        "INSERT INTO kpi.unit_targets (branch_id, target_id, measure, centre_id, from_period,"
        " to_period, value, direction, source, drafted_by, drafted_at)"
        " SELECT b, 'T' || c, 'net_revenue', CASE WHEN c < 12 THEN 'C' || c END, 201711, 201810,"
        " 1000000, 'higher', 'circular', 'bench', now()"
        " FROM generate_series($1::int, $2::int) AS b, generate_series(0, 12) AS c"
    ),
    (
        "INSERT INTO kpi.unit_target_confirmations (branch_id, target_id, confirmed_by, confirmed_at)"
        " SELECT branch_id, target_id, 'bench:second', now()"
        " FROM kpi.unit_targets WHERE branch_id BETWEEN $1 AND $2"
    ),
)
REPORTS = (
    *(
        f"{what}?period=201810&span={span}"
        for what in ("targets", "figures")
        for span in ("month", "year_to_date", "rolling_twelve_months")
    ),
    "comparisons?period=201810&measure=net_revenue",
    "comparisons?period=201810&figure=market_gross_margin&span=rolling_twelve_months",
    "back-cast?period=201810&span=year_to_date",
    "contributions?period=201810&figure=net_cash&span=year_to_date",
    "progress?period=201810",
    "restatements?since=2017-01-01T00:00:00Z&period=201810",
    "measures?period=201810&limit=500",
    "forecasts?period=201807",
    "alerts",
)
"""What a dashboard asks of a county."""
AS_KNOWN = (
    "targets?period=201810&span=rolling_twelve_months&known_at=",
    "comparisons?period=201810&measure=net_revenue&known_at=",
    "measures?period=201810&limit=500&known_at=",
)
"""The same, as it was known at a moment."""
TELL = """
    INSERT INTO attribution.feed_entries (branch_id, position, type, subject, occurred_at, data)
    SELECT b, n, 'attribution.balances.changed', 'balances', now() - make_interval(secs => $3 - n),
        jsonb_build_object('changes', (
            SELECT jsonb_agg(jsonb_build_object(
                'centre_id', 'C' || n % 12, 'field_id', 'F' || n % 60, 'account', account,
                'period', 201711 + n * 2 / ($3 + 1), 'amount_fen', amount))
            FROM (VALUES ('revenue', -5000), ('receivable', 5300), ('tax', -300))
                AS changed (account, amount)))
    FROM generate_series($1::int, $2::int) AS b, generate_series(1, $3::int) AS n
"""
DECIDE = """
    INSERT INTO kpi.decisions (branch_id, count)
    SELECT b, 1 FROM generate_series($1::int, $2::int) AS b
    ON CONFLICT (branch_id) DO UPDATE SET count = decisions.count + 1
"""
COPIED = "CREATE TABLE copied_changes (LIKE kpi.measure_changes INCLUDING ALL)"


async def kpi_dashboard(suite: Suite, size: Size) -> Figure:
    """Ask for the reports of 100 counties as 32 clients do, each as soon as it has an answer.

    Each report has been asked once before, and nothing has become known since. Told beside the
    figure: the same while something becomes known of one county after another, each second; and what
    reports take to be made, for one client, and for 32 when all are to be made anew at once.
    """
    counties = max(2, size.subscribers // 100)
    branches = (FIRST_BRANCH, FIRST_BRANCH + counties - 1)
    await _execute(suite, [(one, branches) for one in (*FILL, *FILL_HISTORY)])
    await _execute(suite, [("ANALYZE", ())])
    known_at = quote(datetime.now(UTC).isoformat())
    asked = [*REPORTS, *(f"{one}{known_at}" for one in AS_KNOWN)]
    reports = [
        f"/v1/branches/{branch_id}/{one}"
        for branch_id in range(FIRST_BRANCH, FIRST_BRANCH + counties)
        for one in asked
    ]
    async with Wire(suite.processes["kpi"].url, _headers(suite)) as wire:
        made = [1000 * await timed(wire.ask("GET", report)) for report in reports]
    chance = random.Random(1)
    took, ratios = [], []
    for _ in range(max(1, size.runs // 2)):
        found = await _p99(suite, lambda: chance.choice(reports), size)
        empty = await _p99(suite, lambda: "/healthz", size)
        took.append(found)
        ratios.append(found / empty)
        tell(f"kpi_dashboard: p99 {found:.1f} ms, {empty:.1f} ms looking nothing up")
    async with beside(_move_one_after_another(suite, branches)):
        moving = await _p99(suite, lambda: chance.choice(reports), size)
    tell(f"kpi_dashboard: p99 {moving:.1f} ms while a county's figures move each second")
    await _execute(suite, [(DECIDE, branches)])
    anew = await _each_once(suite, chance.sample(reports, len(reports)))
    of_each = sorted(
        (median(made[place :: len(asked)]), one.partition("?")[0])
        for place, one in enumerate(asked)
    )
    tell(
        f"kpi_dashboard: made for one client in {median(made):.1f} ms, from {of_each[0]} to"
        f" {of_each[-1]}; made anew for {CLIENTS}: median {median(anew):.0f} ms,"
        f" p99 {quantiles(anew, n=100)[-1]:.0f} ms, {len(anew)} reports"
    )
    against = f"p99 of an answer that looks nothing up, {CLIENTS} clients"
    return figure("kpi_dashboard", took, "ms", against=against, ratios=ratios)


async def _move_one_after_another(suite: Suite, branches: tuple[int, int]) -> None:
    for branch_id in itertools.cycle(range(branches[0], branches[1] + 1)):
        await _execute(suite, [(DECIDE, (branch_id, branch_id))])
        await asyncio.sleep(1)


def _headers(suite: Suite) -> dict[str, str]:
    token = suite.keys.issuer().token("bench", roles=[Role.PROVINCE], branch_ids=None)
    return {"Authorization": f"Bearer {token}"}


async def _p99(suite: Suite, path: Callable[[], str], size: Size) -> float:
    each = max(3, size.subscribers // 100)
    took = await _asked(suite, [[path() for _ in range(each)] for _ in range(CLIENTS)])
    return quantiles(took, n=100)[-1]


async def _each_once(suite: Suite, paths: Sequence[str]) -> list[float]:
    return await _asked(suite, [paths[one::CLIENTS] for one in range(CLIENTS)])


async def _asked(suite: Suite, paths_of_clients: Sequence[Sequence[str]]) -> list[float]:
    """Return how many milliseconds each answer took, when clients ask at the same time."""
    took: list[float] = []

    async def client(paths: Sequence[str]) -> None:
        async with Wire(suite.processes["kpi"].url, _headers(suite)) as wire:
            took.extend([1000 * await timed(wire.ask("GET", path)) for path in paths])

    await asyncio.gather(*(client(one) for one in paths_of_clients))
    return took


async def kpi_catch_up(suite: Suite, size: Size) -> Figure:
    """Follow a million entries of 100 counties' ledgers; against COPY of the changes they tell."""
    counties = max(2, size.subscribers // 100)
    wanted = int(os.environ.get("KPI_ENTRIES", ENTRIES_FOR_EACH_EVENT * size.events))
    entries = max(1, wanted // counties)
    last = FIRST_BRANCH + counties - 1
    await _execute(suite, [(TELL, (FIRST_BRANCH, last, entries)), ("ANALYZE", ())])
    tell(f"kpi_catch_up: {counties * entries} entries stand in the feed")
    spare_collector()  # as a service does
    issuer = suite.keys.issuer()
    token = issuer.token("bench", roles=[Role.SERVICE], branch_ids=None)
    database = Database(suite.database.url("kpi"), service="kpi")
    url = suite.processes["attribution"].url
    try:
        async with ServiceClient(url, lambda: token) as reader:
            follower = Follower("/attribution", reader, apply_attribution, database, positions)
            took = await timed(
                asyncio.gather(*(follower.catch_up(one) for one in range(FIRST_BRANCH, last + 1)))
            )
    finally:
        await database.close()
    copied = await _copy(suite, range(FIRST_BRANCH, last + 1))
    tell(f"kpi_catch_up: {took:.1f} s, COPY alone {copied:.1f} s")
    return figure(
        "kpi_catch_up",
        [took],
        "s",
        against=f"COPY of the same changes into the same table, {Follower.batch} entries a commit",
        ratios=[took / copied],
    )


async def _copy(suite: Suite, branches: range) -> float:
    """Copy every branch's changes into a table of their kind, as many a commit as were followed."""
    connection = await asyncpg.connect(suite.database.url("postgres"))
    try:
        await connection.execute(COPIED)
        spent = 0.0
        for branch_id in branches:
            rows = await connection.fetch(
                "SELECT * FROM kpi.measure_changes WHERE branch_id = $1 ORDER BY position, line",
                branch_id,
            )
            parts: dict[int, list[asyncpg.Record]] = {}
            for row in rows:
                parts.setdefault((row["position"] - 1) // Follower.batch, []).append(row)
            for part in parts.values():
                spent += await timed(
                    connection.copy_records_to_table("copied_changes", records=part)
                )
        return spent
    finally:
        await connection.close()


async def _execute(suite: Suite, statements: list[tuple[str, tuple[int, ...]]]) -> None:
    connection = await asyncpg.connect(suite.database.url("postgres"))
    try:
        for statement, given in statements:
            await connection.execute(statement, *given)
    finally:
        await connection.close()
