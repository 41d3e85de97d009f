"""The committed TypeScript client is the one that the services' documents give."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

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


def test_the_client_type_checks_strictly(project: Path) -> None:
    folder = project / "clients" / "typescript"
    compiler = folder / "node_modules" / "typescript" / "bin" / "tsc"
    node = shutil.which("node")
    if node is None or not compiler.exists():
        pytest.skip("no Node here, or `make client` was not run: nothing to check the types with")
    done = subprocess.run(
        [node, compiler, "--noEmit"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
