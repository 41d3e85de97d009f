"""What a query must be like so that a database that lies on several machines can answer it.

Branches lie apart, each whole on one machine. A query of one branch goes to one machine; one that joins
rows of different branches would have to move them, and a lock or a change reaches one machine only.
"""

from collections.abc import Iterator
from functools import cache

import sqlglot
from sqlglot import exp

from huaxiao.shared.provision import SERVICES

_QUERIES = (exp.Select, exp.Update, exp.Delete)
_VOLATILE = {"now", "current_timestamp", "clock_timestamp", "random", "gen_random_uuid"}


@cache
def faults(statement: str) -> tuple[str, ...]:
    """Say what is wrong with a statement that a service sends; nothing, as a rule."""
    tree = sqlglot.parse_one(statement, dialect="postgres")
    return tuple(_faults(tree))


def _faults(tree: exp.Expr) -> Iterator[str]:
    tables = {one for one in tree.find_all(exp.Table) if one.db in SERVICES}
    added = {one.find(exp.Table) for one in tree.find_all(exp.Insert)}
    read = tables - added
    changed = bool(list(tree.find_all(exp.Lock, exp.Update, exp.Delete)))
    if len(read) > 1 or (read and changed):
        bound = set(_bound(tree))
        yield from sorted(f"{one.sql()} is not bound to a branch" for one in read - bound)
    for conflict in tree.find_all(exp.OnConflict):
        calls = {one.sql_name().lower() for one in conflict.find_all(exp.Func)}
        yield from sorted(f"{one}() says what is written on conflict" for one in calls & _VOLATILE)
    for insert in tree.find_all(exp.Insert):
        if _is_copied(insert):
            yield f"{insert.this.sql()} is copied to its machine, which policies refuse"
    for update in tree.find_all(exp.Update):
        if any(one.this.name == "branch_id" for one in update.expressions):
            yield "a row changes its branch"


def _is_copied(insert: exp.Insert) -> bool:
    """Say whether rows are made where the statement is sent, and then handed on by COPY.

    Those of ``VALUES`` go as a statement; so do those that meet a conflict, or are told of: they are laid
    down on their machine first, and read by a statement there.
    """
    made = insert.expression
    return (
        isinstance(made, exp.Select)
        and not any(one.db in SERVICES for one in made.find_all(exp.Table))
        and not (insert.args.get("conflict") or insert.args.get("returning"))
    )


def _bound(tree: exp.Expr) -> Iterator[exp.Table]:
    """Yield the tables whose branch is compared: with a value, or with another table's branch."""
    for comparison in tree.find_all(exp.EQ, exp.In):
        for column in comparison.find_all(exp.Column):
            if column.name == "branch_id" and column.find_ancestor(exp.EQ, exp.In) is comparison:
                yield from _meant(column)
    for join in tree.find_all(exp.Join):
        if any(one.name == "branch_id" for one in join.args.get("using") or ()):
            query = join.find_ancestor(*_QUERIES)
            yield from _own(query) if query else ()


def _meant(column: exp.Column) -> Iterator[exp.Table]:
    """Yield the tables of which a column may be: by its name, or all of its query's."""
    query = column.find_ancestor(*_QUERIES)
    while query is not None:
        found = [one for one in _sources(query) if column.table in {"", one.alias_or_name}]
        for one in found:
            yield from [one] if isinstance(one, exp.Table) else one.find_all(exp.Table)
        if found:
            return
        query = query.find_ancestor(*_QUERIES)


def _own(query: exp.Expr) -> Iterator[exp.Table]:
    yield from (one for one in _sources(query) if isinstance(one, exp.Table))


def _sources(query: exp.Expr) -> Iterator[exp.Expr]:
    """Yield the tables and derived tables that a query itself reads or writes."""
    for one in query.find_all(exp.Table, exp.Subquery, exp.Lateral):
        if one.find_ancestor(*_QUERIES) is query:
            yield one
