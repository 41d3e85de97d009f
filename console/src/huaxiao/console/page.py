"""A page in the making: who looks, in which language, at which branch, and what is asked for it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from huaxiao.console import formats
from huaxiao.console.answering import answer_of
from huaxiao.console.guarding import FORM_FIELD, require_form_key, require_same_origin
from huaxiao.console.language import LANGUAGE_COOKIE, Words, chosen, speak
from huaxiao.console.navigation import (
    KNOWS_NAMES,
    LEARNS_NAMES_FROM_KPI,
    READS_PLANS,
    SEES_COMPLETENESS,
    TRIES_RULES,
    Section,
    offered,
    section,
)
from huaxiao.console.peers import Peers, ask_as
from huaxiao.console.settings import Settings
from huaxiao.console.visitors import SESSION_COOKIE, NoTokenError, Visitor
from huaxiao.console.words import called
from huaxiao.shared.auth import branch_of
from huaxiao.shared.clock import Clock
from huaxiao.shared.periods import period_of
from huaxiao.shared.problems import Forbidden, NotFound
from huaxiao.shared.wire.kpi import TargetsOf
from huaxiao.shared.wire.organisation import CentreOn, Organisation

FILES = Path(__file__).parent / "static"
FILES_DIGEST = sha256(b"".join(one.read_bytes() for one in sorted(FILES.glob("*.*")))).hexdigest()[
    :12
]
"""Changes with the console's own files, so that a browser may keep them."""
_YEAR_SECONDS = 365 * 86_400


class SignInFirst(Exception):  # noqa: N818 - leads to the sign-in page
    """Nobody is signed in, or no longer."""

    def __init__(self, *, expired: bool = False) -> None:
        """Say whether somebody was."""
        super().__init__()
        self.expired = expired


@dataclass
class Page:
    """One request for a page."""

    request: Request
    words: Words
    visitor: Visitor | None = None
    branch_id: int | None = None
    _organisation: Organisation | None = field(default=None, repr=False)

    @property
    def peers(self) -> Peers:
        """The four services."""
        peers: Peers = self.request.app.state.peers
        return peers

    @property
    def settings(self) -> Settings:
        """The console's settings."""
        settings: Settings = self.request.app.state.settings
        return settings

    @property
    def now(self) -> datetime:
        """What the clock says."""
        clock: Clock = self.request.app.state.clock
        return clock().astimezone(UTC)

    def show(self, template: str, *, status: int = 200, **shown: Any) -> Response:
        """Render a page."""
        made = environment.get_template(template).render(
            page=self, t=self.words, visitor=self.visitor, branch_id=self.branch_id, **shown
        )
        response = HTMLResponse(made, status)
        response.headers["Content-Language"] = self.words.language
        response.headers["Vary"] = "Cookie, HX-Request"
        asked = self.request.query_params.get("lang")
        if asked is not None:
            self._keep(response, LANGUAGE_COOKIE, self.words.language, _YEAR_SECONDS)
        return response

    def sign_in(self, response: Response, visitor: Visitor) -> None:
        """Keep a token in the browser until it expires, out of every script's reach."""
        seconds = max(0, int((visitor.expires_at - self.now).total_seconds()))
        self._keep(response, SESSION_COOKIE, visitor.token, seconds)

    def sign_out(self, response: Response) -> None:
        """Have the browser forget the token."""
        response.delete_cookie(SESSION_COOKIE, httponly=True, samesite="strict")

    def _keep(self, response: Response, name: str, value: str, seconds: int) -> None:
        response.set_cookie(
            *(name, value, seconds),
            secure=self.settings.secure_cookies or self.request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )

    # --- of whoever is signed in --------------------------------------------------------------

    @property
    def bearer(self) -> Visitor:
        """Whoever is signed in.

        Raises:
            SignInFirst: nobody is.

        """
        if self.visitor is None:
            raise SignInFirst
        return self.visitor

    @property
    def sections(self) -> list[Section]:
        """The pages offered."""
        return [] if self.visitor is None else offered(self.visitor)

    def offers(self, name: str) -> bool:
        """Say whether a page is offered."""
        return name in {one.name for one in self.sections}

    @property
    def sees_completeness(self) -> bool:
        """Whether the visitor may read what each source sent."""
        return self.bearer.may(*SEES_COMPLETENESS)

    @property
    def reads_plans(self) -> bool:
        """Whether the visitor may read plans of a day."""
        return self.bearer.may(*READS_PLANS)

    @property
    def tries_rules(self) -> bool:
        """Whether the visitor may try other rules and fields."""
        return self.bearer.may(*TRIES_RULES)

    @property
    def branch(self) -> int:
        """The branch looked at."""
        assert self.branch_id is not None  # noqa: S101 - every page below a branch has one
        return self.branch_id

    def url(self, path: str, **query: object) -> str:
        """Return the address of a page below the branch; what is None is left out."""
        given = {name: value for name, value in query.items() if value is not None}
        base = self.request.scope.get("root_path", "")
        asked = f"?{urlencode(given)}" if given else ""
        return f"{base}/branches/{self.branch_id}/{quote(path)}{asked}"

    def file(self, name: str) -> str:
        """Return the address of a file of the console."""
        return f"{self.request.scope.get('root_path', '')}/static/{name}?v={FILES_DIGEST}"

    def translated(self) -> str:
        """Return the address of this page in the other language."""
        other = "en" if self.words.chinese else "zh"
        there = self.request.url.include_query_params(lang=other)
        return f"{there.path}?{there.query}"

    def back(self, path: str, **query: object) -> Response:
        """Lead the browser to a page after a form was taken."""
        return RedirectResponse(self.url(path, **query), 303)

    async def period(self, asked: int | None) -> int:
        """Return the month to show: the one asked for, else the newest with revenue, else this one."""
        if asked is not None:
            return asked
        known = await self.peers.attribution.periods(self.branch)
        booked = [one.period for one in known if one.unresolved and one.unresolved.net_revenue_fen]
        return booked[-1] if booked else period_of(self.now)

    async def organisation(self) -> Organisation | None:
        """Return the organisation as it stands today; None for those who may not read it."""
        if self._organisation is None and self.bearer.may(*KNOWS_NAMES):
            self._organisation = await self.peers.contracts.organisation(self.branch)
        return self._organisation

    async def centre_names(self) -> "CentreNames":
        """Return what centres are called, as far as the visitor may know."""
        found = await self.organisation()
        told: Sequence[CentreOn | TargetsOf] = found.centres if found else ()
        if found is None and self.bearer.may(*LEARNS_NAMES_FROM_KPI):
            # Names are a courtesy: a page does without them while kpi is away.
            month = self.peers.kpi.targets(self.branch, period=period_of(self.now))
            report = await answer_of(month)
            told = report.centres if report else ()
        named = {one.centre_id: self.words.of(one, "name") for one in told if one.centre_id}
        return CentreNames(named, chinese=self.words.chinese)

    async def positions(self) -> "Positions":
        """Return what people are, as far as the visitor may know."""
        found = await self.organisation()
        held: dict[str, str] = {}
        for centre in found.centres if found else ():
            for one in centre.positions:
                if one.person_id not in held or not one.concurrent:
                    held[one.person_id] = called(self.words, one.position, "position")
        return Positions(held)


