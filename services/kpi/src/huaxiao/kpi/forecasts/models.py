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
from huaxiao.shared.wire.kpi import TargetName

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
    {"trend": "add", "damped_trend": True, "seasonal": "add", "seasonal_periods": _YEAR},
)
"""Level; damped trend; level and season; all three."""
_STATES = (2, 5, 14, 17)
"""How much of each is learnt from the months: what begins it, and how it is smoothed."""


@dataclass(frozen=True, slots=True)
class Paths:
    """Sums of the months that are left, series by series."""

    method: ForecastMethod
    months_known: int
    central: tuple[float, ...]
    paths: Floats | None
    """One row a path, one column a series; None where no interval can be told."""


def forecast(outlook: Outlook, target: TargetName | None) -> Paths:
    """Forecast the sums of the months that are left, of which there is at least one.

    Without a target it is a measure of which nothing more is known than its months.

    Heads are few and change by decisions: they stay what they were in the last month, and what is
    forecast is pay a head.
    """
    if target is not TargetName.AVERAGE_WAGE_GROWTH:
        return _forecast(outlook, target)
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
    found = _forecast(a_head, target)
    counted = float(heads * outlook.left)
    paths = found.paths
    if paths is not None:
        paths = np.column_stack([paths[:, 0] * heads, np.full(len(paths), counted)])
    return Paths(found.method, found.months_known, (found.central[0] * heads, counted), paths)


def _rate(month: tuple[int, ...]) -> int:
    return round(month[0] / month[_HEADS])


def _forecast(outlook: Outlook, target: TargetName | None) -> Paths:
    if len(outlook.history) >= MONTHS_FOR_MODELS:
        return _smoothed(outlook, target)
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


def _smoothed(outlook: Outlook, target: TargetName | None) -> Paths:
    known = np.array(outlook.history, dtype=float)
    # Revenue and cost move together: what is forecast of cost is its part of revenue.
    is_part = target is TargetName.MARKET_GROSS_MARGIN and bool((known[:, 0] > 0).all())
    series = np.column_stack([known[:, 0], known[:, 1] / known[:, 0]]) if is_part else known
    random = np.random.default_rng(_SEED)
    # The same months' residuals for all series of a path: what errs together goes on to.
    drawn = random.integers(0, len(known), size=(outlook.left, _PATHS))
    fitted = [_fitted(one, outlook.left, drawn) for one in series.T]
    central = np.stack([one for one, _ in fitted])
    paths = np.stack([one for _, one in fitted])
    if is_part:
        central[1] *= central[0]
        paths[1] *= paths[0]
    return Paths(
        ForecastMethod.EXPONENTIAL_SMOOTHING,
        len(known),
        tuple(central.sum(axis=1).tolist()),
        paths.sum(axis=1).T,
    )


def _fitted(series: Floats, left: int, drawn: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Fit the models to a series; return the best one's months ahead, and paths of them."""
    # Only here, so that whoever asks for none of these models does not load them.
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel  # noqa: PLC0415

    size = float(np.abs(series).mean()) or 1.0
    with warnings.catch_warnings():
        # What does not converge has a worse AICc, or is as good as what does.
        warnings.simplefilter("ignore")
        models = [
            # Two years are too few to fit a season's twelve states: they begin as the mean of
            # the first two years.
            ETSModel(series / size, error="add", initialization_method="heuristic", **one).fit(
                disp=False
            )
            for one in _MODELS
        ]
    best = min(range(len(models)), key=lambda index: _criterion(models[index]))
    model, states = models[best], _STATES[best]
    # Residuals of months that were fitted to are smaller than the errors to come.
    months = len(series)
    errors = np.asarray(model.resid) * np.sqrt(months / max(months - states, months / 4))
    simulated = model.simulate(
        left,
        anchor="end",
        repetitions=drawn.shape[1],
        random_errors=(errors - errors.mean())[drawn],
    )
    paths = np.asarray(simulated, dtype=float).reshape(left, drawn.shape[1])
    return np.asarray(model.forecast(left), dtype=float) * size, paths * size


def _criterion(fitted: Any) -> float:
    value = float(fitted.aicc)
    return value if np.isfinite(value) else np.inf


def quantiles(values: Floats, at: Sequence[float]) -> list[float]:
    """Return quantiles of paths, each the value of a path."""
    return [float(one) for one in np.quantile(values, at, method="nearest")]
