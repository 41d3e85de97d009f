"""The chain, its anchors, and what personal data looks like in it."""

import json
from datetime import UTC, datetime, timedelta, timezone
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from huaxiao.shared.audit.anchors import append, read
from huaxiao.shared.audit.chain import BEGINNING, ChainCheck, ChainFault, Head, chained, told_at
from huaxiao.shared.audit.origins import client_address
from huaxiao.shared.audit.values import plain, shown
from huaxiao.shared.chained_lines import ChangedFileError
from huaxiao.shared.documents import canonical
from huaxiao.shared.masking import masked, masked_query

NOW = datetime(2017, 11, 6, 8, tzinfo=UTC)
Row = tuple[int, dict[str, Any], str]


def chain(length: int) -> list[Row]:
    rows: list[Row] = []
    before = BEGINNING
    for position in range(1, length + 1):
        entry = {"position": position, "subject": f"S{position}", "status": 200}
        before = chained(entry, before)
        rows.append((position, entry, before))
    return rows


def fault(rows: list[Row], head: Head, anchors: tuple[Head, ...] = ()) -> ChainFault | None:
    check = ChainCheck(1, anchors)
    for row in rows:
        found = check.take(*row)
        if found is not None:
            return found
    return check.end(head)


def head_of(rows: list[Row]) -> Head:
    return Head(1, rows[-1][0], rows[-1][2])


def test_a_chain_that_nobody_touched_holds() -> None:
    rows = chain(5)
    anchors = (Head(1, 2, rows[1][2]), head_of(rows))

    assert fault(rows, head_of(rows), anchors) is None


@given(st.integers(1, 20), st.data())
def test_the_first_entry_that_was_edited_is_named(length: int, data: st.DataObject) -> None:
    rows = chain(length)
    at = data.draw(st.integers(1, length))
    position, entry, held = rows[at - 1]
    rows[at - 1] = (position, entry | {"status": 403}, held)

    found = fault(rows, Head(1, length, rows[-1][2]))

    assert found is not None
    assert found.position == at


@given(st.integers(2, 20), st.data())
def test_an_entry_that_was_dropped_is_named(length: int, data: st.DataObject) -> None:
    rows = chain(length)
    head = head_of(rows)
    dropped = data.draw(st.integers(1, length))
    del rows[dropped - 1]

    found = fault(rows, head)

    assert found is not None
    assert found.position == dropped
    assert "missing" in found.what


def test_a_tail_that_was_cut_and_its_head_put_back_shows_by_the_anchor() -> None:
    rows = chain(9)
    anchors = (Head(1, 4, rows[3][2]), head_of(rows))
    kept = rows[:6]

    found = fault(kept, head_of(kept), anchors)

    assert found is not None
    assert found.position == 7
    assert "tail is cut" in found.what
    assert fault(kept, head_of(kept)) is None


def test_a_chain_written_anew_from_some_entry_on_shows_by_the_anchor() -> None:
    rows = chain(9)
    anchors = (Head(1, 4, rows[3][2]), head_of(rows))
    before = rows[4][2]
    for index in range(5, 9):
        position, entry, _ = rows[index]
        changed = entry | {"subject": "somebody else"}
        before = chained(changed, before)
        rows[index] = (position, changed, before)

    found = fault(rows, head_of(rows), anchors)

    assert found is not None
    assert found.position == 5
    assert "up to 9" in found.what
    assert fault(rows, head_of(rows)) is None


def test_a_chain_that_is_gone_shows_by_the_anchor() -> None:
    assert ChainCheck(1, [head_of(chain(3))]).end(None) is not None
    assert ChainCheck(1).end(None) is None


def test_moments_are_hashed_alike_whatever_zone_they_come_in() -> None:
    east = timezone(timedelta(hours=8))
    assert told_at(NOW) == told_at(NOW.astimezone(east)) == "2017-11-06T08:00:00.000000+00:00"


# --- anchors ------------------------------------------------------------------------------------


def test_only_heads_that_moved_are_written_and_the_lines_are_chained(tmp_path: Path) -> None:
    file = tmp_path / "anchors" / "kit.jsonl"
    first = [Head(1, 3, "a"), Head(2, 1, "b")]

    assert append(file, "kit", first, at=NOW) == first
    assert append(file, "kit", first, at=NOW) == []
    moved = [Head(1, 4, "c"), Head(2, 1, "b")]
    assert append(file, "kit", moved, at=NOW) == [Head(1, 4, "c")]

    found = read(file.read_bytes())
    assert found.fault is None
    assert found.heads() == {1: [Head(1, 3, "a"), Head(1, 4, "c")], 2: [Head(2, 1, "b")]}
    assert found.last()[1].position == 4


