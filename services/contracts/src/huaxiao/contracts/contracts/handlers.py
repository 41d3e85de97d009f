"""Contracts: load, decide, record."""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.branches.store import branch
from huaxiao.contracts.contracts import store
from huaxiao.contracts.domain.agreements import (
    Agreement,
    ContractIsSigned,
    FieldToSeal,
    NotSignable,
    contract_document,
    draft_faults,
    require_signable,
)
from huaxiao.contracts.domain.fields import field_document, field_overlap
from huaxiao.contracts.domain.negative_list import Action, require_allowed
from huaxiao.contracts.domain.organisation import Bound, lasting_faults
from huaxiao.contracts.domain.references import require_known
from huaxiao.contracts.domain.terms import term_faults
from huaxiao.contracts.fields import store as field_store
from huaxiao.contracts.negative_list.handlers import in_force
from huaxiao.contracts.organisation.store import (
    centre_lives,
    channel_lives,
    known_centres,
    known_people,
)
from huaxiao.contracts.tables import feed
from huaxiao.shared.documents import digest
from huaxiao.shared.feed import NewFact
from huaxiao.shared.periods import Period, business_day, first_day, last_day
from huaxiao.shared.problems import Malformed, NotFound
from huaxiao.shared.unit_of_work import sqlstate
from huaxiao.shared.versions import require_version
from huaxiao.shared.wire.contracts import (
    CONTRACT_SIGNED,
    FIELD_SEALED,
    Contract,
    ContractIn,
    ContractSigned,
    ContractSummary,
    FieldSealed,
    LockState,
)
from huaxiao.shared.wire.negative_list import ActionKind
from huaxiao.shared.wire.terms import ContractTerms, Parties

_ALREADY_COVERED = {"23505", "23P01"}
"""unique_violation and exclusion_violation."""


def _members(row: RowMapping) -> dict[str, Any]:
    state = LockState.DRAFT if row["digest"] is None else LockState.SEALED
    return dict(row) | {"state": state}


def _agreement(contract_id: str, row: Mapping[str, Any]) -> Agreement:
    return Agreement(
        contract_id=contract_id,
        level=row["level"],
        centre_id=row["centre_id"],
        term_from=row["term_from"],
        term_to=row["term_to"],
        field_ids=tuple(row["field_ids"]),
        base_periods=tuple(month["period"] for month in row["base"]),
        contractor_id=row["parties"]["contracting"]["represented_by"],
        member_ids=tuple(row["parties"]["member_ids"]),
    )


async def show(
    connection: AsyncConnection,
    branch_id: int,
    contract_id: str,
    centre_ids: AbstractSet[str] | None,
) -> Contract:
    """Return a contract that the caller may see."""
    row = await store.load(connection, branch_id, contract_id, centre_ids)
    if row is None:
        raise NotFound
    return Contract.model_validate(_members(row))


async def list_contracts(
    connection: AsyncConnection,
    branch_id: int,
    centre_ids: AbstractSet[str] | None,
    *,
    after: str,
    limit: int,
) -> list[ContractSummary]:
    """Return contracts that the caller may see, behind an id."""
    rows = await store.page(connection, branch_id, centre_ids, after=after, limit=limit)
    return [ContractSummary.model_validate(_members(row)) for row in rows]


async def draft(
    connection: AsyncConnection,
    branch_id: int,
    contract_id: str,
    given: ContractIn,
    *,
    if_match: str | None,
    now: datetime,
) -> tuple[Contract, bool]:
    """Draft or rewrite a contract; say whether it is new.

    Raises:
        StaleVersion: it is a draft, and not the one the caller read.
        ContractIsSigned: it is signed, and what is given differs from it.

    """
    await branch(connection, branch_id)
    row = given.model_dump(mode="json")
    if not await store.lock(connection, branch_id, contract_id):
        require_version(if_match, None)
        await _check(connection, branch_id, contract_id, given, now)
        if await store.add(connection, branch_id, contract_id, row):
            return await show(connection, branch_id, contract_id, None), True
        await store.lock(connection, branch_id, contract_id)
    # Read only once it is locked: it may have been signed while we waited.
    held = await show(connection, branch_id, contract_id, None)
    if _same(held.model_dump(mode="json", include=set(row)), row):
        return held, False
    if held.state is LockState.SEALED:
        raise ContractIsSigned(digest=held.digest, centre_id=held.centre_id)
    require_version(if_match, held)
    await _check(connection, branch_id, contract_id, given, now)
    await store.replace(connection, branch_id, contract_id, row)
    return await show(connection, branch_id, contract_id, None), False


