"""Versions of what can change: an ETag with every answer, If-Match against a lost update (RFC 9110).

A version is the digest of what was answered, so equal content has an equal version and no table
keeps one. A caller that sends no ``If-Match`` takes the last write for the right one.
"""

from typing import Annotated, Any

from fastapi import Header, Response
from pydantic import BaseModel

from huaxiao.shared.documents import digest
from huaxiao.shared.problems import StaleVersion

IfMatch = Annotated[
    str | None,
    Header(
        description="ETag of the version this request starts from (or several, or `*` for any);"
        " 412 `stale-version` when the object has another by now. Without it the last write holds"
    ),
]
"""The ``If-Match`` header of a request; an argument that takes it is named ``if_match``."""

VERSIONED: dict[str, Any] = {
    "headers": {
        "ETag": {
            "description": "Version of the object; send it as If-Match with a change",
            "schema": {"type": "string"},
        }
    }
}
"""Documents the ETag of an answer, for a member of ``responses=``."""


def version_of(resource: BaseModel) -> str:
    """Return a resource's version as a strong entity tag, quotes included."""
    return f'"{digest(resource.model_dump(mode="json"))}"'


def name_version(response: Response, resource: BaseModel) -> None:
    """Send a resource's version with the answer that carries it."""
    response.headers["ETag"] = version_of(resource)


def require_version(if_match: str | None, held: BaseModel | None) -> None:
    """Check that what is held is what the caller read; None is held where there is nothing yet.

    Raises:
        StaleVersion: it is not, or the header is not of RFC 9110's form.

    """
    if if_match is None:
        return
    # No tag this module makes holds a comma; a weak tag (W/"...") never matches here (13.1.1).
    asked = [one.strip() for one in if_match.split(",")]
    if held is None or (asked != ["*"] and version_of(held) not in asked):
        raise StaleVersion