@pytest.mark.parametrize("change", ["edit", "drop"])
def test_a_line_that_was_changed_or_dropped_shows_and_nothing_is_added_to_it(
    tmp_path: Path, change: str
) -> None:
    file = tmp_path / "kit.jsonl"
    for position in (1, 2, 3):
        append(file, "kit", [Head(1, position, str(position))], at=NOW)
    written = file.read_bytes().splitlines(keepends=True)
    if change == "edit":
        line = json.loads(written[1]) | {"position": 7}
        written[1] = canonical(line) + b"\n"
    else:
        del written[1]
    file.write_bytes(b"".join(written))

    found = read(file.read_bytes())

    assert found.fault is not None
    assert found.fault.startswith("line 2")
    with pytest.raises(ChangedFileError):
        append(file, "kit", [Head(1, 9, "9")], at=NOW)


def test_a_line_that_a_crash_left_half_written_is_taken_back(tmp_path: Path) -> None:
    file = tmp_path / "kit.jsonl"
    append(file, "kit", [Head(1, 1, "1")], at=NOW)
    with file.open("ab") as opened:
        opened.write(b'{"service": "k')

    append(file, "kit", [Head(1, 2, "2")], at=NOW)

    found = read(file.read_bytes())
    assert found.fault is None
    assert [one.head.position for one in found.anchors] == [1, 2]


# --- personal data ------------------------------------------------------------------------------

PHONE, IDENTITY = "13812345678", "110105194912310021"


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("phone", PHONE, "138****5678"),
        ("phone", "0311-1234567", "***4567"),
        ("id_number", IDENTITY, "***0021"),
        ("customer_name", "王小明", "王***"),
        ("standard_address", "1301230010010001", "130123001001***"),
        ("standard_address", "130123001", "130123001"),
        ("contact_note", "call the neighbour", "***"),
        ("secret", "whsec_1", "***"),
        ("latitude", "38.146912", "38.1*"),
        ("reason", f"call {PHONE}, {IDENTITY}", "call 138****5678, **************0021"),
        ("amount_fen", 13812345678, 13812345678),
    ],
)
def test_personal_data_is_masked_by_its_name_and_by_its_form(
    name: str, value: object, expected: object
) -> None:
    assert masked(value, name) == expected
    assert masked({"held": [{name: value}]}) == {"held": [{name: expected}]}


def test_a_query_is_masked_as_well() -> None:
    assert masked_query(f"phone={PHONE}&limit=5") == "phone=138****5678&limit=5"


@given(st.text() | st.binary() | st.floats() | st.datetimes() | st.decimals())
def test_every_value_has_a_canonical_form(value: object) -> None:
    canonical(shown({"held": [value]}))
    assert plain(value) == plain(plain(value)) or isinstance(value, bytes)


def test_a_large_value_stands_as_its_digest() -> None:
    told = shown({"document": {"text": "x" * 5_000}})["document"]

    assert told == {"sha256": told["sha256"], "bytes": 5_011}


# --- from where ---------------------------------------------------------------------------------


def asked(peer: str | None, forwarded: str | None) -> Request:
    headers = [] if forwarded is None else [(b"x-forwarded-for", forwarded.encode())]
    client = None if peer is None else (peer, 1)
    return Request({"type": "http", "headers": headers, "client": client})


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("203.0.113.9", None, "203.0.113.9"),
        ("203.0.113.9", "198.51.100.7", "203.0.113.9"),
        ("10.0.0.2", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.2", "1.2.3.4, 198.51.100.7", "198.51.100.7"),
        ("10.0.0.2", "198.51.100.7, 10.0.0.3", "198.51.100.7"),
        ("10.0.0.2", "nonsense", "10.0.0.2"),
        ("10.0.0.2", None, "10.0.0.2"),
        (None, "198.51.100.7", None),
    ],
)
def test_a_proxy_is_believed_only_if_it_is_trusted(
    peer: str | None, forwarded: str | None, expected: str | None
) -> None:
    assert client_address(asked(peer, forwarded), [ip_network("10.0.0.0/8")]) == expected
