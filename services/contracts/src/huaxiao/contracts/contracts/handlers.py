"""Contracts: load, decide, record."""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.branches.store import branch
from huaxiao.contracts.contracts import store
from huaxiao.contracts.domain.agreements import (
    Agreement,
    ContractIsSigned,
    draft_faults,
)
from huaxiao.contracts.domain.locks import lock_state
from huaxiao.contracts.domain.negative_list import Action, require_allowed
from huaxiao.contracts.domain.references import require_known
from huaxiao.contracts.domain.signing import InReview
from huaxiao.contracts.domain.terms import term_faults
from huaxiao.contracts.negative_list.handlers import in_force
from huaxiao.contracts.organisation.store import known_centres, known_people
from huaxiao.shared.periods import Period, business_day
from huaxiao.shared.problems import Malformed, NotFound
from huaxiao.shared.versions import require_version
from huaxiao.shared.wire.contracts import (
    Contract,
    ContractIn,
    ContractSummary,
    LockState,
)
from huaxiao.shared.wire.negative_list import ActionKind
from huaxiao.shared.wire.terms import ContractTerms, Parties


def _members(row: RowMapping) -> dict[str, Any]:
    return dict(row) | {"state": lock_state(row["digest"], row["review"])}


def agreement(contract_id: str, row: Mapping[str, Any]) -> Agreement:
    """Return a contract as far as the rules of signing go."""
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
        supports=row["terms"].get("support_performance") is not None,
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


async def lock_signed(connection: AsyncConnection, branch_id: int, contract_id: str) -> RowMapping:
    """Lock a contract that is signed until this transaction ends, and return it.

    Raises:
        NotFound: there is none, or it is not signed.

    """
    await store.lock(connection, branch_id, contract_id)
    row = await store.load(connection, branch_id, contract_id, None)
    if row is None or row["digest"] is None:
        raise NotFound
    return row


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
        InReview: it is in review, and what is given differs from it.

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
    if held.state is LockState.IN_REVIEW:
        raise InReview(contract_id=contract_id)
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
    faults = [
        *draft_faults(agreement(contract_id, given.model_dump(mode="json"))),
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
