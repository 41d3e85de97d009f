"""Senders that sign what they post instead of bearing a token."""

from typing import Annotated

from pydantic import Field

from huaxiao.shared.identifiers import Identifier
from huaxiao.shared.wire.base import Given, Moment, Resource


class SignedSourceIn(Given):
    """A sending system that is to sign."""

    source: Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\x00]*$")]
    """The ``source`` of all its events; another is refused."""


class NewSecretIn(Given):
    """A new secret, and how long those before it are still good."""

    overlap_hours: Annotated[int, Field(strict=True, ge=0, le=168)] = 24
    """With none, a secret that has leaked opens nothing from now on."""
    reason: Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]


class SignedSecret(Resource):
    """When a secret of a source is good."""

    number: int
    made_by: str
    valid_from: Moment
    valid_until: Moment | None


class SignedSource(Resource):
    """A sending system that signs."""

    source_id: Identifier
    source: str
    registered_by: str
    registered_at: Moment
    secrets: list[SignedSecret]
    secret: str | None = None
    """The newest secret, told once: when it is made."""
