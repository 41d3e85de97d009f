"""The tree of fields: centre, township or kind, field."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from huaxiao.console.language import Words
from huaxiao.console.page import CentreNames
from huaxiao.console.words import called
from huaxiao.shared.money import FEN_PER_YUAN
from huaxiao.shared.wire.contracts import Coverage, Division, FieldKind, ResponsibilityField
from huaxiao.shared.wire.kpi_history import FieldMeasure

_TOWNSHIP = 9
"""Digits of a township's code, with which codes of what lies in it begin."""
_NET = {"revenue", "refunds", "adjustments"}


@dataclass(frozen=True, slots=True)
class Leaf:
    """A field of the tree."""

    field: ResponsibilityField
    revenue_fen: int
    covers: int
    """How many prefixes, customers or channels it names."""


@dataclass(frozen=True, slots=True)
class Patch:
    """What lies together within a centre: the fields of a township, or of a kind."""

    title: str
    leaves: list[Leaf]

    @property
    def revenue_fen(self) -> int:
        """The sum of its fields."""
        return sum(one.revenue_fen for one in self.leaves)


@dataclass(frozen=True, slots=True)
class Area:
    """A centre with its patches."""

    centre_id: str
    title: str
    patches: list[Patch]

    @property
    def revenue_fen(self) -> int:
        """The sum of its patches."""
        return sum(one.revenue_fen for one in self.patches)

    @property
    def fields(self) -> int:
        """How many fields it has."""
        return sum(len(one.leaves) for one in self.patches)


def revenue_by_field(measures: Sequence[FieldMeasure]) -> dict[str, int]:
    """Add up net revenue by field; revenue is a credit, so its sign is turned."""
    found: defaultdict[str, int] = defaultdict(int)
    for one in measures:
        if one.measure in _NET:
            found[one.field_id] -= one.amount
    return found


def tree(
    words: Words,
    names: CentreNames,
    fields: Sequence[ResponsibilityField],
    divisions: Sequence[Division],
    revenue_fen: Mapping[str, int],
) -> list[Area]:
    """Arrange fields by centre, then by the township of their first prefix or by their kind."""
    townships = {one.code: one.name for one in divisions}
    grouped: dict[str, dict[str, list[Leaf]]] = {}
    for one in sorted(fields, key=lambda one: (one.centre_id, one.field_id)):
        leaf = Leaf(one, revenue_fen.get(one.field_id, 0), _covers(one))
        title = _patch(words, one, townships)
        grouped.setdefault(one.centre_id, {}).setdefault(title, []).append(leaf)
    return [
        Area(centre, names(centre), [Patch(title, leaves) for title, leaves in patches.items()])
        for centre, patches in grouped.items()
    ]


def _patch(words: Words, field: ResponsibilityField, townships: Mapping[str, str]) -> str:
    prefixes = field.scope.address_prefixes
    if field.kind is FieldKind.REGIONAL and prefixes:
        code = prefixes[0][:_TOWNSHIP]
        return townships.get(code, field.name_zh)
    return called(words, field.kind, "field_kind")


def _covers(field: ResponsibilityField) -> int:
    scope = field.scope
    match field.kind:
        case FieldKind.REGIONAL:
            return len(scope.address_prefixes)
        case FieldKind.CUSTOMER:
            return len(scope.customers)
        case FieldKind.CHANNEL:
            return len(scope.channel_ids)


def chart(areas: Sequence[Area]) -> dict[str, Any]:
    """Describe the map-like tree: a rectangle a field, as large as its revenue."""
    return {
        "kind": "tree",
        "nodes": [
            {
                "name": area.title,
                "children": [
                    {
                        "name": leaf.field.name_zh,
                        "value": max(leaf.revenue_fen, FEN_PER_YUAN) // FEN_PER_YUAN,
                    }
                    for patch in area.patches
                    for leaf in patch.leaves
                ],
            }
            for area in areas
        ],
    }


def faults(words: Words, coverage: Coverage) -> list[tuple[str, list[str]]]:
    """Name what is not covered exactly once, kind by kind."""

    def named(codes: Sequence[str]) -> list[str]:
        return [f"{coverage.names.get(one, '')} {one}".strip() for one in codes]

    found = [
        (words("无责任田的村", "villages under no field"), named(coverage.gaps)),
        (words("部分覆盖的村", "villages covered in part"), named(coverage.partial)),
        (
            words("重复覆盖的村", "villages under several"),
            named([o.code for o in coverage.overlaps]),
        ),
        (
            words("前缀冲突", "prefixes that meet"),
            [f"{one.prefix} / {one.other_prefix}" for one in coverage.prefix_clashes],
        ),
        (
            words("重复列名的客户", "customers listed twice"),
            named([one.code for one in coverage.customers_listed_twice]),
        ),
        (
            words("漏列的客户", "customers dropped"),
            named([one.customer_id for one in coverage.customers_dropped]),
        ),
        (
            words("重复列名的渠道", "channels listed twice"),
            named([one.code for one in coverage.channels_listed_twice]),
        ),
    ]
    return [(title, codes) for title, codes in found if codes]
