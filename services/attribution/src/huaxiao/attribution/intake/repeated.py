"""Members that an event names twice (RFC 8259, 4): one system reads the first of them, another the last.

An event is read by its last ones, as nearly every reader does, so that what is read does not show it.
Quotation marks do: each name has two, each text two more. What was read says how many there must be
at least; if there are no more, nothing was named twice. Only where there are more is it looked at whole.
"""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from huaxiao.shared.wire import events

_PAIR = 2
"""The quotation marks of a name, or of a text."""
_TEXT = 2 * _PAIR
"""Those of a member that is a text."""
_TEXTS = (
    *(msgspec.inspect.StrType, msgspec.inspect.LiteralType),
    *(msgspec.inspect.DateType, msgspec.inspect.DateTimeType),
)
_BARE = (msgspec.inspect.IntType, msgspec.inspect.BoolType, msgspec.inspect.RawType)
_decode, _encode = msgspec.json.Decoder().decode, msgspec.json.Encoder().encode


class _Form(NamedTuple):
    """How many quotation marks an event of a form has."""

    required: int
    """Those of what must be there, in the envelope and in the data."""
    optional: tuple[tuple[str, object, int], ...]
    """What data may leave out: its name, what it is then, and how many it has otherwise."""


def _form_of(data: type[events.EventData]) -> _Form | None:
    """Return how many an event of such data has; None where that depends on how long a list is."""
    required, optional = 0, []
    for struct in (events.Envelope, data):
        for field in msgspec.structs.fields(struct):
            marks = _marks_of(msgspec.inspect.type_info(field.type))
            if marks is None:
                return None
            if field.required:
                required += _PAIR + marks
            elif struct is data:
                optional.append((field.name, field.default, _PAIR + marks))
    return _Form(required, tuple(optional))


def _marks_of(kind: msgspec.inspect.Type) -> int | None:
    if isinstance(kind, msgspec.inspect.UnionType):
        (kind,) = (one for one in kind.types if not isinstance(one, msgspec.inspect.NoneType))
    if isinstance(kind, _TEXTS):
        return _PAIR
    return 0 if isinstance(kind, _BARE) else None


_DATA = {form: _form_of(form) for form in events.DATA_TYPES.values()}
_BESIDE = tuple(
    (b'"%b":"' % name, b'"%b": "' % name)
    for name in (b"datacontenttype", b"currency", b"traceparent")
)
"""Texts that senders are wont to add and that leave no trace in what is read, as they are written."""


class RepeatedError(ValueError):
    """An object of an event names a member twice."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def require_once(raw: bytes, envelope: events.Envelope, data: events.EventData) -> None:
    """Refuse an event of which any object names a member twice, given what was read of it.

    Raises:
        RepeatedError: one does.
        msgspec.DecodeError: an attribute that nobody looked at cannot be read after all.

    """
    if not _surely_once(raw, envelope, data) and _named_twice(raw):
        raise RepeatedError(", ".join(repeated_in(raw).names[:1]))


def _surely_once(raw: bytes, envelope: events.Envelope, data: events.EventData) -> bool:
    """Say whether the quotation marks alone prove that nothing is named twice."""
    form = _DATA[type(data)]
    if form is None:
        return False
    least, optional = form
    if envelope.subject:
        least += _TEXT
    if envelope.sequence is not None:
        least += _TEXT
    for name, default, marks in optional:
        # What is not the default itself was given; what is like it may or may not have been.
        if getattr(data, name) is not default:
            least += marks
    there = raw.count(b'"')
    if there == least:
        return True
    for close, apart in _BESIDE:
        if close in raw or apart in raw:
            least += _TEXT
            if there == least:
                return True
    return False


def _named_twice(raw: bytes) -> bool:
    """Say whether any object of some JSON names a member twice."""
    return _marks_in(raw) != _marks_in(_encode(_decode(raw)))


def _marks_in(raw: bytes) -> int:
    if b"\\" in raw:
        # Those within a text stand behind a backslash that does not stand behind another.
        raw = raw.replace(rb"\\", b"").replace(rb"\"", b"")
    return raw.count(b'"')


class Repeated(NamedTuple):
    """What an event names twice."""

    names: tuple[str, ...]
    """In any of its objects, the innermost ones first."""
    attributes: frozenset[str]
    """In the envelope."""


class _Members(dict[str, Any]):
    """An object with what it names twice."""

    def __init__(self, pairs: Sequence[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        times = Counter(name for name, _ in pairs) if len(self) < len(pairs) else {}
        self.repeated = [name for name in times if times[name] > 1]


def repeated_in(raw: bytes) -> Repeated:
    """Return what an event names twice; nothing of one that cannot be read."""
    names: list[str] = []

    def members(pairs: list[tuple[str, Any]]) -> _Members:
        one = _Members(pairs)
        names.extend(one.repeated)
        return one

    try:
        event = json.loads(raw, object_pairs_hook=members, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return Repeated((), frozenset())
    attributes = event.repeated if isinstance(event, _Members) else ()
    return Repeated(tuple(names), frozenset(attributes))
