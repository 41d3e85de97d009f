"""Keyset pages: an opaque cursor that says where the last page ended."""

import base64
import json
import re
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends, Query
from pydantic import BaseModel

from huaxiao.shared.problems import Fault, Malformed

Item = TypeVar("Item", bound=BaseModel)

MAX_PAGE = 500
_INTEGER, _BIGINT = 2**31, 2**63
_STORABLE = re.compile(r"[^\x00\ud800-\udfff]*")
"""Text that a database can keep: without NUL, and without halves of a character."""


class BigInt(int):
    """Stands for a part of a list's key that is a bigint in the database; an ``int`` is an integer."""


class Page(BaseModel, Generic[Item]):
    """One page of a list, in the list's own stable order."""

    items: list[Item]
    next_cursor: str | None
    """Give it as ``cursor`` for the next page; null on the last one."""


class PageQuery:
    """``?cursor=&limit=`` of a list."""

    def __init__(self, cursor: str | None, limit: int) -> None:
        """Keep the two parameters."""
        self.cursor = cursor
        self.limit = limit

    def after(self, *kinds: type[Any]) -> tuple[Any, ...] | None:
        """Return the key the page starts behind, or None for the first page.

        Raises:
            Malformed: the cursor is not one that this list gave out.

        """
        if self.cursor is None:
            return None
        try:
            key = json.loads(base64.urlsafe_b64decode(self.cursor))
        # What nests too deep to be read is no key either.
        except (ValueError, RecursionError):
            key = None
        fits = isinstance(key, list) and len(key) == len(kinds)
        if not fits or not all(_keeps(part, kind) for part, kind in zip(key, kinds, strict=True)):
            raise Malformed(
                "The cursor is not one that this list gave out.",
                "游标不是本列表给出的。",
                faults=[Fault("/cursor", "bad-cursor", "unknown cursor", "无效游标")],
            )
        return tuple(key)

    def page(self, items: list[Item], *key_fields: str) -> Page[Item]:
        """Cut ``limit + 1`` fetched items to a page whose cursor is the last item's key."""
        kept = items[: self.limit]
        more = len(items) > self.limit
        key = [getattr(kept[-1], name) for name in key_fields] if more else []
        return Page(items=kept, next_cursor=_encode(key) if more else None)


def _keeps(part: Any, kind: type[Any]) -> bool:
    """Say whether a cursor's part is of its kind, and one that a database can compare."""
    if issubclass(kind, int):
        return type(part) is int and abs(part) < (_BIGINT if kind is BigInt else _INTEGER)
    return type(part) is kind and (kind is not str or _STORABLE.fullmatch(part) is not None)


def _encode(key: list[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode()


async def _asked(
    cursor: Annotated[str | None, Query(description="next_cursor of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 100,
) -> PageQuery:
    return PageQuery(cursor, limit)


PageOf = Annotated[PageQuery, Depends(_asked)]
"""The page of a list that a caller asks for."""