@dataclass(frozen=True, slots=True)
class CentreNames:
    """What centres are called; one that nobody told of is called by its code alone."""

    named: dict[str, str]
    chinese: bool = True

    def __call__(self, centre_id: str | None) -> str:
        """Return a centre's name with its code, as it is spoken of."""
        if centre_id is None:
            return formats.NOTHING
        name = self.named.get(centre_id, centre_id)
        if name == centre_id:
            return name
        return f"{name}（{centre_id}）" if self.chinese else f"{name} ({centre_id})"


@dataclass(frozen=True, slots=True)
class Positions:
    """What people are, to be shown beside their codes: the suite keeps no names of them."""

    held: dict[str, str]

    def __call__(self, person_id: str | None) -> str:
        """Return somebody's position; nothing where nobody told of it."""
        return self.held.get(person_id or "", "")


async def anybodys_page(request: Request) -> Page:
    """Begin a page that needs nobody to be signed in."""
    language = chosen(request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE))
    speak(language)
    page = Page(request, Words(language))
    request.state.page = page
    token = request.cookies.get(SESSION_COOKIE)
    if token is not None:
        try:
            visitor = Visitor.of(token, claim_prefix=page.settings.claim_prefix)
        except NoTokenError:
            return page
        if visitor.expires_at > page.now:
            page.visitor = visitor
            ask_as(visitor.token)
        else:
            request.state.expired = True
    return page


async def visitors_page(request: Request, page: Annotated[Page, Depends(anybodys_page)]) -> Page:
    """Begin a page for whoever is signed in; a form must come from the visitor's own page.

    Raises:
        SignInFirst: nobody is signed in.
        Malformed: a branch is spelled otherwise.
        NotFound: the branch is none of the visitor's.
        ForeignForm: a form comes from elsewhere.

    """
    if page.visitor is None:
        raise SignInFirst(expired=getattr(request.state, "expired", False))
    if "branch_id" in request.path_params:
        page.branch_id = branch_of(str(request.path_params["branch_id"]))
        allowed = page.visitor.branch_ids
        if allowed is not None and page.branch_id not in allowed:
            raise NotFound
    if request.method == "POST":
        require_same_origin(request)
        require_form_key(page.visitor, (await request.form()).get(FORM_FIELD))
    return page


def in_section(name: str) -> Any:
    """Admit those who are offered a section; the others get the page that says no.

    Use as ``page: Annotated[Page, in_section("targets")]``.
    """

    async def check(page: Annotated[Page, Depends(visitors_page)]) -> Page:
        if not page.bearer.may(*section(name).roles):
            raise Forbidden
        return page

    return Depends(check)


AnybodysPage = Annotated[Page, Depends(anybodys_page)]
VisitorsPage = Annotated[Page, Depends(visitors_page)]


def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("huaxiao.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[..., str]] = {
        "money": formats.money,
        "signed_money": formats.signed_money,
        "percent": formats.percent,
        "points": formats.points,
        "period": formats.period,
        "moment": formats.moment,
        "clock": formats.clock,
        "day": formats.day,
        "counted": formats.counted,
        "duration": formats.duration,
    }
    made.filters |= filters
    made.globals["called"] = called
    made.globals["goal"] = formats.goal
    made.globals["nothing"] = formats.NOTHING
    return made


environment = _environment()
"""Templates, read once."""
