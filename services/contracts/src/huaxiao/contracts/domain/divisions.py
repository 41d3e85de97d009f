"""Statistical divisions: what a code says about its level and its parent (GB/T 2260, 10114)."""

from collections.abc import Iterator
from dataclasses import dataclass

from huaxiao.shared.problems import Fault
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
