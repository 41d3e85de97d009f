"""Verification: every seal computed again, and held against what stands for it."""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Literal

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.branches.store import branch
from huaxiao.contracts.domain.agreements import contract_document
from huaxiao.contracts.domain.differences import first_difference
from huaxiao.contracts.domain.fields import field_document
from huaxiao.contracts.verification import store
from huaxiao.shared.addresses import address_range
from huaxiao.shared.documents import digest
from huaxiao.shared.wire.contracts import CONTRACT_SIGNED, FIELD_SEALED
from huaxiao.shared.wire.verification import SealDifference, SealVerification

_What = Literal["digest", "draft", "scope", "field_digest", "removed", "published"]
_Found = tuple[_What, str, Any, Any]


async def verify(
    connection: AsyncConnection,
    branch_id: int,
    centre_ids: AbstractSet[str] | None,
    contract_id: str | None,
) -> SealVerification:
    """Verify the seals within the scope; of each only the first difference is named."""
    await branch(connection, branch_id)
    fields = await store.seals_of_fields(connection, branch_id, centre_ids, contract_id)
    scopes = await store.scopes(connection, branch_id, [row["field_id"] for row in fields])
    contracts = await store.signatures_of_contracts(connection, branch_id, centre_ids, contract_id)
    digests = {row["field_id"]: row["digest"] for row in fields}
    told_fields, told_contracts = await _published(connection, branch_id, centre_ids, contract_id)
    differences = [
        *_gone("field", told_fields, digests),
        *_gone(
            "contract", told_contracts, {row["contract_id"]: row["digest"] for row in contracts}
        ),
        *_named("field", "field_id", ((row, _field(row, scopes)) for row in fields)),
        *_named("contract", "contract_id", ((row, _contract(row, digests)) for row in contracts)),
    ]
    if centre_ids is None and contract_id is None:
        differences += [
            _difference("field", one, ("scope", "", "held", None))
            for one in await store.orphans(connection, branch_id)
        ]
    return SealVerification(
        agrees=not differences,
        fields=len(fields),
        contracts=len(contracts),
        differences=differences,
    )


async def _published(
    connection: AsyncConnection,
    branch_id: int,
    centre_ids: AbstractSet[str] | None,
    contract_id: str | None,
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the digests that were published of fields and contracts: others have kept them too."""
    signed = await store.published(connection, branch_id, CONTRACT_SIGNED, centre_ids)
    sealed = await store.published(connection, branch_id, FIELD_SEALED, centre_ids)
    fields = {row["subject"]: row["digest"] for row in sealed}
    if contract_id is None:
        return fields, {row["subject"]: row["digest"] for row in signed}
    of_one = [row for row in signed if row["subject"] == contract_id]
    named = {field_id for row in of_one for field_id in row["field_ids"]}
    # Of the fields that a contract names the county's may have been sealed by the county's contract.
    held = await store.seals_of_fields(connection, branch_id, centre_ids, None)
    others = {row["field_id"] for row in held if row["contract_id"] != contract_id}
    return (
        {one: digest for one, digest in fields.items() if one in named - others},
        {row["subject"]: row["digest"] for row in of_one},
    )


def _gone(
    kind: Literal["field", "contract"], told: Mapping[str, str], held: Mapping[str, str]
) -> Iterator[SealDifference]:
    for subject_id, published in told.items():
        if subject_id not in held:
            yield _difference(kind, subject_id, ("removed", "", None, published))
        elif held[subject_id] != published:
            yield _difference(kind, subject_id, ("published", "", held[subject_id], published))


def _difference(
    kind: Literal["field", "contract"], subject_id: str, found: _Found
) -> SealDifference:
    what, pointer, held, sealed = found
    return SealDifference(
        subject_kind=kind,
        subject_id=subject_id,
        what=what,
        pointer=pointer,
        held=held,
        sealed=sealed,
    )


def _named(
    kind: Literal["field", "contract"],
    key: str,
    checked: Iterator[tuple[RowMapping, Iterator[_Found]]],
) -> Iterator[SealDifference]:
    for row, found in checked:
        first = next(found, None)
        if first is not None:
            yield _difference(kind, row[key], first)


def _field(row: RowMapping, scopes: Mapping[str, Any]) -> Iterator[_Found]:
    sealed = row["document"]
    yield from _digest(row["digest"], sealed)
    drawn = field_document(row["branch_id"], row["field_id"], dict(row))
    yield from _differs("draft", drawn, sealed)
    yield from _differs("scope", scopes[row["field_id"]], _scope_of(sealed))


def _scope_of(document: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return the rows that a seal puts into the tables that refuse overlaps."""
    scope = document["scope"]
    term = {"term_from": document["term_from"], "term_to": document["term_to"]}
    ranges = {prefix: address_range(prefix) for prefix in scope["address_prefixes"]}
    return {
        "address_prefixes": [
            {"prefix": prefix, "lower": lower, "upper": upper} | term
            for prefix, (lower, upper) in ranges.items()
        ],
        "resource_prefixes": [{"prefix": one} | term for one in scope["resource_prefixes"]],
        "customers": [one | term for one in scope["customers"]],
        "channel_ids": [{"channel_id": one} | term for one in scope["channel_ids"]],
    }


def _contract(row: RowMapping, digests: Mapping[str, str]) -> Iterator[_Found]:
    signed = row["document"]
    yield from _digest(row["digest"], signed)
    of_fields = {one["field_id"]: one["digest"] for one in signed["fields"]}
    drafted = contract_document(row["branch_id"], row["contract_id"], dict(row), of_fields)
    yield from _differs("draft", drafted, signed)
    if sorted(row["field_ids"]) != sorted(of_fields):
        yield "draft", "/field_ids", sorted(row["field_ids"]), sorted(of_fields)
    # A field that another contract has sealed may lie outside what is verified here.
    held = {name: digests.get(name, sealed) for name, sealed in of_fields.items()}
    yield from _differs("field_digest", held, of_fields)


def _digest(held: str, sealed: Any) -> Iterator[_Found]:
    again = digest(sealed)
    if again != held:
        yield "digest", "", again, held


def _differs(what: _What, held: Any, sealed: Any) -> Iterator[_Found]:
    found = first_difference(held, sealed)
    if found is not None:
        yield what, *found
