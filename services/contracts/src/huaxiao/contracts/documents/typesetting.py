"""Blocks set on pages: where every line of text, rule and shade stands. Pure; lengths are points.

Lines break as Chinese is set: anywhere between two characters, but not before what closes nor after
what opens, and within a Latin word only where it is wider than a line. A table that is longer than
its page goes on on the next one under its headers, a row that is longer does too.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from huaxiao.contracts.documents.blocks import Block, Grid, Heading, Paragraph
from huaxiao.contracts.documents.faces import Face, Faces

A4 = (595.28, 841.89)
_MARGIN = 50.0
_FOOT = 62.0
_NOT_FIRST = frozenset("，。、；：？！）》〉」』】〕”’％…—·,.;:?!)]}%")
_NOT_LAST = frozenset("（《〈「『【〔“‘([{")
_ASIDE = 4.0
_ABOVE = 2.5
_CROWDED = 1.15
"""How much wider than the page a table may want to be and still read well in broken cells."""


@dataclass(frozen=True, slots=True)
class Style:
    """How a kind of text is set."""

    size: float
    leading: float
    before: float = 0
    after: float = 0
    bold: bool = False


_HEADINGS = (Style(18, 28, after=8, bold=True), Style(12, 19, before=9, after=3, bold=True))
_PARAGRAPH = Style(10.5, 17, after=2)
_CELL = Style(9, 13)
_STRONG = Style(9, 13, bold=True)
_NOTE = Style(8, 11)


@dataclass(frozen=True, slots=True)
class Run:
    """Text in one face, from its left end on the baseline; the origin is the page's upper left."""

    x: float
    y: float
    text: str
    face: Face
    size: float
    bold: bool


@dataclass(frozen=True, slots=True)
class Rule:
    """A thin line."""

    x: float
    y: float
    to_x: float
    to_y: float


@dataclass(frozen=True, slots=True)
class Shade:
    """A grey ground behind text."""

    x: float
    y: float
    width: float
    height: float


@dataclass(slots=True)
class Page:
    """What stands on a page."""

    runs: list[Run] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    shades: list[Shade] = field(default_factory=list)


def broken(text: str, faces: Faces, size: float, room: float) -> Iterator[str]:
    """Yield the lines of text that has no line break of its own; joined they are the text again.

    A line without the spaces at its end is no wider than the room, but for a single character.
    """
    start, cut, width = 0, 0, 0.0
    for index, char in enumerate(text):
        if index > start and _may_break(text[index - 1], char, faces):
            cut = index
        advance = faces.width(char, size)
        # Again if need be: what is kept together may be wider than the room by itself.
        while width + advance > room and index > start and char != " ":
            end = cut if cut > start else index
            yield text[start:end]
            start = end
            width = faces.width(text[start:index], size)
        width += advance
    yield text[start:]


def _may_break(before: str, after: str, faces: Faces) -> bool:
    if after in _NOT_FIRST or before in _NOT_LAST or after == " ":
        return False
    return before == " " or faces.is_han(before) or faces.is_han(after)


def shared_out(wanted: Sequence[float], room: float) -> list[float]:
    """Share a table's width among its columns, by how wide each would be on one line.

    Where there is room for all, all grow alike; otherwise what wants less than an even share gets
    what it wants, and the others share the rest evenly.
    """
    total = sum(wanted)
    if total <= room:
        return [one * room / total for one in wanted]
    given = [0.0] * len(wanted)
    waiting = sorted(range(len(wanted)), key=lambda column: wanted[column])
    while waiting:
        column = waiting.pop(0)
        given[column] = min(wanted[column], room / (len(waiting) + 1))
        room -= given[column]
    return given


