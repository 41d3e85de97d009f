"""A batch cut into its events, so that one that cannot be read is refused alone."""

import re

import msgspec

_raws = msgspec.json.Decoder(list[msgspec.Raw])
_MARKS = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{},"]', re.DOTALL)


def split(body: bytes) -> list[bytes]:
    """Return the elements of a JSON array, each as it came.

    Where one of them is no JSON, or nested beyond reason, the array is cut at its own commas.

    Raises:
        ValueError: not even its commas can be told: brackets or quotes do not close.

    """
    try:
        return [bytes(raw) for raw in _raws.decode(body)]
    except (msgspec.DecodeError, RecursionError) as error:
        if isinstance(error, msgspec.ValidationError):
            raise
        return _cut(body, error)


def _cut(body: bytes, because: Exception) -> list[bytes]:
    content = body.strip()
    if content[:1] != b"[" or content[-1:] != b"]":
        raise ValueError(str(because)) from because
    depth, start, elements = 0, 1, []
    for mark in _MARKS.finditer(content):
        kind = mark[0]
        if kind == b'"':
            break
        if kind in b"[{":
            depth += 1
        elif kind in b"]}":
            depth -= 1
        if (depth == 1 and kind == b",") or depth == 0:
            elements.append(content[start : mark.start()].strip())
            start = mark.end()
        if depth == 0:
            break
    if depth or start != len(content):
        raise ValueError(str(because)) from because
    return elements
