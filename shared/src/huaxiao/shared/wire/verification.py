"""Verification: whether what is sealed and signed still is what it was (R21)."""

from typing import Any, Literal

from huaxiao.shared.identifiers import Identifier
from huaxiao.shared.wire.base import Count, Resource


class SealDifference(Resource):
    """The first place where a sealed field or a signed contract differs from its seal."""

    subject_kind: Literal["field", "contract"]
    subject_id: Identifier
    what: Literal["digest", "draft", "scope", "field_digest", "removed", "published"]
    """The digest over the sealed text; the row the text was sealed from; what the database holds
    against overlaps; a field's digest in the contract that sealed it; the seal or its row, gone; the
    digest that was published when it was sealed."""
    pointer: str
    """JSON Pointer to the first member that differs."""
    held: Any
    sealed: Any


class SealVerification(Resource):
    """Every seal of a branch, computed again."""

    agrees: bool
    fields: Count
    contracts: Count
    differences: list[SealDifference]
    """The first of each field and contract, in the order of their ids."""
