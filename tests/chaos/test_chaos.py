"""The quick run of ``make chaos``, by one seed; and one of its seeded bugs, to know that it sees."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.chaos_run import run
from support.suite import reachable

from huaxiao.cli import embedded
from huaxiao.cli.suite import Keys

pytestmark = pytest.mark.slow

SEED = int(os.environ.get("CHAOS_SEED", "1"))
SECONDS = 12.0
KINDS = 7


@pytest.fixture(scope="module")
def own_postgres(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[embedded.EmbeddedPostgres]:
    """Return a server that only this module uses, and may kill."""
    postgres = embedded.start(reachable(tmp_path_factory.mktemp("chaos")))
    yield postgres
    postgres.stop()


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
