"""Measure the suite: ``make bench``, or one figure alone: ``make bench FIGURE=intake_batch``.

One JSON line a figure on standard output and nothing else; how it went is told on standard error.
A figure is a ratio to a limit that the same machine showed in the same minute, taken in pairs:
machines differ and are busy, ratios travel. The median of the pairs is printed with their spread.
"""

import argparse
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict

import uvloop

from bench.answers import balance, explain
from bench.crews import plan_crews
from bench.intake import (
    intake_at_50m,
    intake_batch,
    intake_batch_vs_orm,
    intake_batch_written,
    intake_single,
)
from bench.kpi import kpi_catch_up, kpi_dashboard
from bench.measuring import SERVICES, Figure, Size, Suite, running_suite
from bench.planning import place_one, plan_days, plan_vrptw, replan_day
from bench.planning_processes import plan_county
from bench.register import coverage_china, coverage_county, settle_1000, sign_county
from bench.replay import replay_5m
from bench.tigerbeetle import intake_batch_vs_tigerbeetle

FULL = Size(subscribers=10_000, batches=20, batch=1_000, runs=7)
QUICK = Size(subscribers=60, batches=2, batch=50, runs=2)
FIGURES: dict[str, Callable[[Suite, Size], Awaitable[Figure | None]]] = {
    one.__name__: one
    for one in (
        intake_batch,
        intake_batch_written,
        intake_batch_vs_orm,
        intake_batch_vs_tigerbeetle,
        intake_single,
        intake_at_50m,
        explain,
        balance,
        replay_5m,
        coverage_china,
        coverage_county,
        sign_county,
        settle_1000,
        kpi_dashboard,
        kpi_catch_up,
    )
}
ALONE: dict[str, Callable[[Size], Awaitable[Figure | None]]] = {
    one.__name__: one
    for one in (plan_days, plan_vrptw, replan_day, place_one, plan_crews, plan_county)
}
"""Figures that need no service."""
ASKED: dict[str, Sequence[str]] = {
    "settle_1000": (*SERVICES, "dispatch"),
    "kpi_dashboard": ("kpi",),
    "kpi_catch_up": ("attribution",),
}
"""Figures that need other services than most."""


async def measure(names: Sequence[str], size: Size) -> None:
    """Measure figures, each that needs one on a suite and a database of its own."""
    for name in names:
        if name in ALONE:
            tell_figure(await ALONE[name](size))
            continue
        async with running_suite(ASKED.get(name, SERVICES)) as suite:
            tell_figure(await FIGURES[name](suite, size))


def tell_figure(figure: Figure | None) -> None:
    """Print a figure, unless it could not be measured here."""
    if figure is not None:
        print(json.dumps(asdict(figure)), flush=True)


def main() -> None:
    """Read what to measure, and measure it."""
    known = [*FIGURES, *ALONE]
    parser = argparse.ArgumentParser(description="Measure the suite.")
    parser.add_argument("figures", nargs="*", metavar="FIGURE", help=", ".join(known))
    parser.add_argument("--quick", action="store_true", help="tiny: shows only that it works")
    given = parser.parse_args()
    if unknown := set(given.figures) - set(known):
        parser.error(f"no such figure: {', '.join(sorted(unknown))}")
    # As services run: what measures them takes of the same processors.
    uvloop.run(measure(given.figures or known, QUICK if given.quick else FULL))


if __name__ == "__main__":
    main()
