"""Statistical divisions: what a code says about its level and its parent (GB/T 2260, 10114)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from huaxiao.shared.problems import Fault, Problem
from huaxiao.shared.wire.contracts import DivisionLevel

CODE_LENGTHS = {
    DivisionLevel.PROVINCE: 2,
    DivisionLevel.CITY: 4,
    DivisionLevel.COUNTY: 6,
    DivisionLevel.TOWNSHIP: 9,
    DivisionLevel.VILLAGE: 12,
}
_LEVELS = list(CODE_LENGTHS)


@dataclass(frozen=True, slots=True)
class DivisionCodes:
    """A division as far as its codes go."""

    code: str
    level: DivisionLevel
    parent_code: str | None


def division_faults(branch_id: int, given: DivisionCodes, pointer: str) -> Iterator[Fault]:
    """Yield what is wrong with a division of a branch."""
    rank = _LEVELS.index(given.level)
    if len(given.code) != CODE_LENGTHS[given.level]:
        yield Fault(
            f"{pointer}/code",
            "bad-code-length",
            f"a {given.level} has a code of {CODE_LENGTHS[given.level]} digits",
            f"该级区划代码应为 {CODE_LENGTHS[given.level]} 位",
        )
        return
    parent = given.code[: CODE_LENGTHS[_LEVELS[rank - 1]]] if rank else None
    if given.parent_code != parent:
        yield Fault(
            f"{pointer}/parent_code",
            "bad-parent",
            f"the parent of {given.code} is {parent}",
            f"{given.code} 的上级代码应为 {parent}",
        )
    county = str(branch_id)
    if given.code[: len(county)] != county[: len(given.code)]:
        yield Fault(
            f"{pointer}/code",
            "outside-branch",
            f"{given.code} neither lies in {branch_id} nor contains it",
            f"{given.code} 不属于 {branch_id}",
        )


class TwoParents(Problem):
    """A unit lies in one place: under one village or unit, and no other."""

    code = "two-parents"
    status = HTTPStatus.CONFLICT
    title = "A unit would lie under two parents"
    title_zh = "同一地址单元不能有两个上级"


@dataclass(frozen=True, slots=True)
class UnitCodes:
    """An address unit as far as its codes go."""

    code: str
    parent_code: str


def unit_faults(given: Sequence[UnitCodes]) -> Iterator[Fault]:
    """Yield what is wrong with address units: each continues its parent's code."""
    for index, one in enumerate(given):
        if one.code == one.parent_code or not one.code.startswith(one.parent_code):
            yield Fault(
                f"/{index}/parent_code",
                "bad-parent",
                f"{one.code} does not lie under {one.parent_code}",
                f"{one.code} 不在 {one.parent_code} 之下",
            )
