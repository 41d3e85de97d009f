"""A table of travel times is taken whole or not at all, whatever has happened to it on its way."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import islice, product
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from huaxiao.dispatch.domain.planning.travel import Place
from huaxiao.dispatch.plan_rules.handlers import travel
from huaxiao.shared.auth import Role
from huaxiao.shared.rows import Scope
from huaxiao.shared.wire.plans import MOST_AREAS, PlanRules

MOST_WAYS = 40_000
AREAS = ("130123100", "130123101", "130123102201")
TABLE = {
    "times": [
        {"from_area": one, "to_area": other, "minutes": 7 * number}
        for number, (one, other) in enumerate(product(AREAS, AREAS))
    ]
}
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from(
        [
            -1,
            1441,
            10**30,
            0.5,
            12.0,
            float("inf"),
            float("nan"),
            "12",
            "１２",
            "",
            "\x00",
            "\ud800",
        ]
    ),
    st.sampled_from([[], {}, [[]], "130123" * 4, "13012", "=1+1", "130123100 ", "1" * 100_000]),
    st.text(max_size=5),
)
RULES = PlanRules(number=0, set_by="test", set_at=datetime(2017, 11, 6, tzinfo=UTC))
UNSHARED = [HealthCheck.function_scoped_fixture]
"""Each example brings another table to the same branch, which is what happens to a service."""


class Town:
    """A branch with a table of times, and who may put another in its place."""

    def __init__(self, app: FastAPI, http: httpx.AsyncClient, branch_id: int, token: str) -> None:
        self._app, self._http, self._branch_id = app, http, branch_id
        self._url = f"/v1/branches/{branch_id}/travel-times"
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    async def put(self, content: bytes) -> httpx.Response:
        return await self._http.put(self._url, content=content, headers=self._headers)

    async def table(self) -> Any:
        return (await self._http.get(self._url, headers=self._headers)).json()

    async def ways(self) -> list[list[int]]:
        """Return the minutes between all areas, as planning takes them."""
        async with self._app.state.database.read(Scope.of_branch(self._branch_id)) as connection:
            known = await travel(connection, self._branch_id, RULES)
        places = [Place(f"{one}777301"[:18], 38.0 + n, 114.0) for n, one in enumerate(AREAS)]
        ways: list[list[int]] = known.matrix(places).tolist()
        return ways


@pytest.fixture
async def town(
    app: FastAPI, http: httpx.AsyncClient, county: int, token: Callable[..., str]
) -> Town:
    made = Town(app, http, county, token(Role.COUNTY_MANAGER, county))
    answer = await made.put(json.dumps(TABLE).encode())
    assert answer.status_code == 200, answer.text
    return made


async def taken_whole_or_not_at_all(town: Town, content: bytes) -> None:
    before = await town.table()
    answer = await town.put(content)
    after = await town.table()

    assert answer.status_code in {200, 400, 413, 422}, answer.text
    if answer.status_code == 200:
        assert after == answer.json()
        sent = {(one["from_area"], one["to_area"], one["minutes"]) for one in after["times"]}
        told = json.loads(content)["times"]
        assert sent == {(one["from_area"], one["to_area"], one["minutes"]) for one in told}
    else:
        assert answer.headers["content-type"] == "application/problem+json"
        assert after == before
    ways = await town.ways()
    assert [len(row) for row in ways] == [len(AREAS)] * len(AREAS)
    assert min(min(row) for row in ways) >= 0


@settings(max_examples=60, suppress_health_check=UNSHARED, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 900), st.binary(max_size=6), st.integers(0, 12))))
async def test_bytes_that_were_damaged(town: Town, cuts: list[tuple[int, bytes, int]]) -> None:
    content = json.dumps(TABLE).encode()
    for place, put, taken in cuts:
        content = content[:place] + put + content[place + taken :]

    await taken_whole_or_not_at_all(town, content)


@settings(max_examples=80, suppress_health_check=UNSHARED, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, len(TABLE["times"]) - 1),
            st.sampled_from(["from_area", "to_area", "minutes", "metres"]),
            ODD,
        ),
        min_size=1,
        max_size=3,
    )
)
async def test_values_that_are_odd(town: Town, changes: list[tuple[int, str, Any]]) -> None:
    times = [dict(one) for one in TABLE["times"]]
    for index, name, value in changes:
        times[index][name] = value

    await taken_whole_or_not_at_all(town, json.dumps({"times": times}).encode())


async def test_a_way_that_is_named_twice_leaves_the_table_as_it_was(town: Town) -> None:
    twice = {"times": [*TABLE["times"], TABLE["times"][0] | {"minutes": 1}]}

    answer = await town.put(json.dumps(twice).encode())

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["code"] == "named-twice"
    assert len((await town.table())["times"]) == len(TABLE["times"])


async def test_as_many_areas_as_are_kept_and_one_more(town: Town) -> None:
    def ways_between(areas: int, ways: int) -> bytes:
        codes = [f"130123{number:03}" for number in range(areas)]
        chosen = islice(product(codes, reversed(codes)), 0, areas * areas, areas * areas // ways)
        times = [{"from_area": one, "to_area": to, "minutes": 5} for one, to in chosen]
        return json.dumps({"times": times[:ways]}).encode()

    most = await town.put(ways_between(MOST_AREAS, MOST_WAYS))
    refused = [
        await town.put(ways_between(MOST_AREAS + 1, MOST_WAYS)),
        await town.put(ways_between(MOST_AREAS, MOST_WAYS + 1)),
    ]

    assert most.status_code == 200, most.text[:500]
    assert [one.status_code for one in refused] == [422, 422]
    assert len((await town.table())["times"]) == MOST_WAYS
