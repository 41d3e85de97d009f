"""A row of a file becomes one event, exactly, or is named with its reason."""

import string
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from huaxiao.cli.mapping import FileMapping, Row, opened

HEADING = "编号,用户,账期,日期,金额"
MAPPING: dict[str, Any] = {
    "type": "bill_item.issued",
    "source": "/billing",
    "branch": 130123,
    "id": "D-{编号}",
    "time": {"column": "日期"},
    "data": {
        "bill_item_id": {"column": "编号"},
        "subscription_id": {"column": "用户"},
        "period": {"column": "账期", "as": "integer"},
        "item_kind": {"constant": "monthly"},
        "amount_fen": {"column": "金额", "as": "yuan"},
    },
}


def read(tmp_path: Path, content: str, *, written: str = "utf-8", **changed: Any) -> list[Row]:
    file = tmp_path / "daily.csv"
    file.write_text(content, encoding=written)
    with opened(file, FileMapping.model_validate(MAPPING | changed)) as found:
        return list(found.rows)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_row_becomes_an_event(tmp_path: Path, encoding: str) -> None:
    content = f"{HEADING}\n1,S-1,201711,2017-11-30,59.00\n"
    stated = "gb18030" if encoding == "gb18030" else "utf-8-sig"
    (row,) = read(tmp_path, content, written=encoding, encoding=stated)
    assert row == Row(
        2,
        "1,S-1,201711,2017-11-30,59.00\n",
        {
            "specversion": "1.0",
            "id": "D-1",
            "source": "/billing",
            "type": "bill_item.issued",
            "time": "2017-11-30T00:00:00+08:00",
            "branchid": 130123,
            "data": {
                "bill_item_id": "1",
                "subscription_id": "S-1",
                "period": 201711,
                "item_kind": "monthly",
                "amount_fen": 5900,
            },
        },
    )


def test_a_file_without_a_heading_names_its_columns_in_the_mapping(tmp_path: Path) -> None:
    content = "1|S-1|201711|2017-11-30|0.01\n"
    (row,) = read(tmp_path, content, columns=HEADING.split(","), delimiter="|")
    assert row.event
    assert row.event["data"]["amount_fen"] == 1


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("1,S-1,201711,2017-11-30,59.001", "two decimals"),
        ("1,S-1,201711,2017-11-30,x", "yuan"),
        ("1,S-1,201711,2017-11-30,NaN", "yuan"),
        ("1,S-1,201711,2017-11-30,1_0", "yuan"),
        ("1,S-1,201711,2017-11-30,１０", "yuan"),
        ('1,S-1,201711,2017-11-30,"59,00"', "yuan"),
        ("1,S-1,201711,2017-11-30,1,299.90", "6 columns"),
        ("1,S-1,2017.11,2017-11-30,1", "whole number"),
        ("1,S-1,2017_11,2017-11-30,1", "whole number"),
        ("1,S-1,201711,30.11.2017,1", "date"),
        ("1,,201711,2017-11-30,1", "empty"),
        ("1,S-1", "2 columns"),
        ('1,"S"1,201711,2017-11-30,1', "expected after"),
    ],
)
def test_a_row_that_makes_no_event_is_named_and_the_next_one_goes_on(
    tmp_path: Path, line: str, reason: str
) -> None:
    wrong, right = read(tmp_path, f"{HEADING}\n{line}\n2,S-1,201711,2017-11-30,1\n")
    assert (wrong.line, wrong.event) == (2, None)
    assert reason in str(wrong.reason)
    assert right.event is not None


