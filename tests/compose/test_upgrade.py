"""The release before is replaced by this one, service by service, while the county works."""

import asyncio
import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from support.chaos import until_heard
from support.deployment import COMPOSE_FILE, VERSION, Deployment, EngineError, docker
from support.documents import blocks_of
from support.month import assert_as_expected, in_parts
from support.releases import before_in_containers, unpack

from huaxiao.cli.sample.county import sample_county
from huaxiao.cli.sample.generator import Event, generate
from huaxiao.cli.story import Endpoints, Story, telling
from huaxiao.shared.provision import SERVICES

SUBSCRIBERS = 300
BEFORE = "compose-before"
"""The tag of the images of the release before."""


@pytest.fixture
def release_before(
    deploy: Callable[..., Deployment],
    project: Path,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Deployment]:
    """Return an installation of the release before, by its own files and images."""
    unpack(project, before_in_containers(project), tmp_path)
    old = tmp_path / "deploy" / "docker-compose.yml"
    settings = {"HUAXIAO_VERSION": BEFORE}
    building = Deployment("huaxiao-compose-upgrade", 0, [old], settings)
    try:
        building.compose("build", "--quiet")
        yield deploy("huaxiao-compose-upgrade", old, settings=settings)
    finally:
        logs = tmp_path_factory.getbasetemp() / "upgraded.log"
        logs.write_bytes(building.compose("logs", "--no-color", "--timestamps"))
        for one in (building, Deployment(building.project, 0)):
            one.down()
        others = ("prepare", "gateway", "console")
        docker("rmi", "--force", *(f"huaxiao/{one}:{BEFORE}" for one in (*others, *SERVICES)))


def versions(county: Deployment) -> list[str]:
    """Return the tags of the services' images, in the order in which they are upgraded."""
    return [county.inspect(one)["Config"]["Image"].partition(":")[2] for one in SERVICES]


class Working:
    """Billing, which sends on and on, and counts how often it was answered beside whom."""

    def __init__(self, story: Story, events: list[Event]) -> None:
        self.story, self.parts = story, in_parts(events, 40)
        self.answered = 0

    async def until(self, over: asyncio.Event) -> None:
        """Send part after part until it is over, and then the rest; some come again: nobody minds."""
        while not over.is_set():
            for part in self.parts[: self.answered + 1]:
                await until_heard(partial(self.story.post, part, lambda _: None))
                if over.is_set():
                    break
            self.answered = min(self.answered + 1, len(self.parts) - 1)
        for part in self.parts[self.answered :]:
            await until_heard(partial(self.story.post, part, lambda _: None))


async def test_services_are_replaced_one_by_one_while_the_county_works(
    release_before: Deployment, project: Path
) -> None:
    old = release_before
    new = Deployment(old.project, old.port, [COMPOSE_FILE], {"HUAXIAO_VERSION": VERSION})
    suite = Endpoints.behind(old.url, old.issuer())
    county = sample_county()
    sample = generate(county, 201711, SUBSCRIBERS)
    [page] = blocks_of(project / "docs" / "operations" / "upgrade.md", "sh")
    steps = [one for one in page.splitlines() if "--no-deps" in one]
    database = old.inspect("postgres")["Id"], old.state("postgres")["StartedAt"]
    seen = [versions(old)]

    async with telling(suite, county, sample) as story:
        await until_heard(story.register)
        await story.wait_for_attribution()
        over = asyncio.Event()
        working = Working(story, list(sample.events))
        sending = asyncio.create_task(working.until(over))
        try:
            for command in steps:
                await asyncio.to_thread(new.compose, *command.split()[2:])
                if "--detach" in command:
                    seen.append(versions(new))
            await asyncio.to_thread(new.until_ready)
        finally:
            over.set()
        await sending
        await story.work(await story.orders(), lambda _: None)
        report = await story.targets()
        await assert_as_expected(story)

    try:
        said = new.compose("run", "--rm", "doctor", "--anchors", "/anchors", "--json")
    except EngineError as error:
        pytest.fail(str(error))
    levels = {one["level"] for one in json.loads(said)["findings"]}
    assert seen[: len(SERVICES) + 1] == [
        [VERSION] * replaced + [BEFORE] * (len(SERVICES) - replaced)
        for replaced in range(len(SERVICES) + 1)
    ]
    assert (new.inspect("postgres")["Id"], new.state("postgres")["StartedAt"]) == database
    assert {new.inspect(one)["RestartCount"] for one in SERVICES} == {0}
    assert report.county is not None
    assert working.answered > len(SERVICES)
    assert levels == {"holds"}
