"""Every object route of every service, asked by contractors for what is not theirs (API1)."""

import itertools
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.suite import reachable, run, up

from huaxiao.cli.suite import Keys
from huaxiao.shared.auth import Role
from huaxiao.shared.provision import SERVICES

BRANCH = 130123
NOBODY = "C-nobody"
"""A centre of which nothing in the sample is."""
SHARED = {
    "contracts": {
        # The register and the rules that hold for everybody.
        "/centres/{centre_id}",
        "/channels/{channel_id}",
        "/negative-lists/{version}",
    },
    "attribution": set[str](),
    "dispatch": {
        # How a month's appraisals stand, for all centres together.
        "/appraisal-months/{period}",
        # What everybody is judged by.
        "/scorecards/versions/{version}",
        "/service-levels/versions/{version}",
        "/ticket-category-sets/{version}",
        # The result once it is published; who voted what is nowhere shown.
        "/reverse-appraisals/{ratee_centre_id}/{period}",
    },
    "kpi": {
        # What everybody is judged by; of a measure's entries the caller's centres' only.
        "/figure-definitions/versions/{version}",
        "/measures/{measure}/entries",
    },
}
"""Routes that show the same to everybody who works in the branch, or nothing of foreign centres."""
PREFIX = "/v1/branches/{branch_id}"
MOST_TRIES = 40
MOST_CENTRES = 3
MOST_ROUTES = 35
"""As many of the object routes at least show something of the sample."""


@dataclass
class Walk:
    """The suite with the sample, as seen by one person after another."""

    http: httpx.Client
    keys: Keys
    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    values: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """What was found in lists, by the name under which it stood."""
    together: list[dict[str, str]] = field(default_factory=list)
    """The names and values that stood together in one entry of a list."""

    def ask(
        self, path: str, role: Role, centre_id: str | None = None, **query: str
    ) -> httpx.Response:
        signed = self.keys.issuer().token(
            f"walk:{role}:{centre_id}",
            roles=[role],
            branch_ids=[BRANCH],
            centre_ids=None if centre_id is None else [centre_id],
        )
        headers = {"Authorization": f"Bearer {signed}"}
        return self.http.get(path, headers=headers, params=query)

    def routes(self, service: str) -> Iterator[str]:
        for path, methods in self.documents[service]["paths"].items():
            if "get" in methods and path.startswith(PREFIX):
                yield path.removeprefix(PREFIX)

    def read_lists(self) -> None:
        """Read every list of every service as the county's manager, a month where one is asked for."""
        for service in SERVICES:
            self.documents[service] = self.http.get(f"/{service}/openapi.json").json()
            for route in self.routes(service):
                if "{" in route or route == "/feed":
                    continue
                for query in ({}, {"period": "201711"}, {"period": "201711", "limit": "100"}):
                    answer = self.ask(url(service, route), Role.COUNTY_MANAGER, **query)
                    if answer.status_code == 200 and "json" in answer.headers["content-type"]:
                        self.learn(answer.json())

    def learn(self, told: Any) -> None:
        if isinstance(told, list):
            for one in told:
                self.learn(one)
        if isinstance(told, dict):
            flat = {k: str(v) for k, v in told.items() if isinstance(v, str | int)}
            self.together.append(flat)
            for name, value in flat.items():
                self.values[name].add(value)
            for value in told.values():
                self.learn(value)

    def objects(self, route: str) -> Iterator[dict[str, str]]:
        """Yield what may fill a route: first what stood together, then whatever has the names."""
        names = re.findall(r"{(\w+)}", route)
        seen = set[tuple[str, ...]]()
        loose = itertools.product(*(sorted(self.values[name]) for name in names))
        fitting = (
            tuple(one[name] for name in names) for one in self.together if names_in(names, one)
        )
        for given in itertools.chain(fitting, itertools.islice(loose, MOST_TRIES)):
            if given not in seen:
                seen.add(given)
                yield dict(zip(names, given, strict=True))

    def shown(self, service: str, route: str) -> Iterator[tuple[str, dict[str, str], set[str]]]:
        """Yield the objects that a route shows to the county's manager, and whose each is."""
        for given in itertools.islice(self.objects(route), MOST_TRIES):
            path = url(service, route, **given)
            query = {} if "{period}" in route else {"period": "201711"}
            answer = self.ask(path, Role.COUNTY_MANAGER, **query)
            if answer.status_code == 200:
                told = answer.json() if "json" in answer.headers["content-type"] else None
                yield path, query, centres_named(told)

    def leaks(self, path: str, query: dict[str, str], whose: set[str]) -> Iterator[str]:
        """Yield to whom an object is shown whose it is not."""
        centres = sorted(self.values["centre_id"] - whose)[:MOST_CENTRES] if whose else []
        for centre_id in (NOBODY, *centres):
            answer = self.ask(path, Role.CONTRACTOR, centre_id, **query)
            if answer.status_code not in {403, 404}:
                yield f"{answer.status_code} {path} to {centre_id}"


def names_in(names: list[str], entry: dict[str, str]) -> bool:
    return all(name in entry for name in names)


def url(service: str, route: str, **given: str) -> str:
    return f"/{service}" + (PREFIX + route).format(branch_id=BRANCH, **given)


def centres_named(told: Any) -> set[str]:
    """Return the centres that an answer names anywhere."""
    if isinstance(told, list):
        return set().union(*map(centres_named, told))
    if not isinstance(told, dict):
        return set()
    own = {v for k, v in told.items() if k.endswith("centre_id") and isinstance(v, str)}
    return own.union(*map(centres_named, told.values()))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return reachable(tmp_path_factory.mktemp("foreign"))


@pytest.mark.slow
def test_a_contractor_opens_no_object_of_another_centre_by_any_route(data: Path) -> None:
    done = run("demo", "--data", str(data), "--port", "0", "--subscribers", "60")
    assert done.returncode == 0, done.stdout[-2000:]
    reached, leaks = list[str](), list[str]()
    with up(data) as address, httpx.Client(base_url=address, timeout=30) as http:
        walk = Walk(http, Keys.under(data))
        walk.read_lists()
        for service in SERVICES:
            for route in walk.routes(service):
                shown = list(walk.shown(service, route)) if "{" in route else []
                reached += [f"{service} {route}"] if shown else []
                if route not in SHARED[service]:
                    leaks += [leak for one in shown for leak in walk.leaks(*one)]

    assert leaks == []
    assert len(reached) >= MOST_ROUTES, reached
