"""SQL of the history: one list made of what the other slices have appended."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    RowMapping,
    Select,
    Table,
    func,
    literal,
    null,
    select,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.tables import (
    exit_approvals,
    exits,
    review_signatures,
    reviews,
    signatures,
    statements,
    supplement_signatures,
    supplements,
    suspension_steps,
    withdrawals,
)
from huaxiao.shared.wire.signing import ContractStepKind

_NAMES = ("number", "side", "digest", "reason")


def _steps(
    table: Table,
    kind: ContractStepKind | ColumnElement[str],
    at: ColumnElement[Any],
    by: ColumnElement[Any],
    **known: ColumnElement[Any],
) -> Select[*tuple[Any, ...]]:
    return select(
        table.c.branch_id,
        table.c.contract_id,
        (literal(str(kind)) if isinstance(kind, ContractStepKind) else kind).label("kind"),
        at.label("at"),
        by.label("by"),
        *(known.get(name, null()).label(name) for name in _NAMES),
    )


_KIND = ContractStepKind
_ALL = union_all(
    _steps(
        reviews,
        _KIND.SUBMITTED,
        reviews.c.submitted_at,
        reviews.c.submitted_by,
        number=reviews.c.round,
        digest=reviews.c.digest,
    ),
    _steps(
        withdrawals,
        _KIND.WITHDRAWN,
        withdrawals.c.withdrawn_at,
        withdrawals.c.withdrawn_by,
        number=withdrawals.c.round,
        reason=withdrawals.c.reason,
    ),
    _steps(
        review_signatures,
        _KIND.SIGNED,
        review_signatures.c.signed_at,
        review_signatures.c.signed_by,
        number=review_signatures.c.round,
        side=review_signatures.c.side,
    ),
    _steps(
        signatures,
        _KIND.SEALED,
        signatures.c.signed_at,
        null(),
        digest=signatures.c.digest,
    ),
    _steps(
        supplements,
        _KIND.SUPPLEMENT_DRAFTED,
        supplements.c.drafted_at,
        supplements.c.drafted_by,
        number=supplements.c.number,
        digest=supplements.c.digest,
        reason=supplements.c.reason,
    ),
    _steps(
        supplement_signatures,
        _KIND.SUPPLEMENT_SIGNED,
        supplement_signatures.c.signed_at,
        supplement_signatures.c.signed_by,
        number=supplement_signatures.c.number,
        side=supplement_signatures.c.side,
    ),
    _steps(
        suspension_steps,
        literal("suspension_").concat(suspension_steps.c.kind),
        suspension_steps.c.at,
        suspension_steps.c.by,
        number=suspension_steps.c.number,
        reason=suspension_steps.c.reason,
    ),
    _steps(
        exits,
        _KIND.EXIT_DRAFTED,
        exits.c.drafted_at,
        exits.c.drafted_by,
        number=exits.c.last_period,
        reason=exits.c.reason,
    ),
    _steps(
        exit_approvals,
        _KIND.EXIT_APPROVED,
        exit_approvals.c.approved_at,
        exit_approvals.c.approved_by,
    ),
    _steps(
        statements,
        _KIND.STATEMENT_CLOSED,
        statements.c.closed_at,
        null(),
        number=statements.c.period,
    ),
).subquery("steps")
_ORDER = [str(kind) for kind in ContractStepKind]
"""Steps of one moment come in the order of their kinds: a signature before the seal it completes."""


async def page(
    connection: AsyncConnection, branch_id: int, contract_id: str, *, after: int, limit: int
) -> Sequence[RowMapping]:
    """Return the steps of a contract behind a position."""
    position = func.row_number().over(
        order_by=(_ALL.c.at, func.array_position(_ORDER, _ALL.c.kind), _ALL.c.number)
    )
    numbered = (
        select(_ALL, position.label("position"))
        .where(
            _ALL.c.branch_id == branch_id,
            _ALL.c.contract_id == contract_id,
            _ALL.c.at.is_not(None),
        )
        .subquery()
    )
    rows = await connection.execute(
        select(numbered)
        .where(numbered.c.position > after)
        .order_by(numbered.c.position)
        .limit(limit)
    )
    return rows.mappings().all()
