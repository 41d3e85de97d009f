"""The settlement of a period: to the fen, in any order of what is learned, nothing counted twice."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiao.contracts.domain.settlement import (
    AgreedCorrection,
    DepositMovement,
    FinishedOrders,
    LinesInCare,
    Month,
    Question,
    Settlement,
    StandingViolation,
    settle,
)
from huaxiao.contracts.settlements.documents import answer_document, read_answer
from huaxiao.shared.periods import Period, shift
from huaxiao.shared.wire.dispatch import Area, OrderKind
from huaxiao.shared.wire.negative_list import Severity
from huaxiao.shared.wire.products import Product
from huaxiao.shared.wire.terms import ContractTerms

FIRST = Period(201711)
YUAN = 100


def terms(**changed: Any) -> ContractTerms:
    given: dict[str, Any] = {
        "risk_deposit": {"contractor_fen": 10_000 * YUAN, "clawback_share": "0.10"},
        "profit_share": {
            "tiers": [
                {"growth_from": "0", "share": "0.05"},
                {"growth_from": "0.05", "share": "0.10"},
                {"growth_from": "0.10", "share": "0.15"},
            ],
        },
        "free_scope_zh": "负面责任清单以外",
        "investments": [{"by": "company", "what_zh": "终端", "amount_fen": 0}],
        "order_fees": [{"kind": "install", "area": "town", "fee_fen": 70 * YUAN}],
    }
    return ContractTerms.model_validate(given | changed)


TERMS = terms()


def month(
    index: int, revenue_fen: int, *, base_fen: int = 80_000 * YUAN, cost_fen: int = 0, **more: Any
) -> Month:
    given: dict[str, Any] = {
        "period": shift(FIRST, index),
        "terms": TERMS,
        "revenue_fen": revenue_fen,
        "market_cost_fen": cost_fen,
        "base_revenue_fen": base_fen,
        "base_market_cost_fen": 0,
    }
    return Month(**given | more)


def amounts(settlement: Settlement, code: str) -> list[int]:
    return [line.amount_fen for line in settlement.lines if line.code == code]


def run(months: Sequence[Month], *, last: bool = True, **more: Any) -> list[Settlement]:
    """Settle months one after another, each on what the one before left."""
    made: list[Settlement] = []
    for index in range(len(months)):
        before = made[-1] if made else None
        made.append(
            settle(
                Question(
                    months=tuple(months[: index + 1]),
                    settled=before.months if before else (),
                    brought_forward_fen=before.carried_forward_fen if before else 0,
                    deposit_fen=before.deposit_fen if before else 0,
                    is_last=last and index + 1 == len(months),
                    **(more if index == 0 else {}),
                )
            )
        )
    return made


def test_the_share_goes_tier_by_tier_over_the_increment() -> None:
    # The base is 240,000 yuan in a quarter, the increment 36,000: 12,000 in each tier.
    quarter = [month(index, 92_000 * YUAN) for index in range(3)]

    *_, settled = run(quarter, last=False)

    assert amounts(settled, "share.tier") == [600 * YUAN, 1_200 * YUAN, 1_800 * YUAN]
    assert amounts(settled, "share.to_date") == [3_600 * YUAN]


def test_a_month_is_paid_in_advance_and_the_quarter_in_full() -> None:
    one, two, three = run([month(index, 92_000 * YUAN) for index in range(3)], last=False)

    assert amounts(one, "share") == [960 * YUAN]  # 80 % of 1,200 yuan
    assert amounts(two, "share") == [960 * YUAN]
    assert amounts(three, "share") == [1_680 * YUAN]


def test_the_share_is_halved_while_the_margin_is_under_its_floor() -> None:
    at_floor = month(0, 100_000 * YUAN, cost_fen=18_000 * YUAN)
    under = month(0, 100_000 * YUAN, cost_fen=18_000 * YUAN + 1)

    [paid] = run([at_floor])
    [halved] = run([under])

    assert amounts(paid, "share.below_floor") == []
    assert amounts(paid, "share") == [100 * YUAN]
    assert amounts(halved, "share") == [50 * YUAN]


def test_over_a_base_of_a_loss_the_whole_increment_is_in_the_first_tier() -> None:
    [settled] = run([month(0, 10_000 * YUAN, base_fen=-10_000 * YUAN)])

    assert amounts(settled, "share.tier") == [1_000 * YUAN]


def test_fees_follow_the_orders_and_the_score() -> None:
    orders = (
        FinishedOrders(OrderKind.INSTALL, Area.TOWN, 10),
        FinishedOrders(OrderKind.REPAIR, Area.TOWN, 3),
    )
    for score, appraisal_fen in (("84.99", -70 * YUAN), ("85", 0), ("95", 70 * YUAN), (None, 0)):
        worked = month(0, 0, base_fen=0, orders=orders, score=score and Decimal(score))

        [settled] = run([worked])

        assert amounts(settled, "order_fee") == [700 * YUAN, 0]
        assert amounts(settled, "appraisal") == [appraisal_fen]
        assert settled.net_fen == 700 * YUAN + appraisal_fen


CARE = {"line_fees": [{"product": "broadband", "fee_fen": 350}]}


def test_lines_that_are_billed_are_paid_for_by_the_month_and_follow_the_score() -> None:
    lines = (LinesInCare(Product.BROADBAND, 5_200), LinesInCare(Product.MOBILE, 12_500))
    orders = (FinishedOrders(OrderKind.INSTALL, Area.TOWN, 10),)
    cared = month(
        0, 0, base_fen=0, terms=terms(**CARE), lines=lines, orders=orders, score=Decimal(95)
    )

    [settled] = run([cared])

    # 5,200 lines at 3.50 yuan, 10 orders at 70; at 95 points a tenth more of both. Mobiles earn none.
    assert amounts(settled, "line_fee") == [18_200 * YUAN]
    assert amounts(settled, "appraisal") == [1_890 * YUAN]
    assert settled.net_fen == (18_200 + 700 + 1_890) * YUAN


def test_lines_that_turn_out_otherwise_later_correct_their_own_month_once() -> None:
    first, second, third = (month(index, 0, base_fen=0, terms=terms(**CARE)) for index in range(3))
    found = replace(first, lines=(LinesInCare(Product.BROADBAND, 2),))
    [one] = run([first], last=False)

    two = settle(Question((found, second), settled=one.months))
    three = settle(Question((found, second, third), settled=two.months))

    assert amounts(two, "correction.line_fees") == [7 * YUAN]
    assert (one.net_fen, two.net_fen, three.net_fen) == (0, 7 * YUAN, 0)


def test_fees_for_lines_are_among_what_the_cap_is_taken_of() -> None:
    grave = StandingViolation(1, "NL-15", Severity.B, Decimal(5), 0)
    lines = (LinesInCare(Product.BROADBAND, 200),)

    [capped] = run([month(0, 0, base_fen=0, terms=terms(**CARE), lines=lines, violations=(grave,))])

    # 500 yuan of points; 30 % of 700 yuan is 210.
    assert amounts(capped, "deduction.cap") == [290 * YUAN]
    assert capped.net_fen == 490 * YUAN


EXCESS = {"excess_profit": {"budget_fen": 1_000_000 * YUAN}}


def test_half_of_what_a_year_brings_above_its_budget_is_due_when_the_year_ends() -> None:
    # 12 months of 100,000 are 200,000 above the budget; the base of 960,000 they pass by a quarter.
    months = [month(index, 100_000 * YUAN, terms=terms(**EXCESS)) for index in range(13)]

    made = run(months, last=False)

    assert [amounts(one, "share.excess") for one in made[:11]] == [[]] * 11
    assert amounts(made[11], "share.excess") == [100_000 * YUAN]
    plain = run([month(index, 100_000 * YUAN) for index in range(13)], last=False)
    paid, without = (sum(sum(amounts(one, "share")) for one in run) for run in (made, plain))
    assert paid - without == 100_000 * YUAN


def test_what_is_learnt_of_a_past_year_moves_its_excess_and_a_year_below_budget_has_none() -> None:
    months = [month(index, 100_000 * YUAN, terms=terms(**EXCESS)) for index in range(12)]
    *_, year = run(months, last=False)
    less = replace(months[0], market_cost_fen=50_000 * YUAN)
    below = replace(months[0], market_cost_fen=300_000 * YUAN)
    next_month = month(12, 100_000 * YUAN, terms=terms(**EXCESS))

    corrected = settle(Question((less, *months[1:], next_month), settled=year.months))
    gone = settle(Question((below, *months[1:], next_month), settled=year.months))

    assert amounts(corrected, "share.excess") == [75_000 * YUAN]
    assert amounts(gone, "share.excess") == [0]


def test_a_contract_that_ends_early_has_its_part_of_the_budget() -> None:
    months = [month(index, 100_000 * YUAN, terms=terms(**EXCESS)) for index in range(3)]

    *_, last = run(months)

    # A quarter of the year: 300,000 over a budget of 250,000.
    assert amounts(last, "share.excess") == [25_000 * YUAN]


def test_a_budget_that_is_agreed_or_given_up_within_a_year_counts_for_its_own_months() -> None:
    profits = (100_000 * YUAN, 120_000 * YUAN)
    higher = {"excess_profit": {"budget_fen": 1_200_000 * YUAN}}
    fewer = {"excess_profit": {"budget_fen": 1_000_000 * YUAN, "share": "0.25"}}

    def year(first: dict[str, Any], then: dict[str, Any]) -> list[int]:
        halves = [terms(**first)] * 6 + [terms(**then)] * 6
        months = [
            month(index, profits[index // 6], terms=agreed) for index, agreed in enumerate(halves)
        ]
        *_, last = run(months, last=False)
        return amounts(last, "share.excess")

    # The halves bring 600,000 and 720,000; their parts of the budgets are 500,000 or 600,000.
    assert year(EXCESS, {}) == [50_000 * YUAN]
    assert year({}, EXCESS) == [110_000 * YUAN]
    assert year(EXCESS, higher) == [110_000 * YUAN]
    assert year(EXCESS, fewer) == [50_000 * YUAN, 55_000 * YUAN]


SUPPORT = {"support_performance": {"amount_fen": 10_000 * YUAN}}


@pytest.mark.parametrize(
    ("score", "appraised_fen"),
    [("87.50", 3_500 * YUAN), ("0", 0), ("100", 4_000 * YUAN), (None, 4_000 * YUAN)],
)
def test_of_a_support_units_pay_three_fifths_are_fixed_and_the_rest_follows_its_reverse_score(
    score: str | None, appraised_fen: int
) -> None:
    rated = month(0, 0, base_fen=0, terms=terms(**SUPPORT), reverse_score=score and Decimal(score))

    [settled] = run([rated])

    assert amounts(settled, "support.fixed") == [6_000 * YUAN]
    assert amounts(settled, "support.appraised") == [appraised_fen]
    assert settled.net_fen == 6_000 * YUAN + appraised_fen


def test_a_reverse_score_that_is_known_or_restated_later_corrects_its_own_month() -> None:
    first, second = (month(index, 0, base_fen=0, terms=terms(**SUPPORT)) for index in range(2))
    [one] = run([first], last=False)

    two = settle(Question((replace(first, reverse_score=Decimal(90)), second), settled=one.months))

    assert amounts(two, "correction.support") == [-400 * YUAN]
    assert two.net_fen == 10_000 * YUAN - 400 * YUAN


def test_a_statement_without_support_pay_and_fees_for_lines_is_written_down_as_it_always_was() -> (
    None
):
    [plain] = run([month(0, 100 * YUAN)])
    [supported] = run([month(0, 0, base_fen=0, terms=terms(**SUPPORT))])
    lines = (LinesInCare(Product.BROADBAND, 1),)
    [cared] = run([month(0, 0, base_fen=0, terms=terms(**CARE), lines=lines)])

    later = {"support_fen", "line_fees_fen"}
    assert not any(later & one.keys() for one in answer_document(plain)["months"])
    assert read_answer(answer_document(cared)) == cared
    assert read_answer(answer_document(supported)) == supported
    assert read_answer(answer_document(plain)) == plain


def test_points_cost_up_to_the_cap_and_a_red_line_knows_none_and_stops_the_pay() -> None:
    fees = {"orders": (FinishedOrders(OrderKind.INSTALL, Area.TOWN, 10),), "base_fen": 0}
    grave = StandingViolation(1, "NL-15", Severity.B, Decimal(5), 80 * YUAN)
    red = StandingViolation(2, "NL-05", Severity.A, Decimal(10), 0)

    [capped] = run([month(0, 0, violations=(grave,), **fees)])
    [stopped] = run([month(0, 0, violations=(grave, red), **fees)])

    # 5 points at 100 yuan each, of 700 yuan at most 30 %: 210; and 80 recovered in full.
    assert amounts(capped, "deduction.cap") == [290 * YUAN]
    assert (capped.net_fen, capped.payment_stopped) == (410 * YUAN, False)
    assert (stopped.net_fen, stopped.payment_stopped) == (-590 * YUAN, True)
    assert stopped.payable_fen == 0


def test_what_turns_out_later_is_a_correction_of_its_month_and_counts_once() -> None:
    late = FinishedOrders(OrderKind.INSTALL, Area.TOWN, 1)
    first, second, third = (month(index, 0, base_fen=0) for index in range(3))
    found = replace(first, orders=(late,), score=Decimal(99))
    [one] = run([first], last=False)

    two = settle(Question((found, second), settled=one.months))
    three = settle(Question((found, second, third), settled=two.months))

    assert one.net_fen == 0
    assert amounts(two, "correction.order_fees") == [70 * YUAN]
    assert amounts(two, "correction.appraisal") == [7 * YUAN]
    assert two.net_fen == 77 * YUAN
    assert three.net_fen == 0


def test_the_deposit_bears_its_part_of_the_years_shortfall_and_at_last_what_is_owed() -> None:
    year = [month(index, 75_000 * YUAN) for index in range(12)]
    owed = StandingViolation(1, "NL-05", Severity.A, Decimal(0), 9_000 * YUAN)
    year[-1] = replace(year[-1], violations=(owed,))

    *_, last = run(year, deposit_movements=(DepositMovement(1, 10_000 * YUAN),))

    # 60,000 yuan are missing under the base; 10 % of it is more than half of the deposit.
    assert amounts(last, "deposit.clawback") == [-6_000 * YUAN]
    assert amounts(last, "deposit.bears") == [4_000 * YUAN]
    assert last.deposit_fen == 0
    assert last.carried_forward_fen == -5_000 * YUAN


def test_what_the_centre_owes_is_brought_forward_and_what_was_agreed_is_counted() -> None:
    owed = StandingViolation(1, "NL-16", Severity.B, Decimal(0), 100 * YUAN)
    first = month(0, 0, base_fen=0, violations=(owed,))
    [one] = run([first], last=False)

    two = settle(
        Question(
            (first, month(1, 0, base_fen=0)),
            settled=one.months,
            brought_forward_fen=one.carried_forward_fen,
            corrections=(AgreedCorrection(1, FIRST, 250 * YUAN, "漏计装机"),),
        )
    )

    assert (one.payable_fen, one.carried_forward_fen) == (0, -100 * YUAN)
    assert (two.net_fen, two.payable_fen) == (150 * YUAN, 150 * YUAN)


def test_other_shares_agreed_for_later_months_leave_the_earlier_ones_as_they_were() -> None:
    generous = terms(profit_share={"tiers": [{"growth_from": "0", "share": "0.50"}]})
    old = [month(index, 90_000 * YUAN) for index in range(2)]
    new = [month(index, 90_000 * YUAN, terms=generous) for index in range(2, 12)]

    paid = run(old + new)

    # Two months at 5 % and 10 %, in full once they are over, then ten at a half.
    per_month = (4_000 * 5 + 4_000 * 10 + 2_000 * 15) * YUAN // 100
    shares = sum(sum(amounts(one, "share")) for one in paid)
    assert shares == 2 * per_month + 10 * 5_000 * YUAN


months_of_any_kind = st.lists(
    st.builds(
        lambda revenue, cost, base, installs, score, points: (
            revenue, cost, base, installs, score, points
        ),
        st.integers(0, 10**8),
        st.integers(0, 10**8),
        st.integers(-(10**6), 10**8),
        st.integers(0, 50),
        st.none() | st.decimals(0, 100, places=2),
        st.integers(0, 10),
    ),
    min_size=1,
    max_size=26,
)  # fmt: skip


def drawn(given: Sequence[tuple[int, int, int, int, Decimal | None, int]]) -> list[Month]:
    return [
        month(
            index,
            revenue,
            cost_fen=cost,
            base_fen=base,
            orders=(FinishedOrders(OrderKind.INSTALL, Area.TOWN, installs),),
            score=score,
            violations=(StandingViolation(1, "NL-17", Severity.C, Decimal(points), 0),),
        )
        for index, (revenue, cost, base, installs, score, points) in enumerate(given)
    ]


@given(months_of_any_kind)
def test_what_is_paid_over_the_term_adds_up_to_what_is_due(
    given: list[tuple[int, int, int, int, Decimal | None, int]],
) -> None:
    made = run(drawn(given))

    for one in made:
        assert one.net_fen == sum(line.amount_fen for line in one.lines if line.counts)
        assert one.net_fen == one.payable_fen + one.carried_forward_fen
        assert [line.number for line in one.lines] == list(range(1, len(one.lines) + 1))
    shares = sum(sum(amounts(one, "share")) for one in made)
    due = amounts(made[-1], "share.to_date") + amounts(made[-1], "share.earlier_stretches")
    assert shares == sum(due)
    assert sum(each.share_fen for each in made[-1].months) == shares


@given(months_of_any_kind, st.data())
def test_learning_of_orders_late_pays_the_same_in_the_end(
    given: list[tuple[int, int, int, int, Decimal | None, int]], data: st.DataObject
) -> None:
    # Without points: what the cap spares depends on what a month's share was when it was settled.
    known = [replace(one, violations=()) for one in drawn(given)]
    late = data.draw(st.integers(0, len(known) - 1))
    unknown = replace(known[late], orders=(), score=None)
    settled: Settlement | None = None
    paid = 0
    for index in range(len(known)):
        seen = [*known[: index + 1]]
        if index == late and index + 1 < len(known):
            seen[late] = unknown
        settled = settle(
            Question(
                tuple(seen),
                settled=settled.months if settled else (),
                brought_forward_fen=settled.carried_forward_fen if settled else 0,
                is_last=index + 1 == len(known),
            )
        )
        paid += settled.payable_fen
    assert settled is not None

    at_once = run(known)

    assert paid + settled.carried_forward_fen == (
        sum(one.payable_fen for one in at_once) + at_once[-1].carried_forward_fen
    )


def test_the_share_of_suspended_months_waits_until_the_contract_is_in_force_again() -> None:
    def run(suspended: set[int]) -> list[Settlement]:
        months = tuple(
            month(index, 100_000 * YUAN, suspended=index in suspended) for index in range(6)
        )
        made: list[Settlement] = []
        for count in range(1, 7):
            settled = made[-1].months if made else ()
            made.append(settle(Question(months[:count], settled=settled)))
        return made

    plain, held = run(set()), run({1, 2, 3})

    shares = [one.months[-1].share_fen for one in held]
    assert shares[1:4] == [0, 0, 0]
    assert [one.code for one in held[2].lines].count("share.suspended") == 1
    assert sum(shares) == sum(one.months[-1].share_fen for one in plain)


def test_the_same_share_written_with_other_zeros_does_not_part_the_year() -> None:
    rewritten = terms(
        profit_share={
            "tiers": [
                {"growth_from": "0.0", "share": "0.050"},
                {"growth_from": "0.050", "share": "0.1"},
                {"growth_from": "0.1", "share": "0.150"},
            ],
            "advance_share": "0.8",
        }
    )

    first, second = month(0, 96_000 * YUAN), month(1, 64_000 * YUAN)
    one = settle(Question((first,)))
    same = settle(Question((first, second), settled=one.months))
    written = settle(Question((first, replace(second, terms=rewritten)), settled=one.months))

    assert [line.amount_fen for line in written.lines] == [line.amount_fen for line in same.lines]


def test_a_deposit_that_is_gone_bears_and_gives_back_nothing() -> None:
    months = tuple(month(index, 40_000 * YUAN) for index in range(12))
    settled: tuple[Any, ...] = ()
    for count in range(1, 12):
        settled = settle(Question(months[:count], settled=settled)).months

    last = settle(Question(months, settled=settled, deposit_fen=-9_000, is_last=True))

    assert last.deposit_fen == -9_000
    assert not {"deposit.clawback", "deposit.bears"} & {
        line.code for line in last.lines if line.amount_fen
    }
