"""What the columns of a sheet are, and what is wrong with its rows before anything is looked up."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from huaxiao.shared.wire.contracts import ChannelMode, Engagement, FieldKind, Segment, Skill
from huaxiao.shared.wire.sheets import BadRow, SheetKind


class Covers(StrEnum):
    """What a row of the fields' sheet covers."""

    ADDRESS = "address"
    RESOURCE = "resource"
    CUSTOMER = "customer"
    CHANNEL = "channel"


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name in the interface, its header in a sheet, and what its words stand for."""

    name: str
    header: str
    words: Mapping[str, str] | None = None
    """Chinese words of a closed vocabulary, by value."""

    def read(self, cell: str) -> str:
        """Return the value a cell stands for; what is no known word is left to be judged."""
        by_word = {word: value for value, word in (self.words or {}).items()}
        return by_word.get(cell, cell)

    def write(self, value: str) -> str:
        """Return what a cell shows for a value."""
        return (self.words or {}).get(value, value)


_ENGAGEMENTS: dict[str, str] = {
    Engagement.OWN: "自有",
    Engagement.CENTRE_HIRED: "中心自招",
    Engagement.OUTSOURCED: "代维",
}
SKILLS: dict[str, str] = {
    Skill.SELL: "销售",
    Skill.INSTALL: "安装",
    Skill.REPAIR: "修障",
    Skill.MAINTAIN: "维护",
    Skill.DRIVE: "驾驶",
}
_SEGMENTS: dict[str, str] = {
    Segment.KEY_ACCOUNT: "清单大客",
    Segment.CLUSTER: "清单聚类市场",
    Segment.HIGH_VALUE_SMB: "清单高值商客",
    Segment.CAMPUS: "清单校园",
}
_KINDS: dict[str, str] = {
    FieldKind.REGIONAL: "地域型",
    FieldKind.CUSTOMER: "特征型",
    FieldKind.CHANNEL: "渠道型",
}
_MODES: dict[str, str] = {ChannelMode.ISOLATED: "隔离", ChannelMode.PUSHED_DOWN: "下沉"}
_COVERS: dict[str, str] = {
    Covers.ADDRESS: "标准地址",
    Covers.RESOURCE: "资源地址",
    Covers.CUSTOMER: "客户",
    Covers.CHANNEL: "渠道",
}

COLUMNS: dict[SheetKind, tuple[Column, ...]] = {
    SheetKind.PEOPLE: (
        Column("person_id", "人员编码"),
        Column("engagement", "用工方式", _ENGAGEMENTS),
        Column("skills", "技能"),
        Column("centre_id", "中心编码"),
        Column("position", "岗位"),
        Column("from_day", "任职日期"),
        Column("concurrent", "兼任"),
    ),
    SheetKind.CUSTOMERS: (
        Column("field_id", "责任田编码"),
        Column("customer_id", "客户编码"),
        Column("segment", "客群", _SEGMENTS),
    ),
    SheetKind.FIELDS: (
        Column("field_id", "责任田编码"),
        Column("kind", "类型", _KINDS),
        Column("centre_id", "中心编码"),
        Column("name_zh", "名称"),
        Column("term_from", "承包期起"),
        Column("term_to", "承包期止"),
        Column("covers", "覆盖类别", _COVERS),
        Column("code", "编码"),
        Column("segment", "客群", _SEGMENTS),
        Column("channel_mode", "渠道方式", _MODES),
    ),
}
MARKS = "错误"
"""Header of the column that says what is wrong with a row; an import passes over it."""
SEPARATOR = "、"
"""Between the words of a cell that holds several."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a sheet: its line, and its cells by column."""

    line: int
    cells: Mapping[str, str]


def header(kind: SheetKind) -> list[str]:
    """Return the headers of a kind of sheet."""
    return [column.header for column in COLUMNS[kind]]


def read(kind: SheetKind, rows: Iterable[Sequence[str]]) -> Iterator[Row | BadRow]:
    """Yield the rows behind the header, and those that do not fit it; empty ones are passed over."""
    known = {column.header: column for column in COLUMNS[kind]} | {
        column.name: column for column in COLUMNS[kind]
    }
    lines = enumerate(rows, start=1)
    first = next(lines, (1, []))[1]
    named = [known.get(one) for one in first]
    faults = list(_header_faults(kind, first, named))
    if faults:
        yield from faults
        return
    for line, cells in lines:
        if not any(cells):
            continue
        if len(cells) > len(named):
            yield bad(line, None, "too-many-cells", "more cells than headers", "单元格多于表头")
            continue
        read_cells = {one.name: "" for one in COLUMNS[kind]}
        read_cells |= {
            column.name: column.read(cell)
            for column, cell in zip(named, cells, strict=False)
            if column is not None
        }
        yield Row(line, read_cells)


def _header_faults(
    kind: SheetKind, first: Sequence[str], named: Sequence[Column | None]
) -> Iterator[BadRow]:
    for text, column in zip(first, named, strict=True):
        if column is None and not text.startswith(MARKS):
            yield bad(1, text[:200], "unknown-column", "there is no such column", "没有此列")
        elif column is not None and sum(one is column for one in named) > 1:
            yield bad(1, text, "repeated-column", "the column comes twice", "列重复")
    for column in COLUMNS[kind]:
        if column not in named:
            yield bad(1, column.header, "missing-column", "the column is missing", "缺少此列")


def marked(rows: Iterable[Sequence[str]], said: Mapping[int, Sequence[str]]) -> Iterator[list[str]]:
    """Yield a sheet's rows, each with what is said of its line in a last column."""
    given = [list(row) for row in rows]
    width = max((len(row) for row in given), default=0)
    if given and given[0] and given[0][-1].startswith(MARKS):
        width = len(given[0]) - 1
    for line, row in enumerate(given, start=1):
        cells = [*row, *[""] * width][:width]
        told = "；".join(said.get(line, ()))
        yield [*cells, MARKS + (f"：{told}" if told else "") if line == 1 else told]


def bad(line: int, column: str | None, code: str, message: str, message_zh: str) -> BadRow:
    """Return a row that cannot be taken."""
    return BadRow(line=line, column=column, code=code, message=message, message_zh=message_zh)


def repeated(rows: Iterable[Row], key: Sequence[str]) -> Iterator[BadRow]:
    """Yield the rows whose key came before."""
    seen: set[tuple[str, ...]] = set()
    for row in rows:
        held = tuple(row.cells[name] for name in key)
        if held in seen:
            yield bad(row.line, None, "repeated", "the row comes twice", "行重复")
        seen.add(held)
