"""A run of the sample county's month in which services, the database and the ways between them fail."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from support.bugs import SHOWS_IN
from support.chaos import OwnPostgres, Trouble, until_heard
from support.chaos_findings import Looking, answered_500, findings
from support.county_at_work import Work
from support.links import Link, opened
from support.postgres import PreparedDatabase
from support.processes import Processes, free_ports

from huaxiao.cli import embedded
from huaxiao.cli.sample.county import sample_county
from huaxiao.cli.sample.generator import generate
from huaxiao.cli.story import Endpoints, Story, telling
from huaxiao.cli.suite import Keys
from huaxiao.shared.issuer import Issuer
from huaxiao.shared.provision import SERVICES

_TESTS = Path(__file__).parents[1]
_SUBSCRIBERS = 150
_SUBSCRIBERS_A_SECOND = 15
_SAMPLE_SEED = 201711


@dataclass
class Run:
    """What was done in a run, and what was found when all was quiet again."""

    seed: int
    bug: str
    work: Work | None = None
    trouble: Trouble | None = None
    found: list[str] = field(default_factory=list)
    never_began: str = ""
    """Why the county was never at work."""

    def told(self) -> str:
        """Return what was done, in a line."""
        said = f"seed {self.seed}"
        if self.never_began:
            said += f": never began: {self.never_began}"
        if self.work is not None:
            said += (
                f": {len(self.work.acknowledged)} events, {len(self.work.orders)} orders asked for,"
                f" {len(self.work.done)} worked off, {len(self.work.notes)} notes,"
                f" {self.work.looks} looks at the books, {self.work.drafts} drafts"
            )
            if self.work.drained is not None:
                said += f", followed after {self.work.drained:.1f} s"
        if self.trouble is not None:
            said += f"; {dict(sorted(self.trouble.had.items()))}"
            if self.trouble.recovered:
                said += f"; ready again after {max(self.trouble.recovered):.1f} s at most"
        return said

    def log(self) -> str:
        """Return every fault, with its moment, and what was found."""
        trouble = [] if self.trouble is None else self.trouble.log
        return "\n".join([self.told(), *trouble, *(f"FOUND {one}" for one in self.found)])


async def run(
    postgres: embedded.EmbeddedPostgres,
    keys: Keys,
    logs: Path,
    *,
    seed: int,
    seconds: float,
    bug: str = "",
) -> Run:
    """Have the month done while trouble is made, then the rest of it in peace; look at all of it.

    Whatever goes wrong once the county is at work is a finding. With a ``bug`` the services are those of
    ``support.bugs``.
    """
    done = Run(seed, bug)
    issuer = keys.issuer()
    chance = random.Random(seed)
    ports = free_ports(2 * len(SERVICES))
    links = {
        service: Link(link, port, chance)
        for service, port, link in zip(SERVICES, ports[4:], ports[:4], strict=True)
    }
    database = PreparedDatabase(postgres, f"chaos_{seed}_{bug.replace('-', '_')}".rstrip("_"))
    await asyncio.to_thread(embedded.prepare, postgres, database.name)
    processes = Processes(
        database,
        keys,
        logs,
        between={service: one.url for service, one in links.items()},
        further={"BUG": bug, "PYTHONPATH": str(_TESTS)},
        ports=ports[4:],
    )
    if bug:
        for one in processes.of.values():
            one.app = f"support.bugs:create_{one.service}"
    following = Looking(database.url("postgres"))
    trouble = done.trouble = Trouble(
        processes,
        links,
        OwnPostgres(postgres),
        chance,
        kill_first=SHOWS_IN.get(bug),
        followed=following.followed,
    )
    try:
        async with opened(list(links.values())):
            await processes.start()
            async with _registered(links, issuer, seconds) as story:
                looking = Looking(database.url("postgres"))
                work = done.work = Work(
                    story,
                    random.Random(chance.random()),
                    seconds,
                    trouble.heard,
                    trouble.course,
                    looking.missing,
                )
                try:
                    await _worked_through(trouble, work, seconds)
                    done.found += await findings(
                        work,
                        database_url=database.url("postgres"),
                        contracts_url=processes["contracts"].url,
                        answered_500=partial(answered_500, processes),
                    )
                finally:
                    await work.close()
                    await looking.close()
    except Exception as error:
        if done.work is None:
            # It never began: that says nothing of what was to be seen.
            raise
        done.found.append(f"{type(error).__name__}: {error}"[:1_000])
        done.found += answered_500(processes)
    finally:
        await following.close()
        processes.stop()
    return done


async def _worked_through(trouble: Trouble, work: Work, seconds: float) -> None:
    over = asyncio.Event()
    working = asyncio.create_task(work.all_of_it(over))
    making = asyncio.create_task(trouble.make(seconds))
    try:
        await asyncio.wait({working, making}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            # It works until it is told that it is over: so it failed.
            await working
        await making
        over.set()
        await working
    finally:
        for one in (making, working):
            one.cancel()
        await asyncio.gather(making, working, return_exceptions=True)
        await asyncio.to_thread(trouble.postgres.start)


@asynccontextmanager
async def _registered(
    links: dict[str, Link], issuer: Issuer, seconds: float
) -> AsyncIterator[Story]:
    """Register the sample county in peace."""
    county = sample_county()
    subscribers = max(_SUBSCRIBERS, round(_SUBSCRIBERS_A_SECOND * seconds))
    addresses = {service: one.url for service, one in links.items()}
    suite = Endpoints(**addresses, issuer=issuer, gateway="")
    async with telling(suite, county, generate(county, _SAMPLE_SEED, subscribers)) as story:
        await until_heard(story.register)
        await story.wait_for_attribution()
        yield story
