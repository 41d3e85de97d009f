"""How fast figures are asked, and how fast the feeds behind them are caught up with."""

import asyncio
import random
import time
from collections.abc import Callable
from statistics import median, quantiles

import asyncpg

from bench.measuring import Figure, Size, Suite, Wire, figure, tell, timed
from huaxiao.kpi.tables import positions
from huaxiao.kpi.worker import apply_attribution
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.base import ServiceClient
from huaxiao.shared.database import Database
from huaxiao.shared.feed import Follower

FIRST_BRANCH = 200_001
CLIENTS = 32
ENTRIES_FOR_EACH_EVENT = 50
FOLLOWED_AT_ONCE = 8
BATCH = 500
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
COPIED = "CREATE TABLE copied_changes (LIKE kpi.measure_changes INCLUDING ALL)"


async def kpi_dashboard(suite: Suite, size: Size) -> Figure:
    """Ask for the reports of 100 counties as 32 clients do, each as soon as it has an answer.

    Each report has been asked once before, and nothing has become known since: what a report takes
    to be made is told beside the figure.
    """
    counties = max(2, size.subscribers // 100)
    await _execute(suite, [(one, (FIRST_BRANCH, FIRST_BRANCH + counties - 1)) for one in FILL])
    await _execute(suite, [("ANALYZE", ())])
    reports = [
        f"/v1/branches/{branch}/{what}?period=201810&span={span}"
        for branch in range(FIRST_BRANCH, FIRST_BRANCH + counties)
        for span in ("month", "year_to_date", "rolling_twelve_months")
        for what in ("targets", "figures")
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
        tell(
            f"kpi_dashboard: p99 {found:.1f} ms, {empty:.1f} ms looking nothing up,"
            f" {median(made):.1f} ms to make a report for one client"
        )
    against = f"p99 of an answer that looks nothing up, {CLIENTS} clients"
    return figure("kpi_dashboard", took, "ms", against=against, ratios=ratios)


def _headers(suite: Suite) -> dict[str, str]:
    token = suite.keys.issuer().token("bench", roles=[Role.PROVINCE], branch_ids=None)
    return {"Authorization": f"Bearer {token}"}


async def _p99(suite: Suite, path: Callable[[], str], size: Size) -> float:
    took: list[float] = []

    async def client() -> None:
        async with Wire(suite.processes["kpi"].url, _headers(suite)) as wire:
            for _ in range(max(3, size.subscribers // 100)):
                started = time.perf_counter()
                await wire.ask("GET", path())
                took.append(1000 * (time.perf_counter() - started))

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return quantiles(took, n=100)[-1]


async def kpi_catch_up(suite: Suite, size: Size) -> Figure:
    """Follow a million entries of 100 counties' ledgers; against COPY of the changes they tell."""
    counties = max(2, size.subscribers // 100)
    entries = ENTRIES_FOR_EACH_EVENT * size.events // counties
    last = FIRST_BRANCH + counties - 1
    await _execute(suite, [(TELL, (FIRST_BRANCH, last, entries)), ("ANALYZE", ())])
    tell(f"kpi_catch_up: {counties * entries} entries stand in the feed")
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
        against=f"COPY of the same changes into the same table, {BATCH} entries a commit",
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
                parts.setdefault((row["position"] - 1) // BATCH, []).append(row)
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
