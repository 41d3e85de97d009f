"""What must be true of tables so that branches can lie on several machines (Citus), tried on none."""

import importlib
import re
from collections.abc import Iterator

import pytest
from sqlalchemy import (
    ColumnElement,
    ForeignKeyConstraint,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from support.distribution import faults

from huaxiao.shared.provision import SERVICES

BRANCH_IN_THE_RANGE = {
    "contracts.sealed_scopes": "an address begins with its county",
    "contracts.sealed_channels": "the range is of branch and channel",
    "contracts.sealed_customers": "the range is of branch and customer",
    "contracts.sealed_resources": "the range is of branch and resource",
}
"""Tables that exclude overlaps: the branch is in what may not overlap, since no index holds both."""


def metadata_of(service: str) -> MetaData:
    found: MetaData = importlib.import_module(f"huaxiao.{service}.tables").metadata
    return found


def keys(table: Table) -> Iterator[tuple[str, list[ColumnElement[object]]]]:
    """Yield everything that a table holds to be there once only."""
    for one in table.constraints:
        if isinstance(one, PrimaryKeyConstraint | UniqueConstraint):
            yield str(one.name), list(one.columns)
    for index in table.indexes:
        if index.unique:
            yield str(index.name), list(index.expressions)


@pytest.mark.parametrize("service", SERVICES)
def test_every_key_begins_with_the_branch(service: str) -> None:
    wrong = [
        (table.fullname, name)
        for table in metadata_of(service).sorted_tables
        for name, columns in keys(table)
        if getattr(columns[0], "name", None) != "branch_id"
    ]
    assert wrong == []


@pytest.mark.parametrize("service", SERVICES)
def test_every_exclusion_is_within_a_branch(service: str) -> None:
    there = {
        table.fullname
        for table in metadata_of(service).sorted_tables
        for one in table.constraints
        if isinstance(one, ExcludeConstraint)
    }
    assert there == {one for one in BRANCH_IN_THE_RANGE if one.startswith(f"{service}.")}


@pytest.mark.parametrize("service", SERVICES)
def test_what_refers_to_another_row_lies_beside_it_and_goes_with_it(service: str) -> None:
    wrong = []
    for table in metadata_of(service).sorted_tables:
        for one in table.constraints:
            if isinstance(one, ForeignKeyConstraint):
                first = next(iter(one.elements))
                beside = first.parent.name == first.column.name == "branch_id"
                if not beside or one.ondelete not in {None, "CASCADE"}:
                    wrong.append((table.fullname, one.name))
    assert wrong == []


@pytest.mark.parametrize("service", SERVICES)
def test_no_number_is_given_out_by_a_machine(service: str) -> None:
    """A sequence counts on each machine for itself: what must have an order is counted by a row."""
    wrong = [
        (table.fullname, column.name)
        for table in metadata_of(service).sorted_tables
        for column in table.columns
        if column.identity is not None
        or re.search("serial", str(column.type), re.IGNORECASE)
        or (column.primary_key and column.autoincrement is True)
    ]
    assert wrong == []


BOUND = "kpi.centres.branch_id = $1"
BESIDE = "kpi.measures.branch_id = kpi.centres.branch_id"
OF_ONE = "kpi.measures.branch_id = $1"
MADE = "json_to_recordset($1::JSON) AS made(a INTEGER)"


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ("SELECT name FROM kpi.centres", 0),
        (f"SELECT name FROM kpi.centres JOIN kpi.measures ON {BESIDE} WHERE {BOUND}", 0),
        (f"SELECT name FROM kpi.centres JOIN kpi.measures USING (centre_id) WHERE {BOUND}", 1),
        ("SELECT name FROM kpi.centres JOIN kpi.measures USING (branch_id, centre_id)", 0),
        (f"SELECT name FROM kpi.centres WHERE {BOUND} FOR UPDATE SKIP LOCKED", 0),
        ("SELECT name FROM kpi.centres ORDER BY name LIMIT 1 FOR UPDATE SKIP LOCKED", 1),
        ("SELECT 1 FROM kpi.centres WHERE branch_id = $1 AND EXISTS (SELECT 1 FROM kpi.alerts)", 1),
        (
            (
                "SELECT 1 FROM (SELECT branch_id FROM kpi.alerts) AS a JOIN kpi.centres c"
                " ON c.branch_id = a.branch_id WHERE a.branch_id = $1"
            ),
            0,
        ),
        ("UPDATE kpi.centres SET name = $1 WHERE centre_id = $2", 1),
        (f"UPDATE kpi.centres SET branch_id = 2 WHERE {BOUND}", 1),
        ("DELETE FROM kpi.centres", 1),
        (
            (
                "INSERT INTO kpi.centres (branch_id) VALUES ($1) ON CONFLICT (branch_id)"
                " DO UPDATE SET known_at = excluded.known_at"
            ),
            0,
        ),
        (
            (
                "INSERT INTO kpi.centres (branch_id) VALUES ($1) ON CONFLICT (branch_id)"
                " DO UPDATE SET known_at = now()"
            ),
            1,
        ),
        (f"INSERT INTO kpi.centres (branch_id) SELECT a FROM {MADE}", 1),
        (f"INSERT INTO kpi.centres (branch_id) SELECT a FROM {MADE} RETURNING branch_id", 0),
        (f"INSERT INTO kpi.centres (branch_id) SELECT a FROM {MADE} ON CONFLICT DO NOTHING", 0),
        (
            f"INSERT INTO kpi.centres (branch_id) SELECT branch_id FROM kpi.measures WHERE {OF_ONE}",
            0,
        ),
    ],
)
def test_a_query_that_branches_apart_cannot_answer_is_found(query: str, wrong: int) -> None:
    """Every query that a service sends in these tests is looked at so: see `tests/conftest.py`."""
    assert len(faults(query)) == wrong
