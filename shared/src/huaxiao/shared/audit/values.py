"""Values of rows as the record keeps them: JSON without floats, masked, and never large."""

import hashlib
from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any

from huaxiao.shared.audit.chain import told_at
from huaxiao.shared.documents import canonical
from huaxiao.shared.masking import ERASED, masked

_KEPT_BYTES = 4_096
"""A value that is longer stands as its digest and length."""


def plain(value: Any) -> Any:
    """Return a value in JSON without floats: what has no form there, as text."""
    form: Any = value
    match value:
        case None | bool() | int():
            pass
        case str():
            # What no database keeps, neither does the record.
            if value.isascii() and "\x00" not in value:
                return str(value)
            form = value.replace("\x00", "�").encode(errors="replace").decode()
        case datetime():
            form = told_at(value) if value.tzinfo else value.isoformat()
        case date():
            form = value.isoformat()
        case bytes() | bytearray() | memoryview():
            form = {"sha256": hashlib.sha256(value).hexdigest(), "bytes": len(value)}
        case Mapping():
            form = {str(key): plain(held) for key, held in value.items()}
        case list() | tuple() | set() | frozenset():
            form = [plain(one) for one in value]
        case _:
            form = str(value)
    return form


def shown(row: Mapping[str, Any], by_digest: Collection[str] = ()) -> dict[str, Any]:
    """Return columns of a row as the record shows them, texts of some by their digest."""
    return {
        name: _digest(value)
        if name in by_digest and isinstance(value, str) and value != ERASED
        else _short(masked(plain(value), name))
        for name, value in row.items()
    }


def _digest(text: str) -> Any:
    return plain(plain(text).encode())


def _short(value: Any) -> Any:
    if not isinstance(value, str | dict | list):
        return value
    form = canonical(value)
    if len(form) <= _KEPT_BYTES:
        return value
    return {"sha256": hashlib.sha256(form).hexdigest(), "bytes": len(form)}
