"""Errors as values: one class is one problem type of RFC 9457, raised anywhere, rendered once.

A service defines its problems beside the rule that raises them. ``code`` is stable: clients
branch on it. Text comes in English and Chinese; the edge picks by ``Accept-Language``.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, ClassVar

from starlette.requests import Request
from starlette.responses import Response


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong at one place of the input."""

    pointer: str
    """JSON Pointer (RFC 6901) to the value at fault, from the root of the body."""
    code: str
    message: str
    message_zh: str

    def as_json(self) -> dict[str, str]:
        """Render for a problem's ``errors`` member."""
        return {
            "pointer": self.pointer,
            "code": self.code,
            "message": self.message,
            "message_zh": self.message_zh,
        }


class Problem(Exception):  # noqa: N818 - RFC 9457's word
    """A refusal with a stable code. Subclasses set the four class attributes."""

    code: ClassVar[str]
    status: ClassVar[HTTPStatus]
    title: ClassVar[str]
    title_zh: ClassVar[str]
    retry_after: int | None = None
    """Seconds after which the same request may be sent again; None is not at all."""

    def __init__(
        self,
        detail: str | None = None,
        detail_zh: str | None = None,
        *,
        faults: Sequence[Fault] = (),
        **extensions: Any,
    ) -> None:
        """Describe this occurrence; ``extensions`` name the objects at fault."""
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.detail_zh = detail_zh or self.title_zh
        self.faults = tuple(faults)
        self.extensions = extensions

    def as_json(self, *, chinese: bool = False, instance: str | None = None) -> dict[str, Any]:
        """Render as an ``application/problem+json`` object."""
        body: dict[str, Any] = {
            "type": f"/problems/{self.code}",
            "title": self.title_zh if chinese else self.title,
            "status": int(self.status),
            "code": self.code,
            "detail": self.detail_zh if chinese else self.detail,
        }
        if instance:
            body["instance"] = instance
        if self.faults:
            body["errors"] = [fault.as_json() for fault in self.faults]
        return body | self.extensions


Render = Callable[[Request, Problem], Response]
"""Makes the answer that tells a caller of a problem."""


def all_problems(root: type[Problem] = Problem) -> Iterator[type[Problem]]:
    """Yield every concrete problem type that has been defined, depth first."""
    for kind in root.__subclasses__():
        if "code" in kind.__dict__:
            yield kind
        yield from all_problems(kind)


class NotFound(Problem):
    """What was asked for is not there, or not for this caller to see."""

    code = "not-found"
    status = HTTPStatus.NOT_FOUND
    title = "There is no such thing here"
    title_zh = "没有这个对象"


class Malformed(Problem):
    """The body, a parameter or a header does not have the form the document states."""

    code = "malformed"
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    title = "The request does not have the required form"
    title_zh = "请求格式不符合要求"


class Conflict(Problem):
    """The same identifier is already taken by something different."""

    code = "conflict"
    status = HTTPStatus.CONFLICT
    title = "This identifier already stands for something else"
    title_zh = "该编号已被不同的内容占用"


class StaleVersion(Problem):
    """The object has changed since the caller read it (RFC 9110, If-Match)."""

    code = "stale-version"
    status = HTTPStatus.PRECONDITION_FAILED
    title = "The object has changed since you read it"
    title_zh = "对象在读取之后已被修改"


class TwoPeople(Problem):
    """The one who began may not be the one who finishes."""

    code = "two-people"
    status = HTTPStatus.CONFLICT
    title = "Somebody else must finish what you have begun"
    title_zh = "须由另一人完成此操作"


class Unauthenticated(Problem):
    """No bearer token, or one that does not hold. Never says which."""

    code = "unauthenticated"
    status = HTTPStatus.UNAUTHORIZED
    title = "A valid bearer token is required"
    title_zh = "需要有效的访问令牌"


class Forbidden(Problem):
    """The caller is known and may not do this."""

    code = "forbidden"
    status = HTTPStatus.FORBIDDEN
    title = "Your role does not permit this"
    title_zh = "当前角色无权执行此操作"


class TooLarge(Problem):
    """The body is longer than the service takes; nothing of it was kept."""

    code = "too-large"
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    title = "The request body is too large"
    title_zh = "请求体过大"


class Unavailable(Problem):
    """The database or a peer cannot answer now; the same request may be sent again."""

    code = "unavailable"
    status = HTTPStatus.SERVICE_UNAVAILABLE
    title = "Not available now; please try again"
    title_zh = "服务暂不可用，请稍后重试"
    retry_after = 1


class IdempotencyKeyReused(Problem):
    """The same Idempotency-Key came with another request (IETF draft-07, section 2.7)."""

    code = "idempotency-key-reused"
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    title = "This Idempotency-Key was used for a different request"
    title_zh = "该幂等键已用于另一请求"


class AnswerForgotten(Problem):
    """The request with this Idempotency-Key was done; its answer is not kept any longer."""

    code = "answer-forgotten"
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    title = "This request was done; its answer is no longer kept"
    title_zh = "该请求已处理，其应答已不再保存"


class Unexpected(Problem):
    """A fault of ours. The trace id leads to the log; nothing else is told."""

    code = "unexpected"
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    title = "Something went wrong on our side"
    title_zh = "服务内部出错"
