"""What a lock answers to an attempt to change what it holds (R21)."""

from enum import StrEnum
from typing import Any

from huaxiao.shared.problems import Problem


class Subject(StrEnum):
    """What a lock can hold."""

    FIELD = "field"
    CONTRACT = "contract"


class Sealed(Problem):
    """What is sealed stays as it is; the attempt is recorded, and raised before anything is written."""

    subject: Subject

    def __init__(self, *, digest: str | None, centre_id: str | None, **extensions: Any) -> None:
        """Say which seal the attempt met, and whose; the county's own contract is of no centre."""
        super().__init__(digest=digest, **extensions)
        self.digest = digest
        self.centre_id = centre_id
