"""Back-test the forecasts of the kpi service: ``python tools/backtest_forecasts.py [UNITS]``.

Rolling origin: each unit's last year is forecast again and again as if only the months before were
known, and held against what came. The units are MADE UP (a season, a trend, noise, some shocks), so
the figures say how the methods behave, not how well they know any real county.
"""

import sys
from collections.abc import Sequence

import numpy as np

from huaxiao.kpi.domain.outlook import Figures, Outlook
from huaxiao.kpi.forecasts.models import Paths, forecast
from huaxiao.shared.wire.kpi import TargetName

_YEAR = 12
_YEARS = 3
_ORIGINS = (1, 2, 3, 6, 9)
_BETWEEN = (0.1, 0.9)
_SEED = 20_171_201


def made_up(units: int) -> list[tuple[Figures, ...]]:
    """Make up units: net revenue and market cost of three years, month by month."""
    random = np.random.default_rng(_SEED)
    found: list[tuple[Figures, ...]] = []
    for _ in range(units):
        size = random.uniform(2e7, 1e8)
        months = np.arange(_YEARS * _YEAR)
        season = 1 + random.uniform(0.03, 0.15) * np.sin(
            2 * np.pi * (months + random.integers(_YEAR)) / _YEAR
        )
        trend = (1 + random.uniform(-0.05, 0.15)) ** (months / _YEAR)
        noise = 1 + random.uniform(0.01, 0.05) * random.standard_normal(len(months))
        shocks = np.where(random.random(len(months)) < 1 / 24, random.uniform(0.8, 1.2), 1.0)
        revenue = size * season * trend * noise * shocks
        cost = (
            revenue
            * random.uniform(0.12, 0.24)
            * (1 + random.uniform(0.02, 0.10) * random.standard_normal(len(months)))
        )
        found.append(tuple((round(a), round(b)) for a, b in zip(revenue, cost, strict=True)))
    return found


def margin(now: Figures, ahead: Sequence[float]) -> float:
    """Return the year's margin."""
    revenue, cost = (past + rest for past, rest in zip(now, ahead, strict=True))
    return 1 - cost / revenue


def tested(history: tuple[Figures, ...], done: int, *, years: int) -> tuple[Paths, float, float]:
    """Forecast from an origin; return the paths, how far off the margin is, and how far naively."""
    whole = history[-_YEAR:]
    base = history[-2 * _YEAR : -_YEAR]
    known = history[-(years * _YEAR) : len(history) - _YEAR + done]
    view = Outlook(known, base, done, _YEAR - done)
    found = forecast(view, TargetName.MARKET_GROSS_MARGIN)
    rest = tuple(map(sum, zip(*whole[done:], strict=True)))
    naive = tuple(map(sum, zip(*base[done:], strict=True)))
    truth = margin(view.so_far, rest)
    off = abs(margin(view.so_far, found.central) - truth)
    return found, off, abs(margin(view.so_far, naive) - truth)


def revenue_within(found: Paths, truth: float) -> bool | None:
    """Say whether what came of revenue lies within the interval; None where none was told."""
    if found.paths is None:
        return None
    low, high = np.quantile(found.paths[:, 0], _BETWEEN)
    return bool(low <= truth <= high)


def main(units: int) -> None:
    """Print a line for each method and origin."""
    print(
        "known  months so far  method                  |revenue off|  naive  |margin off|  naive  in 80 %"
    )
    for years in (1, _YEARS):
        for done in _ORIGINS:
            rows = []
            for history in made_up(units):
                # With one year, what lies before this one is the base alone.
                found, off, naive = tested(history, done, years=years)
                rest = float(sum(month[0] for month in history[-_YEAR + done :]))
                base = sum(month[0] for month in history[-2 * _YEAR + done : -_YEAR])
                rows.append(
                    (
                        abs(found.central[0] / rest - 1),
                        abs(base / rest - 1),
                        off,
                        naive,
                        revenue_within(found, rest),
                        found.method,
                    )
                )
            known = [one[4] for one in rows if one[4] is not None]
            within = f"{sum(known) / len(known):.0%}" if known else "–"
            means = [float(np.mean([one[index] for one in rows])) for index in range(4)]
            print(
                f"{(years - 1) * _YEAR + done:5}  {done:13}  {rows[0][5]:23} {means[0]:14.2%}"
                f" {means[1]:6.2%} {means[2]:13.2%} {means[3]:6.2%}  {within:>7}",
                flush=True,
            )


if __name__ == "__main__":
    main(*(int(one) for one in sys.argv[1:2] or ["30"]))
