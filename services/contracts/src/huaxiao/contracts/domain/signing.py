"""Review: what both sides are asked to sign stays as it is until they have, or it is withdrawn (R7)."""

from collections.abc import Collection
from http import HTTPStatus

from huaxiao.shared.problems import Problem
from huaxiao.shared.wire.settlement import Side


class InReview(Problem):
    """What is in review stays as it is until it is withdrawn."""

    code = "in-review"
    status = HTTPStatus.CONFLICT
    title = "It is in review and stays as it is until the contract is withdrawn"
    title_zh = "正在审签，合同撤回之前不可变更"


class NotInReview(Problem):
    """Only what is in review is signed or withdrawn."""

    code = "not-in-review"
    status = HTTPStatus.CONFLICT
    title = "The contract is not in review"
    title_zh = "合同不在审签中"


def completes(side: Side, signed: Collection[Side]) -> bool:
    """Say whether a side's signature is the last one that was missing."""
    return {side, *signed} == set(Side)
