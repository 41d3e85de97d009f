"""The Chinese pages beside the English ones: same chapters, commands, figures, codes and links."""

import re
from itertools import pairwise
from pathlib import Path

import pytest
from support.documents import fences_of, headings_of, prose_of

PROJECT = Path(__file__).parents[2]
DOCS = PROJECT / "docs"
CHINESE = DOCS / "zh"
PAGES = sorted(str(path.relative_to(CHINESE)) for path in CHINESE.rglob("*.md"))
COUNTIES_WORK_BY = {
    *("console.md", "how-to.md", "integrate-billing.md", "operate.md", "tutorial.md"),
    *(f"concepts/{path.name}" for path in (DOCS / "concepts").glob("*.md")),
    *(f"operations/{path.name}" for path in (DOCS / "operations").glob("*.md")),
}
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)#\s]*)(#[^)\s]+)?\)")
_PICTURE = re.compile(r"!\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"`[^`\n]+`")
_MADE_OF = re.compile(r" *(?:#+ |[-*] |\d+\. |```|!\[)")
_BEGINS = re.compile(rf"\||{_MADE_OF.pattern}")
_ENDS = re.compile(r"\||#| *(?:```|!\[)")


def test_every_page_that_counties_work_by_is_there_in_chinese() -> None:
    assert set(PAGES) >= COUNTIES_WORK_BY


@pytest.mark.parametrize("name", PAGES)
def test_a_page_says_the_same_in_both_languages(name: str) -> None:
    """As far as chapters, blocks, figures, codes and links tell: what is said needs a reader."""
    english, chinese = DOCS / name, CHINESE / name
    assert fences_of(chinese) == fences_of(english)
    assert shape(chinese) == shape(english)
    assert codes(chinese) == codes(english)
    assert figures(chinese) == figures(english)
    assert pictures(chinese) == pictures(english)
    assert links(chinese) == links(english)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_leads_to_its_other_language_and_else_stays_in_its_own(name: str) -> None:
    english, chinese = DOCS / name, CHINESE / name
    targets = [leads_to for leads_to, _ in targets_of(chinese)]
    assert english in targets
    assert chinese in [leads_to for leads_to, _ in targets_of(english)]
    left = [one for one in targets if one != english and not one.is_relative_to(CHINESE)]
    assert [one for one in left if (CHINESE / in_english(one)).exists()] == []


@pytest.mark.parametrize("name", PAGES)
def test_a_chinese_page_shows_the_chinese_console(name: str) -> None:
    for target in _PICTURE.findall(prose_of(CHINESE / name)):
        assert target.endswith("-zh.png")
        assert (CHINESE / name).parent.joinpath(target).is_file()


@pytest.mark.parametrize("name", ["README.zh-CN.md", *(f"docs/zh/{name}" for name in PAGES)])
def test_a_paragraph_is_a_line_since_a_break_would_put_a_space_between_chinese_words(
    name: str,
) -> None:
    lines = prose_of(PROJECT / name).splitlines()
    broken = [
        below
        for above, below in pairwise(lines)
        if above.strip() and below.strip() and not _BEGINS.match(below) and not _ENDS.match(above)
    ]
    assert broken == []


def shape(page: Path) -> list[str]:
    """Return what a page is made of, in order: headings, items, rows of tables, blocks, pictures."""
    found = []
    for line in prose_of(page).splitlines():
        if made_of := _MADE_OF.match(line):
            found.append(made_of.group())
        elif line.startswith("|"):
            found.append("|" * line.replace(r"\|", "").count("|"))
    return found


def codes(page: Path) -> list[str]:
    return sorted(_CODE.findall(prose_of(page).replace("```", "")))


def figures(page: Path) -> list[str]:
    """Return the figures of what is said below the title, which may well spell them out."""
    said = prose_of(page).partition("\n")[2]
    said = re.sub(r"\]\([^)]*\)", "]", _CODE.sub("", said))
    return sorted(re.findall(r"\d+(?:[.:]\d+)*", re.sub(r"(?<=\d),(?=\d{3})", "", said)))


def pictures(page: Path) -> list[str]:
    """Return what pictures a page shows, in whichever language."""
    return [
        re.sub(r"-(?:en|zh)\.png$", "", Path(target).name)
        for target in _PICTURE.findall(prose_of(page))
    ]


def targets_of(page: Path) -> list[tuple[Path, str]]:
    """Return the files of ours that a page leads to, with the anchor or nothing."""
    return [
        ((page.parent / target).resolve() if target else page, anchor)
        for target, anchor in _LINK.findall(prose_of(page))
        if "://" not in target
    ]


def links(page: Path) -> list[tuple[str, int]]:
    """Return where a page leads: to which English file, and to which of the headings there."""
    return sorted(
        (in_english(leads_to), [one for _, one in headings_of(leads_to)].index(anchor) + 1)
        if anchor
        else (in_english(leads_to), 0)
        for leads_to, anchor in targets_of(page)
    )


def in_english(path: Path) -> str:
    """Return where the English of a file stands, as seen from the documents."""
    if path.is_relative_to(CHINESE):
        return str(path.relative_to(CHINESE))
    return str(path.relative_to(PROJECT)).removeprefix("docs/")
