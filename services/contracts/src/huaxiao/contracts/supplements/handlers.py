"""Supplements: drafted, signed by both sides; and what binds in a period."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.callers import side_of
from huaxiao.contracts.contracts import store as contract_store
from huaxiao.contracts.contracts.handlers import (
    agreement,
    check_negative_list,
    check_people,
    lock_signed,
)
from huaxiao.contracts.domain.agreements import contractor_faults, party_faults
from huaxiao.contracts.domain.locks import DigestMismatch, lock_state
from huaxiao.contracts.domain.standing import (
    SealUnderAmendment,
    binding_in,
    phase_in,
    require_later,
    supplement_faults,
)
from huaxiao.contracts.domain.terms import term_faults
from huaxiao.contracts.settlements import store as statement_store
from huaxiao.contracts.supplements import store
from huaxiao.contracts.supplements.reading import amendments, bound, of_contract
from huaxiao.contracts.tables import feed
from huaxiao.shared.auth import Principal
from huaxiao.shared.documents import digest
from huaxiao.shared.feed import NewFact
from huaxiao.shared.periods import Period
from huaxiao.shared.problems import Fault, Malformed, NotFound, TwoPeople
from huaxiao.shared.wire.supplements import (
    SUPPLEMENT_SIGNED,
    ContractStanding,
    Supplement,
    SupplementIn,
    SupplementSigned,
)
from huaxiao.shared.wire.terms import ContractTerms, Parties

_SEALED = ("field_ids", "base", "term_from", "term_to")


async def list_supplements(
    connection: AsyncConnection,
    branch_id: int,
    contract_id: str,
    centre_ids: AbstractSet[str] | None,
    *,
    after: int,
    limit: int,
) -> list[Supplement]:
    """Return the supplements of a contract that the caller may see."""
    if await contract_store.load(connection, branch_id, contract_id, centre_ids) is None:
        raise NotFound
    return await of_contract(connection, branch_id, contract_id, after=after, limit=limit)


async def draft(
    connection: AsyncConnection,
    branch_id: int,
    contract_id: str,
    given: SupplementIn,
    *,
    drafted_by: str,
    now: datetime,
) -> Supplement:
    """Draft a supplement to a signed contract under its next number.

    Raises:
        SealUnderAmendment: it would touch the fields, the base or the term.
        TooLate: it reaches behind what is settled or agreed for later.
        OnNegativeList: its terms stand on the negative list.

    """
    contract = await lock_signed(connection, branch_id, contract_id)
    touched = [name for name in _SEALED if getattr(given, name) is not None]
    if touched:
        raise SealUnderAmendment(
            digest=contract["digest"], centre_id=contract["centre_id"], members=touched
        )
    first, last = Period(contract["term_from"]), Period(contract["term_to"])
    begins = Period(given.effective_from)
    faults = list(supplement_faults(begins, first, last))
    if given.terms is not None:
        faults += term_faults(given.terms, first, last)
        await check_negative_list(connection, branch_id, given.terms, now)
    if given.terms is None and given.parties is None:
        faults.append(Fault("/terms", "missing", "it changes nothing", "未变更任何条款"))
    if given.parties is not None:
        parties = {"parties": given.parties.model_dump(mode="json")}
        changed = agreement(contract_id, dict(contract) | parties)
        faults += [*party_faults(changed), *contractor_faults(changed)]
    if faults:
        raise Malformed(faults=faults)
    if given.parties is not None:
        await check_people(connection, branch_id, given.parties)
    held = await of_contract(connection, branch_id, contract_id)
    await _require_later(connection, branch_id, contract_id, begins, held)
    text = given.model_dump(mode="json", include={"effective_from", "reason", "terms", "parties"})
    number = len(held) + 1
    row = text | {
        "branch_id": branch_id,
        "contract_id": contract_id,
        "number": number,
        "digest": digest(
            text
            | {"branch_id": branch_id, "contract_id": contract_id, "number": number}
            | {"contract": contract["digest"]}
        ),
        "drafted_by": drafted_by,
        "drafted_at": now,
    }
    await store.add(connection, row)
    return (await of_contract(connection, branch_id, contract_id))[-1]


async def _require_later(
    connection: AsyncConnection,
    branch_id: int,
    contract_id: str,
    begins: Period,
    held: Sequence[Supplement],
) -> None:
    settled = await statement_store.closed_through(connection, branch_id, contract_id)
    require_later(begins, settled, amendments(held))


async def sign(
    connection: AsyncConnection,
    branch_id: int,
    contract_id: str,
    number: int,
    wanted: str,
    *,
    principal: Principal,
    now: datetime,
) -> Supplement:
    """Sign a supplement for one's side; with the second signature it binds.

    Raises:
        DigestMismatch: the digest is not the supplement's.
        TwoPeople: the same person has signed for the other side.
        TooLate: its first period has been settled meanwhile.

    """
    contract = await lock_signed(connection, branch_id, contract_id)
    if contract["centre_id"] is not None:
        principal.require_centre(contract["centre_id"])
    side = side_of(principal, contract["centre_id"])
    held = await of_contract(connection, branch_id, contract_id)
    one = next((each for each in held if each.number == number), None)
    if one is None:
        raise NotFound
    if wanted != one.digest:
        raise DigestMismatch
    if any(each.side is side for each in one.signatures):
        return one
    if any(each.signed_by == principal.subject for each in one.signatures):
        raise TwoPeople
    await _require_later(connection, branch_id, contract_id, Period(one.effective_from), held)
    await store.sign(
        connection,
        {
            "branch_id": branch_id,
            "contract_id": contract_id,
            "number": number,
            "side": side,
            "signed_by": principal.subject,
            "signed_at": now,
        },
    )
    if one.signatures:
        fees = None if one.terms is None else one.terms.order_fees
        fact = SupplementSigned.model_validate(one.model_dump() | {"order_fees": fees})
        subject = f"{contract_id}/{number}"
        await feed.append(
            connection, branch_id, [NewFact(SUPPLEMENT_SIGNED, subject, fact)], now=now
        )
    return (await of_contract(connection, branch_id, contract_id))[number - 1]


async def standing(
    connection: AsyncConnection,
    branch_id: int,
    contract_id: str,
    period: int,
    centre_ids: AbstractSet[str] | None,
) -> ContractStanding:
    """Return what binds the sides of a contract in a period."""
    row = await contract_store.load(connection, branch_id, contract_id, centre_ids)
    if row is None:
        raise NotFound
    changed = (await bound(connection, branch_id, [row]))[contract_id]
    binding = binding_in(
        Period(period),
        ContractTerms.model_validate(row["terms"]),
        Parties.model_validate(row["parties"]),
        changed.amendments,
    )
    return ContractStanding(
        contract_id=contract_id,
        period=period,
        phase=phase_in(
            Period(period),
            Period(row["term_from"]),
            changed,
            lock_state(row["digest"], row["review"]),
        ),
        terms=binding.terms,
        parties=binding.parties,
        supplements=list(binding.supplements),
        last_period=changed.last,
    )
