"""The route events come in by."""

from http import HTTPStatus
from typing import Any

import msgspec
from fastapi import Request, Response

from huaxiao.attribution.callers import Sender
from huaxiao.attribution.intake import handlers
from huaxiao.shared import web
from huaxiao.shared.problems import Fault, Forbidden, Malformed, Problem
from huaxiao.shared.wire.attribution import IntakeReport
from huaxiao.shared.wire.events import MAX_BATCH
from huaxiao.shared.wire.feed import FEED_MEDIA_TYPE

router = web.router(tags=["events"], prefix="/v1")
_ONE = "application/cloudevents+json"
_batches = msgspec.json.Decoder(list[msgspec.Raw])
_ones = msgspec.json.Decoder(msgspec.Raw)


class UnsupportedMediaType(Problem):
    """Events come as CloudEvents in JSON: one, or a batch."""

    code = "unsupported-media-type"
    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    title = f"Content-Type must be {FEED_MEDIA_TYPE} or {_ONE}"
    title_zh = f"Content-Type 必须是 {FEED_MEDIA_TYPE} 或 {_ONE}"


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
        "data": {"type": "object"},
    },
}


@router.post(
    "/events",
    responses=web.problem_responses(Forbidden, UnsupportedMediaType),
    response_model=IntakeReport,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                FEED_MEDIA_TYPE: {
                    "schema": {"type": "array", "maxItems": MAX_BATCH, "items": _CLOUD_EVENT}
                },
                _ONE: {"schema": _CLOUD_EVENT},
            },
        }
    },
)
async def post_events(request: Request, principal: Sender) -> Response:
    """Take business events in (R22-R24). The answer comes after they are on disk.

    Every event is booked, or named in ``outcomes`` with a stable code. Sending a batch again is
    safe: what was booked is reported as a duplicate. What could not be booked is in quarantine.
    """
    state = request.app.state
    report = await handlers.receive(
        state.database, state.counties, principal, await _events(request), now=state.clock()
    )
    return Response(report.model_dump_json(), media_type="application/json")


async def _events(request: Request) -> list[bytes]:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in {FEED_MEDIA_TYPE, _ONE}:
        raise UnsupportedMediaType
    body = await request.body()
    try:
        raws = _batches.decode(body) if media_type == FEED_MEDIA_TYPE else [_ones.decode(body)]
    except (msgspec.DecodeError, ValueError) as error:
        raise Malformed(
            f"The body is not JSON of this media type: {error}",
            f"请求体不是该媒体类型的 JSON：{error}",
        ) from error
    if len(raws) > MAX_BATCH:
        raise Malformed(
            f"A batch holds at most {MAX_BATCH} events.",
            f"一批最多 {MAX_BATCH} 条事件。",
            faults=[Fault("", "too-many", "too many events", "事件过多")],
        )
    return [bytes(raw) for raw in raws]
