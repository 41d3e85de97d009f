"""Whether figures can be computed: every name known, no circle, units that fit, no division by zero."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from huaxiao.kpi.domain.built_in import BUILT_IN, BUILT_IN_NAMES
from huaxiao.kpi.domain.evaluating import Formulas, grows, parts_of
from huaxiao.kpi.domain.goals import Goal
from huaxiao.kpi.domain.named import adds_up, unit_named
from huaxiao.kpi.domain.units import Dimension
from huaxiao.shared.problems import Fault
from huaxiao.shared.wire.figures import (
    ConstantTerm,
    DifferenceTerm,
    Expression,
    FigureIn,
    FigureTerm,
    GrowthTerm,
    MeasureTerm,
    RatioTerm,
    SumTerm,
)

_MOST_TERMS, _MOST_DEPTH, _MOST_DIGITS = 1_000, 60, 2_000
_DIGITS_OF_MEASURE = 24
"""Of a bigint, summed over all centres and months there can be."""
_DIGITS_OF_MONTHS = 4
_PLAIN = Dimension()


def formulas_of(figures: Sequence[FigureIn]) -> dict[str, Expression]:
    """Return the formula of each figure by its name, the built-in ones among them."""
    return {one.figure: one.formula for one in (*figures, *BUILT_IN)}


def faults_of(figures: Sequence[FigureIn]) -> Iterator[Fault]:
    """Yield what keeps a county's figures from being computed; none when all is well."""
    seen = set(BUILT_IN_NAMES)
    for index, one in enumerate(figures):
        if one.figure in seen:
            code = "built-in-figure" if one.figure in BUILT_IN_NAMES else "duplicate-figure"
            yield Fault(
                f"/figures/{index}/figure",
                code,
                f"there is a figure {one.figure} already",
                f"指标 {one.figure} 已存在",
            )
        seen.add(one.figure)
    circles = list(_circles(figures))
    if circles:
        yield from circles
        return
    too_large = list(_too_large(figures))
    if too_large:
        yield from too_large
        return
    check = _Check(formulas_of(figures))
    for index, one in enumerate(figures):
        yield from check.figure(f"/figures/{index}", one)


def _circles(figures: Sequence[FigureIn]) -> Iterator[Fault]:
    """Yield the figures that come back to themselves, each where it first leaves."""
    named = {one.figure: set(_figures_in(one.formula)) for one in figures}
    for index, one in enumerate(figures):
        reached: set[str] = set()
        ahead = list(named[one.figure])
        while ahead:
            following = ahead.pop()
            if following not in reached:
                reached.add(following)
                ahead += named.get(following, ())
        if one.figure in reached:
            yield Fault(
                f"/figures/{index}/formula",
                "cycle",
                f"{one.figure} is computed from itself",
                f"指标 {one.figure} 循环引用自身",
            )


def _too_large(figures: Sequence[FigureIn]) -> Iterator[Fault]:
    """Yield the figures that come to too many terms, lie too deep or are too long a number.

    All they refer to is counted: figures that refer to each other twice grow by powers of two.
    """
    sizes: dict[str, _Size] = {}
    waiting = formulas_of(figures)
    while waiting:
        # There is no circle, so some figure refers to none that waits.
        ready = [
            name
            for name, formula in waiting.items()
            if waiting.keys().isdisjoint(_figures_in(formula))
        ]
        for name in ready:
            sizes[name] = _size_of(waiting.pop(name), sizes)
    for index, one in enumerate(figures):
        size = sizes[one.figure]
        digits = max(size.above, size.below)
        if size.terms > _MOST_TERMS or size.depth > _MOST_DEPTH or digits > _MOST_DIGITS:
            yield Fault(
                f"/figures/{index}/formula",
                "too-complex",
                f"{one.figure} comes to more than {_MOST_TERMS} terms, {_MOST_DEPTH} levels or"
                f" {_MOST_DIGITS} digits",
                f"指标 {one.figure} 展开后超过 {_MOST_TERMS} 项、{_MOST_DEPTH} 层或 {_MOST_DIGITS} 位数字",
            )


@dataclass(frozen=True, slots=True)
class _Size:
    terms: int = 1
    depth: int = 1
    above: int = _DIGITS_OF_MEASURE
    """The most digits that its numerator may have."""
    below: int = 0
    """The same of its denominator; 0 where that is one."""


def _size_of(formula: Expression, sizes: Mapping[str, _Size]) -> _Size:
    """Return how large a formula is with all it refers to."""
    if isinstance(formula, FigureTerm):
        return sizes.get(formula.figure, _Size())
    if isinstance(formula, ConstantTerm):
        above, below = (len(str(abs(one))) for one in formula.value.as_integer_ratio())
        return _Size(above=above, below=below)
    if isinstance(formula, MeasureTerm):
        return _Size() if adds_up(formula.measure) else _Size(below=_DIGITS_OF_MONTHS)
    parts = [_size_of(one, sizes) for _, one in parts_of(formula)]
    above, below = _digits_of(formula, parts)
    return _Size(sum(one.terms for one in parts), 1 + max(one.depth for one in parts), above, below)


