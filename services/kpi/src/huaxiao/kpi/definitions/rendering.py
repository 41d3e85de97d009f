"""The definitions as callers read them."""

from huaxiao.kpi.domain.definitions import MEASURES, REASONS, RULES, TARGETS, VERSION
from huaxiao.shared.cost_kinds import COST_KINDS, COST_KINDS_VERSION
from huaxiao.shared.wire.kpi import (
    CostKindDefinition,
    Definitions,
    MeasureDefinition,
    ReasonDefinition,
    Rule,
    TargetDefinition,
)


def definitions() -> Definitions:
    """Return everything that decides what the figures mean."""
    return Definitions(
        version=VERSION,
        targets=[
            TargetDefinition(
                target=one.target,
                title=one.title,
                title_zh=one.title_zh,
                formula=one.formula,
                formula_zh=one.formula_zh,
                goal=one.goal.ratio,
                comparison=one.goal.comparison,
                source=one.source,
            )
            for one in TARGETS
        ],
        measures=[
            MeasureDefinition(
                measure=one.measure,
                unit=one.unit,
                meaning=one.meaning,
                meaning_zh=one.meaning_zh,
                absent=one.absent,
                source=one.source,
            )
            for one in MEASURES
        ],
        cost_kinds_version=COST_KINDS_VERSION,
        cost_kinds=[
            CostKindDefinition(
                kind=one.kind,
                cost_class=one.cost_class,
                title=one.title,
                title_zh=one.title_zh,
            )
            for one in COST_KINDS
        ],
        rules=[
            Rule(code=code, text=told.text, text_zh=told.text_zh) for code, told in RULES.items()
        ],
        reasons=[
            ReasonDefinition(code=code, message=told.text, message_zh=told.text_zh)
            for code, told in REASONS.items()
        ],
    )
