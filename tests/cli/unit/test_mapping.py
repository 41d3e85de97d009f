"""A row of a file becomes one event, exactly, or is named with its reason."""

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
        ("1", "S-1", "201711", "2017-11-30", "59.00"),
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
    assert "".join(wrong.values[0]).encode("utf-8", "surrogateescape") == b"\xd6\xd0"
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
