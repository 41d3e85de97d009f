"""The rules that watch a branch whose county has set none of its own."""

from collections.abc import Iterable
from dataclasses import dataclass

from huaxiao.shared.wire.alerts import AlertRule

DEFAULT_RULES = tuple(
    AlertRule.model_validate(
        one | {"version": 0, "is_default": True, "changed_by": None, "changed_at": None}
    )
    for one in (
        {
            "rule_id": "default-market-gross-margin",
            "kind": "verdict",
            "name": "Market gross margin of the last closed month below the goal",
            "name_zh": "最近关账月市场毛利率未达成",
            "target": "market_gross_margin",
            "span": "month",
        },
        {
            "rule_id": "default-cash-flow-growth",
            "kind": "verdict",
            "name": "Cash flow growth of the last closed month below the goal",
            "name_zh": "最近关账月现金流同比未达成",
            "target": "cash_flow_growth",
            "span": "month",
        },
        {
            "rule_id": "default-average-wage-growth",
            "kind": "verdict",
            "name": "Average wage growth of the last closed month below the goal",
            "name_zh": "最近关账月人均工资增幅未达成",
            "target": "average_wage_growth",
            "span": "month",
        },
        # Of the county alone: fitting three models for each centre would keep people who ask waiting.
        {
            "rule_id": "default-market-gross-margin-forecast",
            "kind": "forecast",
            "name": "Market gross margin expected to end the year below the goal",
            "name_zh": "预计全年市场毛利率未达成",
            "target": "market_gross_margin",
            "centre_ids": [],
        },
        {
            "rule_id": "default-cash-flow-growth-forecast",
            "kind": "forecast",
            "name": "Cash flow growth expected to end the year below the goal",
            "name_zh": "预计全年现金流同比未达成",
            "target": "cash_flow_growth",
            "centre_ids": [],
        },
        {
            "rule_id": "default-average-wage-growth-forecast",
            "kind": "forecast",
            "name": "Average wage growth expected to end the year below the goal",
            "name_zh": "预计全年人均工资增幅未达成",
            "target": "average_wage_growth",
            "centre_ids": [],
        },
        {
            "rule_id": "default-books-late",
            "kind": "books_late",
            "name": "No books ten days after the month's end",
            "name_zh": "月末后十日仍无账",
            "days": 10,
        },
        {
            "rule_id": "default-payroll-late",
            "kind": "payroll_late",
            "name": "Pay not recorded fifteen days after the month's end",
            "name_zh": "月末后十五日工资仍未登记",
            "days": 15,
        },
        # A long weekend says nothing.
        {
            "rule_id": "default-feed-still",
            "kind": "feed_still",
            "name": "A service has told nothing for three days",
            "name_zh": "某服务三日未有消息",
            "hours": 72,
        },
    )
)
_BY_ID = {one.rule_id: one for one in DEFAULT_RULES}


def default_rule(rule_id: str) -> AlertRule | None:
    """Return a default rule as it ships; None where the id is a county's own."""
    return _BY_ID.get(rule_id)


@dataclass(frozen=True, slots=True)
class Rules:
    """A branch's rules: those that watch it, and those that did or would."""

    watching: tuple[AlertRule, ...]
    idle: tuple[AlertRule, ...]
    """Default rules of a branch that has rules of its own."""

    def of(self, rule_id: str) -> AlertRule:
        """Return a rule, whether it watches or not."""
        return next(one for one in (*self.watching, *self.idle) if one.rule_id == rule_id)


def rules_of(kept: Iterable[AlertRule]) -> Rules:
    """Return a branch's rules from those that its county has kept.

    A rule kept under a default's id stands in its place. A branch with any other rule is watched by
    its own rules alone.
    """
    found = {one.rule_id: one for one in kept}
    defaults = tuple(found.get(one.rule_id, one) for one in DEFAULT_RULES)
    own = tuple(one for one in found.values() if one.rule_id not in _BY_ID)
    return Rules(own, defaults) if own else Rules(defaults, ())