def _same(held: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    """Compare as digests do: the order of the fields and of the base's months changes nothing."""
    one, other = (
        dict(each)
        | {
            "field_ids": sorted(each["field_ids"]),
            "base": sorted(each["base"], key=lambda month: month["period"]),
        }
        for each in (held, row)
    )
    return one == other


async def check_negative_list(
    connection: AsyncConnection, branch_id: int, terms: ContractTerms, now: datetime
) -> None:
    """Hold the free scope of some terms against the negative list in force (R5)."""
    held = await in_force(connection, branch_id, business_day(now))
    action = Action(ActionKind.AGREE_TERMS, {"free_scope": terms.free_scope_zh})
    require_allowed([("/terms/free_scope_zh", action)], held.entries)


async def _check(
    connection: AsyncConnection, branch_id: int, contract_id: str, given: ContractIn, now: datetime
) -> None:
    agreement = _agreement(contract_id, given.model_dump(mode="json"))
    faults = [
        *draft_faults(agreement),
        *term_faults(given.terms, Period(given.term_from), Period(given.term_to)),
    ]
    if faults:
        raise Malformed(faults=faults)
    await check_negative_list(connection, branch_id, given.terms, now)
    if given.centre_id is not None:
        known = await known_centres(connection, branch_id, {given.centre_id})
        require_known([("/centre_id", given.centre_id)], known)
    await check_people(connection, branch_id, given.parties)


async def check_people(connection: AsyncConnection, branch_id: int, parties: Parties) -> None:
    """Check that everybody the parties name is known here."""
    people = list(_people(parties))
    require_known(people, await known_people(connection, branch_id, {one for _, one in people}))


def _people(parties: Parties) -> Iterator[tuple[str, str]]:
    for side, party in (("granting", parties.granting), ("contracting", parties.contracting)):
        if party.represented_by is not None:
            yield f"/parties/{side}/represented_by", party.represented_by
    for index, person_id in enumerate(parties.member_ids):
        yield f"/parties/member_ids/{index}", person_id


async def sign(
    connection: AsyncConnection,
    branch_id: int,
    contract_id: str,
    *,
    signed_by: str,
    now: datetime,
) -> Contract:
    """Sign a contract: seal its fields, append its digest, publish both."""
    # One signature of a branch at a time: each must see what the one before has sealed.
    await branch(connection, branch_id, lock=True)
    if not await store.lock(connection, branch_id, contract_id):
        raise NotFound
    held = await show(connection, branch_id, contract_id, None)
    if held.state is LockState.SEALED:
        return held
    await check_negative_list(connection, branch_id, held.terms, now)
    row = held.model_dump(mode="json")
    fields = await field_store.lock_several(connection, branch_id, held.field_ids)
    require_signable(
        _agreement(contract_id, row),
        {
            field_id: FieldToSeal(
                field_id, one["centre_id"], one["term_from"], one["term_to"], one["contract_id"]
            )
            for field_id, one in fields.items()
        },
        [
            _agreement(one["contract_id"], dict(one))
            for one in await store.signed(connection, branch_id)
        ],
    )
    await _require_lasting(connection, branch_id, held, fields)
    digests: dict[str, str] = {}
    facts: list[NewFact] = []
    for field_id in held.field_ids:
        document = field_document(branch_id, field_id, dict(fields[field_id]))
        digests[field_id] = digest(document)
        if fields[field_id]["digest"] is None:
            await _seal(connection, document, contract_id, digests[field_id], now)
            sealed = FieldSealed.model_validate(document | {"digest": digests[field_id]})
            facts.append(NewFact(FIELD_SEALED, field_id, sealed))
    document = contract_document(branch_id, contract_id, row, digests)
    await store.add_signature(
        connection,
        {
            "branch_id": branch_id,
            "contract_id": contract_id,
            "digest": digest(document),
            "document": document,
            "signed_at": now,
            "signed_by": signed_by,
        },
    )
    signed = await show(connection, branch_id, contract_id, None)
    fact = ContractSigned.model_validate(signed.model_dump())
    facts.append(NewFact(CONTRACT_SIGNED, contract_id, fact))
    await feed.append(connection, branch_id, facts, now=now)
    return signed


async def _require_lasting(
    connection: AsyncConnection,
    branch_id: int,
    held: Contract,
    fields: Mapping[str, RowMapping],
) -> None:
    """Check that the centre, and the channels of its fields, are there until the term is over.

    Raises:
        NotSignable: the centre or a channel is known to close, or a channel to leave, before.

    """
    bound = [Bound("/centre_id", held.centre_id)] if held.centre_id else []
    for index, field_id in enumerate(held.field_ids):
        field = fields[field_id]
        channel_ids = tuple(field["scope"]["channel_ids"])
        bound.append(Bound(f"/field_ids/{index}", field["centre_id"], channel_ids))
    faults = list(
        lasting_faults(
            bound,
            await centre_lives(connection, branch_id, {one.centre_id for one in bound}),
            await channel_lives(
                connection, branch_id, {channel for one in bound for channel in one.channel_ids}
            ),
            (first_day(Period(held.term_from)), last_day(Period(held.term_to))),
        )
    )
    if faults:
        raise NotSignable(faults=faults)


async def _seal(
    connection: AsyncConnection,
    document: Mapping[str, Any],
    contract_id: str,
    field_digest: str,
    now: datetime,
) -> None:
    field_id = document["field_id"]
    met = await field_store.fields_met(connection, document)
    if met:
        raise field_overlap(field_id, met)
    try:
        async with connection.begin_nested():
            await field_store.seal(
                connection, document, contract_id=contract_id, digest=field_digest, now=now
            )
    except IntegrityError as error:
        if sqlstate(error) not in _ALREADY_COVERED:
            raise
        met = await field_store.fields_met(connection, document)
        raise field_overlap(field_id, met) from error