def test_a_file_without_a_column_or_in_another_encoding_is_refused_whole(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no column 金额"):
        read(tmp_path, "编号,用户,账期,日期\n")
    with pytest.raises(ValueError, match="not written in utf-8-sig"):
        read(tmp_path, f"{HEADING}\n", written="gb18030")


@pytest.mark.parametrize(
    "changed",
    [
        {"branch": 7},
        {"encoding": "gbk-2099"},
        {"surplus": 1},
        {"data": {"x": {}}},
        {"data": {"x": {"column": "a", "constant": "b"}}},
        {"data": {"x": {"column": "a", "as": "dollars"}}},
        {"data": {"x": {"constant": "5,9", "as": "yuan"}}},
        {"data": {"x": {"constant": 5.9}}},
        {"data": {"x": {"constant": True}}},
        {"quote": "''"},
        {"skip": [""]},
    ],
)
def test_a_mapping_that_says_too_little_or_too_much_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        FileMapping.model_validate(MAPPING | changed)


def test_a_row_in_another_encoding_is_named_and_the_next_one_goes_on(tmp_path: Path) -> None:
    file = tmp_path / "daily.csv"
    right = b"2,S-1,201711,2017-11-30,1\n"
    file.write_bytes(f"{HEADING}\n".encode() + b"\xd6\xd0,S-1,201711,2017-11-30,1\n" + right)
    with opened(file, FileMapping.model_validate(MAPPING)) as found:
        wrong, good = found.rows
    assert (wrong.line, wrong.event, wrong.reason) == (2, None, "it is not written in utf-8-sig")
    assert wrong.text.encode("utf-8", "surrogateescape").startswith(b"\xd6\xd0,S-1,")
    assert (good.line, good.event is not None) == (3, True)


def test_a_column_that_is_there_twice_is_ambiguous(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="two columns 金额"):
        read(tmp_path, f"{HEADING},金额\n")


def test_the_example_of_the_documents_maps_its_file(project: Path) -> None:
    examples = project / "docs" / "examples"
    mapping = FileMapping.from_file(examples / "bill-items.toml")
    with opened(examples / "bill-items.csv", mapping) as file:
        found = list(file.rows)
    assert [one.event and one.event["data"]["amount_fen"] for one in found] == [5900, 129990]


RIGHT = "{},S-1,201711,2017-11-30,1.00\n"


@pytest.mark.parametrize(
    "wrong",
    [
        '1,"S-1,201711,2017-11-30,1.00\n',
        '"1,S-1,201711,2017-11-30,1.00\n',
        '1,S-1,201711,2017-11-30,"1.00\n',
    ],
)
@pytest.mark.parametrize("behind", [0, 1, 4, 3_000])
def test_a_quote_that_does_not_close_takes_no_other_row_along(
    tmp_path: Path, wrong: str, behind: int
) -> None:
    rows = read(tmp_path, f"{HEADING}\n{wrong}" + "".join(map(RIGHT.format, range(behind))))
    assert [(one.line, one.event is None) for one in rows] == [
        (2, True),
        *((line, False) for line in range(3, 3 + behind)),
    ]
    assert rows[0].text == wrong
    assert rows[0].reason


def test_two_rows_with_a_quote_each_are_two_rows(tmp_path: Path) -> None:
    wrong = '1,"S-1,201711,2017-11-30,1.00\n'
    rows = read(tmp_path, f"{HEADING}\n{wrong}{RIGHT.format(2)}{wrong}{RIGHT.format(3)}")
    assert [(one.line, one.event is None) for one in rows] == [
        (2, True),
        (3, False),
        (4, True),
        (5, False),
    ]


def test_a_column_may_hold_line_ends_between_quotes(tmp_path: Path) -> None:
    content = (
        f'{HEADING},备注\n1,S-1,201711,2017-11-30,1.00,"two\nlines"\n2,S-1,201711,2017-11-30,x,\n'
    )
    right, wrong = read(tmp_path, content)
    assert (right.line, right.event is None, wrong.line) == (2, False, 4)


def test_a_file_that_quotes_nothing_may_hold_quotes(tmp_path: Path) -> None:
    content = f'{HEADING},备注\n1,S-1,201711,2017-11-30,1.00,"19 inch\n'.replace(",", "|")
    (row,) = read(tmp_path, content, delimiter="|", quote="")
    assert row.event is not None


def test_rows_that_are_none_are_passed_over(tmp_path: Path) -> None:
    content = f"{HEADING}\n{RIGHT.format(1)}\n  \n,,,,\n{HEADING}\n合计,,,,1.00\n总计|1\n{RIGHT.format(2)}"
    rows = read(tmp_path, content, skip=["合计", "总计"])
    assert [(one.line, one.reason, one.event is not None) for one in rows] == [
        (2, None, True),
        (5, None, False),
        (6, None, False),
        (7, None, False),
        (8, None, False),
        (9, None, True),
    ]


def test_padding_is_no_part_of_a_column(tmp_path: Path) -> None:
    heading = HEADING.replace(",", " , ")
    (row,) = read(tmp_path, f"{heading}\n 1 , S-1 ,201711, 2017-11-30 , 1.00 \n")
    assert row.event
    assert (row.event["id"], row.event["data"]["subscription_id"]) == ("D-1", "S-1")


def test_a_mark_of_the_encoding_is_no_part_of_the_heading(tmp_path: Path) -> None:
    (row,) = read(tmp_path, f"{HEADING}\n{RIGHT.format(1)}", written="utf-8-sig", encoding="utf-8")
    assert row.event is not None


@pytest.mark.parametrize("template", ["{number}", "{编号", "{}", "{编号!r}", "{编号:>9}", "{0}"])
def test_an_id_that_names_no_column_is_refused_before_any_row(
    tmp_path: Path, template: str
) -> None:
    with pytest.raises(ValueError, match=r"column|'\}'"):
        read(tmp_path, f"{HEADING}\n{RIGHT.format(1)}", id=template)


def test_a_constant_has_the_form_it_states(tmp_path: Path) -> None:
    data = MAPPING["data"] | {"amount_fen": {"constant": "1,299.90", "as": "yuan"}}
    (row,) = read(tmp_path, f"{HEADING}\n{RIGHT.format(1)}", data=data)
    assert row.event
    assert row.event["data"]["amount_fen"] == 129_990


@pytest.mark.parametrize(
    ("form", "written", "read_as"),
    [
        ({"as": "list", "separator": ";"}, "S-1; S-2;", ["S-1", "S-2"]),
        ({"as": "list", "separator": "、"}, "S-1", ["S-1"]),
        (
            {"as": "moment", "format": "%Y%m%d%H%M%S"},
            "20171130080910",
            "2017-11-30T08:09:10+08:00",
        ),
        (
            {"as": "moment", "format": "%Y-%m-%dT%H:%M%z"},
            "2017-11-30T08:09Z",
            "2017-11-30T08:09:00+00:00",
        ),
    ],
)
def test_a_column_may_hold_several_values_or_a_moment(
    tmp_path: Path, form: dict[str, Any], written: str, read_as: object
) -> None:
    data = MAPPING["data"] | {"added": {"column": "附加"} | form}
    content = f"{HEADING},附加\n{RIGHT.format(1).strip()},{written}\n"
    (row,) = read(tmp_path, content, data=data)
    assert row.event
    assert row.event["data"]["added"] == read_as


def test_a_moment_that_states_its_offset_keeps_it(tmp_path: Path) -> None:
    content = f"{HEADING}\n1,S-1,201711,2017-11-30T20:00:00+0000,1.00\n"
    time = {"column": "日期", "format": "%Y-%m-%dT%H:%M:%S%z"}
    (row,) = read(tmp_path, content, time=time)
    assert row.event
    assert row.event["time"] == "2017-11-30T20:00:00+00:00"


def test_the_template_of_ids_is_read_once_for_all_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_so_far: list[str] = []
    real = string.Formatter.parse

    def counted(self: string.Formatter, template: str) -> Any:
        read_so_far.append(template)
        return real(self, template)

    monkeypatch.setattr(string.Formatter, "parse", counted)
    rows = read(tmp_path, "\n".join([HEADING, *(RIGHT.format(number) for number in range(9))]))
    assert read_so_far == ["D-{编号}"]
    assert [one.event and one.event["id"] for one in rows] == [f"D-{one}" for one in range(9)]
