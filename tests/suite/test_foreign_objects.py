"""Every object route of every service, asked by contractors for what is not theirs (API1)."""

import itertools
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from support import work
from support.register import bind, contract, contractor, county_with_centres, regional

from huaxiao.attribution.worker import apply_contracts as attribution_follows
from huaxiao.cli.suite import create_service
from huaxiao.contracts.settlements.peers import Peers
from huaxiao.dispatch.worker import apply_attribution as work_comes
from huaxiao.dispatch.worker import apply_contracts as dispatch_follows
from huaxiao.kpi.worker import follower
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.clients.base import ServiceClient
from huaxiao.shared.clients.contracts import ContractsClient
from huaxiao.shared.issuer import Issuer
from huaxiao.shared.provision import SERVICES
from huaxiao.shared.rows import Scope

NOVEMBER = 201711
NOBODY = "C-nobody"
"""A centre of which nothing in the sample is."""
SHARED = {
    "contracts": {
        # The register and the rules that hold for everybody.
        "/centres/{centre_id}",
        "/channels/{channel_id}",
        "/negative-lists/{version}",
    },
    "attribution": {
        # Whether a month is open, for all centres together; what is unresolved in it is left out.
        "/periods/{period}",
    },
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
MOST_TRIES = 8
CENTRES = {"C1", "C2", "G1"}
MONTH = {"period": str(NOVEMBER)}
MOST_ROUTES = 25
"""As many of the object routes at least show something of the sample."""


@dataclass
class Walk:
    """A county on the four services, as seen by one person after another."""

    branch_id: int
    apps: dict[str, FastAPI]
    issuer: Issuer
    values: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """What was found in lists, by the name under which it stood."""
    together: list[dict[str, str]] = field(default_factory=list)
    """The names and values that stood together in one entry of a list."""

    def token(self, role: Role, centre_id: str | None = None, person_id: str | None = None) -> str:
        return self.issuer.token(
            f"walk:{role}:{centre_id}",
            roles=[role],
            branch_ids=[self.branch_id],
            centre_ids=None if centre_id is None else [centre_id],
            person_id=person_id,
        )

    async def ask(
        self,
        service: str,
        path: str,
        role: Role,
        centre_id: str | None = None,
        method: str = "GET",
        **given: Any,
    ) -> httpx.Response:
        transport = httpx.ASGITransport(app=self.apps[service])
        headers = {"Authorization": f"Bearer {self.token(role, centre_id)}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            return await client.request(
                method, f"/v1/branches/{self.branch_id}{path}", headers=headers, **given
            )

    async def give(self, service: str, way: str, given: Any, *who: Any) -> Any:
        """Put or post something, which has to succeed; return what is answered."""
        method, path = way.split()
        answer = await self.ask(service, path, *who, method=method, json=given)
        assert answer.is_success, (way, answer.text)
        return answer.json()

    def client(self, kind: type[ServiceClient], service: str, role: Role, *who: str | None) -> Any:
        transport = httpx.ASGITransport(app=self.apps[service])
        return kind(f"http://{service}", lambda: self.token(role, *who), transport=transport)

    def routes(self, service: str) -> Iterator[str]:
        for path, methods in self.apps[service].openapi()["paths"].items():
            if "get" in methods and path.startswith(PREFIX):
                yield path.removeprefix(PREFIX)

    async def read_lists(self) -> None:
        """Read every list of every service as the county's manager, a month where one is asked for."""
        for service in SERVICES:
            for route in self.routes(service):
                if "{" in route or route == "/feed":
                    continue
                for query in ({}, {"period": str(NOVEMBER)}):
                    answer = await self.ask(service, route, Role.COUNTY_MANAGER, params=query)
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

    async def shown(self, service: str, route: str) -> list[tuple[str, dict[str, str], set[str]]]:
        """Return the objects that a route shows to the county's manager, and whose each is."""
        found = []
        for given in itertools.islice(self.objects(route), MOST_TRIES):
            path = route.format(**given)
            for query in ({}, MONTH):
                answer = await self.ask(service, path, Role.COUNTY_MANAGER, params=query)
                if answer.status_code == 200:
                    told = answer.json() if "json" in answer.headers["content-type"] else None
                    found.append((path, query, centres_named(told)))
                    break
        return found

    async def leaks(
        self, service: str, path: str, query: dict[str, str], whose: set[str]
    ) -> list[str]:
        """Say to whom an object is shown whose it is not."""
        found = []
        for centre_id in (NOBODY, *(sorted(CENTRES - whose) if whose else ())):
            answer = await self.ask(service, path, Role.CONTRACTOR, centre_id, params=query)
            if answer.status_code not in {403, 404}:
                found.append(f"{answer.status_code} {service}{path} to {centre_id}")
        return found


def names_in(names: list[str], entry: dict[str, str]) -> bool:
    return all(name in entry for name in names)


def centres_named(told: Any) -> set[str]:
    """Return the centres that an answer names anywhere."""
    if isinstance(told, list):
        return set().union(*map(centres_named, told))
    if not isinstance(told, dict):
        return set()
    own = {v for k, v in told.items() if k.endswith("centre_id") and isinstance(v, str)}
    return own.union(*map(centres_named, told.values()))


@pytest.fixture
async def walk(
    settings_for: Callable[[str], dict[str, Any]], issuer: Issuer, branch_id: int
) -> AsyncIterator[Walk]:
    apps = {one: create_service(one, settings_for(one)) for one in SERVICES}
    transports = {
        f"{one}_transport": httpx.ASGITransport(app=apps[one])
        for one in ("attribution", "dispatch")
    }
    apps["contracts"].state.peers = Peers("http://attribution", "http://dispatch", **transports)
    yield Walk(branch_id, apps, issuer)
    for app in apps.values():
        await app.state.database.close()


async def register(walk: Walk) -> None:
    """Register centres with fields and sealed contracts, and what is said and paid in them."""
    branch = walk.branch_id

    def caller(role: Role, centre_ids: list[str] | None = None) -> ContractsClient:
        return walk.client(ContractsClient, "contracts", role, *(centre_ids or [None]))

    await county_with_centres(caller, branch)
    manager = caller(Role.COUNTY_MANAGER)
    for centre in ("C1", "C2"):
        field_id = f"F{centre[-1]}"
        given = regional(f"{branch}10{centre[-1]}", centre_id=centre)
        await manager.put_field(branch, field_id, given)
        await manager.put_contract(branch, f"CT-{centre}", contract(centre, field_id))
        await bind(caller, branch, f"CT-{centre}")
        report = {
            "entry": "NL-16",
            "centre_id": centre,
            "day": str(date(2017, 11, 20)),
            "evidence": "录音",
            "person_ids": [contractor(centre)],
        }
        boss = (Role.CONTRACTOR, centre)
        await walk.give("contracts", "POST /violations", report, *boss)
    scope = Scope.of_branch(branch)
    told = await manager.feed(branch, after=0)
    asked = [work.work(branch, f"O-{one}", address=f"{branch}10{one}201") for one in (1, 2)]
    async with walk.apps["attribution"].state.database.write(scope) as connection:
        await attribution_follows(connection, branch, told)
    async with walk.apps["dispatch"].state.database.write(scope) as connection:
        await dispatch_follows(connection, branch, told)
        await work_comes(connection, branch, asked)


async def bill(walk: Walk) -> None:
    """Open and bill a line in each centre's field."""
    for number in (1, 2):
        line = f"S-{number}"
        events = {
            "subscription.opened": {
                "subscription_id": line,
                "standard_address": f"{walk.branch_id}10{number}201",
                "customer_id": "P",
                "product": "broadband",
                "opened_on": "2016-05-01",
            },
            "bill_item.issued": {
                "bill_item_id": f"BI-{number}",
                "subscription_id": line,
                "period": NOVEMBER,
                "item_kind": "monthly",
                "amount_fen": 10_000,
                "tax_fen": 6,
            },
        }
        source = walk.client(AttributionClient, "attribution", Role.BSS_SOURCE)
        given = [
            {
                "specversion": "1.0",
                "id": f"E-{number}-{kind}",
                "source": "/bss",
                "type": kind,
                "time": "2017-11-28T10:00:00+08:00",
                "branchid": walk.branch_id,
                "data": data,
            }
            for kind, data in events.items()
        ]
        assert (await source.post_events(given)).booked == len(given)


async def work_and_judge(walk: Walk) -> None:
    """Let centres contest a line, rate each other, raise tickets, plan and be settled."""
    c1, c2, manager = (Role.CONTRACTOR, "C1"), (Role.CONTRACTOR, "C2"), (Role.COUNTY_MANAGER,)
    claim = {
        "subscription_id": "S-1",
        "from_period": NOVEMBER,
        "to_period": NOVEMBER,
        "claimant_centre_id": "C2",
        "centre_id": "C2",
        "field_id": "F2",
        "text": "Ours.",
        "documents": [{"name": "map", "url": "https://county.example/map", "sha256": "0" * 64}],
    }
    rating = {
        "period": NOVEMBER,
        "rater_centre_id": "G1",
        "ratee_centre_id": "C1",
        "cooperation_stars": 4,
    }
    ticket = {
        "raiser_centre_id": "C1",
        "category": "it_coordination",
        "title": "系统报错",
        "text": "开户页面报错",
    }
    crew = {"centre_id": "C1", "members": [contractor("C1")], "skills": []}
    goal = {
        "measure": "net_revenue",
        "centre_id": "C1",
        "from_period": NOVEMBER,
        "to_period": 201810,
        "value": 100,
        "source": "文",
    }
    await walk.give("attribution", "PUT /disputes/D-1", claim, *c2)
    await walk.give("dispatch", "POST /appraisals/horizontal", rating, Role.CONTRACTOR, "G1")
    await walk.give("dispatch", "POST /tickets", ticket, *c1)
    await walk.give("dispatch", "PUT /crews/K1", crew, *manager)
    await walk.give("kpi", "PUT /unit-targets/T1", goal, *manager)
    settled = walk.client(ContractsClient, "contracts", Role.COUNTY_FINANCE)
    outcomes = await settled.settle(walk.branch_id, NOVEMBER, ["CT-C1", "CT-C2"])
    assert all(one.statement is not None for one in outcomes), outcomes


async def follow(walk: Walk) -> None:
    for service in SERVICES[:3]:
        reader = walk.client(ServiceClient, service, Role.AUDITOR)
        one = follower(f"/{service}", reader, walk.apps["kpi"].state.database)
        while await one.step(walk.branch_id):
            pass


async def test_a_contractor_opens_no_object_of_another_centre_by_any_route(walk: Walk) -> None:
    await register(walk)
    await bill(walk)
    await follow(walk)
    await work_and_judge(walk)
    await walk.read_lists()
    reached, leaks = list[str](), list[str]()

    for service in SERVICES:
        for route in walk.routes(service):
            shown = await walk.shown(service, route) if "{" in route else []
            reached += [f"{service} {route}"] if shown else []
            if route not in SHARED[service]:
                leaks += [leak for one in shown for leak in await walk.leaks(service, *one)]

    assert (leaks, len(reached) >= MOST_ROUTES) == ([], True), reached