def _digits_of(formula: Expression, parts: Sequence[_Size]) -> tuple[int, int]:
    """Return the most digits of a numerator and denominator, as evaluating makes them."""
    match formula:
        case RatioTerm():
            above, below = parts
            return above.above + below.below, above.below + below.above
        case GrowthTerm():
            # The base is multiplied by what is over it, and the other way round.
            both = parts[0].above + parts[0].below
            return both + 1, both
        case _:
            shared = sum(one.below for one in parts)
            most = max(one.above + shared - one.below for one in parts)
            return most + len(str(len(parts))), shared


def _figures_in(formula: Expression) -> Iterator[str]:
    if isinstance(formula, FigureTerm):
        yield formula.figure
    for _, one in parts_of(formula):
        yield from _figures_in(one)


@dataclass
class _Check:
    formulas: Formulas
    units: dict[str, Dimension | None] = field(default_factory=dict)

    def figure(self, pointer: str, one: FigureIn) -> Iterator[Fault]:
        faults: list[Fault] = []
        unit = self._unit(one.formula, f"{pointer}/formula", faults)
        yield from faults
        declared = Dimension.of(one.unit)
        if unit is not None and unit != declared:
            yield Fault(
                f"{pointer}/unit",
                "unit-mismatch",
                f"the formula comes out in {unit}, not in {declared}",
                f"公式结果的单位是 {unit}，不是 {declared}",
            )
        if one.goal is not None and Goal.of(one.goal).direction is not one.direction:
            yield Fault(
                f"{pointer}/direction",
                "direction-mismatch",
                f"{one.goal.comparison} is not met by going {one.direction}",
                f"比较方式 {one.goal.comparison} 与方向 {one.direction} 不符",
            )

    def _unit(self, formula: Expression, pointer: str, faults: list[Fault]) -> Dimension | None:
        """Return what a formula comes out in; None where that cannot be said, and a fault says why."""
        match formula:
            case MeasureTerm():
                unit = unit_named(formula.measure)
                if unit is None:
                    faults.append(
                        Fault(
                            f"{pointer}/measure",
                            "unknown-measure",
                            f"there is no measure {formula.measure}",
                            f"没有度量 {formula.measure}",
                        )
                    )
                return unit
            case FigureTerm():
                return self._unit_of_figure(formula.figure, f"{pointer}/figure", faults)
            case ConstantTerm():
                return Dimension.of(formula.unit)
            case SumTerm() | DifferenceTerm():
                return self._same_unit(formula, pointer, faults)
            case RatioTerm():
                above = self._unit(formula.numerator, f"{pointer}/numerator", faults)
                below = self._unit(formula.denominator, f"{pointer}/denominator", faults)
                constant = constant_of(formula.denominator, self.formulas)
                if constant is not None and constant <= 0:
                    faults.append(
                        Fault(
                            f"{pointer}/denominator",
                            "division-by-zero",
                            "what is divided by is never above zero",
                            "分母恒不大于零",
                        )
                    )
                return None if above is None or below is None else above.over(below)
            case GrowthTerm():
                inner = self._unit(formula.of, f"{pointer}/of", faults)
                if inner is not None and grows(formula.of, self.formulas):
                    faults.append(
                        Fault(
                            f"{pointer}/of",
                            "nested-growth",
                            "what grows has no base of its own",
                            "增幅之内不可再求增幅",
                        )
                    )
                return None if inner is None else _PLAIN

    def _unit_of_figure(self, figure: str, pointer: str, faults: list[Fault]) -> Dimension | None:
        if figure not in self.formulas:
            faults.append(
                Fault(
                    pointer,
                    "unknown-figure",
                    f"there is no figure {figure}",
                    f"没有指标 {figure}",
                )
            )
            return None
        if figure not in self.units:
            # What is wrong with that figure is said where it stands.
            self.units[figure] = self._unit(self.formulas[figure], "", [])
        return self.units[figure]

    def _same_unit(
        self, formula: SumTerm | DifferenceTerm, pointer: str, faults: list[Fault]
    ) -> Dimension | None:
        units = [
            (f"{pointer}{place}", self._unit(one, f"{pointer}{place}", faults))
            for place, one in parts_of(formula)
        ]
        known = [unit for _, unit in units if unit is not None]
        for place, unit in units:
            if unit is not None and unit != known[0]:
                faults.append(
                    Fault(
                        place,
                        "unit-mismatch",
                        f"{unit} cannot be added to or taken from {known[0]}",
                        f"单位 {unit} 与 {known[0]} 不能相加减",
                    )
                )
                return None
        return known[0] if len(known) == len(units) else None


def constant_of(formula: Expression, formulas: Mapping[str, Expression]) -> Fraction | None:
    """Return what a formula always comes to; None where that depends on measures."""
    if isinstance(formula, ConstantTerm):
        return Fraction(formula.value)
    if isinstance(formula, FigureTerm):
        named = formulas.get(formula.figure)
        return None if named is None else constant_of(named, formulas)
    parts = [constant_of(one, formulas) for _, one in parts_of(formula)]
    known = [one for one in parts if one is not None]
    if not parts or len(known) != len(parts):
        return None
    return _of_constants(formula, known)


def _of_constants(formula: Expression, parts: Sequence[Fraction]) -> Fraction | None:
    match formula:
        case SumTerm():
            return sum(parts, Fraction(0))
        case DifferenceTerm():
            return parts[0] - parts[1]
        case RatioTerm():
            return parts[0] / parts[1] if parts[1] > 0 else None
        case _:
            return Fraction(0)
