"""The three targets of the plan, as figures of the same kind as a county's own (R2, R3, R4)."""

from huaxiao.shared.wire.figures import FigureIn

BUILT_IN = tuple(
    FigureIn.model_validate(one)
    for one in (
        {
            "figure": "market_gross_margin",
            "title": "Market gross margin, achieved",
            "title_zh": "市场毛利率完成值",
            "text": "(R - MC) / R >= 82 %, R > 0. R = -(revenue + refunds + adjustments), VAT excluded;"
            " MC = the sum of cost.<kind> over the closed list of market cost kinds. 82 % exactly"
            " passes. It is the ratio achieved, not the degree to which a budget was met.",
            "text_zh": "(R − MC) / R ≥ 82 %，且 R > 0。R = −(revenue + refunds + adjustments)，不含税；MC ="
            " 市场成本封闭清单内各 cost.<kind> 之和。恰为 82 % 视为达标。指实际完成的比率，而非预算完成比例。",
            "source": "R2",
            "unit": "ratio",
            "formula": {
                "op": "ratio",
                "numerator": {
                    "op": "difference",
                    "minuend": {"op": "measure", "measure": "net_revenue"},
                    "subtrahend": {"op": "measure", "measure": "market_cost"},
                },
                "denominator": {"op": "measure", "measure": "net_revenue"},
            },
            "direction": "higher",
            "shown_as": "percent",
            "goal": {"boundary": "0.82", "comparison": "at_least", "at_risk_within": "0.01"},
        },
        {
            "figure": "cash_flow_growth",
            "title": "Net cash flow, growth on the year before",
            "title_zh": "现金流同比",
            "text": "(C1 - C0) / C0 >= 10 %, C0 > 0. C1 = cash.in - all cash.out.* - pay, of the span;"
            " C0 = cash_in_fen - cash_out_fen of the contract's base, same months one year earlier"
            " (the base's cash_out_fen contains pay). 10 % exactly passes.",
            "text_zh": "(C1 − C0) / C0 ≥ 10 %，且 C0 > 0。C1 = 本期 cash.in − 全部 cash.out.* − pay；C0 ="
            " 合同基数上年同月 cash_in_fen − cash_out_fen（基数的 cash_out_fen 已含工资）。恰为 10 %"
            " 视为达标。",
            "source": "R3",
            "unit": "ratio",
            "formula": {
                "op": "growth",
                "of": {
                    "op": "difference",
                    "minuend": {"op": "measure", "measure": "cash_in"},
                    "subtrahend": {
                        "op": "sum",
                        "terms": [
                            {"op": "measure", "measure": "cash_out"},
                            {"op": "measure", "measure": "pay"},
                        ],
                    },
                },
            },
            "direction": "higher",
            "shown_as": "percent",
            "goal": {"boundary": "0.10", "comparison": "at_least", "at_risk_within": "0.01"},
        },
        {
            "figure": "average_wage_growth",
            "title": "Average wage of own staff, growth on the year before",
            "title_zh": "员工人均工资增幅",
            "text": "W1 / W0 - 1 > 10 %. W1 = sum of pay / average headcount, the average being the mean"
            " over the months of (start + end) / 2; W0 = sum of pay_fen / mean headcount of the base,"
            " same months one year earlier. Own staff only, without employer's insurance. 10 %"
            " exactly fails.",
            "text_zh": "W1 / W0 − 1 > 10 %。W1 = 工资合计 / 平均人数，平均人数为各月（月初 + 月末）/ 2 的均值；"
            "W0 = 合同基数上年同月 pay_fen 合计 / headcount 均值。仅自有人员，不含单位缴纳的保险。恰为 10 %"
            " 不达标。",
            "source": "R4",
            "unit": "ratio",
            # Pay for half a person-month grows as pay a head does: the months are the same.
            "formula": {
                "op": "growth",
                "of": {
                    "op": "ratio",
                    "numerator": {"op": "measure", "measure": "pay"},
                    "denominator": {"op": "measure", "measure": "headcount"},
                },
            },
            "direction": "higher",
            "shown_as": "percent",
            "goal": {"boundary": "0.10", "comparison": "more_than", "at_risk_within": "0.01"},
        },
    )
)
BUILT_IN_NAMES = frozenset(one.figure for one in BUILT_IN)
