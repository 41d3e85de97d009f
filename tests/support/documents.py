"""The documents as they are read: what they show, and what they let people type."""

import re
import textwrap
from pathlib import Path

_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


def blocks_of(document: Path, *languages: str) -> list[str]:
    """Return the fenced blocks of a document in some languages, also those that stand in lists."""
    return [
        textwrap.dedent(text)
        for _, name, text in _FENCE.findall(document.read_text())
        if name in languages
    ]


def prose_of(document: Path) -> str:
    """Return a document with nothing in its fenced blocks, and these without a margin."""
    return _FENCE.sub("```", document.read_text())


def headings_of(document: Path) -> list[tuple[int, str]]:
    """Return the level of every heading, and the anchor by which links lead to it."""
    return [
        (len(marks), "#" + re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-"))
        for marks, title in re.findall(r"^(#+) (.*)$", prose_of(document), re.MULTILINE)
    ]


def fences_of(document: Path) -> list[str]:
    """Return the fenced blocks of a document as they stand, fences, names and margins included."""
    return [match.group() for match in _FENCE.finditer(document.read_text())]
