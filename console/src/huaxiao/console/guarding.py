"""What keeps a page to itself: headers, and forms that only the console's own pages can send."""

import hmac
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from huaxiao.console.visitors import Visitor
from huaxiao.shared.problems import Forbidden

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)
"""No inline script, no inline style, nothing from elsewhere, and no frame around it."""
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
FORM_FIELD = "form_key"


class ForeignForm(Forbidden):
    """The form was not sent from a page of the console."""

    code = "foreign-form"
    title = "This form was not sent from a page of the console; open the page again"
    title_zh = "该表单并非由本控制台的页面提交，请重新打开页面"


class Guarding:
    """Puts the headers on every answer; pages are nobody's to keep but files are."""

    def __init__(self, app: ASGIApp) -> None:
        """Guard an app."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, its answer guarded."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_HEADERS)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, guarded)


def require_same_origin(request: Request) -> None:
    """Refuse what a page of another site sends.

    Raises:
        ForeignForm: the browser says that it comes from elsewhere.

    """
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise ForeignForm
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise ForeignForm


def require_form_key(visitor: Visitor, sent: object) -> None:
    """Refuse a form without the key that the visitor's own pages carry.

    Raises:
        ForeignForm: it is missing or another's.

    """
    if not isinstance(sent, str) or not hmac.compare_digest(
        sent.encode(), visitor.form_key.encode()
    ):
        raise ForeignForm
