"""A daily file is posted in batches, goes on where it stopped, and names what was not booked."""

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from attribution.conftest import Sender

from huaxiao.cli import importing
from huaxiao.cli.importing import (
    AlreadyImportingError,
    import_file,
    rejected_rows_file,
    rejects_file,
    state_file,
)
from huaxiao.cli.mapping import FileMapping
from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.wire.attribution import IntakeReport


def mapping(branch_id: int) -> FileMapping:
    return FileMapping.model_validate(
        {
            "type": "bill_item.issued",
            "source": "/daily",
            "branch": branch_id,
            "id": "{number}",
            "time": {"constant": "2017-11-30"},
            "data": {
                "bill_item_id": {"column": "number"},
                "subscription_id": {"column": "line"},
                "period": {"constant": 201711},
                "item_kind": {"constant": "monthly"},
                "amount_fen": {"column": "yuan", "as": "yuan"},
            },
        }
    )


@pytest.fixture
async def file(
    manager: AttributionClient, county: int, sender: Sender, tmp_path: Path
) -> tuple[int, Path]:
    await manager.post_events([sender.opened()])
    lines = [f"D-{number},S-1,10.00" for number in range(25)]
    lines[3] = "D-3,S-1,ten"
    lines[7] = "D-7,S-1,-1.00"
    lines[9] = "D-9,S-404,1.00"
    path = tmp_path / "daily.csv"
    path.write_text("number,line,yuan\n" + "\n".join(lines) + "\n")
    return county, path


async def test_a_file_is_posted_and_what_was_not_booked_is_named_by_line(
    manager: AttributionClient, file: tuple[int, Path]
) -> None:
    branch_id, path = file
    moved: list[tuple[int, int]] = []
    done = await import_file(
        manager, path, mapping(branch_id), progress=lambda *reached: moved.append(reached)
    )
    assert (done.lines, done.booked, done.parked, done.refused, done.rejected) == (25, 22, 1, 1, 1)
    assert (done.clean, moved[-1]) == (False, (25, path.stat().st_size))
    with rejects_file(path).open(encoding="utf-8-sig") as rejects:
        named = [(row["line"], row["code"]) for row in csv.DictReader(rejects)]
    assert sorted(named) == [("5", "no-event"), ("9", "bad-amount")]
    books = await manager.reconciliation(branch_id, 201711)
    assert books.booked_fen == 22_000


