"""What binds in a period, and when a contract may end before its term (R1)."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiao.contracts.domain.standing import (
    Amendment,
    Bound,
    NoGround,
    Stretch,
    TooLate,
    binding_in,
    phase_in,
    require_ground,
    require_later,
    suspended_among,
    suspension_faults,
)
from huaxiao.shared.periods import Period, shift
from huaxiao.shared.wire.contracts import LockState
from huaxiao.shared.wire.supplements import ContractPhase, ExitGround
from huaxiao.shared.wire.terms import ContractTerms, ExitTerms, Parties, Party

FIRST, LAST = Period(201711), Period(201810)
PARTIES = Parties(granting=Party(name_zh="甲"), contracting=Party(name_zh="乙"))


def terms(notice_days: int) -> ContractTerms:
    given: dict[str, Any] = {
        "risk_deposit": {"contractor_fen": 1},
        "profit_share": {"tiers": [{"growth_from": "0", "share": "0.05"}]},
        "free_scope_zh": "清单以外",
        "investments": [{"by": "company", "what_zh": "终端", "amount_fen": 0}],
        "exit": {"notice_days": notice_days},
    }
    return ContractTerms.model_validate(given)


amended = st.lists(
    st.builds(
        lambda number, month, days: Amendment(
            number, shift(FIRST, month), None if days is None else terms(days), None
        ),
        st.integers(1, 99),
        st.integers(0, 11),
        st.none() | st.integers(0, 60),
    ),
    unique_by=lambda one: one.number,
    max_size=6,
)


@given(amended, st.integers(0, 11), st.randoms())
def test_the_latest_in_force_binds_in_whatever_order_they_are_read(
    amendments: list[Amendment], month: int, random: Any
) -> None:
    period = shift(FIRST, month)
    shuffled = random.sample(amendments, len(amendments))

    found = binding_in(period, terms(99), PARTIES, amendments)

    assert found == binding_in(period, terms(99), PARTIES, shuffled)
    in_force = sorted(
        (one for one in amendments if one.effective_from <= period),
        key=lambda one: (one.effective_from, one.number),
    )
    changed = [one.terms for one in in_force if one.terms is not None]
    assert found.terms == (changed[-1] if changed else terms(99))
    assert found.supplements == tuple(sorted(one.number for one in in_force))


def test_the_phase_follows_from_the_term() -> None:
    suspended = Stretch(shift(FIRST, 2), shift(FIRST, 3))
    changed = Bound((), LAST, (suspended,))
    periods = (shift(FIRST, -1), FIRST, shift(FIRST, 3), shift(FIRST, 4), LAST, shift(LAST, 1))

    phases = [phase_in(period, FIRST, changed, LockState.SEALED) for period in periods]

    assert phases == [
        ContractPhase.SIGNED,
        ContractPhase.IN_FORCE,
        ContractPhase.SUSPENDED,
        ContractPhase.IN_FORCE,
        ContractPhase.IN_FORCE,
        ContractPhase.ENDED,
    ]
    assert phase_in(FIRST, FIRST, changed, LockState.DRAFT) is ContractPhase.DRAFT
    assert phase_in(FIRST, FIRST, changed, LockState.IN_REVIEW) is ContractPhase.IN_REVIEW


@given(st.integers(0, 11), st.none() | st.integers(0, 11), st.integers(0, 11), st.integers(0, 11))
def test_two_suspensions_of_a_contract_never_share_a_month(
    first: int, last: int | None, other_first: int, other_last: int
) -> None:
    given_last = None if last is None else shift(FIRST, last)
    other = Stretch(shift(FIRST, other_first), shift(FIRST, max(other_first, other_last)))
    asked = Stretch(shift(FIRST, first), given_last)

    faults = list(suspension_faults(asked.first, given_last, (FIRST, LAST), [other]))

    term = [shift(FIRST, index) for index in range(12)]
    shared = suspended_among(term, [asked]) & suspended_among(term, [other])
    ends_early = last is not None and last < first
    assert bool(faults) == (bool(shared) or ends_early)


def test_nothing_is_reached_behind() -> None:
    later = Amendment(1, Period(201803), None, PARTIES)

    require_later(Period(201803), Period(201802), [later])
    with pytest.raises(TooLate):
        require_later(Period(201802), Period(201802), [])
    with pytest.raises(TooLate):
        require_later(Period(201802), None, [later])


@pytest.mark.parametrize(
    ("ground", "given", "holds"),
    [
        (ExitGround.NOTICE, {"noticed_on": date(2018, 1, 2)}, True),
        (ExitGround.NOTICE, {"noticed_on": date(2018, 1, 3)}, False),
        (ExitGround.RED_LINE, {"red_line_stands": True}, True),
        (ExitGround.RED_LINE, {}, False),
        (ExitGround.SHORTFALL, {"shortfalls": [Period(201711), Period(201802)]}, True),
        (ExitGround.SHORTFALL, {"shortfalls": [Period(201711), Period(201805)]}, False),
        (ExitGround.SHORTFALL, {"shortfalls": [Period(201711)]}, False),
    ],
)
def test_a_contract_ends_early_as_its_terms_let_it(
    ground: ExitGround, given: dict[str, Any], holds: bool
) -> None:
    facts: dict[str, Any] = {
        "noticed_on": date(2017, 11, 1),
        "last": Period(201801),
        "red_line_stands": False,
        "shortfalls": [],
    }
    if holds:
        require_ground(ground, ExitTerms(), **(facts | given))
        return
    with pytest.raises(NoGround):
        require_ground(ground, ExitTerms(), **(facts | given))
