"""Make trouble for the suite, seed by seed: ``make chaos``; with bugs in it: ``make chaos-bugs``.

Every run has a database of its own on one PostgreSQL, which it kills. A seed that fails is printed
with every fault and its moment; the others are still run, and the end is 1. With bugs it is the other
way round: each has to be caught, and a run without any has to be clean.
"""

import argparse
import asyncio
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from support.bugs import BUGS
from support.chaos_run import Run, run
from support.suite import reachable

from huaxiao.cli import embedded
from huaxiao.cli.suite import Keys


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


class Runs:
    """Runs one after another on a PostgreSQL of their own."""

    def __init__(self, folder: Path, seconds: float) -> None:
        """Start the server."""
        self._folder, self._seconds = folder, seconds
        self._postgres = embedded.start(reachable(folder))
        self._keys = Keys.under(folder)

    def run(self, seed: int, bug: str = "") -> Run:
        """Run once."""
        logs = self._folder / f"{seed}-{bug}"
        logs.mkdir()
        running = run(self._postgres, self._keys, logs, seed=seed, seconds=self._seconds, bug=bug)
        try:
            return asyncio.run(running)
        except Exception as error:  # noqa: BLE001 - others may begin
            return Run(seed, bug, never_began=str(error)[:1_000])

    def stop(self) -> None:
        """Stop the server."""
        self._postgres.stop()


def _seeds(runs: Runs, seeds: Sequence[int]) -> bool:
    """Run every seed; return whether all of them came out clean."""
    failed = []
    events = kills = 0
    for seed in seeds:
        done = runs.run(seed)
        clean = not (done.found or done.never_began)
        _say(f"clean  {done.told()}" if clean else f"FAILED {done.log()}")
        failed += [] if clean else [seed]
        events += 0 if done.work is None else len(done.work.acknowledged)
        kills += (
            0
            if done.trouble is None
            else sum(times for kind, times in done.trouble.had.items() if kind.endswith("killed"))
        )
    _say(
        f"{len(seeds)} seeds, {events} events acknowledged, {kills} kills; failed: {failed or '-'}"
    )
    return not failed


def _bugs(runs: Runs, seed: int, bugs: Sequence[str]) -> bool:
    """Run with each bug; return whether each was caught."""
    escaped = []
    for bug in bugs:
        done = runs.run(seed, bug)
        by = "\n    ".join(done.found) or f"NOT CAUGHT: {done.log()}"
        _say(f"{bug}:\n    {by}")
        escaped += [] if done.found else [bug]
    _say(f"{len(bugs) - len(escaped)} of {len(bugs)} bugs caught; escaped: {escaped or '-'}")
    return not escaped


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="of trouble, a run")
    parser.add_argument("--seeds", type=int, default=10, help="how many, from 1 on")
    parser.add_argument("--seed", type=int, help="this one only")
    parser.add_argument("--bugs", action="store_true", help="seeded bugs instead of seeds")
    parser.add_argument("--bug", choices=sorted(BUGS), nargs="+", help="these bugs only")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="huaxiao-chaos-"))
    runs = Runs(folder, given.seconds)
    try:
        if given.bugs or given.bug:
            # What is found without any bug says nothing of one.
            seed = given.seed or 1
            held = bool(given.bug) or _seeds(runs, [seed])
            held = _bugs(runs, seed, given.bug or list(BUGS)) and held
        else:
            seeds = range(1, given.seeds + 1) if given.seed is None else [given.seed]
            held = _seeds(runs, seeds)
    finally:
        runs.stop()
    if held:
        shutil.rmtree(folder)
    else:
        _say(f"the services' logs are in {folder}")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
