"""The route events come in by."""

from http import HTTPStatus
from typing import Any

from fastapi import Request, Response

from huaxiao.attribution.callers import Sender
from huaxiao.attribution.intake import handlers
from huaxiao.attribution.intake.batches import split
from huaxiao.attribution.intake.reading import read_by_turns
from huaxiao.attribution.intake.stream import ENCODINGS, MARK, lines
from huaxiao.shared import web
from huaxiao.shared.asgi import first_header_of, header_of
from huaxiao.shared.audit.origins import origin_of
from huaxiao.shared.deadlines import take_all_the_time_needed
from huaxiao.shared.direct import DirectRoute
from huaxiao.shared.problems import Fault, Forbidden, Malformed, Problem, TooLarge
from huaxiao.shared.wire.attribution import IntakeReport
from huaxiao.shared.wire.events import MAX_BATCH
from huaxiao.shared.wire.feed import FEED_MEDIA_TYPE

router = web.router(tags=["events"], prefix="/v1", route_class=DirectRoute)
_ONE = "application/cloudevents+json"
_STREAM = "application/x-ndjson"
_STREAM_LIMIT = 2**40
"""Bytes of a stream as sent: no limit to speak of, since no more than a piece is ever held."""


class UnsupportedMediaType(Problem):
    """Events come as CloudEvents in JSON: one, a batch, or a line each."""

    code = "unsupported-media-type"
    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    title = f"Content-Type must be {FEED_MEDIA_TYPE}, {_ONE} or {_STREAM}"
    title_zh = f"Content-Type 必须是 {FEED_MEDIA_TYPE}、{_ONE} 或 {_STREAM}"


class UnsupportedEncoding(Problem):
    """A stream may come packed; the other two forms come as they are."""

    code = "unsupported-encoding"
    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    title = "Content-Encoding must be gzip or zstd, and of a stream"
    title_zh = "Content-Encoding 只能是 gzip 或 zstd，且仅限流式请求"


_CLOUD_EVENT: dict[str, Any] = {
    "type": "object",
    "required": ["specversion", "id", "source", "type", "time", "branchid", "data"],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {"type": "string", "maxLength": 128},
        "source": {"type": "string", "maxLength": 128},
        "type": {"type": "string", "examples": ["bill_item.issued"]},
        "time": {"type": "string", "format": "date-time"},
        "branchid": {"type": "integer", "examples": [130123]},
        "subject": {"type": "string"},
        "sequence": {"type": "string"},
        "currency": {"const": "CNY"},
        "data": {"type": "object"},
    },
}


_WHOLE_BODIES: dict[str, Any] = {
    FEED_MEDIA_TYPE: {"schema": {"type": "array", "maxItems": MAX_BATCH, "items": _CLOUD_EVENT}},
    _ONE: {"schema": _CLOUD_EVENT},
}
DESCRIBED: dict[str, Any] = {"requestBody": {"required": True, "content": _WHOLE_BODIES}}
"""What a body is that is taken whole, for a document."""


@router.post(
    "/events",
    responses=web.problem_responses(Forbidden, UnsupportedMediaType, UnsupportedEncoding, TooLarge),
    max_body_size=_STREAM_LIMIT,
    response_model=IntakeReport,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                **_WHOLE_BODIES,
                _STREAM: {"schema": {"type": "string", "description": "a CloudEvent on each line"}},
            },
        }
    },
)
async def post_events(request: Request, principal: Sender) -> Response:
    """Take business events in (R22-R24). The answer comes after they are on disk.

    Every event is booked, or named in ``outcomes`` with a stable code. Sending a batch again is
    safe: what was booked is reported as a duplicate. What could not be booked is in quarantine.

    A stream of lines may be of any length and packed with gzip or zstd; it is committed a thousand
    events at a time. One that breaks off is taken as far as it is whole: ``complete`` is false.
    """
    state = request.app.state
    if _media_type(request) == _STREAM:
        encoding = _encoding(request)
        if encoding and encoding not in ENCODINGS:
            raise UnsupportedEncoding
        take_all_the_time_needed(request)
        report = await handlers.receive_stream(
            state.turns,
            principal,
            lines(request.stream(), encoding),
            clock=state.clock,
            origin=origin_of(request),
        )
    else:
        raws = await events_of(request)
        now = state.clock()
        readings = await read_by_turns(raws, now=now, posted=True)
        report = await handlers.receive(
            state.turns, principal, readings, now=now, origin=origin_of(request)
        )
    return Response(report.model_dump_json(), media_type="application/json")


async def events_of(request: Request) -> list[bytes]:
    """Return the events of a body that is taken whole, each as it came.

    Raises:
        UnsupportedEncoding: it is packed.
        UnsupportedMediaType: it is neither one event nor a batch.
        Malformed: it is no JSON of its kind, or too many at once.
        TooLarge: it does not fit in memory.

    """
    media_type = _media_type(request)
    if _encoding(request) not in {"", "identity"}:
        raise UnsupportedEncoding
    if media_type not in {FEED_MEDIA_TYPE, _ONE}:
        raise UnsupportedMediaType
    body = (await _whole(request)).removeprefix(MARK)
    try:
        raws = split(body if media_type == FEED_MEDIA_TYPE else b"[" + body + b"]")
    except ValueError as error:
        raise Malformed(
            f"The body is not JSON of this media type: {error}",
            f"请求体不是该媒体类型的 JSON：{error}",
        ) from error
    if media_type == _ONE and not (len(raws) == 1 and _is_object(body)):
        raise Malformed("The body is not one event.", "请求体不是单个事件。")
    if len(raws) > MAX_BATCH:
        raise Malformed(
            f"A batch holds at most {MAX_BATCH} events.",
            f"一批最多 {MAX_BATCH} 条事件。",
            faults=[Fault("", "too-many", "too many events", "事件过多")],
        )
    return raws


def _media_type(request: Request) -> str:
    return first_header_of(request.scope, b"content-type").partition(";")[0].strip().lower()


def _encoding(request: Request) -> str:
    """Return how a body is packed."""
    return header_of(request.scope, b"content-encoding").strip().lower()


def _is_object(body: bytes) -> bool:
    """Say whether a body is meant to be an object: if it is a broken one, it is kept as an event."""
    text = body.strip()
    return text.startswith(b"{") and text.endswith(b"}")


async def _whole(request: Request) -> bytes:
    """Read a body that must fit in memory."""
    limit = request.app.state.max_body_bytes
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise TooLarge
    return bytes(body)
