"""A seal is another one as soon as anything it binds is another."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from huaxiao.attribution.domain.seals import Sealing

SEALING = Sealing(
    branch_id=130123,
    period=201711,
    entries=4,
    entries_digest="00",
    begun_by="finance",
    begun_at=datetime(2017, 12, 3, 1, tzinfo=UTC),
    closed_by="manager",
    closed_at=datetime(2017, 12, 4, 1, tzinfo=UTC),
    unresolved_fen=500,
    net_revenue_fen=10_000,
    warn_above_basis_points=100,
    block_above_basis_points=300,
    seal_before="",
    approved_by="chief",
    approved_at=datetime(2017, 12, 3, 2, tzinfo=UTC),
    approved_reason="by hand",
    approved_unresolved_fen=500,
    approved_net_revenue_fen=9_000,
)


def other(value: Any) -> Any:
    if isinstance(value, datetime):
        return value + datetime.resolution
    return value + 1 if isinstance(value, int) else f"{value}x"


@pytest.mark.parametrize("name", [one.name for one in fields(Sealing)])
def test_a_seal_binds_every_part_of_a_closing(name: str) -> None:
    changed = replace(SEALING, **{name: other(getattr(SEALING, name))})
    assert changed.seal() != SEALING.seal()


def test_a_seal_is_the_same_wherever_its_moments_are_read() -> None:
    shanghai = timezone(timedelta(hours=8))
    read_there = replace(SEALING, closed_at=SEALING.closed_at.astimezone(shanghai))
    assert read_there.seal() == SEALING.seal()
