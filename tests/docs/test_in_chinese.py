"""The Chinese pages beside the English ones: same chapters, commands, figures, codes and links."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.documents import fences_of

PROJECT = Path(__file__).parents[2]
DOCS = PROJECT / "docs"
CHINESE = DOCS / "zh"
PAGES = sorted(str(path.relative_to(CHINESE)) for path in CHINESE.rglob("*.md"))
COUNTIES_WORK_BY = {
    *("console.md", "how-to.md", "integrate-billing.md", "operate.md", "tutorial.md"),
    *(f"concepts/{path.name}" for path in (DOCS / "concepts").glob("*.md")),
    "operations/adding-a-county.md",
    "operations/alerts.md",
    "operations/backup.md",
    "operations/closing-a-month.md",
    "operations/install.md",
    "operations/keys-and-certificates.md",
    "operations/replaying.md",
    "operations/upgrade.md",
}
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)#\s]*)(#[^)\s]+)?\)")
_PICTURE = re.compile(r"!\[[^\]]*\]\(([^)\s]+)\)")
_FIGURE = re.compile(r"\d+(?:[.:]\d+)*")


@dataclass(frozen=True, slots=True)
class Page:
    """A document, and what its translation has in common with it."""

    path: Path

    @property
    def text(self) -> str:
        return self.path.read_text()

    @property
    def prose(self) -> str:
        """Return what stands outside the fenced blocks."""
        text = self.text
        for fence in fences_of(self.path):
            text = text.replace(fence, "```\n")
        return text

    @property
    def headings(self) -> list[tuple[int, str]]:
        """Return the level and the anchor of every heading."""
        return [
            (len(marks), "#" + re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-"))
            for marks, title in re.findall(r"^(#+) (.*)$", self.prose, re.MULTILINE)
        ]

    @property
    def shape(self) -> list[str]:
        """Return what the page is made of, in order: headings, lists, rows of tables, blocks."""
        found = []
        for line in self.prose.splitlines():
            if made_of := re.match(r" *(?:#+ |[-*] |\d+\. |```|!\[)", line):
                found.append(made_of.group().replace("![", "!"))
            elif line.startswith("|"):
                found.append("|" * line.replace(r"\|", "").count("|"))
        return found

    @property
    def links(self) -> list[tuple[str, int | None]]:
        """Return where it leads: the English page, and the number of the heading there, in order."""
        found = []
        for target, anchor in _LINK.findall(self.prose):
            if "://" in target:
                found.append((target, None))
                continue
            leads_to = (self.path.parent / target).resolve() if target else self.path
            heading = None
            if anchor:
                heading = [one for _, one in Page(leads_to).headings].index(anchor)
            found.append((in_english(leads_to), heading))
        return sorted(found, key=str)


def in_english(path: Path) -> str:
    """Return where the English of a file stands; of what is in one language only, the file itself."""
    if path.is_relative_to(CHINESE):
        return str(path.relative_to(CHINESE))
    return str(path.relative_to(PROJECT)).removeprefix("docs/").replace(".zh-CN.", ".")


def test_every_page_that_counties_work_by_is_there_in_chinese() -> None:
    assert set(PAGES) >= COUNTIES_WORK_BY


@pytest.mark.parametrize("name", PAGES)
def test_a_page_says_the_same_in_both_languages(name: str) -> None:
    """As far as chapters, blocks, figures, codes and links tell: what is said needs a reader."""
    english, chinese = Page(DOCS / name), Page(CHINESE / name)
    assert fences_of(chinese.path) == fences_of(english.path)
    assert chinese.shape == english.shape
    assert codes(chinese) == codes(english)
    assert figures(chinese) == figures(english)
    assert pictures(chinese) == pictures(english)
    assert chinese.links == english.links


def codes(page: Page) -> list[str]:
    return sorted(re.findall(r"`[^`\n]+`", page.prose.replace("```", "")))


def figures(page: Page) -> list[str]:
    """Return the figures of what is said below the title, which may well spell them out."""
    said = page.prose.partition("\n")[2]
    text = re.sub(r"`[^`\n]+`|\]\([^)]*\)|(\d),(?=\d{3})", r"\1", said)
    return sorted(_FIGURE.findall(text))


def pictures(page: Page) -> list[str]:
    """Return the pictures of a page; an English one may show the Chinese console."""
    shown = (page.path.parent / target for target in _PICTURE.findall(page.prose))
    return [re.sub(r"-(?:en|zh)\.png$", "", one.resolve().name) for one in shown]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_leads_to_the_other_language_and_to_chinese_pages_where_there_are_some(
    name: str,
) -> None:
    chinese = Page(CHINESE / name)
    english = DOCS / name
    targets = [
        (chinese.path.parent / target).resolve()
        for target, _ in _LINK.findall(chinese.prose)
        if target and "://" not in target
    ]
    only_in_english = [one for one in targets if one != english]
    assert english in targets
    assert chinese.path in {
        (english.parent / target).resolve()
        for target, _ in _LINK.findall(english.read_text())
        if target and "://" not in target
    }
    assert [one for one in only_in_english if (CHINESE / in_english(one)).exists()] == [
        one for one in only_in_english if one.is_relative_to(CHINESE)
    ]


@pytest.mark.parametrize("name", PAGES)
def test_a_chinese_page_shows_pictures_of_the_chinese_console(name: str) -> None:
    page = Page(CHINESE / name)
    for target in _PICTURE.findall(page.prose):
        shown = (page.path.parent / target).resolve()
        assert shown.exists()
        assert not shown.with_name(shown.name.replace("-en.", "-zh.")).exists() or (
            "-zh." in shown.name
        )
