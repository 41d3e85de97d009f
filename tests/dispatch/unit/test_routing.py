"""Travel times of a router: asked for in pieces, as OSRM's table service has them."""

from dataclasses import replace
from math import ceil

import httpx
import pytest
from fastapi import FastAPI, Response

from huaxiao.dispatch.domain.planning.model import Engineer, Order, Problem, Window
from huaxiao.dispatch.domain.planning.travel import Place
from huaxiao.dispatch.plans.routing import RouterError, over_roads

HERE = Place("home", 38.15, 114.57)
MOST_AT_ONCE = 100


def problem(orders: int) -> Problem:
    places = [Place("130123", 38.0 + number / 1000, 114.5) for number in range(orders)]
    return Problem(
        (Engineer("W1", HERE, Window(480, 1020), home=HERE),),
        tuple(Order(f"O{number}", place, 60) for number, place in enumerate(places)),
    )


def router(refuse: bool = False) -> httpx.ASGITransport:
    """Answer as OSRM does: seconds by source and destination, null where there is no road."""
    app = FastAPI()

    @app.get("/table/v1/driving/{points}", response_model=None)
    def table(
        points: str, sources: str, destinations: str, annotations: str
    ) -> Response | dict[str, object]:
        coordinates = [tuple(map(float, one.split(","))) for one in points.split(";")]
        if refuse or len(coordinates) > MOST_AT_ONCE:
            return Response('{"code": "TooBig"}', status_code=400)
        assert annotations == "duration"
        rows = [
            [
                None if origin == 38.0 else round(abs(origin - destination) * 100_000, 1)
                for destination in (coordinates[int(one)][1] for one in destinations.split(";"))
            ]
            for origin in (coordinates[int(one)][1] for one in sources.split(";"))
        ]
        return {"code": "Ok", "durations": rows}

    return httpx.ASGITransport(app=app)


@pytest.mark.parametrize("orders", [3, 120])
async def test_every_way_is_what_the_router_says(orders: int) -> None:
    asked = problem(orders)
    found = await over_roads(asked, "http://osrm/table/v1/driving/", transport=router())
    (engineer,) = found.engineers
    for one in found.orders:
        seconds = round(abs(one.place.latitude - HERE.latitude) * 100_000, 1)
        assert found.travel.minutes(engineer.start, one.place) == ceil(seconds / 60)
    assert found.travel.minutes(found.orders[0].place, engineer.start) == 24 * 60
    assert [replace(one, place=HERE) for one in found.orders] == [
        replace(one, place=HERE) for one in asked.orders
    ]


async def test_a_router_that_does_not_answer_is_told_apart() -> None:
    with pytest.raises(RouterError):
        await over_roads(problem(3), "http://osrm/table/v1/driving", transport=router(refuse=True))
