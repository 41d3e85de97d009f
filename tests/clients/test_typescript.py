"""The committed TypeScript client is the one that the services' documents give."""

import asyncio
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from support.serving import serving

from huaxiao.attribution.main import create_app
from huaxiao.attribution.settings import Settings
from huaxiao.shared.auth import Role
from huaxiao.shared.provision import SERVICES
from tools import typescript_client


def test_the_committed_client_is_made_from_the_committed_documents() -> None:
    told = json.loads(typescript_client.MADE_FROM.read_text())

    assert told["from"] == typescript_client.sources(), "run `make client`"
    assert told["files"] == typescript_client.written(), "written by hand? run `make client`"


def documents(project: Path) -> list[dict[str, Any]]:
    return [
        json.loads((project / "services" / one / "openapi.json").read_text()) for one in SERVICES
    ]


def codes(document: dict[str, Any]) -> dict[str, set[str]]:
    """Return the codes that each operation's document gives, whatever form they have there."""
    return {
        operation["operationId"]: set(
            re.findall(r"`([a-z0-9-]+)`: ", json.dumps(operation["responses"], ensure_ascii=False))
        )
        for path in document["paths"].values()
        for operation in path.values()
    }


def test_no_code_of_any_operation_is_lost_when_they_are_told_apart(project: Path) -> None:
    for document in documents(project):
        made = typescript_client.prepared(document)
        common = set(
            made["components"]["schemas"]["CommonProblem"]["allOf"][1]["properties"]["code"]["enum"]
        )
        for path, operations in made["paths"].items():
            for method, operation in operations.items():
                own = set(re.findall(r'"enum": \["(.+?)"\]', json.dumps(operation["responses"])))
                told = common | {code for one in own for code in one.split('", "')}
                known = codes(document)[operation["operationId"]]
                assert known <= told, f"{method} {path}"
                assert told <= known | common, f"{method} {path}"


def test_no_machines_registry_is_named(project: Path) -> None:
    lock = (project / "clients" / "typescript" / "package-lock.json").read_text()
    assert '"resolved"' not in lock
    assert lock.count('"integrity"') >= 10


def test_the_readme_shows_the_example_that_is_type_checked(project: Path) -> None:
    folder = project / "clients" / "typescript"
    shown = re.findall(
        r"^```ts\n(.*?)^```$", (folder / "README.md").read_text(), re.MULTILINE | re.DOTALL
    )
    example = (folder / "example" / "quarantine.ts").read_text()
    assert shown == [example.replace("../src/index.js", "@huaxiao/client")]


@pytest.fixture(scope="module")
def built(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where the client was compiled to, strictly, with its tests and its example."""
    folder = project / "clients" / "typescript"
    compiler = folder / "node_modules" / "typescript" / "bin" / "tsc"
    node = shutil.which("node")
    if node is None or not compiler.exists():
        pytest.skip(
            "no Node here, or `make client` was not run: nothing to compile the client with"
        )
    there = tmp_path_factory.mktemp("client")
    shutil.copy(folder / "package.json", there)
    compiled = subprocess.run(
        [node, compiler, "--outDir", there], cwd=folder, capture_output=True, text=True, check=False
    )
    assert compiled.returncode == 0, compiled.stdout
    return there


def test_the_client_sends_as_it_says(built: Path) -> None:
    tests = sorted((built / "test").glob("*.test.js"))
    done = subprocess.run(["node", "--test", *tests], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


async def test_the_example_posts_to_the_real_service_and_reads_its_quarantine(
    built: Path, settings_for: Callable[[str], dict[str, Any]], token: Callable[..., str]
) -> None:
    app = create_app(Settings(**settings_for("attribution")))
    async with serving(Starlette(routes=[Mount("/attribution", app)])) as address:
        example = await asyncio.create_subprocess_exec(
            *("node", built / "example" / "quarantine.js"),
            env=os.environ
            | {"HUAXIAO_URL": address, "HUAXIAO_TOKEN": token(Role.BSS_SOURCE, 130123)},
            stdout=subprocess.PIPE,
        )
        said, _ = await example.communicate()
    await app.state.database.close()
    assert example.returncode == 0
    assert re.match(r"0 [a-z-]+ \w.*\n\d+ held; the bill is 59[.]00 yuan\n", said.decode())
