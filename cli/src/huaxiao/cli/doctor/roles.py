"""The database's roles: a service's own owns nothing, passes over nothing, and only adds."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import MetaData, text
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.cli.doctor.findings import Finding, Level, unless_found
from huaxiao.shared.audit.marks import erasable_columns
from huaxiao.shared.provision import writer_role

CHECK = "roles"
_ATTRIBUTES = text(
    "SELECT rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication"
    " FROM pg_roles WHERE rolname = ANY(:names)"
)
_OWNED = text(
    "SELECT r.rolname, o.name FROM pg_roles r JOIN ("
    " SELECT relowner AS owner, oid::regclass::text AS name FROM pg_class"
    " UNION ALL SELECT nspowner, 'schema ' || nspname FROM pg_namespace"
    " UNION ALL SELECT proowner, oid::regprocedure::text FROM pg_proc"
    " UNION ALL SELECT datdba, 'database ' || datname FROM pg_database"
    ") o ON o.owner = r.oid WHERE r.rolname = ANY(:names) ORDER BY 1, 2"
)
_MEMBER_OF = text(
    "SELECT m.rolname, g.rolname AS name FROM pg_auth_members a"
    " JOIN pg_roles m ON m.oid = a.member JOIN pg_roles g ON g.oid = a.roleid"
    " WHERE m.rolname = ANY(:names) ORDER BY 1, 2"
)
_MAY_CHANGE = text(
    "SELECT t.name, to_regclass(t.name) IS NULL AS missing,"
    " to_regclass(t.name) IS NOT NULL AND ("
    "  has_table_privilege(:role, to_regclass(t.name), 'UPDATE, DELETE, TRUNCATE')"
    "  OR EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = to_regclass(t.name)"
    "   AND a.attnum > 0 AND NOT a.attisdropped"
    "   AND t.name || '.' || a.attname <> ALL(CAST(:erasable AS text[]))"
    "   AND has_column_privilege(:role, a.attrelid, a.attnum, 'UPDATE'))) AS changeable"
    " FROM unnest(CAST(:tables AS text[])) AS t(name) ORDER BY 1"
)
_WRITER_MAY = text(
    "SELECT oid::regclass::text AS name FROM pg_class"
    " WHERE relkind IN ('r', 'p', 'v', 'm') AND relnamespace = to_regnamespace(:schema)"
    " AND has_table_privilege(:role, oid, 'SELECT, UPDATE, DELETE, TRUNCATE') ORDER BY 1"
)


@dataclass(frozen=True, slots=True)
class RoleFacts:
    """What the database says of a service's role."""

    rights: tuple[str, ...]
    owned: tuple[str, ...] = ()
    member_of: tuple[str, ...] = ()
    changeable: tuple[str, ...] = ()
    """Append-only tables that it may change."""
    missing: tuple[str, ...] = ()
    writer_may: tuple[str, ...] = ()
    """Tables of which its writer, whom no policy holds, may do more than add rows."""


async def check(connection: AsyncConnection, schemas: Mapping[str, MetaData]) -> list[Finding]:
    """Ask the database what every service's role may do."""
    names = {"names": list(schemas)}
    attributes = {
        row["rolname"]: tuple(sorted(name for name, held in row.items() if held is True))
        for row in (await connection.execute(_ATTRIBUTES, names)).mappings()
    }
    owned = await _by_role(connection, _OWNED, names)
    member_of = await _by_role(connection, _MEMBER_OF, names)
    found: list[Finding] = []
    for service, schema in schemas.items():
        if service not in attributes:
            found.append(_wrong(service, "has no role in this database"))
            continue
        append_only = [table for table in schema.sorted_tables if table.info.get("append_only")]
        asked = {
            "role": service,
            "tables": [one.fullname for one in append_only],
            "erasable": [
                f"{one.fullname}.{column}"
                for one in append_only
                for column in erasable_columns(one)
            ],
        }
        rows = (await connection.execute(_MAY_CHANGE, asked)).all()
        facts = RoleFacts(
            rights=attributes[service],
            owned=tuple(owned.get(service, ())),
            member_of=tuple(
                one for one in member_of.get(service, ()) if one != writer_role(service)
            ),
            changeable=tuple(row.name for row in rows if row.changeable),
            missing=tuple(row.name for row in rows if row.missing),
            writer_may=await _writer_may(connection, service),
        )
        found += [_wrong(service, what) for what in role_faults(facts)]
    return unless_found(CHECK, found, "services own nothing, and only add to what is append-only")


def role_faults(facts: RoleFacts) -> Iterable[str]:
    """Yield what a service's role has that it must not have, and what is missing."""
    if facts.rights:
        yield f"its role has {', '.join(facts.rights)}"
    if facts.owned:
        yield f"its role owns {_some(facts.owned)}"
    if facts.member_of:
        yield f"its role is a member of {_some(facts.member_of)}"
    if facts.changeable:
        yield f"its role may change what is append-only: {_some(facts.changeable)}"
    if facts.writer_may:
        yield f"its writer may do more than add rows to {_some(facts.writer_may)}"
    if facts.missing:
        yield f"its schema lacks {_some(facts.missing)}"


async def _writer_may(connection: AsyncConnection, service: str) -> tuple[str, ...]:
    writer = writer_role(service)
    if await connection.scalar(text("SELECT to_regrole(:role) IS NULL"), {"role": writer}):
        return ()
    rows = await connection.execute(_WRITER_MAY, {"role": writer, "schema": service})
    return tuple(row.name for row in rows)


def _some(names: tuple[str, ...]) -> str:
    shown = 5
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more


def _wrong(service: str, what: str) -> Finding:
    next_step = (
        "Take it away as a superuser, then run the migrations again: they put the grants right."
        " `huaxiao up` does, and in containers the step `prepare`."
    )
    return Finding(CHECK, Level.WRONG, what, next_step, service)


async def _by_role(
    connection: AsyncConnection, query: object, names: Mapping[str, list[str]]
) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row in await connection.execute(query, names):  # type: ignore[call-overload]
        found.setdefault(row.rolname, []).append(row.name)
    return found
