"""Fees for finished orders: what a contract agrees in a month, and each person's share (R14)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from huaxiao.shared.money import split_fen
from huaxiao.shared.wire.dispatch import Area, OrderKind

Fees = Mapping[tuple[OrderKind, Area], int]


@dataclass(frozen=True, slots=True)
class FeesFrom:
    """Fees from a period on; 0 is the contract itself, later numbers are its supplements."""

    number: int
    from_period: int
    fees: Fees


@dataclass(frozen=True, slots=True)
class FeeContract:
    """What a centre's contract agrees for orders over its term, both ends included."""

    contract_id: str
    centre_id: str
    first: int
    last: int
    agreed: tuple[FeesFrom, ...]


@dataclass(frozen=True, slots=True)
class Fee:
    """The fee for an order, and the contract that agrees it."""

    contract_id: str
    amount_fen: int


def fee_of(
    contracts: Iterable[FeeContract], centre_id: str, period: int, kind: OrderKind, area: Area
) -> Fee | None:
    """Return the fee for an order that a centre finished in a period; None where none is agreed.

    Of a contract's terms those of the latest beginning bind, as they do in its settlement.
    """
    for contract in contracts:
        if contract.centre_id != centre_id or not contract.first <= period <= contract.last:
            continue
        binding = max(
            (one for one in contract.agreed if one.from_period <= period),
            key=lambda one: (one.from_period, one.number),
            default=None,
        )
        if binding is not None and (kind, area) in binding.fees:
            return Fee(contract.contract_id, binding.fees[kind, area])
    return None


def shares_of(fee_fen: int, workers: Sequence[tuple[str, int]]) -> dict[str, int]:
    """Split the fee for an order among who did it, by their parts; what is left over goes by id."""
    ordered = sorted(workers)
    parts = split_fen(fee_fen, [weight for _, weight in ordered])
    return {person_id: part for (person_id, _), part in zip(ordered, parts, strict=True)}
