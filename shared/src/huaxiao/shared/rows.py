"""Which rows a transaction may see and write: the second lock, behind the one in every query.

A transaction begins with its scope: the branches it works in, and the centres of these that its
caller may see. Policies hold every table to it, for whoever owns the table as well; a transaction
that has named no scope finds nothing and writes nothing. It is a lock against a forgotten condition,
not against a service that wants to open it: the scope is named by the service itself.

A table says by its columns what it is held to: ``branch_id`` always. One that has a centre's column
says in its ``info`` either ``own_centre``, the columns of which one must name a centre of the scope,
or ``whole_branch``, the reason why whoever works in the branch must find all of it. ``COPIED`` marks
tables that are written by COPY.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

from sqlalchemy import MetaData, Table

from huaxiao.shared.identifiers import IDENTIFIER_PATTERN

EVERY = "*"
NO_BRANCH = 0
"""What rows that belong to no branch have for one: answers to requests that name none."""
POLICY = "scope"
BRANCHES_SETTING = "app.branch_ids"
CENTRES_SETTING = "app.centre_ids"
PERSON_SETTING = "app.person_id"
OPENED = {BRANCHES_SETTING: EVERY, CENTRES_SETTING: EVERY}
"""The settings of a session that sees everything: the owner's, for migrations and rebuilding."""
_CODE = re.compile(IDENTIFIER_PATTERN, re.ASCII)


COPIED = {"copied": True}


def own_centre(*columns: str, person: str | None = None) -> dict[str, object]:
    """Say that a row is seen by the centres named in one of these columns, and by the whole branch.

    ``person`` is the column of somebody who sees it as well, whatever centre they are in by now.
    """
    return {"own_centre": columns, "own_person": person}


def whole_branch(reason: str) -> dict[str, object]:
    """Say why whoever works in a branch must find every row, though rows name a centre."""
    return {"whole_branch": reason}


@dataclass(frozen=True, slots=True)
class Scope:
    """The branches, and the centres of these, that a transaction may see and write; None is all."""

    branch_ids: frozenset[int] | None
    centre_ids: frozenset[str] | None = None
    person_id: str | None = None
    """Whoever asks, if they are a person: they see what is theirs beside their centres'."""

    def __post_init__(self) -> None:
        """Refuse what is not a code: the scope is told to PostgreSQL as text.

        Raises:
            ValueError: a branch is not a whole number, or another code not an identifier.

        """
        for branch_id in self.branch_ids or ():
            if type(branch_id) is not int:
                raise ValueError(f"not a branch: {branch_id!r}")
        person = () if self.person_id is None else (self.person_id,)
        for code in (*(self.centre_ids or ()), *person):
            if _CODE.fullmatch(code) is None:
                raise ValueError(f"not a centre or a person: {code!r}")

    @classmethod
    def of_branch(cls, branch_id: int) -> Self:
        """Return the scope of work that knows its branch: every centre of it."""
        return cls(frozenset({branch_id}))

    def holds(self, branch_ids: Iterable[int]) -> bool:
        """Say whether all of these branches, each as a whole, are within the scope."""
        return self.centre_ids is None and (
            self.branch_ids is None or self.branch_ids.issuperset(branch_ids)
        )


EVERYTHING = Scope(None)
"""The scope of a service's own work that looks over all branches for what there is to do."""
NOTHING = Scope(frozenset())


@lru_cache(maxsize=1024)
def scope_statements(scope: Scope) -> str:
    """Return what sets a transaction's scope, as literals: parameters would not reach a Citus worker."""
    branches = EVERY if scope.branch_ids is None else ",".join(map(str, sorted(scope.branch_ids)))
    centres = EVERY if scope.centre_ids is None else ",".join(sorted(scope.centre_ids))
    given = {
        BRANCHES_SETTING: branches,
        CENTRES_SETTING: centres,
        PERSON_SETTING: scope.person_id or "",
    }
    return " ".join(f"SET LOCAL {setting} = '{value}';" for setting, value in given.items())


def policy_of(table: Table, *, distributed: bool = False) -> str:
    """Return the condition that a table's rows are held to.

    The settings stand in sub-selects, so that they are read once a statement and not for every row;
    the comparisons are leakproof, so that conditions of the query still choose the index. Citus takes
    no policy with a sub-select: that of a table that is distributed is the same without.
    """
    condition = _within(["branch_id"], BRANCHES_SETTING, "int", distributed=distributed)
    own_centre = table.info.get("own_centre")
    if own_centre is not None:
        seen = _within(own_centre, CENTRES_SETTING, "text", distributed=distributed)
        person = table.info.get("own_person")
        if person is not None:
            given = f"current_setting('{PERSON_SETTING}', true)"
            seen = f"({seen} OR {person} = {_once(given, distributed=distributed)})"
        condition += f" AND {seen}"
    return condition


def _within(columns: Iterable[str], setting: str, kind: str, *, distributed: bool) -> str:
    given = f"current_setting('{setting}', true)"
    listed = f"string_to_array(nullif({given}, '{EVERY}'), ',')::{kind}[]"
    if not distributed:
        listed = f"(SELECT {listed})::{kind}[]"
    every = _once(f"{given} = '{EVERY}'", distributed=distributed)
    either = [*(f"{column} = ANY ({listed})" for column in columns), every]
    return f"({' OR '.join(either)})"


def _once(expression: str, *, distributed: bool) -> str:
    return f"({expression})" if distributed else f"(SELECT {expression})"


def row_security_statements(table: Table, *, distributed: bool = False) -> list[str]:
    """Return what holds a table to the scope of transactions, for its owner to execute."""
    name, condition = table.fullname, policy_of(table, distributed=distributed)
    quoted = condition.replace("'", "''")
    return [
        f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY",
        f"DROP POLICY IF EXISTS {POLICY} ON {name}",
        f"CREATE POLICY {POLICY} ON {name} USING ({condition}) WITH CHECK ({condition})",
        # What PostgreSQL tells of a policy is written otherwise than it was given.
        f"COMMENT ON POLICY {POLICY} ON {name} IS '{quoted}'",
    ]


HELD = f"""
    SELECT n.nspname || '.' || c.relname, obj_description(p.oid, 'pg_policy')
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_policy p ON p.polrelid = c.oid
    WHERE n.nspname = :schema AND c.relrowsecurity AND c.relforcerowsecurity AND p.polname = '{POLICY}'
"""  # noqa: S608 - a constant of this module
"""The tables of a schema that are held, with the condition that each is held to."""


def undeclared(metadata: MetaData) -> list[str]:
    """Return the tables that do not say how they are held, or say it of columns they have not."""
    found = []
    for table in metadata.sorted_tables:
        columns = {column.name for column in table.columns}
        own_centre = set(table.info.get("own_centre", ()))
        said = bool(own_centre) != bool(table.info.get("whole_branch"))
        of_centres = any("centre_id" in name for name in columns)
        if "branch_id" not in columns or not own_centre <= columns or of_centres != said:
            found.append(table.fullname)
    return found
