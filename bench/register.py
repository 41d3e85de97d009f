"""How soon the register answers: coverage, signing, settling."""

import asyncio
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from pathlib import Path
from statistics import median

import httpx
from support.register import contract, contractor, member_of

from bench.measuring import (
    Figure,
    Size,
    Suite,
    Wire,
    figure,
    tell,
    timed,
    until_followed,
)
from huaxiao.cli.sample.county import BRANCH_ID, sample_county
from huaxiao.cli.sample.registration import Speaker, register_county, sign_contract
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.clients.contracts import ContractsClient
from huaxiao.shared.wire.contracts import (
    BranchIn,
    CentreIn,
    CentreKind,
    FieldIn,
    FieldKind,
    FieldScopeIn,
)

TERM = 201711
FIELDS = 3_000
VILLAGES = "package/dist/villages.csv"
PACKAGE = "https://registry.npmjs.org/china-division/-/china-division-2.7.0.tgz"
"""All villages of China by their statistical codes, MIT."""
HERE = Path(__file__).parents[1]
KEPT = HERE / ".huaxiao" / "china-division-2.7.0.tgz"


async def coverage_china(_: Suite, size: Size) -> Figure:
    """Report on the coverage of every village of China by 3,000 fields."""
    if size.subscribers < FIELDS:
        codes = [one.code for one in sample_county().villages]
    else:
        codes = await asyncio.to_thread(_all_villages)
    took, ratios = [], []
    for _run in range(min(size.runs, 3)):
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "bench.coverage", str(FIELDS)],
            input="\n".join(codes),
            capture_output=True,
            text=True,
            check=True,
            cwd=HERE,
        )
        said = json.loads(done.stdout)
        took.append(said["report_s"])
        ratios.append(said["report_s"] / said["sort_s"])
        tell(
            f"coverage_china: {said['villages']} villages, {said['claims']} claims of"
            f" {said['fields']} fields: {said['report_s']:.2f} s, {said['peak_mib']:.0f} MiB"
        )
    return figure("coverage_china", took, "s", against="sorting the same codes", ratios=ratios)


def _all_villages() -> list[str]:
    """Return every village's code, from a file named in CHINA_DIVISION or fetched once."""
    package = Path(os.environ.get("CHINA_DIVISION", KEPT))
    if not package.exists():
        tell(f"fetching {PACKAGE}")
        package.parent.mkdir(parents=True, exist_ok=True)
        answer = httpx.get(PACKAGE, follow_redirects=True, timeout=300)
        package.write_bytes(answer.raise_for_status().content)
    with tarfile.open(package) as packed:
        listed = packed.extractfile(VILLAGES)
        assert listed is not None
        return [line.partition(b",")[0].decode() for line in listed.read().splitlines()[1:]]


async def coverage_county(suite: Suite, size: Size) -> Figure:
    """Ask for the coverage of the sample county."""
    async with (
        suite.speaker(Role.COUNTY_MANAGER) as contracts,
        suite.speaker(Role.PROVINCE) as second,
    ):
        await register_county(contracts, sample_county(), second=second)
    took, ratios = [], []
    headers = suite.headers(Role.COUNTY_MANAGER, "application/json")
    async with Wire(suite.processes["contracts"].url, headers) as wire:
        for _ in range(10 * size.runs):
            one = await timed(wire.ask("GET", f"/v1/branches/{BRANCH_ID}/coverage"))
            empty = await timed(wire.ask("GET", "/healthz"))
            took.append(1000 * one)
            ratios.append(one / empty)
    tell(f"coverage_county: median {median(took):.2f} ms")
    return figure(
        "coverage_county", took, "ms", against="an answer that looks nothing up", ratios=ratios
    )


async def sign_county(suite: Suite, _: Size) -> Figure:
    """Sign a county's ten contracts, one after another."""
    villages = [one.code for one in sample_county().villages]
    centres = [f"C{number}" for number in range(1, 10)]
    async with suite.speaker(Role.COUNTY_MANAGER) as contracts:
        await _open(contracts, centres)
        await contracts.put_contract(BRANCH_ID, "CT-COUNTY", contract(None))
        for index, centre in enumerate(centres):
            await contracts.put_field(BRANCH_ID, f"F-{centre}", _field(centre, villages[index::9]))
            await contracts.put_contract(BRANCH_ID, f"CT-{centre}", contract(centre, f"F-{centre}"))
        async with _signatories(suite) as speaker:
            signing = 1000 * await timed(_sign(speaker, centres))
        # A county is signed once: nothing else of its size can be measured twice on one suite.
        empty = 1000 * await timed(_ask_nothing(suite, len(centres) + 1))
    tell(
        f"sign_county: {signing:.0f} ms for {len(centres) + 1} contracts, {len(villages)} villages"
    )
    return figure(
        "sign_county",
        [signing],
        "ms",
        against="as many answers that look nothing up",
        ratios=[signing / empty],
    )


async def _sign(speaker: Speaker, centres: list[str]) -> None:
    await sign_contract(speaker, BRANCH_ID, "CT-COUNTY", None)
    for centre in centres:
        await sign_contract(speaker, BRANCH_ID, f"CT-{centre}", centre)


