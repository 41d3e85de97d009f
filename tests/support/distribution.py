"""What a query must be like so that a database that lies on several machines can answer it.

Branches lie apart, each whole on one machine. A query of one branch goes to one machine; one that joins
rows of different branches would have to move them, and a lock or a change reaches one machine only.
"""

from collections.abc import Iterator
from functools import cache

import sqlglot
from sqlglot import exp

from huaxiao.shared.provision import SERVICES

_VOLATILE = {"now", "current_timestamp", "clock_timestamp", "random", "gen_random_uuid"}


@cache
def faults(statement: str) -> tuple[str, ...]:
    """Say what is wrong with a statement; nothing, if it does not touch a service's tables."""
    tree = sqlglot.parse_one(statement, dialect="postgres")
    return tuple(_faults(tree))


def _faults(tree: exp.Expr) -> Iterator[str]:
    tables = {one.alias_or_name: one for one in tree.find_all(exp.Table) if one.db in SERVICES}
    bound = set(_bound(tree))
    written = tree.this if isinstance(tree, exp.Update | exp.Delete) else None
    locked = any(tree.find_all(exp.Lock))
    if len(tables) > 1 or locked or written is not None:
        own = (
            {written.alias_or_name}
            if written is not None and isinstance(tree, exp.Insert)
            else set()
        )
        yield from (
            f"{one} is not bound to a branch" for one in sorted(tables.keys() - bound - own)
        )
    if conflict := tree.find(exp.OnConflict):
        calls = {one.sql_name().lower() for one in conflict.find_all(exp.Func)}
        yield from (f"{one}() decides what is written on conflict" for one in calls & _VOLATILE)
    if isinstance(tree, exp.Update):
        named = {one.this.name for one in tree.expressions if isinstance(one, exp.EQ)}
        if "branch_id" in named:
            yield "a row changes its branch"


def _bound(tree: exp.Expr) -> Iterator[str]:
    """Yield the tables whose branch is compared with a value, or with another table's branch."""
    for comparison in tree.find_all(exp.EQ, exp.In):
        for column in comparison.find_all(exp.Column):
            if column.name == "branch_id" and column.find_ancestor(exp.EQ, exp.In) is comparison:
                yield column.table
