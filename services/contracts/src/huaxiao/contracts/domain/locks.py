"""What a lock answers to an attempt to change what it holds (R21)."""

from enum import StrEnum
from http import HTTPStatus
from typing import Any

from huaxiao.shared.problems import Problem
from huaxiao.shared.wire.contracts import LockState


class Subject(StrEnum):
    """What a lock can hold."""

    FIELD = "field"
    CONTRACT = "contract"


def lock_state(digest: str | None, review: object) -> LockState:
    """Say whether something is sealed, in review, or may still be changed."""
    if digest is not None:
        return LockState.SEALED
    return LockState.DRAFT if review is None else LockState.IN_REVIEW


class Sealed(Problem):
    """What is sealed stays as it is; the attempt is recorded, and raised before anything is written."""

    subject: Subject

    def __init__(self, *, digest: str | None, centre_id: str | None, **extensions: Any) -> None:
        """Say which seal the attempt met, and whose; the county's own contract is of no centre."""
        super().__init__(digest=digest, **extensions)
        self.digest = digest
        self.centre_id = centre_id


class DigestMismatch(Problem):
    """What is confirmed, signed or applied is not what stands there now."""

    code = "digest-mismatch"
    status = HTTPStatus.CONFLICT
    title = "This is not what stands there now; read it again"
    title_zh = "摘要与当前内容不符，请重新阅读"
