"""The models: from months that are known to paths of those that are left, and of the year so far.

ETS by statsmodels from 24 months on; before, the base year's shape or a run rate, whose spread
tells the interval. All is a pure function of the outlook: random numbers are always the same.
"""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from huaxiao.kpi.domain.outlook import (
    MONTHS_FOR_INTERVAL,
    MONTHS_FOR_MODELS,
    Outlook,
    ratio_of,
)
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
INTERVAL = (0.1, 0.9)
"""Eight of ten paths lie between these quantiles."""
_STATES = (2, 5, 14, 17)
"""How much of each is learnt from the months: what begins it, and how it is smoothed."""


@dataclass(frozen=True, slots=True)
class Step:
    """A target of the year so far, at the end of a month that is left; None where it has no value."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Paths:
    """Sums of the months that are left, series by series."""

    method: ForecastMethod
    months_known: int
    central: tuple[float, ...]
    paths: Floats | None
    """One row a path, one column a series; None where no interval can be told."""
    course: tuple[Step, ...]
    """How the target's year so far goes on, month by month; empty without a target or its base."""


@dataclass(frozen=True, slots=True)
class _Months:
    """The months that are left, one by one: many numbers, of which sums and quantiles are kept."""

    method: ForecastMethod
    months_known: int
    central: Floats
    """One row a month, one column a series."""
    paths: Floats | None
    """The same for each path."""


def forecast(outlook: Outlook, target: TargetName | None) -> Paths:
    """Forecast the months that are left, of which there is at least one.

    Without a target it is a measure of which nothing more is known than its months.
    """
    wage = target is TargetName.AVERAGE_WAGE_GROWTH
    found = _wage(outlook) if wage else _forecast(outlook, target)
    return Paths(
        method=found.method,
        months_known=found.months_known,
        central=tuple(found.central.sum(axis=0).tolist()),
        paths=None if found.paths is None else found.paths.sum(axis=1),
        course=() if target is None else tuple(_course(outlook, target, found)),
    )


def _course(outlook: Outlook, target: TargetName, found: _Months) -> Iterator[Step]:
    """Say how a target of the year so far goes on, at the end of each month."""
    if outlook.base is None and target is not TargetName.MARKET_GROSS_MARGIN:
        return
    so_far = np.array(outlook.so_far, dtype=float)
    central = so_far + found.central.cumsum(axis=0)
    paths = None if found.paths is None else so_far + found.paths.cumsum(axis=1)
    for at in range(outlook.left):
        base = np.array(outlook.base_until(outlook.done + at + 1) or (), dtype=float)
        (value,) = values_of(target, central[at][:, np.newaxis], base)
        low: float | None = None
        high: float | None = None
        if paths is not None:
            low, high = quantiles(values_of(target, paths[:, at].T, base), INTERVAL)
        yield Step(*(_finite(one) for one in (value, low, high)))


def values_of(target: TargetName, paths: Floats, base: Sequence[float] | Floats) -> Floats:
    """Return a target's value for each path, given one row a series.

    A path without revenue or heads has no value: it ends as badly as can be.
    """
    numerator, denominator = ratio_of(target, list(paths), list(base))
    known = np.broadcast_to(np.asarray(denominator) > 0, np.shape(numerator))
    found: Floats = np.full(np.shape(numerator), -np.inf)
    np.divide(numerator, denominator, out=found, where=known)
    return found


def _finite(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else float(value)


def _wage(outlook: Outlook) -> _Months:
    """Forecast pay a head.

    Heads are few and change by decisions: they stay what they were in the last month.
    """
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
    found = _forecast(a_head, TargetName.AVERAGE_WAGE_GROWTH)
    return _Months(
        found.method,
        found.months_known,
        _with_heads(found.central, heads),
        None if found.paths is None else _with_heads(found.paths, heads),
    )


def _with_heads(a_head: Floats, heads: int) -> Floats:
    """Return pay and heads of months, from pay a head."""
    return np.concatenate([a_head * heads, np.full_like(a_head, heads)], axis=-1)


def _rate(month: tuple[int, ...]) -> int:
    return round(month[0] / month[_HEADS])


def _forecast(outlook: Outlook, target: TargetName | None) -> _Months:
    if len(outlook.history) >= MONTHS_FOR_MODELS:
        return _smoothed(outlook, target)
    if outlook.done >= MONTHS_FOR_INTERVAL and outlook.base is not None:
        return _shaped(outlook, np.array(outlook.base, dtype=float))
    return _run_rate(outlook)


def _run_rate(outlook: Outlook) -> _Months:
    series = len(outlook.history[0])
    year = outlook.done + outlook.left
    found = _shaped(outlook, np.ones((year, series)))
    paths = found.paths if outlook.done >= MONTHS_FOR_INTERVAL else None
    return _Months(ForecastMethod.RUN_RATE, outlook.done, found.central, paths)


def _shaped(outlook: Outlook, shape: Floats) -> _Months:
    """Scale the shape of another year by this one so far; shift it where it is not all positive."""
    done = outlook.done
    known = np.array(outlook.history[-done:], dtype=float)
    past, ahead = shape[:done], shape[done:]
    scaled = (shape > 0).all(axis=0)
    scale = np.where(scaled, known.sum(axis=0) / np.where(scaled, past.sum(axis=0), 1.0), 1.0)
    level = np.where(scaled, 0.0, (known - past).mean(axis=0))
    central = ahead * scale + level
    paths = None
    if done >= MONTHS_FOR_INTERVAL:
        weight = np.where(scaled, past, 1.0)
        spread = (known - past * scale - level) / weight
        errors = _errors(spread, outlook.left)
        paths = central + errors * np.where(scaled, ahead, 1.0)
    return _Months(ForecastMethod.BASE_YEAR_SHAPE, done, central, paths)


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


def _smoothed(outlook: Outlook, target: TargetName | None) -> _Months:
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
    # Series, months, paths; as the others tell it: paths, months, series.
    return _Months(ForecastMethod.EXPONENTIAL_SMOOTHING, len(known), central.T, paths.T)


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
