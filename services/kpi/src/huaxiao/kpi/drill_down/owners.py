"""Asking contracts, attribution and dispatch what their measures sum, with this service's own token."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from http import HTTPStatus
from typing import Literal, TypeVar

import httpx
from pydantic import BaseModel

from huaxiao.kpi.domain.definitions import HEADCOUNT_START, ORDERS_DONE, ORDERS_ON_TIME, PAY
from huaxiao.kpi.settings import Settings
from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.clients.base import PeerProblem, ServiceClient
from huaxiao.shared.clients.contracts import ContractsClient
from huaxiao.shared.clients.dispatch import DispatchClient
from huaxiao.shared.issuer import Issuer, TokenSource, service_tokens
from huaxiao.shared.pages import MAX_PAGE, BigInt, Page, PageQuery
from huaxiao.shared.periods import Period, first_day, last_day, period_of
from huaxiao.shared.problems import Problem, Unavailable
from huaxiao.shared.wire.attribution import REVENUE, Entry
from huaxiao.shared.wire.contracts import Engagement
from huaxiao.shared.wire.dispatch import Appraisal
from huaxiao.shared.wire.kpi_entries import (
    AppraisalLine,
    LedgerLine,
    MeasureLine,
    OrderLine,
    PayLine,
    PersonDay,
    TicketLine,
)
from huaxiao.shared.wire.tickets import Ticket

_HUNDREDTHS = 100
Owner = Literal["attribution", "contracts", "dispatch"]
Client = TypeVar("Client", bound=ServiceClient)
Listed = TypeVar("Listed", bound=BaseModel)


class OwnerRefused(Problem):
    """The service that owns a measure refused; its own code and detail are named."""

    code = "owner-refused"
    status = HTTPStatus.BAD_GATEWAY
    title = "The service that owns this measure refused to tell its entries"
    title_zh = "该度量的来源服务拒绝提供明细"


@dataclass(frozen=True, slots=True)
class Asked:
    """Which measure, as known at which moment."""

    branch_id: int
    centre_id: str
    period: Period
    measure: str
    known_at: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """What the owner sums, and a page of it."""

    owner: Owner
    total: int
    items: list[MeasureLine]
    next_cursor: str | None


@dataclass(frozen=True)
class Owners:
    """Where the owners answer; transports keep a test in process."""

    settings: Settings
    transports: dict[Owner, httpx.AsyncBaseTransport] = field(default_factory=dict)

    async def ledger(self, asked: Asked, page: PageQuery) -> Told:
        """Ask attribution for the lines that debit or credit an account, and for its balance."""
        page.after(BigInt)
        async with self._asking(AttributionClient, "attribution") as client:
            balances = await client.balances(
                asked.branch_id,
                period=asked.period,
                centre_id=asked.centre_id,
                known_at=asked.known_at,
            )
            found = await client.entries(
                asked.branch_id,
                period=asked.period,
                centre_id=asked.centre_id,
                account=asked.measure,
                known_at=asked.known_at,
                cursor=page.cursor,
                limit=page.limit,
            )
        lines: list[MeasureLine] = [
            LedgerLine(
                amount=one.amount_fen
                * ((one.debit == asked.measure) - (one.credit == asked.measure)),
                entry=one,
            )
            for one in found.items
        ]
        total = sum(one.amount_fen for one in balances if one.account == asked.measure)
        return Told("attribution", total, lines, found.next_cursor)

    async def lines(self, asked: Asked, page: PageQuery) -> Told:
        """Ask attribution for charges: lines that credit revenue, and those that take one back."""
        page.after(BigInt)

        async def told(cursor: str | None, limit: int) -> Page[Entry]:
            return await client.entries(
                asked.branch_id,
                period=asked.period,
                centre_id=asked.centre_id,
                account=REVENUE,
                known_at=asked.known_at,
                cursor=cursor,
                limit=limit,
            )

        async with self._asking(AttributionClient, "attribution") as client:
            every = await _all(lambda cursor: told(cursor, MAX_PAGE))
            found = await told(page.cursor, page.limit)
        items: list[MeasureLine] = [
            LedgerLine(amount=_charges(one), entry=one) for one in found.items
        ]
        return Told("attribution", sum(map(_charges, every)), items, found.next_cursor)

    async def payroll(self, asked: Asked, page: PageQuery) -> Told:
        """Ask contracts for pay by person, or for the own staff of a day."""
        lines: list[tuple[str, MeasureLine]]
        async with self._asking(ContractsClient, "contracts") as client:
            if asked.measure == PAY:
                paid = await client.payroll(
                    asked.branch_id,
                    period=asked.period,
                    centre_id=asked.centre_id,
                    known_at=asked.known_at,
                )
                lines = [(one.person_id, PayLine(amount=one.pay_fen, pay=one)) for one in paid]
            else:
                of_start = asked.measure == HEADCOUNT_START
                day = first_day(asked.period) if of_start else last_day(asked.period)
                organisation = await client.organisation(
                    asked.branch_id, on=day, known_at=asked.known_at
                )
                lines = [
                    (held.person_id, PersonDay(day=day, position=held))
                    for centre in organisation.centres
                    if centre.centre_id == asked.centre_id
                    for held in centre.positions
                    if held.engagement is Engagement.OWN and not held.concurrent
                ]
        return _paged("contracts", lines, page)

    async def work(self, asked: Asked, page: PageQuery) -> Told:
        """Ask dispatch for finished orders, for tickets, or for appraisals that stand."""
        async with self._asking(DispatchClient, "dispatch") as client:
            family, _, rest = asked.measure.partition(".")
            if family == "orders":
                lines = await _orders(client, asked)
            elif family == "tickets":
                lines = await _tickets(client, asked, rest)
            else:
                lines = await _appraisals(client, asked, *rest.split("."))
        return _paged("dispatch", lines, page)

    @asynccontextmanager
    async def _asking(self, kind: type[Client], owner: Owner) -> AsyncIterator[Client]:
        url = {
            "contracts": self.settings.contracts_url,
            "attribution": self.settings.attribution_url,
            "dispatch": self.settings.dispatch_url,
        }[owner]
        try:
            async with kind(
                url, self._tokens[owner], transport=self.transports.get(owner)
            ) as client:
                yield client
        except httpx.TransportError as error:
            raise Unavailable from error
        except PeerProblem as refused:
            if refused.status == HTTPStatus.SERVICE_UNAVAILABLE:
                raise Unavailable from refused
            raise OwnerRefused(
                str(refused), owner={"status": refused.status, "code": refused.code}
            ) from refused

    @cached_property
    def _tokens(self) -> dict[Owner, TokenSource]:
        """Return this service's own tokens for each owner.

        Raises:
            Unavailable: the service has no key to sign them with.

        """
        if self.settings.signing_key_file is None:
            raise Unavailable(
                "KPI_SIGNING_KEY_FILE is needed to ask other services.",
                "未配置 KPI_SIGNING_KEY_FILE，无法查询其他服务。",
            )
        issuer = Issuer.from_file(self.settings.signing_key_file, issuer=self.settings.token_issuer)
        owners: tuple[Owner, ...] = ("contracts", "attribution", "dispatch")
        return {one: service_tokens(issuer, service="kpi", audience=one) for one in owners}


def _charges(one: Entry) -> int:
    return (one.credit == REVENUE) - (one.debit == REVENUE)


async def _orders(client: DispatchClient, asked: Asked) -> list[tuple[str, MeasureLine]]:
    found = await client.finished_orders(
        asked.branch_id,
        period=asked.period,
        centre_id=asked.centre_id,
        known_at=asked.known_at,
    )
    if asked.measure != ORDERS_DONE:
        on_time = asked.measure == ORDERS_ON_TIME
        found = [one for one in found if one.on_time is on_time]
    return [(one.order_id, OrderLine(order=one)) for one in found]


async def _tickets(
    client: DispatchClient, asked: Asked, category: str
) -> list[tuple[str, MeasureLine]]:
    async def page(cursor: str | None) -> Page[Ticket]:
        return await client.tickets(
            asked.branch_id, category=category, cursor=cursor, limit=MAX_PAGE
        )

    return [
        (one.ticket_id, TicketLine(ticket=one))
        for one in await _all(page)
        if one.raiser_centre_id == asked.centre_id
        and period_of(one.raised_at) == asked.period
        and one.raised_at <= asked.known_at
    ]


async def _appraisals(
    client: DispatchClient, asked: Asked, kind: str, what: str
) -> list[tuple[str, MeasureLine]]:
    async def page(cursor: str | None) -> Page[Appraisal]:
        return await client.appraisals(
            asked.branch_id, period=asked.period, kind=kind, cursor=cursor, limit=MAX_PAGE
        )

    told = await client.published_scores(
        asked.branch_id, period=asked.period, kind=kind, known_at=asked.known_at
    )
    # Asked for after the scores: a card that appears between both questions is not missed.
    cards = {one.appraisal_id: one for one in await _all(page)}
    return [
        (
            one.appraisal_id,
            AppraisalLine(
                amount=int(one.score * _HUNDREDTHS) if what == "score" else 1,
                appraisal=cards[one.appraisal_id],
            ),
        )
        for one in told
        if one.ratee_centre_id == asked.centre_id
    ]


async def _all(read: Callable[[str | None], Awaitable[Page[Listed]]]) -> list[Listed]:
    found: list[Listed] = []
    cursor = None
    while True:
        page = await read(cursor)
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            return found


def _paged(owner: Owner, lines: Iterable[tuple[str, MeasureLine]], page: PageQuery) -> Told:
    """Sum all that the owner told, and cut the page that is asked for out of it."""
    (after,) = page.after(str) or ("",)
    ordered = sorted(lines, key=lambda one: one[0])
    behind = [_Keyed(key=key, line=line) for key, line in ordered if key > after]
    cut = page.page(behind[: page.limit + 1], "key")
    total = sum(line.amount for _, line in ordered)
    return Told(owner, total, [one.line for one in cut.items], cut.next_cursor)


class _Keyed(BaseModel):
    key: str
    line: MeasureLine
