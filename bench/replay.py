"""How long other rules take over millions of records."""

import time

import asyncpg

from bench.measuring import Figure, Size, Suite, figure, open_the_county, tell, timed
from huaxiao.cli.sample.county import BRANCH_ID, TERM_FROM, TERM_TO, sample_county
from huaxiao.cli.sample.generator import generate
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.wire.attribution import OwnerSource, RuleSetIn, WhatIfIn

DEFAULT_RULES = "CN-UNICOM-COUNTY-v1"
RUNS = 3
FILL = """
    INSERT INTO attribution.entries (branch_id, number, period, origin_period, owner_period,
        centre_id, debit, credit, amount_fen, subscription_id, source, event_id, booked_at)
    SELECT branch_id, 1000000 + row_number() OVER (), period, period, period, 'C0', 'receivable',
        'revenue', 1000 + n, subscription_id, '/billing/bench', 'R-' || n, now()
    FROM attribution.subscriptions,
        unnest($1::integer[]) WITH ORDINALITY AS month(period, month),
        generate_series(1, $2::integer) AS n
"""
SUMS = """
    SELECT centre_id, owner_period, sum(amount_fen) FROM attribution.entries GROUP BY 1, 2
"""


async def replay_5m(suite: Suite, size: Size) -> Figure:
    """Decide a year of five million ledger records again under changed rules, for every centre.

    The records are put into the ledger directly: what is measured reads them, not how they came.
    """
    sample = generate(sample_county(), seed=1, subscribers=size.subscribers * 3)
    await open_the_county(suite, sample)
    months = [*range(TERM_FROM, 201713), *range(201801, TERM_TO + 1)]
    database = await asyncpg.connect(suite.database.url("postgres"))
    subscriptions = await database.fetchval("SELECT count(*) FROM attribution.subscriptions")
    each = max(1, size.events * 250 // (subscriptions * len(months)) + 1)
    await database.execute(FILL, months, each, timeout=600)
    await database.execute("ANALYZE attribution.entries")
    records = await database.fetchval("SELECT count(*) FROM attribution.entries")
    tell(f"{records:,} records of {subscriptions:,} subscriptions")
    token = suite.token(Role.COUNTY_MANAGER)
    url = suite.processes["attribution"].url
    took, ratios = [], []
    async with AttributionClient(url, lambda: token) as client:
        rules = (await client.rule_set(BRANCH_ID, DEFAULT_RULES)).model_dump(mode="json")
        given = RuleSetIn.model_validate(
            {name: rules[name] for name in ("title", "title_zh", "rules")}
        )
        kept = [one for one in given.rules if OwnerSource.CHANNEL_CENTRE not in one.owner]
        changed = given.model_copy(update={"rules": kept})
        asked = WhatIfIn(period=months[0], to_period=months[-1], rules=changed)
        for run in range(RUNS):
            started = time.perf_counter()
            answer = await client.what_if(BRANCH_ID, asked)
            took.append(time.perf_counter() - started)
            summed = await timed(database.execute(SUMS))
            ratios.append(took[-1] / summed)
            tell(
                f"run {run + 1}: {took[-1]:.1f} s, {answer.subscriptions:,} subscriptions decided,"
                f" {answer.moved:,} would move; summing the records takes {summed:.1f} s"
            )
    await database.close()
    against = f"PostgreSQL summing the {records:,} records by centre and month"
    return figure("replay_5m", took, "s", against=against, ratios=ratios)
