"""The quick run of ``make chaos``, by one seed; and one of its seeded bugs, to know that it sees."""

import os
from pathlib import Path

import pytest
from support.chaos_run import run

from huaxiao.cli import embedded
from huaxiao.cli.suite import Keys

pytestmark = pytest.mark.slow

SEED = int(os.environ.get("CHAOS_SEED", "1"))
SECONDS = 12.0
KINDS = 7


async def test_whatever_fails_nothing_is_lost_doubled_or_unbalanced(
    own_postgres: embedded.EmbeddedPostgres, keys: Keys, tmp_path: Path
) -> None:
    done = await run(own_postgres, keys, tmp_path, seed=SEED, seconds=SECONDS)

    assert done.found == [], done.log()
    assert done.trouble is not None
    assert done.work is not None
    assert len(done.trouble.had) == KINDS
    assert len(done.trouble.recovered) == done.trouble.had["database killed"]
    assert all((done.work.acknowledged, done.work.orders, done.work.done, done.work.looks))


async def test_a_run_sees_entries_that_are_missing_without_any_trouble(
    own_postgres: embedded.EmbeddedPostgres, keys: Keys, tmp_path: Path
) -> None:
    done = await run(own_postgres, keys, tmp_path, seed=SEED, seconds=0, bug="entry-dropped")

    assert any("ledger" in one for one in done.found), done.log()
