import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiao.shared.limits import Overloaded, Rates, Slots, TooManyRequests

MOST, WINDOW = 5, 2.0


@given(st.lists(st.integers(0, 1500), min_size=1, max_size=80))
def test_no_window_of_a_caller_holds_more_than_it_may_ask_nor_is_one_refused_too_soon(
    pauses: list[int],
) -> None:
    now, taken = 0.0, list[float]()
    rates = Rates(MOST, WINDOW, clock=lambda: now)
    for pause in pauses:
        now += pause / 1000
        within = [at for at in taken if at > now - WINDOW]
        if len(within) < MOST:
            rates.take("someone")
            taken.append(now)
            continue
        with pytest.raises(TooManyRequests) as refused:
            rates.take("someone")
        free = within[0] + WINDOW
        assert refused.value.retry_after is not None
        assert now + refused.value.retry_after >= free - 1e-6
        assert refused.value.retry_after < free - now + 1 + 1e-6


def test_after_the_wait_that_was_told_a_caller_is_let_in() -> None:
    now = 10.0
    rates = Rates(MOST, WINDOW, clock=lambda: now)
    for _ in range(MOST):
        rates.take("someone")
    with pytest.raises(TooManyRequests) as refused:
        rates.take("someone")
    rates.take("somebody else")

    now += refused.value.retry_after or 0
    rates.take("someone")


def test_no_limit_is_none() -> None:
    rates = Rates(0, WINDOW)
    for _ in range(10_000):
        rates.take("someone")


async def test_places_are_given_in_turn_and_all_come_back() -> None:
    slots, order = Slots(2, wait_seconds=5), list[int]()

    async def at_work(number: int) -> None:
        slot = await slots.take()
        order.append(number)
        await asyncio.sleep(0)
        slot.give()
        slot.give()

    done = await asyncio.gather(*(at_work(number) for number in range(6)), return_exceptions=True)

    assert order == [0, 1, 2, 3]
    assert [type(one) for one in done[4:]] == [Overloaded, Overloaded]
    again = [await slots.take() for _ in range(2)]
    assert len(again) == 2


async def test_nobody_waits_longer_than_the_queue_lets() -> None:
    slots = Slots(1, wait_seconds=0.01)
    held = await slots.take()
    with pytest.raises(Overloaded):
        await slots.take()
    held.give()
    await slots.take()
