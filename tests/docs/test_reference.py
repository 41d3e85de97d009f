"""The reference is what the code says, page by page."""

from pathlib import Path

import pytest

from tools import reference


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return reference.pages()


def test_the_committed_reference_is_the_one_the_code_makes(
    pages: dict[str, str], project: Path
) -> None:
    folder = project / "docs" / "reference"
    committed = {path.name: path.read_text() for path in folder.glob("*.md")}
    assert committed.keys() == pages.keys()
    for name, page in pages.items():
        assert committed[name] == page, f"{name}: run `make openapi`"


def test_every_fact_of_a_feed_has_its_own_form() -> None:
    found = reference.facts()
    alerts = [told for told in found if told.startswith("kpi.")]
    others = [form for told, form in found.items() if told not in alerts]
    assert len(found) >= 38
    assert len(set(others)) == len(others)
