"""Signing in with a token, signing out, and where a visitor begins."""

from typing import Annotated

from fastapi import APIRouter, Form, Response
from fastapi.responses import RedirectResponse

from huaxiao.console.guarding import require_same_origin
from huaxiao.console.navigation import first_of
from huaxiao.console.page import AnybodysPage, Page, VisitorsPage
from huaxiao.console.peers import ask_as
from huaxiao.console.visitors import NoTokenError, Visitor
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.problems import Forbidden

router = APIRouter()
_NOBODY = {401}


@router.get("/")
async def begin(page: VisitorsPage) -> Response:
    """Lead a visitor to the first page of the first branch, or let them choose a branch."""
    branches = page.bearer.branch_ids
    if branches is None and page.bearer.may(*_LISTS_BRANCHES):
        branches = tuple(sorted(await page.peers.contracts.branches()))
    if branches is not None and len(branches) == 1:
        return RedirectResponse(_first_page(page.bearer, branches[0]), 303)
    return page.show("branches.html", branches=branches or ())


_LISTS_BRANCHES = (
    *(Role.PROVINCE, Role.COUNTY_MANAGER, Role.COUNTY_FINANCE),
    *(Role.CONTRACTOR, Role.AUDITOR, Role.SERVICE),
)


@router.get("/branches/{branch_id}")
async def branch(page: VisitorsPage, branch_id: int) -> Response:
    """Lead a visitor to the first page of a branch."""
    return RedirectResponse(_first_page(page.bearer, branch_id), 303)


@router.get("/sign-in")
async def sign_in_form(page: AnybodysPage, expired: bool = False) -> Response:  # noqa: FBT001, FBT002
    """Ask for a token."""
    return page.show("sign_in.html", refused=None, expired=expired)


@router.post("/sign-in")
async def sign_in(page: AnybodysPage, token: Annotated[str, Form()] = "") -> Response:
    """Take a token that a service accepts, and keep it in the browser until it expires."""
    require_same_origin(page.request)
    given = token.strip().removeprefix("TOKEN=").removeprefix("Bearer ").strip()
    refused = None
    try:
        visitor = Visitor.of(given, claim_prefix=page.settings.claim_prefix)
        if not await _accepted(page, visitor):
            refused = page.words(
                "服务不接受此令牌：它已过期，或签发者不受信任。",
                "The services do not accept this token: it has expired, or nobody trusts its issuer.",
            )
    except NoTokenError:
        refused = page.words(
            "这不是访问令牌。请粘贴 huaxiao token 输出的整行文字。",
            "This is no token. Paste the whole line that `huaxiao token` prints.",
        )
    if refused is not None:
        return page.show("sign_in.html", status=422, refused=refused, expired=False)
    response = RedirectResponse(f"{page.request.scope.get('root_path', '')}/", 303)
    page.sign_in(response, visitor)
    return response


@router.post("/sign-out")
async def sign_out(page: VisitorsPage) -> Response:
    """Have the browser forget the token."""
    response = RedirectResponse(f"{page.request.scope.get('root_path', '')}/sign-in", 303)
    page.sign_out(response)
    return response


async def _accepted(page: Page, visitor: Visitor) -> bool:
    """Ask a service whether it knows the bearer; whatever else it may refuse is no matter here."""
    if visitor.expires_at <= page.now:
        return False
    ask_as(visitor.token)
    branches = visitor.branch_ids or (0,)
    try:
        await page.peers.dispatch.service_levels(branches[0])
    except PeerProblem as refusal:
        return refusal.status not in _NOBODY
    return True


def _first_page(visitor: Visitor, branch_id: int) -> str:
    first = first_of(visitor)
    if first is None:
        raise Forbidden
    return f"/branches/{branch_id}/{first.name}"
