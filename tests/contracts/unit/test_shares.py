"""The share register: what is issued is held by somebody, and nobody holds fewer than none (R6)."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from huaxiao.contracts.domain.shares import (
    MirrorsNothing,
    Movement,
    NotEnoughShares,
    fractions,
    holdings_on,
    movement_faults,
    require_enough,
    require_mirror,
)
from huaxiao.shared.wire.shares import CreditCode, ShareMovementKind

DAY = date(2017, 11, 1)
KIND = ShareMovementKind
codes = TypeAdapter(CreditCode)
ISSUED = Movement(KIND.ISSUE, DAY, None, "P1", 100, number=1)


def moved(kind: KIND, giver: str | None, taker: str | None, shares: int, days: int = 1) -> Movement:
    return Movement(kind, DAY + timedelta(days=days), giver, taker, shares)


@pytest.mark.parametrize("code", ["91350100M000100Y43", "91110000600037341L"])
def test_a_credit_code_with_its_own_last_character_is_one(code: str) -> None:
    assert codes.validate_python(code) == code


@pytest.mark.parametrize("code", ["91350100M000100Y44", "9135010OM000100Y43", "91350100M000100Y4"])
def test_any_other_is_none(code: str) -> None:
    with pytest.raises(ValidationError):
        codes.validate_python(code)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (moved(KIND.ISSUE, "P1", "P2", 1), "wrong-sides"),
        (moved(KIND.TRANSFER, "P1", None, 1), "wrong-sides"),
        (moved(KIND.BUY_BACK, "P1", "P2", 1), "wrong-sides"),
        (moved(KIND.TRANSFER, "P1", "P1", 1), "same-side"),
        (moved(KIND.CORRECTION, "P1", None, 1), "of-corrections-only"),
    ],
)
def test_a_movement_has_the_sides_of_its_kind(given: Movement, code: str) -> None:
    assert [one.code for one in movement_faults(given)] == [code]


def test_nobody_gives_what_they_do_not_hold_on_the_day_or_later() -> None:
    sold = Movement(KIND.TRANSFER, DAY + timedelta(days=9), "P1", "P2", 100, number=2)

    require_enough(moved(KIND.TRANSFER, "P1", "P2", 100), [ISSUED], 1_000)
    with pytest.raises(NotEnoughShares) as before:
        require_enough(moved(KIND.TRANSFER, "P1", "P2", 1, days=-1), [ISSUED], 1_000)
    with pytest.raises(NotEnoughShares) as later:
        require_enough(moved(KIND.BUY_BACK, "P1", None, 1), [ISSUED, sold], 1_000)
    with pytest.raises(NotEnoughShares):
        require_enough(moved(KIND.ISSUE, None, "P2", 901), [ISSUED], 1_000)

    assert before.value.extensions["person_ids"] == ["P1"]
    assert later.value.extensions["day"] == "2017-11-10"


def test_a_correction_is_the_mirror_of_one_movement_once() -> None:
    mirror = Movement(KIND.CORRECTION, DAY, "P1", None, 100, corrects=1)

    require_mirror(mirror, [ISSUED])
    for wrong, held in (
        (Movement(KIND.CORRECTION, DAY, "P1", None, 99, corrects=1), [ISSUED]),
        (Movement(KIND.CORRECTION, DAY, "P1", None, 100, corrects=2), [ISSUED]),
        (mirror, [ISSUED, mirror]),
        (
            Movement(KIND.CORRECTION, DAY - timedelta(days=1), "P1", None, 100, corrects=1),
            [ISSUED],
        ),
    ):
        with pytest.raises(MirrorsNothing):
            require_mirror(wrong, held)


people = st.none() | st.sampled_from(["P1", "P2", "P3"])
tries = st.lists(
    st.tuples(people, people, st.integers(1, 50), st.integers(0, 9)).filter(
        lambda one: one[0] != one[1]
    ),
    max_size=25,
)


@given(tries)
def test_whatever_is_tried_the_register_adds_up_on_every_day(
    given: list[tuple[str | None, str | None, int, int]],
) -> None:
    held: list[Movement] = []
    for giver, taker, shares, day in given:
        kind = KIND.ISSUE if giver is None else KIND.BUY_BACK if taker is None else KIND.TRANSFER
        wanted = moved(kind, giver, taker, shares, day)
        try:
            require_enough(wanted, held, 200)
        except NotEnoughShares:
            continue
        held.append(wanted)

    for day in range(10):
        on = DAY + timedelta(days=day)
        holdings = holdings_on(held, on)
        assert all(shares > 0 for shares in holdings.values())
        issued = sum(one.shares for one in held if one.from_person is None and one.day <= on)
        returned = sum(one.shares for one in held if one.to_person is None and one.day <= on)
        assert sum(holdings.values()) == issued - returned <= 200
        assert sum(fractions(holdings).values()) == (Decimal(1) if holdings else 0)
