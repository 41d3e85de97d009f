"""Every service asked by its own OpenAPI document, with the seed and the findings that are accepted: none."""

import argparse
import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from support.postgres import PreparedDatabase, database_like_a_new_one
from support.register import bind, contract, county_with_centres, regional

from huaxiao.cli.sample.county import BRANCH_ID
from huaxiao.cli.suite import (
    Keys,
    Server,
    create_console,
    create_gateway,
    create_service,
    listen,
)
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.contracts import ContractsClient
from huaxiao.shared.issuer import Issuer
from huaxiao.shared.provision import SERVICES
from tools import fuzz

SEED, CASES = 7, 2


async def two_centres_under_contract(app: FastAPI, issuer: Issuer) -> None:
    """Give each contractor something that the other must not see."""

    def caller(role: Role, centre_ids: list[str] | None = None) -> ContractsClient:
        signed = issuer.token(
            f"test:{role}", roles=[role], branch_ids=[BRANCH_ID], centre_ids=centre_ids
        )
        transport = httpx.ASGITransport(app=app)
        return ContractsClient("http://contracts", lambda: signed, transport=transport)

    await county_with_centres(caller, BRANCH_ID)
    manager = caller(Role.COUNTY_MANAGER)
    for centre in ("C1", "C2"):
        drawn = regional(f"{BRANCH_ID}10{centre[-1]}", centre_id=centre)
        await manager.put_field(BRANCH_ID, f"F{centre[-1]}", drawn)
        await manager.put_contract(BRANCH_ID, f"CT-{centre}", contract(centre, f"F{centre[-1]}"))
        await bind(caller, BRANCH_ID, f"CT-{centre}")


@pytest.mark.slow
async def test_no_service_breaks_what_its_document_says(
    prepared: PreparedDatabase,
    worker: str,
    settings_for: Callable[[str], dict[str, Any]],
    keys: Keys,
    issuer: Issuer,
    tmp_path: Path,
) -> None:
    database = await asyncio.to_thread(database_like_a_new_one, prepared.postgres, f"fuzz_{worker}")
    own = {"dispatch": {"attachments_directory": tmp_path}}
    apps = {
        one: create_service(
            one, settings_for(one) | {"database_url": database.url(one)} | own.get(one, {})
        )
        for one in SERVICES
    }
    await two_centres_under_contract(apps["contracts"], issuer)
    bound = listen("127.0.0.1", 0)
    address = f"http://127.0.0.1:{bound.getsockname()[1]}"
    running = Server(create_gateway(apps, create_console(address)))
    served = asyncio.create_task(running.serve(sockets=[bound]))
    await running.ready.wait()
    fuzz.write_configuration(tmp_path, keys)
    given = argparse.Namespace(seed=SEED, cases=CASES, phases="fuzzing")

    async def ask(services: Sequence[str]) -> list[int]:
        return [
            await asyncio.to_thread(fuzz.fuzz, one, address, tmp_path, given) for one in services
        ]

    found = await asyncio.gather(ask(SERVICES[::2]), ask(SERVICES[1::2]))
    running.should_exit = True
    await served
    logs = "".join((tmp_path / f"{one}.log").read_text() for one in SERVICES)
    assert [code for codes in found for code in codes] == [0] * len(SERVICES), logs
