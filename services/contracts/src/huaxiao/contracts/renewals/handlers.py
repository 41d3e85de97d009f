"""Renewals: a signed contract's next term as drafts, without touching what is signed."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.contracts import handlers as contracts
from huaxiao.contracts.contracts import store as contract_store
from huaxiao.contracts.fields import handlers as fields
from huaxiao.contracts.fields import store as field_store
from huaxiao.contracts.supplements.handlers import standing
from huaxiao.shared.identifiers import IDENTIFIER_PATTERN
from huaxiao.shared.periods import Period, periods_from, shift
from huaxiao.shared.problems import Conflict, Fault, Malformed, NotFound
from huaxiao.shared.wire.contracts import Contract, ContractIn, FieldIn, LockState, RenewalIn


async def renew(
    connection: AsyncConnection,
    branch_id: int,
    contract_id: str,
    given: RenewalIn,
    *,
    now: datetime,
) -> Contract:
    """Draft the term that follows a signed contract: as long, with the same fields under new ids.

    Terms and parties are those in force in the last period; targets belong to their term and are
    left out; the base is what is given, to be completed before the contract is signed.

    Raises:
        NotFound: there is no such signed contract.
        Conflict: the new contract, or one of its fields, is there already.

    """
    held = await contracts.show(connection, branch_id, contract_id, None)
    if held.state is LockState.DRAFT:
        raise NotFound
    last = await standing(connection, branch_id, contract_id, held.term_to, None)
    first = shift(Period(last.last_period), 1)
    months = len(list(periods_from(Period(held.term_from), Period(held.term_to))))
    term = {"term_from": first, "term_to": shift(first, months - 1)}
    renamed = {one: f"{one}-{given.suffix}" for one in held.field_ids}
    faults = list(_too_long(renamed))
    if faults:
        raise Malformed(faults=faults)
    await _require_free(connection, branch_id, given.contract_id, list(renamed.values()))
    for old, new in renamed.items():
        field = await fields.show(connection, branch_id, old, None)
        members = field.model_dump(mode="json", include=set(FieldIn.model_fields)) | term
        drawn = FieldIn.model_validate(members)
        await fields.draw(connection, branch_id, new, drawn, if_match=None)
    drafted, _ = await contracts.draft(
        connection,
        branch_id,
        given.contract_id,
        ContractIn(
            level=held.level,
            centre_id=held.centre_id,
            field_ids=list(renamed.values()),
            parties=last.parties,
            terms=last.terms.model_copy(update={"targets": []}),
            base=given.base,
            **term,
        ),
        if_match=None,
        now=now,
    )
    return drafted


def _too_long(renamed: Mapping[str, str]) -> Iterator[Fault]:
    for old, new in renamed.items():
        if re.fullmatch(IDENTIFIER_PATTERN, new) is None:
            yield Fault(
                "/suffix", "bad-code", f"{new} is too long, for {old}", f"{new} 过长（{old}）"
            )


async def _require_free(
    connection: AsyncConnection, branch_id: int, contract_id: str, field_ids: list[str]
) -> None:
    if await contract_store.load(connection, branch_id, contract_id, None) is not None:
        raise Conflict(contract_ids=[contract_id])
    taken = await field_store.lock_several(connection, branch_id, field_ids)
    if taken:
        raise Conflict(field_ids=sorted(taken))
