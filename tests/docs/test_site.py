"""The documents as a site: built strictly, every page in its place, both languages in step."""

import re
from pathlib import Path

import pytest
import yaml
from support.documents import fences_of

from tools import site


class Settings(yaml.SafeLoader):
    """Reads mkdocs.yml, of whose own tags only the name is of use here."""


Settings.add_multi_constructor("!!python/", lambda *_: None)
Settings.add_multi_constructor("tag:yaml.org,2002:python/", lambda *_: None)


def pages(nav: object) -> list[str]:
    match nav:
        case str():
            return [nav]
        case dict():
            return [page for inner in nav.values() for page in pages(inner)]
        case list():
            return [page for inner in nav for page in pages(inner)]
    raise AssertionError(nav)


def test_the_site_builds_strictly(capfd: pytest.CaptureFixture[str]) -> None:
    assert site.main() == 0
    assert "No issues found" in capfd.readouterr().err
    assert (site.SITE / "index.html").is_file()


def test_every_document_has_its_place_in_the_site(project: Path) -> None:
    named = pages(yaml.load((project / "mkdocs.yml").read_text(), Settings)["nav"])
    # Decisions are led to by their own list.
    decisions = (project / "docs" / "decisions" / "README.md").read_text()
    named += [f"docs/decisions/{one}" for one in re.findall(r"\((\d{4}-[\w-]+\.md)\)", decisions)]
    there = [str(path.relative_to(project)) for path in site.documents()]
    assert sorted(named) == sorted(there)


def test_both_readmes_have_the_same_chapters(project: Path) -> None:
    chapters = [
        len(re.findall(r"^## ", (project / name).read_text(), re.MULTILINE))
        for name in ("README.md", "README.zh-CN.md")
    ]
    assert chapters[0] == chapters[1] >= 3


def test_what_belongs_to_an_item_is_set_in_as_far_as_the_site_asks_for(project: Path) -> None:
    """By four; GitHub would take three, and the site then numbers every item 1."""
    for path in site.documents():
        text = path.read_text()
        for fence in fences_of(path):
            text = text.replace(fence, fence.partition("\n")[0])
        margins = re.findall(r"\n\n( *)\S", text)
        assert {len(one) for one in margins} <= {0, 4}, path.name
