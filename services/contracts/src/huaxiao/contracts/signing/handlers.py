"""Review and signature: load, decide, record; the second signature seals the fields."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.branches.store import branch
from huaxiao.contracts.callers import side_of
from huaxiao.contracts.contracts import store as contract_store
from huaxiao.contracts.contracts.handlers import agreement, check_negative_list, show
from huaxiao.contracts.domain.agreements import (
    COUNTY,
    Agreement,
    FieldToSeal,
    NotSignable,
    contract_document,
    require_signable,
)
from huaxiao.contracts.domain.fields import field_document, field_overlap
from huaxiao.contracts.domain.locks import DigestMismatch
from huaxiao.contracts.domain.organisation import Bound, lasting_faults
from huaxiao.contracts.domain.signing import NotInReview, completes
from huaxiao.contracts.exits import store as exit_store
from huaxiao.contracts.fields import store as field_store
from huaxiao.contracts.fields.covering import show_coverage
from huaxiao.contracts.organisation.store import centre_lives, channel_lives
from huaxiao.contracts.signing import store
from huaxiao.contracts.tables import feed
from huaxiao.shared.auth import Principal
from huaxiao.shared.documents import digest
from huaxiao.shared.feed import NewFact
from huaxiao.shared.periods import Period, first_day, last_day
from huaxiao.shared.problems import NotFound, TwoPeople
from huaxiao.shared.unit_of_work import sqlstate
from huaxiao.shared.wire.contracts import (
    CONTRACT_SIGNED,
    FIELD_SEALED,
    Contract,
    ContractSigned,
    Coverage,
    FieldSealed,
    LockState,
)
from huaxiao.shared.wire.settlement import Side
from huaxiao.shared.wire.signing import ContractReview, FieldDigest, SideSignature

_ALREADY_COVERED = {"23505", "23P01"}
"""unique_violation and exclusion_violation."""


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A contract as it would be sealed."""

    document: dict[str, Any]
    to_seal: list[dict[str, Any]]
    """The documents of those of its fields that no contract has sealed yet."""

    @property
    def digest(self) -> str:
        return digest(self.document)

    @property
    def field_digests(self) -> dict[str, str]:
        return {one["field_id"]: one["digest"] for one in self.document["fields"]}


async def submit(
    connection: AsyncConnection,
    branch_id: int,
    contract_id: str,
    *,
    submitted_by: str,
    now: datetime,
) -> ContractReview:
    """Lay a contract before both sides; it and its fields then stay as they are. Again changes nothing.

    Raises:
        CountyContractFirst: no signed county contract holds a centre's.
        NotSignable: it is not complete, or does not fit its fields.
        FieldOverlap: a field would take what another holds in the term.
        OnNegativeList: its terms stand on the negative list.

    """
    held = await _locked(connection, branch_id, contract_id)
    if held.state is not LockState.DRAFT:
        return await show_review(connection, branch_id, contract_id, None)
    prepared = await _prepare(connection, branch_id, held, now)
    for document in prepared.to_seal:
        if met := await field_store.fields_met(connection, document):
            raise field_overlap(document["field_id"], met)
    before = await store.latest(connection, branch_id, contract_id)
    await store.open_round(
        connection,
        {
            "branch_id": branch_id,
            "contract_id": contract_id,
            "round": 1 if before is None else before["round"] + 1,
            "digest": prepared.digest,
            "field_digests": prepared.field_digests,
            "submitted_by": submitted_by,
            "submitted_at": now,
        },
    )
    return await show_review(connection, branch_id, contract_id, None)


async def withdraw(
    connection: AsyncConnection,
    branch_id: int,
    contract_id: str,
    reason: str,
    *,
    principal: Principal,
    now: datetime,
) -> ContractReview:
    """Take a contract back out of review for either side; what was signed in the round is void.

    Raises:
        NotInReview: it is a draft, or both sides have signed.

    """
    held = await _locked(connection, branch_id, contract_id)
    _side(principal, held)
    review = await _open(connection, branch_id, held)
    await store.withdraw(
        connection,
        {
            "branch_id": branch_id,
            "contract_id": contract_id,
            "round": review["round"],
            "reason": reason,
            "withdrawn_by": principal.subject,
            "withdrawn_at": now,
        },
    )
    await store.hold(connection, branch_id, contract_id, None, held.field_ids)
    return await show_review(connection, branch_id, contract_id, None)


