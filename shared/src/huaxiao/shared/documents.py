"""One canonical form for digests and idempotency: sorted keys, no spaces, UTF-8 (RFC 8785 shape).

Only integers, strings, booleans, nulls, lists and objects are digested; money is whole fen and
ratios are strings, so number formatting never decides a digest.
"""

import hashlib
import json
from typing import Any


def canonical(document: Any) -> bytes:
    """Return the canonical bytes of a JSON document.

    Raises:
        TypeError: the document holds a value that has no canonical form, such as a float.

    """
    _refuse_floats(document)
    return json.dumps(
        document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def digest(document: Any) -> str:
    """Return the SHA-256 of the canonical form, in hex."""
    return hashlib.sha256(canonical(document)).hexdigest()


def _refuse_floats(value: Any) -> None:
    if isinstance(value, float):
        raise TypeError("a float has no canonical form; use fen or a decimal string")
    children = value.values() if isinstance(value, dict) else value
    if isinstance(value, dict | list | tuple):
        for child in children:
            _refuse_floats(child)
