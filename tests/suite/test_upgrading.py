"""A release may run beside the one before: what its migrations say to the database allows it."""

from pathlib import Path

import pytest
from support.migration_rules import Revision, breaches, revision, split

from huaxiao.shared.provision import SERVICES

FROM_BEFORE = {
    ("contracts", "0005"): ["adds a trigger"],
    ("contracts", "0008"): ["drops a column", "fills while"],
    ("dispatch", "0003"): ["adds a constraint"],
    ("dispatch", "0006"): ["fills while"],
    ("dispatch", "0009"): ["fills while"],
    ("dispatch", "0012"): ["fills while"],
    ("kpi", "0003"): ["asks for a value", "drops a constraint", "adds a constraint"],
    ("kpi", "0007"): ["adds a constraint"],
}
"""Versions that are older than the first release, and so than the rule. None is added here."""


@pytest.fixture(scope="module")
def histories(project: Path) -> list[Revision]:
    return [
        revision(service, path)
        for service in SERVICES
        for path in sorted(
            project.glob(f"services/{service}/src/huaxiao/{service}/migrations/versions/0*.py")
        )
    ]


def test_no_migration_takes_from_the_release_before_what_it_needs(
    histories: list[Revision],
) -> None:
    found = {
        (one.service, one.number): said
        for one in histories
        if one.enforces is None and (said := one.breaches())
    }

    assert len(histories) > 30
    assert {key: said for key, said in found.items() if key not in FROM_BEFORE} == {}
    for key, kinds in FROM_BEFORE.items():
        assert all(any(one.startswith(kind) for one in found[key]) for kind in kinds), found[key]


def test_what_ends_a_change_names_the_earlier_version_that_began_it(
    histories: list[Revision],
) -> None:
    known = {(one.service, one.number) for one in histories}

    for one in histories:
        if one.enforces is not None:
            assert (one.service, one.enforces) in known
            assert one.enforces < one.number


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("ALTER TABLE kpi.a DROP COLUMN b;", "drops a column"),
        ("DROP TABLE kpi.a;", "drops a table"),
        ("ALTER TABLE kpi.a RENAME COLUMN b TO c;", "renames"),
        ("ALTER TABLE kpi.a RENAME TO b;", "renames"),
        ("ALTER TABLE kpi.a ALTER COLUMN b TYPE BIGINT;", "changes a type"),
        ("ALTER TABLE kpi.a ALTER COLUMN b SET NOT NULL;", "asks for a value"),
        ("ALTER TABLE kpi.a ADD COLUMN b TEXT NOT NULL;", "asks for a value"),
        ("ALTER TABLE kpi.a ADD CONSTRAINT c CHECK (b > 0);", "adds a constraint"),
        ("CREATE UNIQUE INDEX c ON kpi.a (b);", "adds a constraint"),
        ("CREATE TRIGGER c BEFORE INSERT ON kpi.a FOR EACH ROW EXECUTE FUNCTION d();", "adds a"),
        ("DELETE FROM kpi.a;", "removes rows"),
        ("ALTER TABLE kpi.a ADD COLUMN b TEXT;\nUPDATE kpi.a SET b = 'x';", "fills while kpi.a"),
    ],
)
def test_what_the_release_before_could_not_stand_is_found(sql: str, said: str) -> None:
    [found] = breaches(split(sql))

    assert found.startswith(said)


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE kpi.a (b TEXT NOT NULL);\nALTER TABLE kpi.a ADD CONSTRAINT c CHECK (b > 0);",
        "ALTER TABLE kpi.a ADD COLUMN b TEXT;",
        "ALTER TABLE kpi.a ADD COLUMN b TEXT DEFAULT '' NOT NULL;",
        "ALTER TABLE kpi.a ALTER COLUMN b DROP NOT NULL;",
        "UPDATE kpi.a SET b = 'x';",
        "CREATE TABLE kpi.a (b TEXT);\nINSERT INTO kpi.a SELECT c FROM kpi.d;",
        "CREATE FUNCTION kpi.a() RETURNS trigger AS $$\nBEGIN\nDELETE FROM kpi.b;\nEND $$;",
    ],
)
def test_what_it_does_not_notice_is_allowed(sql: str) -> None:
    assert breaches(split(sql)) == []
