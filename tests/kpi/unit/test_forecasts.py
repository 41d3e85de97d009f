import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from huaxiao.kpi.domain.outlook import Outlook
from huaxiao.kpi.forecasts.models import Paths, forecast
from huaxiao.shared.wire.forecasts import ForecastMethod
from huaxiao.shared.wire.kpi import TargetName

SHAPE = (80, 70, 130, 90, 100, 110, 95, 105, 120, 85, 90, 125)


def months(scale: float, count: int, *, noise: float = 0.0) -> tuple[tuple[int, ...], ...]:
    """Return made-up months that follow a shape, with some noise."""
    random = np.random.default_rng(7)
    return tuple(
        (round(scale * SHAPE[index % 12] * 1000 * (1 + noise * random.standard_normal())),)
        for index in range(count)
    )


def outlook(done: int, *, scale: float = 1.1, based: bool = True, noise: float = 0.0) -> Outlook:
    base = months(1.0, 12) if based else None
    return Outlook(months(scale, done, noise=noise), base, done, 12 - done)


def interval(found: Paths) -> tuple[float, float]:
    assert found.paths is not None
    low, high = np.quantile(found.paths[:, 0], (0.1, 0.9))
    return float(low), float(high)


def test_with_the_base_years_shape_the_rest_is_that_shape_scaled_by_the_year_so_far() -> None:
    found = forecast(outlook(5), TargetName.CASH_FLOW_GROWTH)

    assert found.method is ForecastMethod.BASE_YEAR_SHAPE
    assert found.central == pytest.approx([1.1 * sum(SHAPE[5:]) * 1000])
    # Months that lay exactly on the shape leave nothing to doubt.
    assert interval(found) == pytest.approx(found.central * 2)


def test_an_interval_is_wider_the_more_months_strayed_and_the_fewer_there_are() -> None:
    def width(done: int, noise: float) -> float:
        low, high = interval(forecast(outlook(done, noise=noise), TargetName.CASH_FLOW_GROWTH))
        assert low < high
        return (high - low) / (12 - done)

    assert width(6, 0.02) < width(6, 0.08)


@pytest.mark.parametrize("done", [1, 2])
def test_with_fewer_than_three_months_there_is_a_run_rate_without_an_interval(done: int) -> None:
    found = forecast(outlook(done), TargetName.CASH_FLOW_GROWTH)

    assert found.method is ForecastMethod.RUN_RATE
    assert found.paths is None
    assert found.central == pytest.approx(
        [1.1 * sum(SHAPE[:done]) / done * 1000 * (12 - done)], rel=1e-6
    )


def test_without_a_base_there_is_a_run_rate_with_the_spread_of_the_months() -> None:
    found = forecast(outlook(4, based=False), TargetName.CASH_FLOW_GROWTH)

    assert found.method is ForecastMethod.RUN_RATE
    low, high = interval(found)
    assert low < found.central[0] < high


def test_two_years_and_more_are_fitted_and_the_season_is_found() -> None:
    history = months(1.0, 30, noise=0.01)
    seen = Outlook(history, None, 6, 6)

    found = forecast(seen, TargetName.CASH_FLOW_GROWTH)

    assert found.method is ForecastMethod.EXPONENTIAL_SMOOTHING
    assert found.months_known == 30
    assert found.central == pytest.approx([sum(SHAPE[6:]) * 1000], rel=0.03)
    low, high = interval(found)
    assert low < found.central[0] < high
    again = forecast(seen, TargetName.CASH_FLOW_GROWTH)
    assert again.paths is not None
    assert found.paths is not None
    assert (again.paths == found.paths).all()


def test_a_shape_that_is_not_all_positive_is_shifted_and_not_scaled() -> None:
    base = ((-100,), (300,), (200,), (100,))
    seen = Outlook(((-50,), (350,), (250,)), base, 3, 1)

    assert forecast(seen, TargetName.CASH_FLOW_GROWTH).central == pytest.approx([150])


def test_the_wage_is_forecast_a_head_and_heads_stay_what_they_were() -> None:
    history = tuple((1000 * heads, heads) for heads in (4, 4, 6, 8))

    found = forecast(Outlook(history, None, 4, 8), TargetName.AVERAGE_WAGE_GROWTH)

    assert found.central == pytest.approx((1000 * 8 * 8, 64))


def test_the_way_of_the_year_so_far_leads_from_month_to_month_to_its_end() -> None:
    found = forecast(outlook(5, noise=0.05), TargetName.CASH_FLOW_GROWTH)

    seen = outlook(5, noise=0.05)
    assert seen.base is not None
    rest = found.central[0]
    assert len(found.course) == 7
    assert all(one.low < one.value < one.high for one in found.course)  # type: ignore[operator]
    # The first months are known, so less of a year is in doubt the shorter it is.
    first, *_, last = found.course
    year = sum(one for (one,) in seen.base)
    assert last.value == pytest.approx((seen.so_far[0] + rest - year) / year)
    assert found.paths is not None
    ends = (seen.so_far[0] + found.paths[:, 0] - year) / year
    assert (last.low, last.high) == pytest.approx(
        tuple(np.quantile(ends, (0.1, 0.9), method="nearest"))
    )
    assert first.high - first.low < last.high - last.low  # type: ignore[operator]


def test_a_way_passes_over_a_month_by_which_there_is_nothing_to_compare_with() -> None:
    base = ((-300,), (100,), (100,), (50,), (500,))
    seen = Outlook(((10,), (110,), (110,)), base, 3, 2)

    found = forecast(seen, TargetName.CASH_FLOW_GROWTH)

    assert [one.value is None for one in found.course] == [True, False]
    assert forecast(Outlook(seen.history, None, 3, 2), TargetName.CASH_FLOW_GROWTH).course == ()
    assert forecast(seen, None).course == ()


STANDING_ALONE = """
import asyncio, os, signal
from huaxiao.kpi.domain.outlook import Outlook
from huaxiao.kpi.forecasts.running import Forecasters
from huaxiao.shared.wire.kpi import TargetName

async def main():
    forecasters = Forecasters(1)
    months = tuple((100 + index % 12,) for index in range(30))
    await forecasters.forecast(Outlook(months, None, 6, 6), TargetName.CASH_FLOW_GROWTH)
    print(*forecasters._pool._processes, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

if __name__ == "__main__":
    asyncio.run(main())
"""


def test_a_service_that_is_killed_leaves_no_process_behind(tmp_path: Path) -> None:
    script = tmp_path / "alone.py"
    script.write_text(STANDING_ALONE)

    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=False
    )

    (child,) = map(int, done.stdout.split())
    deadline = time.monotonic() + 30
    while lives(child):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def lives(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2]
    except (FileNotFoundError, ProcessLookupError):
        return False
    # One that nobody waits for stays as a zombie where nobody adopts.
    return not state.startswith("Z")
