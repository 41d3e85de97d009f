"""Where two JSON documents first differ."""

from collections.abc import Iterable
from typing import Any


def first_difference(one: Any, other: Any, pointer: str = "") -> tuple[str, Any, Any] | None:
    """Return the pointer (RFC 6901) to the first value that differs, and both values there.

    A member that only one of them has differs where it stands: the other's value there is None.
    """
    if isinstance(one, dict) and isinstance(other, dict):
        names = [*one, *(name for name in other if name not in one)]
        pairs: Iterable[tuple[Any, Any, Any]] = (
            (name, one.get(name), other.get(name)) for name in names
        )
    elif isinstance(one, list) and isinstance(other, list):
        longer = range(max(len(one), len(other)))
        pairs = ((index, _at(one, index), _at(other, index)) for index in longer)
    else:
        return None if one == other else (pointer, one, other)
    found = (first_difference(a, b, f"{pointer}/{_escaped(name)}") for name, a, b in pairs)
    return next(filter(None, found), None)


def _at(values: list[Any], index: int) -> Any:
    return values[index] if index < len(values) else None


def _escaped(name: Any) -> str:
    return str(name).replace("~", "~0").replace("/", "~1")
