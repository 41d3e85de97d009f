"""The terms of a contract: what can be wrong with them before anyone signs (R1, R14)."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

from huaxiao.shared.periods import Period
from huaxiao.shared.problems import Fault
from huaxiao.shared.wire.terms import ContractTerms


def term_faults(terms: ContractTerms, first: Period, last: Period) -> Iterator[Fault]:
    """Yield what is wrong with the terms of a contract from a first period to a last."""
    yield from _faults_of_steps(
        "/terms/profit_share/tiers",
        [tier.growth_from for tier in terms.profit_share.tiers],
        Fault("", "not-ascending", "tiers go by growing growth", "分成档次须按增幅递增"),
    )
    yield from _faults_of_steps(
        "/terms/appraisal_steps",
        [step.score_from for step in terms.appraisal_steps],
        Fault("", "not-ascending", "steps go by growing scores", "考核档次须按得分递增"),
    )
    if terms.appraisal_steps[0].score_from != 0:
        yield Fault(
            "/terms/appraisal_steps/0/score_from",
            "score-not-covered",
            "the first step begins at 0, so that every score has a factor",
            "首档须自 0 分起，使每个得分都有系数",
        )
    yield from _repeated(
        "/terms/order_fees",
        ((fee.kind, fee.area) for fee in terms.order_fees),
        Fault(
            "",
            "repeated",
            "a kind of order has one fee in an area",
            "同类工单在同一区域只能有一个单价",
        ),
    )
    yield from _repeated(
        "/terms/line_fees",
        (fee.product for fee in terms.line_fees),
        Fault("", "repeated", "a product has one fee", "同一产品只能有一个单价"),
    )
    yield from _faults_of_targets(terms, first, last)


def _faults_of_steps(pointer: str, steps: list[Decimal], fault: Fault) -> Iterator[Fault]:
    for index, (one, following) in enumerate(pairwise(steps), start=1):
        if one >= following:
            yield replace(fault, pointer=f"{pointer}/{index}")


def _faults_of_targets(terms: ContractTerms, first: Period, last: Period) -> Iterator[Fault]:
    for index, target in enumerate(terms.targets):
        pointer = f"/terms/targets/{index}"
        if target.period_from > target.period_to:
            yield Fault(
                f"{pointer}/period_to", "bad-term", "it ends before it begins", "止期早于起期"
            )
        elif target.period_from < first or target.period_to > last:
            yield Fault(
                pointer,
                "outside-term",
                f"a target lies within the term, {first} to {last}",
                f"目标须在承包期 {first} 至 {last} 之内",
            )
    yield from _repeated(
        "/terms/targets",
        ((one.measure, one.period_from, one.period_to) for one in terms.targets),
        Fault(
            "",
            "repeated",
            "a measure has one target for a time",
            "同一时段的同一指标只能有一个目标",
        ),
    )


def _repeated(pointer: str, keys: Iterable[object], fault: Fault) -> Iterator[Fault]:
    seen: Counter[object] = Counter()
    for index, key in enumerate(keys):
        seen[key] += 1
        if seen[key] > 1:
            yield replace(fault, pointer=f"{pointer}/{index}")
