"""What the documents say can be done, is done here; what they name, exists."""

import ast
import json
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import httpx
import pytest
from support.documents import blocks_of, headings_of
from support.suite import in_a_shell, reachable, run, up

from huaxiao.attribution.domain import booking, books
from huaxiao.attribution.intake import arrivals, handlers, reading
from huaxiao.attribution.rule_sets.reading import default_given
from huaxiao.attribution.signed import handlers as signing
from huaxiao.shared.provision import SERVICES

RUN_ELSEWHERE = {"make demo", "make test", "make up"}
"""The tests below run what the first and last of these run; the second runs this."""
RUN_WITH_MORE = ("docker ", "CONNECTION")
"""`tests/compose` runs what needs an engine, `tests/journey/test_restoring.py` what needs a backup."""
MANAGER = ("--role", "county_manager", "--branch", "130123")
_LINK = re.compile(r"\]\(([^)#\s]+)(#[^)\s]+)?\)")


def documents(project: Path) -> list[Path]:
    folders = ("*.md", "docs/**/*.md", "deploy/*.md", "clients/*/*.md")
    return [path for folder in folders for path in project.glob(folder)]


def commands(project: Path) -> Iterator[str]:
    """Yield the shell blocks of README and docs without what is run elsewhere.

    The tutorial's blocks belong together: `test_tutorial.py`. Those of the Chinese pages are the
    English ones' to the letter: `test_in_chinese.py`.
    """
    docs = project / "docs"
    pages = [one for one in docs.rglob("*.md") if not one.is_relative_to(docs / "zh")]
    pages.remove(docs / "tutorial.md")
    for document in (project / "README.md", *sorted(pages)):
        for block in blocks_of(document, "sh"):
            lines = [line.partition("  #")[0].rstrip() for line in block.splitlines()]
            kept = [line for line in lines if line and line not in RUN_ELSEWHERE]
            if kept and not any(one in block for one in RUN_WITH_MORE):
                yield "\n".join(kept)


@pytest.fixture
def suite_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return reachable(tmp_path_factory.mktemp("documents"))


@pytest.mark.slow
def test_the_demo_holds_and_every_command_of_the_documents_works_on_what_it_leaves(
    project: Path, suite_data: Path
) -> None:
    data = ("--data", str(suite_data))
    demo = run("demo", *data, "--port", "0", "--subscribers", "100", "--json")
    assert demo.returncode == 0, demo.stdout[-3000:] + demo.stderr[-3000:]
    told = json.loads(demo.stdout)
    assert [one for one in told["checks"] if not one["holds"]] == []
    assert told["holds"]
    assert demo.stderr.count("✓") == len(told["checks"]) >= 45
    assert "Traceback" not in demo.stderr
    # Commands that read the documents' own files work on a copy: they write beside them.
    shutil.copytree(project / "docs", suite_data / "docs")
    with up(suite_data) as address:
        assert_targets_are_met(address, run("token", *MANAGER, *data).stdout.strip())
        tried = sum(try_out(block, address, suite_data) for block in commands(project))
    assert tried >= 5
    rebuilt = run("rebuild-kpi", *data)
    assert rebuilt.returncode == 0, rebuilt.stdout + rebuilt.stderr
    assert "every figure is as it was" in rebuilt.stdout


def assert_targets_are_met(address: str, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    path = "/kpi/v1/branches/130123/targets?period=201711"
    answer = httpx.get(f"{address}{path}", headers=headers)
    assert answer.status_code == 200
    assert answer.json()["county"]["targets"][0]["verdict"] == "pass"
    assert set(httpx.get(f"{address}/services").json()) == set(SERVICES)


def try_out(block: str, address: str, data: Path) -> int:
    """Run a block of commands as it stands, but against this suite; return how often it asked."""
    script = block.replace("curl ", "curl --silent --show-error --fail-with-body ")
    done = in_a_shell(script, address, data)
    assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"
    return block.count("curl ")


def test_both_readmes_show_the_same(project: Path) -> None:
    english, chinese = (
        blocks_of(project / name, "sh") for name in ("README.md", "README.zh-CN.md")
    )
    assert english == chinese
    shown = [blocks_of(project / name, "text")[1:] for name in ("README.md", "README.zh-CN.md")]
    assert shown[0] == shown[1]


def test_every_link_leads_to_a_file_and_every_anchor_to_a_heading(project: Path) -> None:
    for document in documents(project):
        for target, anchor in _LINK.findall(document.read_text()):
            if "://" in target:
                continue
            found = document.parent / target
            assert found.exists(), f"{document.name}: {target}"
            if anchor:
                anchors = {one for _, one in headings_of(found)}
                assert anchor in anchors, f"{document.name}: {target}{anchor}"


def test_attributions_codes_are_all_explained_and_all_there(project: Path) -> None:
    page = (project / "docs" / "attribution.md").read_text()
    table = page[page.index("## What cannot be booked") :]
    explained = set(re.findall(r"^\| `([a-z-]+)` \|", table, re.MULTILINE))
    modules = (arrivals, booking, books, handlers, reading, signing)
    in_code = {code for module in modules for code in _codes_of(module)}
    assert explained == in_code - {"booked"}


def _codes_of(module: ModuleType) -> Iterator[str]:
    """What a module refuses with or lets wait: written in place, or under a name of the module."""
    for node in ast.walk(ast.parse(Path(str(module.__file__)).read_text())):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("Refusal", "Waiting"):
            code = node.args[0] if node.args else None
            if isinstance(code, ast.Constant):
                yield str(code.value)
            elif isinstance(code, ast.Name) and isinstance(
                named := getattr(module, code.id, None), str
            ):
                yield named


def test_the_documents_name_the_default_rules_in_their_order(project: Path) -> None:
    page = (project / "docs" / "attribution.md").read_text()
    named = re.findall(r"^\| (\d{3}) \| (.+?) \|", page, re.MULTILINE)
    assert named == [(rule.code, f"{rule.title} {rule.title_zh}") for rule in default_given().rules]


def test_the_glossary_spells_its_words_as_the_code_does(project: Path) -> None:
    code = "\n".join(
        path.read_text()
        for folder in ("shared", "services", "cli")
        for path in (project / folder).rglob("*.py")
    )
    glossary = (project / "docs" / "glossary.md").read_text()
    for row in re.findall(r"^\| .+? \| (.+?) \|", glossary, re.MULTILINE):
        for word in re.findall(r"`([^`]+)`", row):
            assert word in code, word


def test_the_python_example_is_one_that_the_client_accepts(project: Path) -> None:
    _, example, _ = blocks_of(project / "docs" / "integrate-billing.md", "python")
    names: dict[str, object] = {}
    exec(compile(example, "integrate-billing.md", "exec"), names)
    found = reading.read(json.dumps(names["event"]).encode(), now=datetime.now(UTC))
    assert not isinstance(found.says, reading.Refusal), found.says


def test_every_test_that_a_promise_names_exists(project: Path) -> None:
    """A promise stands beside the test that shows it: a file, or a test in it."""
    named = {
        (path, test)
        for document in documents(project)
        for path, test in re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", document.read_text())
    }
    missing = [
        f"{path}::{test}"
        for path, test in sorted(named)
        if not (project / path).is_file()
        or (test and f"def {test}(" not in (project / path).read_text())
    ]
    assert missing == []
    assert len(named) >= 20
