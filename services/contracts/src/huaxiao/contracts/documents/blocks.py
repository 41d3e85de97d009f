"""A template and what fills it, read into blocks that every writer sets alike.

The template is text: ``#`` begins a heading, ``@name`` stands for a table, ``{name}`` for a value.
What fills it is only ever text: nothing in a value is read as a mark of the template.
"""

import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

_VALUE = re.compile(r"\{(\w+)\}")
_UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading: level 0 is the document's title."""

    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A line of text, as long as it likes."""

    text: str


@dataclass(frozen=True, slots=True)
class Grid:
    """A table: its headers and its rows."""

    headers: Sequence[str]
    rows: Sequence[Sequence[str]]
    right: AbstractSet[int] = frozenset()
    """The columns that stand flush right, from 0: amounts."""
    marked: AbstractSet[int] = frozenset()
    """The rows that stand out, from 0: a net, a total."""


Block = Heading | Paragraph | Grid


def read(template: str, values: Mapping[str, str], grids: Mapping[str, Grid]) -> list[Block]:
    """Return a filled template, without the characters that no document can hold.

    Raises:
        KeyError: the template names a value or a table that there is none of.

    """
    blocks: list[Block] = []
    for line in template.splitlines():
        if line.startswith("@"):
            grid = grids[line[1:].strip()]
            rows = [tuple(writable(cell) for cell in row) for row in grid.rows]
            blocks.append(replace(grid, rows=rows))
        elif line.startswith("#"):
            marks, _, text = line.partition(" ")
            blocks.append(Heading(len(marks) - 1, _filled(text, values)))
        elif line.strip():
            blocks.extend(Paragraph(part) for part in _filled(line, values).split("\n"))
    return blocks


def writable(text: str) -> str:
    """Leave out what neither XML nor paper can hold."""
    return _UNWRITABLE.sub("", text)


def _filled(text: str, values: Mapping[str, str]) -> str:
    return _VALUE.sub(lambda found: writable(values[found[1]]), text)
