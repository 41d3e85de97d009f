"""Kill PostgreSQL under writers, with ``synchronous_commit`` on and off: ``make durability``.

Ends with 1 unless nothing that was acknowledged is lost with it on, and something is with it off: a
measure that could not see a loss would say nothing.
"""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from support.durability import rows_after_crashes
from support.suite import reachable

from huaxiao.cli import embedded


def main() -> int:
    """Measure both, and say what was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--crashes", type=int, default=10, help="of PostgreSQL, each way")
    given = parser.parse_args()
    lost = {}
    with tempfile.TemporaryDirectory(prefix="huaxiao-durability-") as folder:
        postgres = embedded.start(reachable(Path(folder)))
        try:
            embedded.prepare(postgres)
            for on in (True, False):
                kept = asyncio.run(
                    rows_after_crashes(postgres, synchronous_commit=on, crashes=given.crashes)
                )
                lost[on] = kept.lost
                sys.stdout.write(
                    f"synchronous_commit {'on' if on else 'off'}: {kept.crashes} crashes,"
                    f" {kept.acknowledged} acknowledged, {kept.lost} lost\n"
                )
                sys.stdout.flush()
        finally:
            postgres.stop()
    return 0 if lost[True] == 0 < lost[False] else 1


if __name__ == "__main__":
    sys.exit(main())