async def test_an_import_that_stopped_goes_on_and_books_nothing_twice(
    manager: AttributionClient,
    file: tuple[int, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    branch_id, path = file
    monkeypatch.setattr(importing, "BATCH", 10)
    real = manager.post_events
    answers = 0

    async def lost_after_one(events: Any) -> IntakeReport:
        nonlocal answers
        report = await real(events)
        answers += 1
        if answers == 2:
            raise ConnectionError("the answer was lost")
        return report

    monkeypatch.setattr(manager, "post_events", lost_after_one)
    with pytest.raises(ConnectionError):
        await import_file(manager, path, mapping(branch_id), progress=lambda *_: None)
    assert json.loads(state_file(path).read_text())["lines"] == 10
    done = await import_file(manager, path, mapping(branch_id), progress=lambda *_: None)
    assert (done.lines, done.booked, done.duplicates) == (25, 12, 10)
    again = await import_file(manager, path, mapping(branch_id), progress=lambda *_: None)
    assert again == done
    assert (await manager.reconciliation(branch_id, 201711)).booked_fen == 22_000


async def test_another_file_of_the_same_name_begins_at_its_beginning(
    manager: AttributionClient, file: tuple[int, Path]
) -> None:
    branch_id, path = file
    await import_file(manager, path, mapping(branch_id), progress=lambda *_: None)
    path.write_text("number,line,yuan\nE-1,S-1,5.00\n")
    done = await import_file(manager, path, mapping(branch_id), progress=lambda *_: None)
    assert (done.lines, done.booked, done.clean) == (1, 1, True)
    assert not rejects_file(path).exists()


async def test_a_file_that_has_grown_goes_on_behind_its_old_end(
    manager: AttributionClient, file: tuple[int, Path]
) -> None:
    branch_id, path = file
    await import_file(manager, path, mapping(branch_id), progress=lambda *_: None)
    with path.open("a") as more:
        more.write('E-1,S-1,5.00\nE-2,"S-1,5.00\nE-3,S-1,5.00\n')
    done = await import_file(manager, path, mapping(branch_id), progress=lambda *_: None)
    assert (done.lines, done.booked, done.duplicates, done.rejected) == (28, 24, 0, 2)
    with path.open("a") as more:
        more.write('E-4,S-1",5.00\nE-5,S-1,5')
    done = await import_file(manager, path, mapping(branch_id), progress=lambda *_: None)
    assert (done.lines, done.booked, done.duplicates, done.refused) == (30, 25, 0, 2)
    with path.open("a") as more:
        more.write("0\n")
    done = await import_file(manager, path, mapping(branch_id), progress=lambda *_: None)
    assert (done.lines, done.duplicates, done.conflicts) == (28, 23, 1)


async def test_a_file_under_another_mapping_begins_at_its_beginning(
    manager: AttributionClient, file: tuple[int, Path]
) -> None:
    branch_id, path = file
    stated = mapping(branch_id).model_dump(by_alias=True)
    wrong = stated | {"time": {"column": "number"}}
    done = await import_file(
        manager, path, FileMapping.model_validate(wrong), progress=lambda *_: None
    )
    assert (done.booked, done.rejected) == (0, 25)
    done = await import_file(manager, path, mapping(branch_id), progress=lambda *_: None)
    assert (done.lines, done.booked, done.rejected) == (25, 22, 1)


@pytest.mark.parametrize("amount", ["10.00", "1"])
async def test_what_somebody_mends_is_left_alone(
    manager: AttributionClient,
    file: tuple[int, Path],
    monkeypatch: pytest.MonkeyPatch,
    amount: str,
) -> None:
    branch_id, path = file
    await import_file(manager, path, mapping(branch_id), progress=lambda *_: None)
    rejected = rejected_rows_file(path)
    mended = rejected.read_text("utf-8-sig").replace("-1.00", amount)
    rejected.write_text(mended, "utf-8-sig")
    await import_file(manager, path, mapping(branch_id), progress=lambda *_: None)
    assert rejected.read_text("utf-8-sig") == mended
    with path.open("a") as more:
        more.write("E-1,S-1,five\n")
    await import_file(manager, path, mapping(branch_id), progress=lambda *_: None)
    assert rejected.read_text("utf-8-sig") == mended + "E-1,S-1,five\n"


async def test_one_file_is_imported_once_at_a_time(
    manager: AttributionClient, file: tuple[int, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    branch_id, path = file
    real = manager.post_events

    async def meanwhile(events: Any) -> IntakeReport:
        with pytest.raises(AlreadyImportingError):
            await import_file(manager, path, mapping(branch_id), progress=lambda *_: None)
        return await real(events)

    monkeypatch.setattr(manager, "post_events", meanwhile)
    done = await import_file(manager, path, mapping(branch_id), progress=lambda *_: None)
    assert done.booked == 22
    with rejects_file(path).open(encoding="utf-8-sig") as rejects:
        assert [row["line"] for row in csv.DictReader(rejects)] == ["5", "9"]


async def test_a_mark_that_cannot_be_read_is_as_good_as_none(
    manager: AttributionClient, file: tuple[int, Path]
) -> None:
    branch_id, path = file
    state_file(path).write_bytes(b"")
    done = await import_file(manager, path, mapping(branch_id), progress=lambda *_: None)
    assert done.lines == 25


async def test_rows_that_make_no_event_stand_among_the_rejected_as_they_came(
    manager: AttributionClient, file: tuple[int, Path]
) -> None:
    branch_id, path = file
    wrong = 'F-1,"S-1,5.00\r\n'
    path.write_bytes(f"number,line,yuan\r\n{wrong}F-2,S-1,5.00\r\n,,\r\n".encode())
    done = await import_file(manager, path, mapping(branch_id), progress=lambda *_: None)
    assert (done.lines, done.booked, done.rejected, done.skipped) == (3, 1, 1, 1)
    assert rejected_rows_file(path).read_bytes().removeprefix(b"\xef\xbb\xbf") == (
        f"number,line,yuan\r\n{wrong}".encode()
    )


async def test_rejected_rows_stand_as_they_came_and_are_booked_once_mended(
    manager: AttributionClient, file: tuple[int, Path]
) -> None:
    branch_id, path = file
    await import_file(manager, path, mapping(branch_id), progress=lambda *_: None)
    mended = rejected_rows_file(path)
    assert mended.read_text("utf-8-sig").splitlines() == [
        "number,line,yuan",
        "D-3,S-1,ten",
        "D-7,S-1,-1.00",
    ]
    mended.write_text(mended.read_text("utf-8-sig").replace("ten", "10").replace("-1.00", "1.00"))
    done = await import_file(manager, mended, mapping(branch_id), progress=lambda *_: None)
    assert (done.lines, done.booked, done.clean) == (2, 2, True)
    assert (await manager.reconciliation(branch_id, 201711)).booked_fen == 23_100


async def test_a_file_in_chinese_encoding_without_a_heading_comes_back_as_it_was(
    manager: AttributionClient, file: tuple[int, Path]
) -> None:
    branch_id, path = file
    stated = {
        "encoding": "gb18030",
        "delimiter": "|",
        "columns": ["number", "line", "note", "yuan"],
    }
    described = FileMapping.model_validate(mapping(branch_id).model_dump(by_alias=True) | stated)
    bad = "G-2|S-1|宽带|一元".encode("gb18030")
    path.write_bytes("G-1|S-1|宽带|10\n".encode("gb18030") + bad + b"\nG-3|S-1|\xff|10\n")
    done = await import_file(manager, path, described, progress=lambda *_: None)
    assert (done.lines, done.booked, done.rejected) == (3, 1, 2)
    assert rejected_rows_file(path).read_bytes().split() == [bad, b"G-3|S-1|\xff|10"]


async def test_a_stop_between_a_batch_and_its_mark_names_no_reject_twice(
    manager: AttributionClient, file: tuple[int, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    branch_id, path = file
    monkeypatch.setattr(importing, "BATCH", 5)
    kept = importing.keep

    def power_cut(*given: Any) -> None:
        if given[1].lines == 10:
            raise OSError("the power went")
        kept(*given)

    monkeypatch.setattr(importing, "keep", power_cut)
    with pytest.raises(OSError, match="power"):
        await import_file(manager, path, mapping(branch_id), progress=lambda *_: None)
    monkeypatch.setattr(importing, "keep", kept)
    done = await import_file(manager, path, mapping(branch_id), progress=lambda *_: None)
    assert (done.lines, done.refused, done.rejected) == (25, 1, 1)
    with rejects_file(path).open(encoding="utf-8-sig") as rejects:
        assert [row["line"] for row in csv.DictReader(rejects)] == ["5", "9"]
    assert rejected_rows_file(path).read_text("utf-8-sig").count("D-7") == 1


async def test_a_packed_file_is_posted_like_any_other_and_its_rejects_are_readable(
    manager: AttributionClient, file: tuple[int, Path], tmp_path: Path
) -> None:
    branch_id, path = file
    packed = tmp_path / "packed.csv.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    reached: list[int] = []

    done = await import_file(
        manager,
        packed,
        mapping(branch_id),
        progress=lambda _, bytes_read: reached.append(bytes_read),
    )

    assert (done.lines, done.booked, done.refused, done.rejected) == (25, 22, 1, 1)
    assert reached[-1] == packed.stat().st_size
    rejected = rejected_rows_file(packed)
    assert rejected.name == "packed.rejected.csv"
    assert rejected.read_text("utf-8-sig").splitlines() == [
        "number,line,yuan",
        "D-3,S-1,ten",
        "D-7,S-1,-1.00",
    ]


async def test_a_packed_file_that_was_cut_short_says_so_and_keeps_what_is_done(
    manager: AttributionClient,
    county: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(importing, "BATCH", 100)
    rows = "".join(f"C-{number},S-{number},{number % 977}.00\n" for number in range(20_000))
    whole = gzip.compress(("number,line,yuan\n" + rows).encode())
    path = tmp_path / "cut.csv.gz"
    path.write_bytes(whole[: len(whole) // 20])

    with pytest.raises(ValueError, match="packed by gzip, and damaged behind line"):
        await import_file(manager, path, mapping(county), progress=lambda *_: None)

    assert json.loads(state_file(path).read_text())["lines"] > 0
