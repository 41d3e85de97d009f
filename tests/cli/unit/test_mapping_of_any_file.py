"""Whatever a daily file holds, each row is an event or named with a reason, or the file is refused."""

import json
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from huaxiao.cli.mapping import KEEPING, FileMapping, Row, opened

HEADING = "number,line,period,day,yuan"
MAPPING: dict[str, Any] = {
    "type": "bill_item.issued",
    "source": "/billing",
    "branch": 130123,
    "id": "D-{number}",
    "time": {"column": "day"},
    "data": {
        "bill_item_id": {"column": "number"},
        "subscription_id": {"column": "line"},
        "period": {"column": "period", "as": "integer"},
        "item_kind": {"constant": "monthly"},
        "amount_fen": {"column": "yuan", "as": "yuan"},
    },
}
GOOD = f"{HEADING}\n" + "".join(
    f"{number},S-{number},201711,2017-11-30,{number}.50\n" for number in range(1, 6)
)
ODD = st.sampled_from(
    [
        "",
        '"',
        '""',
        ",",
        "\n",
        "\r",
        "\x00",
        "\ufeff",
        "１２",
        "1e9",
        "-",
        "9" * 5_000,
        "\u2028",
        "NaN",
    ]
)


def read(content: bytes, encoding: str) -> list[Row] | None:
    """Return the rows of a file, or nothing where it is refused as a whole."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "daily.csv"
        path.write_bytes(content)
        described = FileMapping.model_validate(MAPPING | {"encoding": encoding})
        with ExitStack() as stack:
            try:
                file = stack.enter_context(opened(path, described))
            except ValueError:
                return None
            return list(file.rows)


def is_told(row: Row) -> bool:
    """Say whether a row is one event that can be sent, has a reason, or is empty or the heading."""
    if row.event is None:
        text = "".join(row.text.replace('"', "").split()).strip(",")
        return bool(row.reason) or text in {"", HEADING}
    return json.loads(json.dumps(row.event).encode()) == row.event


@given(st.binary(max_size=300), st.sampled_from(["utf-8-sig", "gb18030"]))
def test_no_bytes_break_the_reading_of_a_file(content: bytes, encoding: str) -> None:
    heading = f"{HEADING}\n".encode()
    assert all(map(is_told, read(content, encoding) or []))
    rows = read(heading + content, encoding)
    assert rows is not None
    assert all(map(is_told, rows))
    text = (heading + content).decode(encoding, KEEPING).removeprefix(f"{HEADING}\n")
    assert "".join("".join(one.text for one in rows).split()) == "".join(text.split())


@given(
    st.lists(st.tuples(st.integers(0, len(GOOD)), ODD, st.integers(0, 3)), min_size=1, max_size=4),
    st.sampled_from(["utf-8-sig", "gb18030"]),
)
def test_a_damaged_file_is_read_row_by_row_or_refused(
    cuts: list[tuple[int, str, int]], encoding: str
) -> None:
    content = GOOD
    for place, put, taken in cuts:
        content = content[:place] + put + content[place + taken :]
    rows = read(content.encode(encoding), encoding)
    assert rows is None or all(map(is_told, rows))
