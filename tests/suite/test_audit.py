"""No change goes around the record: what its tables say of themselves, held against the code."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import MetaData

from huaxiao.shared.audit.marks import is_derived, is_pay
from huaxiao.shared.provision import SERVICES

TEXTUAL = re.compile(
    r"\b(?:UPDATE|DELETE\s+FROM|INSERT\s+INTO|MERGE\s+INTO|TRUNCATE(?:\s+TABLE)?)\s+"
    r"(?!SET\b|ON\b)(?:ONLY\s+)?\{?(\w+)\.?(\w*)",
)
"""Statements in capitals, as this project writes SQL."""
OPERATORS = {"services/kpi/src/huaxiao/kpi/rebuilding.py"}
"""What is run by hand, as the owner, beside the services: it makes again what is derived."""
COPY = "copy_records_to_table"
WHO_POSTED = {"audit_entries", "held_events", "unplaced_counts"}
"""Derived tables that say who posted something, which is no decision."""
COPYING = "shared/src/huaxiao/shared/database.py"
"""Where rows are copied, or added by statements of many rows, and told to the record first."""


def metadata(service: str) -> MetaData:
    found: MetaData = importlib.import_module(f"huaxiao.{service}.tables").metadata
    return found


def sources(project: Path, *folders: str) -> Iterator[tuple[str, str]]:
    for folder in folders:
        for path in sorted((project / folder).rglob("*.py")):
            name = str(path.relative_to(project))
            if "/migrations/" not in name and name not in OPERATORS:
                yield name, path.read_text()


def texts(source: str) -> Iterator[str]:
    """Yield the strings of a module, those of an f-string with their holes, docstrings left out."""
    tree = ast.parse(source)
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    documents = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if id(node) not in documents:
                yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield ast.unparse(node)


def test_no_textual_statement_changes_a_table_that_is_on_record(project: Path) -> None:
    tables = {service: metadata(service).tables for service in SERVICES}
    found = []
    for name, source in sources(project, "services", "shared", "cli"):
        for one in texts(source):
            for schema, table in TEXTUAL.findall(one):
                named = tables.get(schema, {}).get(f"{schema}.{table}")
                # What Copying adds by statements it tells as what it copies (below).
                told = name == COPYING and (schema, table) == ("table", "fullname")
                if not told and (named is None or not is_derived(named)):
                    found.append(f"{name}: {one[:60]}")

    assert found == []


def test_rows_that_are_copied_are_told_to_the_record(project: Path) -> None:
    places = [name for name, source in sources(project, "services", "shared") if COPY in source]
    assert places == [COPYING]
    source = (project / COPYING).read_text()
    added = [found.start() for found in re.finditer(rf"await self\._insert\(|{COPY}\(", source)]
    assert len(added) == 2
    for here, before in zip(added, [0, *added], strict=False):
        assert "copied(self._connection, table, len(rows))" in source[before:here]


def root_call(node: ast.expr) -> str | None:
    """Return the function that a chain of methods begins with."""
    while isinstance(node, ast.Call):
        if isinstance(node.func, ast.Name):
            return node.func.id
        if not isinstance(node.func, ast.Attribute):
            return None
        node = node.func.value
    return None


def test_no_change_hides_inside_another_statement(project: Path) -> None:
    """A change inside a common table expression is executed unseen."""
    hidden = [
        f"{name}:{node.lineno}"
        for name, source in sources(project, "services", "shared")
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"cte", "add_cte"}
        and root_call(node.func.value) in {"insert", "update", "delete"}
    ]

    assert hidden == []


@pytest.mark.parametrize("service", SERVICES)
def test_tables_that_are_not_on_record_hold_no_decision_of_a_person(service: str) -> None:
    told_by = re.compile(r"(^|_)by$|^reason$")
    for table in metadata(service).sorted_tables:
        if is_derived(table) and table.name not in WHO_POSTED:
            names = [column.name for column in table.columns if told_by.search(column.name)]
            assert names == [], table.fullname


def test_money_and_pay_are_on_record_whoever_changes_them() -> None:
    pay = {
        table.fullname
        for service in SERVICES
        for table in metadata(service).sorted_tables
        if is_pay(table)
    }

    assert {
        "attribution.entries",
        "attribution.commissions",
        "dispatch.appraisals",
        "dispatch.appraisal_revisions",
        "dispatch.order_workers",
        "dispatch.fee_terms",
    } <= pay
