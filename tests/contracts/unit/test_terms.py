"""The terms of a contract: what is wrong with them is named where it stands."""

from typing import Any

import pytest
from pydantic import ValidationError

from huaxiao.contracts.domain.terms import term_faults
from huaxiao.shared.periods import Period
from huaxiao.shared.wire.terms import ContractTerms

FIRST, LAST = Period(201711), Period(201810)
PLAIN: dict[str, Any] = {
    "risk_deposit": {"contractor_fen": 1_000_000},
    "profit_share": {"tiers": [{"growth_from": "0", "share": "0.05"}]},
    "free_scope_zh": "负面责任清单以外",
    "investments": [{"by": "company", "what_zh": "终端", "amount_fen": 0}],
}
INSTALL = {"kind": "install", "area": "town", "fee_fen": 7_000}
YEAR = {"measure": "revenue", "period_from": 201711, "period_to": 201810, "amount_fen": 1}


def faults(**changed: Any) -> list[tuple[str, str]]:
    terms = ContractTerms.model_validate(PLAIN | changed)
    return [(one.pointer, one.code) for one in term_faults(terms, FIRST, LAST)]


def test_the_template_terms_are_sound() -> None:
    assert faults(order_fees=[INSTALL, INSTALL | {"area": "rural"}], targets=[YEAR]) == []


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        (
            {
                "profit_share": {
                    "tiers": [
                        {"growth_from": "0.05", "share": "0.1"},
                        {"growth_from": "0.050", "share": "0.2"},
                    ]
                }
            },
            ("/terms/profit_share/tiers/1", "not-ascending"),
        ),
        (
            {"appraisal_steps": [{"score_from": "1", "factor": "1"}]},
            ("/terms/appraisal_steps/0/score_from", "score-not-covered"),
        ),
        (
            {
                "appraisal_steps": [
                    {"score_from": "0", "factor": "0.8"},
                    {"score_from": "85", "factor": "1"},
                    {"score_from": "70", "factor": "0.9"},
                ]
            },
            ("/terms/appraisal_steps/2", "not-ascending"),
        ),
        ({"order_fees": [INSTALL, INSTALL]}, ("/terms/order_fees/1", "repeated")),
        (
            {"line_fees": [{"product": "broadband", "fee_fen": one} for one in (350, 400)]},
            ("/terms/line_fees/1", "repeated"),
        ),
        ({"targets": [YEAR, YEAR]}, ("/terms/targets/1", "repeated")),
        ({"targets": [YEAR | {"period_to": 201811}]}, ("/terms/targets/0", "outside-term")),
        (
            {"targets": [YEAR | {"period_to": 201710}]},
            ("/terms/targets/0/period_to", "bad-term"),
        ),
    ],
)
def test_what_is_wrong_is_named_where_it_stands(
    changed: dict[str, Any], found: tuple[str, str]
) -> None:
    assert faults(**changed) == [found]


@pytest.mark.parametrize("share", ["1.01", "-0.01"])
def test_a_share_of_101_percent_is_no_share(share: str) -> None:
    with pytest.raises(ValidationError) as refused:
        faults(profit_share={"tiers": [{"growth_from": "0", "share": share}]})

    assert [one["type"] for one in refused.value.errors()] == ["share_out_of_range"]