@asynccontextmanager
async def _signatories(suite: Suite) -> AsyncIterator[Speaker]:
    """Keep a connection for each who signs: making one takes longer than a signature."""
    roles = (Role.PROVINCE, Role.COUNTY_MANAGER, Role.CONTRACTOR)
    async with AsyncExitStack() as stack:
        held = {one: await stack.enter_async_context(suite.speaker(one)) for one in roles}
        yield lambda role, _: nullcontext(held[role])


async def _ask_nothing(suite: Suite, times: int) -> None:
    headers = suite.headers(Role.COUNTY_MANAGER, "application/json")
    async with Wire(suite.processes["contracts"].url, headers) as wire:
        for _ in range(times):
            await wire.ask("GET", "/healthz")


async def settle_1000(suite: Suite, size: Size) -> Figure:
    """Settle a month of a thousand contracts, attribution and dispatch beside."""
    centres = [f"C{number:04d}" for number in range(min(size.batch, 1_000))]
    async with suite.speaker(Role.COUNTY_MANAGER) as contracts, _signatories(suite) as speaker:
        await _open(contracts, centres)
        await contracts.put_contract(BRANCH_ID, "CT-COUNTY", contract(None))
        await sign_contract(speaker, BRANCH_ID, "CT-COUNTY", None)
        for number, centre in enumerate(centres):
            field = _field(
                centre, [f"{BRANCH_ID}{100 + number // 900:03d}{100 + number % 900:03d}"]
            )
            await contracts.put_field(BRANCH_ID, f"F-{centre}", field)
            given = contract(centre, f"F-{centre}", base_fen=500_00)
            await contracts.put_contract(BRANCH_ID, f"CT-{centre}", given)
            await sign_contract(speaker, BRANCH_ID, f"CT-{centre}", centre)
        tell(f"settle_1000: {len(centres)} contracts are signed")
        await _bill(suite, contracts, centres)
        plain = await timed(_ask_nothing(suite, len(centres)))
        settling = await timed(contracts.settle(BRANCH_ID, TERM))
        drafted = await contracts.settlement_statements(BRANCH_ID, period=TERM)
    assert len(drafted) == len(centres) + 1, len(drafted)
    assert sum(one.net_fen > 0 for one in drafted) == len(centres) + 1
    tell(f"settle_1000: {settling:.2f} s for {len(drafted)} statements")
    return figure(
        "settle_1000",
        [settling],
        "s",
        against="as many answers that look nothing up",
        ratios=[settling / plain],
    )


async def _bill(suite: Suite, contracts: ContractsClient, centres: list[str]) -> None:
    """Bill a line of every centre once attribution knows whose its village is."""
    *_, last = [one async for one in _feed(contracts)]
    token = suite.token(Role.BSS_SOURCE)
    reader = suite.token(Role.COUNTY_MANAGER)
    url = suite.processes["attribution"].url
    async with (
        AttributionClient(url, lambda: token) as source,
        AttributionClient(url, lambda: reader) as attribution,
    ):
        await until_followed(attribution, last)
        events = [event for number, _ in enumerate(centres) for event in _line(number)]
        for start in range(0, len(events), 1_000):
            report = await source.post_events(events[start : start + 1_000])
            assert report.refused == report.parked == 0, report


async def _feed(contracts: ContractsClient) -> AsyncIterator[int]:
    after = 0
    while entries := await contracts.feed(BRANCH_ID, after=after, limit=1_000):
        after = entries[-1].position
        yield after


def _line(number: int) -> list[dict[str, object]]:
    village = f"{BRANCH_ID}{100 + number // 900:03d}{100 + number % 900:03d}"
    about: list[tuple[str, dict[str, object]]] = [
        (
            "subscription.opened",
            {
                "subscription_id": f"S-{number}",
                "customer_id": f"P-{number}",
                "product": "broadband",
                "opened_on": "2016-05-01",
                "standard_address": village,
            },
        ),
        (
            "bill_item.issued",
            {
                "bill_item_id": f"BI-{number}",
                "subscription_id": f"S-{number}",
                "period": TERM,
                "item_kind": "monthly",
                "amount_fen": 100_000,
                "tax_fen": 0,
            },
        ),
    ]
    return [
        {
            "specversion": "1.0",
            "id": f"{kind}-{number}",
            "source": "/bench",
            "type": kind,
            "time": "2017-11-28T10:00:00+08:00",
            "branchid": BRANCH_ID,
            "data": data,
        }
        for kind, data in about
    ]


async def _open(contracts: ContractsClient, centres: list[str]) -> None:
    await contracts.register_branch(
        BRANCH_ID, BranchIn(name="Bench", name_zh="云泽县分公司", default_centre_id="C0")
    )
    for centre in ["C0", *centres]:
        given = CentreIn(kind=CentreKind.TOWNSHIP, name=centre, name_zh=centre)
        await contracts.put_centre(BRANCH_ID, centre, given)
        await contracts.put_person(BRANCH_ID, contractor(centre), member_of(centre))


def _field(centre: str, prefixes: list[str]) -> FieldIn:
    return FieldIn(
        kind=FieldKind.REGIONAL,
        centre_id=centre,
        name_zh=centre,
        term_from=TERM,
        term_to=201810,
        scope=FieldScopeIn(address_prefixes=prefixes),
    )
