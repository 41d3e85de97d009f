"""How text is set on pages: nothing is lost, nothing overlaps, nothing leaves the page."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiao.contracts.documents.blocks import Block, Grid, Heading, Paragraph
from huaxiao.contracts.documents.faces import Face, Faces
from huaxiao.contracts.documents.typesetting import (
    A4,
    Page,
    Typesetter,
    broken,
    shared_out,
)

HAN = dict.fromkeys((*range(19968, 40870), *map(ord, "，。（）【】：〔〕\u3000")), 1000.0)
LATIN = dict.fromkeys(range(32, 127), 500.0)
FACES = Faces(HAN, LATIN)
MARGIN = 50
texts = st.text(alphabet="责任田自主经营，。（）abc12 .:%(", max_size=60)


def lines_of(text: str, room: float) -> list[str]:
    return list(broken(text, FACES, 10, room))


def text_of(page: Page) -> str:
    return "".join(run.text for run in page.runs)


@given(text=texts, room=st.integers(5, 200))
def test_lines_joined_are_the_text_and_none_is_wider_than_its_room(text: str, room: int) -> None:
    lines = lines_of(text, room)

    assert "".join(lines) == text
    for line in lines:
        shown = line.rstrip(" ")
        assert len(shown) <= 1 or FACES.width(shown, 10) <= room


@pytest.mark.parametrize(
    ("text", "room", "lines"),
    [
        ("责任田一经划定", 30, ["责任田", "一经划", "定"]),
        ("责任田，划定", 30, ["责任", "田，划", "定"]),
        ("责任（划定）", 30, ["责任", "（划", "定）"]),
        ("合同 CT-C1 摘要", 35, ["合同 ", "CT-C1 ", "摘要"]),
        ("0123456789abcdef", 40, ["01234567", "89abcdef"]),
        ("1主）", 15, ["1", "主", "）"]),
        ("，，，，", 30, ["，，，", "，"]),
        ("", 30, [""]),
    ],
)
def test_lines_break_as_chinese_is_set(text: str, room: int, lines: list[str]) -> None:
    assert lines_of(text, room) == lines


def test_what_no_face_has_is_spelled_out_and_lines_stay_lines() -> None:
    assert FACES.spelled("甲\u202e乙\n😀\t\r") == "甲〔U+202E〕乙\n〔U+1F600〕    "
    assert list(FACES.runs("甲A1乙")) == [
        (Face.HAN, "甲"), (Face.LATIN, "A1"), (Face.HAN, "乙")
    ]  # fmt: skip


@given(wanted=st.lists(st.floats(10, 5_000), min_size=1, max_size=8), room=st.floats(100, 800))
def test_columns_fill_the_table_and_narrow_ones_keep_what_they_want(
    wanted: list[float], room: float
) -> None:
    given_widths = shared_out(wanted, room)

    assert sum(given_widths) == pytest.approx(room)
    for want, width in zip(wanted, given_widths, strict=True):
        assert width >= min(want, room / len(wanted)) - 1e-6


def test_a_long_table_goes_on_under_its_headers_with_every_row_once() -> None:
    rows = [(f"K{number:04d}", "清单大客") for number in range(1_000)]

    pages = Typesetter(FACES, "草案").set([Heading(0, "合同"), Grid(("编码", "名称"), rows)])

    assert len(pages) > 10
    assert all(text_of(page).count("编码") == 1 for page in pages)
    listed = [run.text for page in pages for run in page.runs if run.text.startswith("K")]
    assert listed == [code for code, _ in rows]


def test_a_cell_longer_than_a_page_goes_on_on_the_next() -> None:
    long = "".join(chr(0x4E00 + number) for number in range(5_000))

    pages = Typesetter(FACES, "草案").set([Grid(("编码", "内容"), [("K1", long), ("K2", "田")])])

    assert len(pages) > 1
    cells = [run for page in pages for run in page.runs if run.size == 9 and not run.bold]
    assert "".join(run.text for run in cells) == f"K1{long}K2田"


cells = st.one_of(texts, st.integers(1, 2_000).map(lambda count: "责任" * count))
grids = st.integers(1, 4).flatmap(
    lambda count: st.builds(
        Grid,
        st.tuples(*[st.sampled_from(["编码", "名称"])] * count),
        st.lists(st.tuples(*[cells] * count), max_size=12),
        st.frozensets(st.integers(0, count - 1)),
        st.frozensets(st.integers(0, 11)),
    )
)
headings = st.builds(Heading, st.integers(0, 3), texts)
blocks_of_any_kind = st.lists(
    st.one_of(headings, texts.map(Paragraph), grids), min_size=1, max_size=8
)


@given(blocks=blocks_of_any_kind, landscape=st.booleans(), note=texts)
def test_nothing_leaves_the_page_and_no_lines_overlap(
    blocks: list[Block], landscape: bool, note: str
) -> None:
    width, height = reversed(A4) if landscape else A4

    pages = Typesetter(FACES, note, landscape=landscape).set(blocks)

    for page in pages:
        spans: dict[float, list[tuple[float, float]]] = {}
        for run in page.runs:
            right = run.x + FACES.width(run.text.rstrip(" "), run.size)
            assert run.x >= MARGIN - 0.1
            assert right <= width - MARGIN + 0.1
            assert run.y - 0.7 * run.size >= MARGIN
            assert run.y <= height - 30
            spans.setdefault(run.y, []).append((run.x, right))
        for on_line in spans.values():
            ordered = sorted(on_line)
            for (_, end), (begin, _) in pairwise(ordered):
                assert end <= begin + 0.1
