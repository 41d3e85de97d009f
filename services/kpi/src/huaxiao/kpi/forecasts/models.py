"""The models: from months that are known to paths of the sums of those that are left.

ETS by statsmodels from 24 months on; before, the base year's shape or a run rate, whose spread
tells the interval. All is a pure function of the outlook: random numbers are always the same.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from huaxiao.kpi.domain.outlook import MONTHS_FOR_INTERVAL, MONTHS_FOR_MODELS, Outlook
from huaxiao.shared.wire.forecasts import ForecastMethod

Floats = NDArray[np.float64]
_PATHS = 4_000
_SEED = 20_171_101
_YEAR = 12
_HEADS = 1
"""The place of heads among the series of the wage."""
_MODELS: tuple[dict[str, Any], ...] = (
    {"trend": None},
    {"trend": "add", "damped_trend": True},
    {"trend": None, "seasonal": "add", "seasonal_periods": _YEAR},
)
"""Level; damped trend; level and season. With two years, a season and a trend are too much to fit."""


@dataclass(frozen=True, slots=True)
class Paths:
    """Sums of the months that are left, series by series."""

    method: ForecastMethod
    months_known: int
    central: tuple[float, ...]
    paths: Floats | None
    """One row a path, one column a series; None where no interval can be told."""


def forecast(outlook: Outlook, *, is_wage: bool) -> Paths:
    """Forecast the sums of the months that are left, of which there is at least one.

    Heads are few and change by decisions: they stay what they were in the last month, and what is
    forecast is pay a head.
    """
    if not is_wage:
        return _forecast(outlook)
    if any(month[_HEADS] <= 0 for month in outlook.history):
        return _run_rate(outlook)
    heads = outlook.history[-1][_HEADS]
    base = outlook.base
    if base is not None and any(month[_HEADS] <= 0 for month in base):
        base = None
    a_head = Outlook(
        tuple((_rate(month),) for month in outlook.history),
        None if base is None else tuple((_rate(month),) for month in base),
        outlook.done,
        outlook.left,
    )
    found = _forecast(a_head)
    counted = float(heads * outlook.left)
    paths = found.paths
    if paths is not None:
        paths = np.column_stack([paths[:, 0] * heads, np.full(len(paths), counted)])
    return Paths(found.method, found.months_known, (found.central[0] * heads, counted), paths)


def _rate(month: tuple[int, ...]) -> int:
    return round(month[0] / month[_HEADS])


def _forecast(outlook: Outlook) -> Paths:
    if len(outlook.history) >= MONTHS_FOR_MODELS:
        return _smoothed(outlook)
    if outlook.done >= MONTHS_FOR_INTERVAL and outlook.base is not None:
        return _shaped(outlook, np.array(outlook.base, dtype=float))
    return _run_rate(outlook)


def _run_rate(outlook: Outlook) -> Paths:
    series = len(outlook.history[0])
    year = outlook.done + outlook.left
    found = _shaped(outlook, np.ones((year, series)))
    paths = found.paths if outlook.done >= MONTHS_FOR_INTERVAL else None
    return Paths(ForecastMethod.RUN_RATE, outlook.done, found.central, paths)


def _shaped(outlook: Outlook, shape: Floats) -> Paths:
    """Scale the shape of another year by this one so far; shift it where it is not all positive."""
    done = outlook.done
    known = np.array(outlook.history[-done:], dtype=float)
    past, ahead = shape[:done], shape[done:]
    scaled = (shape > 0).all(axis=0)
    scale = np.where(scaled, known.sum(axis=0) / np.where(scaled, past.sum(axis=0), 1.0), 1.0)
    level = np.where(scaled, 0.0, (known - past).mean(axis=0))
    central = (ahead * scale + level).sum(axis=0)
    paths = None
    if done >= MONTHS_FOR_INTERVAL:
        weight = np.where(scaled, past, 1.0)
        spread = (known - past * scale - level) / weight
        errors = _errors(spread, outlook.left)
        paths = central + (errors * np.where(scaled, ahead, 1.0)).sum(axis=1)
    return Paths(ForecastMethod.BASE_YEAR_SHAPE, done, tuple(central.tolist()), paths)


def _errors(spread: Floats, left: int) -> Floats:
    """Draw errors of the months ahead, like those of the months so far.

    All series of a month err together. The mean itself is known from a few months only, and so is
    the spread: hence an error that all months of a path share, and Student's distribution.
    """
    months, _ = spread.shape
    random = np.random.default_rng(_SEED)
    unit = spread / np.sqrt(months - 1)
    own = random.standard_normal((_PATHS, left, months)) @ unit
    shared = random.standard_normal((_PATHS, 1, months)) @ unit / np.sqrt(months)
    tails = np.sqrt((months - 1) / random.chisquare(months - 1, size=(_PATHS, 1, 1)))
    drawn: Floats = (own + shared) * tails
    return drawn


def _smoothed(outlook: Outlook) -> Paths:
    # Only here, so that whoever asks for none of these models does not load them.
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel  # noqa: PLC0415

    known = np.array(outlook.history, dtype=float)
    random = np.random.default_rng(_SEED)
    # The same months' residuals for all series of a path: what errs together goes on to.
    drawn = random.integers(0, len(known), size=(outlook.left, _PATHS))
    central: list[float] = []
    sums: list[Floats] = []
    for series in known.T:
        size = float(np.abs(series).mean()) or 1.0
        with warnings.catch_warnings():
            # What does not converge has a worse AICc, or is as good as what does.
            warnings.simplefilter("ignore")
            fitted = [
                ETSModel(series / size, error="add", **one).fit(disp=False) for one in _MODELS
            ]
        best = min(fitted, key=_criterion)
        central.append(float(best.forecast(outlook.left).sum()) * size)
        errors = np.asarray(best.resid) - float(np.mean(best.resid))
        simulated = best.simulate(
            outlook.left,
            anchor="end",
            repetitions=_PATHS,
            random_errors=errors[drawn],
        )
        sums.append(np.asarray(simulated, dtype=float).reshape(outlook.left, _PATHS).sum(axis=0))
        sums[-1] *= size
    return Paths(
        ForecastMethod.EXPONENTIAL_SMOOTHING,
        len(known),
        tuple(central),
        np.column_stack(sums),
    )


def _criterion(fitted: Any) -> float:
    value = float(fitted.aicc)
    return value if np.isfinite(value) else np.inf


def quantiles(values: Floats, at: Sequence[float]) -> list[float]:
    """Return quantiles of paths, each the value of a path."""
    return [float(one) for one in np.quantile(values, at, method="nearest")]