async def sign(
    connection: AsyncConnection,
    branch_id: int,
    contract_id: str,
    wanted: str,
    *,
    principal: Principal,
    now: datetime,
) -> Contract:
    """Sign what is in review for one's side; the second signature seals, all of it or nothing (R21).

    Raises:
        NotInReview: nobody has laid it before the sides.
        DigestMismatch: this is not what is in review.
        TwoPeople: the same person has signed for the other side.
        FieldOverlap: another contract has taken meanwhile what a field would take.

    """
    held = await _locked(connection, branch_id, contract_id)
    side = _side(principal, held)
    if held.state is LockState.SEALED:
        if held.digest != wanted:
            raise DigestMismatch
        return held
    review = await _open(connection, branch_id, held)
    if review["digest"] != wanted:
        raise DigestMismatch
    signed = await store.signed(connection, branch_id, contract_id, review["round"])
    if any(one["side"] == side for one in signed):
        return held
    if any(one["signed_by"] == principal.subject for one in signed):
        raise TwoPeople
    signature = {
        "branch_id": branch_id,
        "contract_id": contract_id,
        "signed_by": principal.subject,
        "signed_at": now,
    }
    await store.sign(connection, signature | {"round": review["round"], "side": side})
    if not completes(side, [Side(one["side"]) for one in signed]):
        return held
    prepared = await _prepare(connection, branch_id, held, now)
    if prepared.digest != review["digest"]:
        raise DigestMismatch
    facts = [await _seal(connection, document, contract_id, now) for document in prepared.to_seal]
    await contract_store.add_signature(
        connection,
        signature
        | {
            "digest": prepared.digest,
            "document": prepared.document,
            "coverage": await _coverage(connection, branch_id, held),
        },
    )
    sealed = await show(connection, branch_id, contract_id, None)
    fact = ContractSigned.model_validate(
        sealed.model_dump() | {"order_fees": sealed.terms.order_fees}
    )
    facts.append(NewFact(CONTRACT_SIGNED, contract_id, fact))
    await feed.append(connection, branch_id, facts, now=now)
    return sealed


async def show_review(
    connection: AsyncConnection,
    branch_id: int,
    contract_id: str,
    centre_ids: AbstractSet[str] | None,
) -> ContractReview:
    """Return the latest round of review of a contract that the caller may see."""
    await show(connection, branch_id, contract_id, centre_ids)
    row = await store.latest(connection, branch_id, contract_id)
    if row is None:
        raise NotFound
    return ContractReview(
        contract_id=contract_id,
        round=row["round"],
        digest=row["digest"],
        fields=[
            FieldDigest(field_id=field_id, digest=one)
            for field_id, one in sorted(row["field_digests"].items())
        ],
        submitted_by=row["submitted_by"],
        submitted_at=row["submitted_at"],
        signatures=await _signatures(connection, row),
        withdrawn_by=row["withdrawn_by"],
        withdrawn_at=row["withdrawn_at"],
        reason=row["reason"],
    )


async def signatures_of(
    connection: AsyncConnection, branch_id: int, contract_id: str
) -> list[SideSignature]:
    """Return who has signed a contract as it stands; what was withdrawn counts no more."""
    row = await store.latest(connection, branch_id, contract_id)
    if row is None or row["withdrawn_at"] is not None:
        return []
    return await _signatures(connection, row)


async def _signatures(connection: AsyncConnection, review: RowMapping) -> list[SideSignature]:
    rows = await store.signed(
        connection, review["branch_id"], review["contract_id"], review["round"]
    )
    return [SideSignature.model_validate(dict(one)) for one in rows]


