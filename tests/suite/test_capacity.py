"""The month that `make capacity` plays: what goes in comes out, and more machines are never slower."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.simulating import Cost, Costs, County, Limit, Machines, most_counties, simulate

COSTS = Costs(
    item=Cost(service=60e-6, database=40e-6, bytes=500),
    order=Cost(service=0.05, database=0.03, bytes=9_000),
    look=Cost(service=0.002, database=0.001),
)
COUNTY = County(subscribers=300_000, items=1_000_000, orders=6_000, looks=50_000)


def test_a_county_alone_waits_for_its_own_bookings_and_for_nothing_else() -> None:
    month = simulate(COUNTY, 1, COSTS, Machines(replicas=8, database_cores=8))

    assert month.longest_run_seconds == 2 * 3600
    assert month.limit is Limit.NOTHING
    assert month.bytes == 1_000_000 * 500 + 6_000 * 9_000
    assert month.left < 1


def test_what_is_used_is_what_the_work_costs() -> None:
    machines = Machines(replicas=4, database_cores=4)
    month = simulate(COUNTY, 10, COSTS, machines)
    work = 10 * (1_000_000 * 60e-6 + 6_000 * 0.05 + 50_000 * 0.002)

    assert math.isclose(month.mean_service * 4 * 30 * 24 * 3600, work, rel_tol=1e-6)


@pytest.mark.parametrize(
    ("costs", "machines", "limit"),
    [
        (COSTS, Machines(replicas=1, database_cores=64), Limit.SERVICES),
        (COSTS, Machines(replicas=64, database_cores=1), Limit.DATABASE),
        (
            Costs(Cost(0.02, 0.01), COSTS.order, COSTS.look),
            Machines(replicas=9_000, database_cores=9_000),
            Limit.BRANCH,
        ),
    ],
)
def test_what_stops_more_counties_is_named(costs: Costs, machines: Machines, limit: Limit) -> None:
    assert simulate(COUNTY, 1_500, costs, machines).limit is limit


@settings(max_examples=20)
@given(
    counties=st.integers(1, 40),
    replicas=st.integers(1, 8),
    cores=st.integers(1, 8),
    more=st.integers(1, 4),
)
def test_more_machines_are_never_slower(
    counties: int, replicas: int, cores: int, more: int
) -> None:
    few = simulate(COUNTY, counties, COSTS, Machines(replicas, cores))
    many = simulate(COUNTY, counties, COSTS, Machines(replicas + more, cores + more))

    assert many.longest_run_seconds <= few.longest_run_seconds
    assert max(few.busiest_service, few.busiest_database) <= 1 + 1e-9


def test_one_more_than_fit_is_too_many() -> None:
    machines = Machines(replicas=2, database_cores=2)
    fits, beyond = most_counties(COUNTY, COSTS, machines, within_seconds=3 * 3600)

    assert fits >= 1
    assert simulate(COUNTY, fits, COSTS, machines).longest_run_seconds <= 3 * 3600
    assert beyond.longest_run_seconds > 3 * 3600
