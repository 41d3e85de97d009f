"""What each check of the doctor says of what it is given."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from huaxiao.cli.doctor import chains, database_settings, feeds, ledger, roles
from huaxiao.cli.doctor.feeds import Stretch
from huaxiao.cli.doctor.findings import Finding, Level, examination, holds
from huaxiao.cli.doctor.roles import RoleFacts
from huaxiao.shared.audit.anchors import AnchorFile, append
from huaxiao.shared.audit.chain import ChainFault, Head
from huaxiao.shared.wire.attribution import PeriodBooks

NOW = datetime(2017, 11, 6, 8, tzinfo=UTC)
SAFE = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "data_checksums": "on",
}


def test_a_sound_suite_ends_well_and_warnings_do_not_count() -> None:
    warned = Finding("roles", Level.WARNING, "odd", "look")

    assert examination([holds("roles", "fine"), warned]).sound
    assert not examination([warned, Finding("roles", Level.WRONG, "bad", "mend")]).sound


def test_people_are_told_what_to_do_and_machines_all_of_it() -> None:
    found = examination([Finding("ledger", Level.WRONG, "bad", "mend it", "attribution", 130123)])

    lines = list(found.lines())
    assert "attribution 130123: bad" in lines[0]
    assert lines[1:] == ["    → mend it", "1 wrong."]
    assert found.as_json() == {
        "sound": False,
        "findings": [
            {
                "check": "ledger",
                "level": "wrong",
                "what": "bad",
                "next_step": "mend it",
                "service": "attribution",
                "branch_id": 130123,
            }
        ],
    }


@pytest.mark.parametrize("name", ["fsync", "full_page_writes", "synchronous_commit"])
def test_settings_that_lose_commits_are_wrong(name: str) -> None:
    (found,) = database_settings.setting_findings(SAFE | {name: "off"})

    assert (found.level, name in found.what) == (Level.WRONG, True)


def test_missing_checksums_are_a_warning() -> None:
    (found,) = database_settings.setting_findings(SAFE | {"data_checksums": "off"})

    assert found.level is Level.WARNING
    assert database_settings.setting_findings(SAFE) == []


@pytest.mark.parametrize(
    ("head", "held", "told"),
    [
        (3, Stretch(3, 1, 3), []),
        (0, None, []),
        (3, Stretch(2, 1, 3), ["positions 1 to 3 hold 2 entries: some are missing"]),
        (3, Stretch(2, 2, 3), ["positions 2 to 3 hold 2 entries: some are missing"]),
        (4, Stretch(3, 1, 3), ["the last entry is 3, but positions up to 4 were given out"]),
        (2, None, ["the last entry is 0, but positions up to 2 were given out"]),
    ],
)
def test_a_feed_runs_from_one_to_its_head(head: int, held: Stretch | None, told: list[str]) -> None:
    assert list(feeds.feed_faults(head, held)) == told


def test_nobody_is_ahead_of_a_feed() -> None:
    assert feeds.follower_fault("/contracts", 7, 7) is None
    assert feeds.follower_fault("/contracts", 8, 7) is not None


BOOKS: dict[str, Any] = {
    "period": 201711,
    "closed": False,
    "billed_fen": 100,
    "booked_fen": 100,
    "difference_fen": 0,
    "attributed_fen": 100,
    "unresolved_fen": 0,
    "ledger_sum_fen": 0,
}


def test_books_that_add_up_are_passed_over() -> None:
    assert list(ledger.faults(PeriodBooks(**BOOKS), 100, [])) == []


@pytest.mark.parametrize(
    ("changed", "entered", "unbalanced", "said"),
    [
        ({"ledger_sum_fen": 5}, 100, [], "come to 5 fen, not 0"),
        ({}, 100, ["revenue of C1"], "not the sum of their entries: revenue of C1"),
        ({"booked_fen": 90, "difference_fen": 10}, 100, [], "balances to 90"),
        ({}, 90, [], "entries to 90"),
    ],
)
def test_books_that_do_not_add_up_are_told(
    changed: dict[str, int], entered: int, unbalanced: list[str], said: str
) -> None:
    (told,) = ledger.faults(PeriodBooks(**BOOKS | changed), entered, unbalanced)

    assert told.startswith("201711")
    assert said in told


def test_a_role_that_only_adds_is_passed_over() -> None:
    assert list(roles.role_faults(RoleFacts(rights=()))) == []


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (RoleFacts(rights=("rolbypassrls", "rolsuper")), "has rolbypassrls, rolsuper"),
        (RoleFacts(rights=(), owned=("kpi.measures",)), "owns kpi.measures"),
        (RoleFacts(rights=(), member_of=("kpi_owner",)), "is a member of kpi_owner"),
        (RoleFacts(rights=(), changeable=("attribution.entries",)), "append-only"),
        (RoleFacts(rights=(), missing=("kpi.audit_entries",)), "lacks kpi.audit_entries"),
        (RoleFacts(rights=(), writer_may=("kpi.measures",)), "more than add rows to kpi.measures"),
    ],
)
def test_a_role_that_may_more_is_told(facts: RoleFacts, said: str) -> None:
    (told,) = roles.role_faults(facts)

    assert said in told


def test_chains_without_anchors_are_a_warning_and_changed_anchors_are_wrong(tmp_path: Path) -> None:
    (none,) = chains.file_findings("kpi", tmp_path, chains.anchors_of(tmp_path, "kpi"))
    (changed,) = chains.file_findings("kpi", tmp_path, AnchorFile(fault="line 2 cannot be read"))

    assert (none.level, changed.level) == (Level.WARNING, Level.WRONG)
    assert "line 2" in changed.what
    assert chains.file_findings("kpi", tmp_path, AnchorFile()) == []


def test_entries_that_wait_long_for_an_anchor_are_a_warning() -> None:
    late = chains.late_findings("kpi", 1, 7, NOW - timedelta(hours=3), now=NOW)

    assert [one.level for one in late] == [Level.WARNING]
    assert chains.late_findings("kpi", 1, 7, NOW - timedelta(hours=1), now=NOW) == []
    assert chains.late_findings("kpi", 1, 7, None, now=NOW) == []


def test_the_first_bad_entry_is_named_with_its_branch() -> None:
    found = chains.fault_finding("kpi", ChainFault(130123, 7, "is missing"))

    assert (found.level, found.branch_id, found.what) == (Level.WRONG, 130123, "entry 7 is missing")


def test_anchors_lie_in_one_folder_or_each_services_in_its_own(tmp_path: Path) -> None:
    heads = [Head(1, 3, "aa")]
    append(tmp_path / "kpi.jsonl", "kpi", heads, at=NOW)
    (tmp_path / "dispatch").mkdir()
    append(tmp_path / "dispatch" / "dispatch.jsonl", "dispatch", heads, at=NOW)

    found = [chains.anchors_of(tmp_path, one) for one in ("kpi", "dispatch", "contracts")]

    assert [one and list(one.heads()) for one in found] == [[1], [1], None]