async def show_coverage_at_signature(
    connection: AsyncConnection, branch_id: int, contract_id: str
) -> Coverage:
    """Return how all fields covered the county when its contract was signed (R8).

    Raises:
        NotFound: it is no signed contract of the county.

    """
    found = await contract_store.coverage(connection, branch_id, contract_id)
    if found is None:
        raise NotFound
    return Coverage.model_validate(found)


async def _locked(connection: AsyncConnection, branch_id: int, contract_id: str) -> Contract:
    # One signature of a branch at a time: each must see what the one before has sealed.
    await branch(connection, branch_id, lock=True)
    if not await contract_store.lock(connection, branch_id, contract_id):
        raise NotFound
    return await show(connection, branch_id, contract_id, None)


def _side(principal: Principal, held: Contract) -> Side:
    if held.centre_id is not None:
        principal.require_centre(held.centre_id)
    return side_of(principal, held.centre_id)


async def _open(connection: AsyncConnection, branch_id: int, held: Contract) -> RowMapping:
    row = await store.latest(connection, branch_id, held.contract_id)
    if held.state is not LockState.IN_REVIEW or row is None:
        raise NotInReview
    return row


async def _prepare(
    connection: AsyncConnection, branch_id: int, held: Contract, now: datetime
) -> _Prepared:
    """Check that a contract can be sealed as it stands, and return what would be."""
    await check_negative_list(connection, branch_id, held.terms, now)
    # What is signed is the text as it was drafted: read anew it would say more, were there more by now
    # to agree on, and neither be what its sides have read nor what is verified later.
    drafted = await contract_store.load(connection, branch_id, held.contract_id, None)
    assert drafted is not None  # noqa: S101 - it is locked
    row = dict(drafted)
    fields = await field_store.lock_several(connection, branch_id, held.field_ids)
    require_signable(
        agreement(held.contract_id, row),
        {
            field_id: FieldToSeal(
                field_id,
                one["centre_id"],
                one["term_from"],
                one["term_to"],
                sealed_by=one["contract_id"],
                review_of=one["review_of"],
            )
            for field_id, one in fields.items()
        },
        await _signed_beside(connection, branch_id, held.centre_id),
    )
    await _require_lasting(connection, branch_id, held, fields)
    documents = [
        field_document(branch_id, field_id, dict(fields[field_id])) for field_id in held.field_ids
    ]
    digests = {one["field_id"]: digest(one) for one in documents}
    return _Prepared(
        contract_document(branch_id, held.contract_id, row, digests),
        [one for one in documents if fields[one["field_id"]]["digest"] is None],
    )


async def _signed_beside(
    connection: AsyncConnection, branch_id: int, centre_id: str | None
) -> list[Agreement]:
    """Return the signed contracts that this one must fit, each as long as it really lasts."""
    rows = await contract_store.signed_beside(connection, branch_id, centre_id)
    ends = await exit_store.last_periods(
        connection, branch_id, [row["contract_id"] for row in rows]
    )
    return [
        agreement(
            row["contract_id"],
            dict(row) | {"term_to": ends.get(row["contract_id"], row["term_to"])},
        )
        for row in rows
    ]


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
    connection: AsyncConnection, document: Mapping[str, Any], contract_id: str, now: datetime
) -> NewFact:
    field_id, of_field = document["field_id"], digest(document)
    if met := await field_store.fields_met(connection, document):
        raise field_overlap(field_id, met)
    try:
        async with connection.begin_nested():
            await field_store.seal(
                connection, document, contract_id=contract_id, digest=of_field, now=now
            )
    except IntegrityError as error:
        if sqlstate(error) not in _ALREADY_COVERED:
            raise
        met = await field_store.fields_met(connection, document)
        raise field_overlap(field_id, met) from error
    sealed = FieldSealed.model_validate(dict(document) | {"digest": of_field})
    return NewFact(FIELD_SEALED, field_id, sealed)


async def _coverage(
    connection: AsyncConnection, branch_id: int, held: Contract
) -> dict[str, Any] | None:
    if held.level != COUNTY:
        return None
    found = await show_coverage(connection, branch_id, held.term_from, sealed_only=False)
    return found.model_dump(mode="json")