class Typesetter:
    """Sets blocks on pages, one below the other."""

    def __init__(self, faces: Faces, note: str, *, landscape: bool = False) -> None:
        """Begin the first page; the note stands at the foot of each, beside its number."""
        self._faces = faces
        self._width, self._height = reversed(A4) if landscape else A4
        self._room = self._width - 2 * _MARGIN
        self._notes = list(self._lines(note, _NOTE, self._room - 90))
        self._bottom = self._height - _FOOT - (len(self._notes) - 1) * _NOTE.leading
        self.pages = [Page()]
        self._y = _MARGIN

    def set(self, blocks: Sequence[Block]) -> list[Page]:
        """Set blocks and number the pages."""
        for block in blocks:
            match block:
                case Heading(level, text):
                    self._heading(level, text)
                case Paragraph(text):
                    self._paragraph(text, _PARAGRAPH)
                case Grid():
                    self._table(block)
        for number, page in enumerate(self.pages, 1):
            self._foot(page, f"第 {number} 页 / 共 {len(self.pages)} 页")
        return self.pages

    def wanted(self, grid: Grid) -> list[float]:
        """Return how wide each column would be if no cell were broken."""
        strong = [self._natural(text, _STRONG) for text in grid.headers]
        for row in grid.rows:
            for column, text in enumerate(row):
                strong[column] = max(strong[column], self._natural(text, _CELL))
        # A hair more, so that what fits exactly is not broken by the last bit of a float.
        return [one + 2 * _ASIDE + 0.1 for one in strong]

    def fits(self, grid: Grid) -> bool:
        """Say whether a table stands on these pages with few of its cells broken, if any."""
        return sum(self.wanted(grid)) <= self._room * _CROWDED

    def _natural(self, text: str, style: Style) -> float:
        lines = self._faces.spelled(text).split("\n")
        return max(self._faces.width(line, style.size) for line in lines)

    def _lines(self, text: str, style: Style, room: float) -> Iterator[str]:
        for line in self._faces.spelled(text).split("\n"):
            if self._faces.width(line, style.size) <= room:
                yield line
                continue
            for part in broken(line, self._faces, style.size, room):
                yield part.rstrip(" ")

    def _turn(self) -> None:
        self.pages.append(Page())
        self._y = _MARGIN

    def _put(self, text: str, x: float, y: float, style: Style) -> None:
        self._put_on(self.pages[-1], text, x, y, style)

    def _put_on(self, page: Page, text: str, x: float, y: float, style: Style) -> None:
        baseline = y + (style.leading + 0.72 * style.size) / 2
        for face, part in self._faces.runs(text):
            page.runs.append(Run(x, baseline, part, face, style.size, style.bold))
            x += self._faces.width(part, style.size)

    def _heading(self, level: int, text: str) -> None:
        style = _HEADINGS[min(level, len(_HEADINGS) - 1)]
        lines = list(self._lines(text, style, self._room))
        # A heading does not stay behind alone.
        needed = style.before + len(lines) * style.leading + 3 * _PARAGRAPH.leading
        if self._y > _MARGIN and self._y + needed > self._bottom:
            self._turn()
        elif self._y > _MARGIN:
            self._y += style.before
        for line in lines:
            if self._y + style.leading > self._bottom:
                self._turn()
            aside = (self._room - self._faces.width(line, style.size)) / 2 if level == 0 else 0
            self._put(line, _MARGIN + aside, self._y, style)
            self._y += style.leading
        self._y += style.after

    def _paragraph(self, text: str, style: Style) -> None:
        for line in self._lines(text, style, self._room):
            if self._y + style.leading > self._bottom:
                self._turn()
            self._put(line, _MARGIN, self._y, style)
            self._y += style.leading
        self._y += style.after

    def _table(self, grid: Grid) -> None:
        widths = shared_out(self.wanted(grid), self._room)
        edges = [_MARGIN]
        for width in widths:
            edges.append(edges[-1] + width)
        headers = self._cells(grid.headers, widths, _STRONG)
        least = (max(map(len, headers)) + 1) * _CELL.leading + 4 * _ABOVE
        if self._y > _MARGIN and self._y + least > self._bottom:
            self._turn()
        top = self._header(headers, edges, grid)
        for index, row in enumerate(grid.rows):
            style = _STRONG if index in grid.marked else _CELL
            cells = self._cells(row, widths, style)
            while any(cells):
                height = max(map(len, cells)) * style.leading + 2 * _ABOVE
                room = self._bottom - self._y
                whole = self._bottom - _MARGIN - least
                if height > room and (height <= whole or room < style.leading + 2 * _ABOVE):
                    self._close(edges, top)
                    self._turn()
                    top = self._header(headers, edges, grid)
                    continue
                fitting = max(int((room - 2 * _ABOVE) // style.leading), 1)
                now = [lines[:fitting] for lines in cells]
                self._row(now, edges, grid, style, shaded=index in grid.marked)
                cells = [lines[fitting:] for lines in cells]
        self._close(edges, top)
        self._y += 8

    def _cells(
        self, row: Sequence[str], widths: Sequence[float], style: Style
    ) -> list[Sequence[str]]:
        return [
            list(self._lines(text, style, width - 2 * _ASIDE))
            for text, width in zip(row, widths, strict=True)
        ]

    def _header(
        self, headers: Sequence[Sequence[str]], edges: Sequence[float], grid: Grid
    ) -> float:
        top = self._y
        self.pages[-1].rules.append(Rule(edges[0], top, edges[-1], top))
        self._row(headers, edges, grid, _STRONG, shaded=True)
        return top

    def _row(
        self,
        cells: Sequence[Sequence[str]],
        edges: Sequence[float],
        grid: Grid,
        style: Style,
        *,
        shaded: bool,
    ) -> None:
        height = max(map(len, cells)) * style.leading + 2 * _ABOVE
        page = self.pages[-1]
        if shaded:
            page.shades.append(Shade(edges[0], self._y, edges[-1] - edges[0], height))
        for column, lines in enumerate(cells):
            y = self._y + _ABOVE
            for line in lines:
                x = edges[column] + _ASIDE
                if column in grid.right:
                    x = edges[column + 1] - _ASIDE - self._faces.width(line, style.size)
                self._put(line, x, y, style)
                y += style.leading
        self._y += height
        page.rules.append(Rule(edges[0], self._y, edges[-1], self._y))

    def _close(self, edges: Sequence[float], top: float) -> None:
        self.pages[-1].rules.extend(Rule(x, top, x, self._y) for x in edges)

    def _foot(self, page: Page, number: str) -> None:
        y = self._bottom + 12
        page.rules.append(Rule(_MARGIN, y, self._width - _MARGIN, y))
        y += 3
        x = self._width - _MARGIN - self._faces.width(number, _NOTE.size)
        self._put_on(page, number, x, y, _NOTE)
        for line in self._notes:
            self._put_on(page, line, _MARGIN, y, _NOTE)
            y += _NOTE.leading
