"""Asking attribution and dispatch what a settlement needs, with the caller's own token.

So nobody is told more by way of a settlement than they may ask for themselves.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

import httpx

from huaxiao.contracts.domain.results import Told
from huaxiao.contracts.domain.settlement import FinishedOrders, LinesInCare
from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.clients.dispatch import DispatchClient
from huaxiao.shared.issuer import TokenSource
from huaxiao.shared.periods import Period
from huaxiao.shared.problems import Problem, Unavailable
from huaxiao.shared.wire.attribution import DraftField, PeriodState, WhatIfIn

_AT_ONCE = 4


class PeerRefused(Problem):
    """Another service, asked with the caller's token, refused; its own code and detail are named."""

    code = "peer-refused"
    status = HTTPStatus.BAD_GATEWAY
    title = "Another service refused to tell what this needs"
    title_zh = "其他服务拒绝提供所需数据"


@dataclass(frozen=True)
class Peers:
    """Where the other services answer; a transport keeps a test in process."""

    attribution_url: str
    dispatch_url: str
    attribution_transport: httpx.AsyncBaseTransport | None = None
    dispatch_transport: httpx.AsyncBaseTransport | None = None

    async def tell(
        self,
        token: TokenSource,
        branch_id: int,
        periods: Sequence[Period],
        known_at: datetime,
        *,
        lines: bool,
    ) -> Told:
        """Ask for the books and the work of some months, in order, as known at a moment.

        ``lines`` says whether the lines that were billed are wanted.

        Raises:
            PeerRefused: one of them refused.
            Unavailable: one of them does not answer.

        """
        async with _named_problems():
            attribution = AttributionClient(
                self.attribution_url, token, transport=self.attribution_transport
            )
            dispatch = DispatchClient(self.dispatch_url, token, transport=self.dispatch_transport)
            async with attribution, dispatch:
                accounts, closed_through, work, billed = await asyncio.gather(
                    _accounts(attribution, branch_id, periods, known_at),
                    _closed_through(attribution, branch_id),
                    dispatch.work_done(
                        branch_id, period_from=periods[0], period_to=periods[-1], known_at=known_at
                    ),
                    _lines(attribution, branch_id, periods if lines else (), known_at),
                )
        orders: dict[tuple[Period, str], list[FinishedOrders]] = defaultdict(list)
        for one in work.orders:
            key = (Period(one.period), one.centre_id)
            orders[key].append(FinishedOrders(one.kind, one.area, one.count))
        return Told(
            accounts=accounts,
            orders={key: tuple(given) for key, given in orders.items()},
            scores={(Period(one.period), one.centre_id): one.score for one in work.scores},
            closed_through=closed_through,
            reverse_scores={
                (Period(one.period), one.centre_id): one.score for one in work.reverse_scores
            },
            lines=billed,
        )

    async def redrawn(
        self,
        token: TokenSource,
        branch_id: int,
        periods: Sequence[Period],
        fields: Sequence[DraftField],
    ) -> dict[tuple[Period, str], int]:
        """Ask what revenue centres would have gained by month had fields been drawn otherwise, in fen.

        Raises:
            PeerRefused: attribution refused.
            Unavailable: it does not answer.

        """
        gained: dict[tuple[Period, str], int] = {}
        async with (
            _named_problems(),
            AttributionClient(
                self.attribution_url, token, transport=self.attribution_transport
            ) as attribution,
        ):
            for period in periods:
                asked = WhatIfIn(period=period, fields=list(fields), moves_shown=0)
                for one in (await attribution.what_if(branch_id, asked)).centres:
                    gained[period, one.centre_id] = one.after_fen - one.before_fen
        return gained


async def _accounts(
    client: AttributionClient, branch_id: int, periods: Sequence[Period], known_at: datetime
) -> dict[tuple[Period, str, str | None], dict[str, int]]:
    turns = asyncio.Semaphore(_AT_ONCE)

    async def ask(period: Period) -> list[Any]:
        async with turns:
            return await client.balances(branch_id, period=period, known_at=known_at)

    found: dict[tuple[Period, str, str | None], dict[str, int]] = defaultdict(dict)
    for balances in await asyncio.gather(*(ask(period) for period in periods)):
        for one in balances:
            key = (Period(one.period), one.centre_id, one.field_id)
            found[key][one.account] = one.amount_fen
    return dict(found)


async def _lines(
    client: AttributionClient, branch_id: int, periods: Sequence[Period], known_at: datetime
) -> dict[tuple[Period, str, str | None], list[LinesInCare]]:
    found: dict[tuple[Period, str, str | None], list[LinesInCare]] = defaultdict(list)
    if periods:
        billed = await client.billed_lines(
            branch_id, period_from=periods[0], period_to=periods[-1], known_at=known_at
        )
        for one in billed.lines:
            key = (Period(one.period), one.centre_id, one.field_id)
            found[key].append(LinesInCare(one.product, one.lines))
    return dict(found)


async def _closed_through(client: AttributionClient, branch_id: int) -> Period | None:
    """Return the last closed period: a period is closed with every one before it."""
    known = await client.periods(branch_id)
    closed = (Period(one.period) for one in known if one.state is PeriodState.CLOSED)
    return max(closed, default=None)


@asynccontextmanager
async def _named_problems() -> AsyncIterator[None]:
    try:
        yield
    except httpx.TransportError as error:
        raise Unavailable from error
    except PeerProblem as refused:
        if refused.status == HTTPStatus.SERVICE_UNAVAILABLE:
            raise Unavailable from refused
        raise PeerRefused(
            str(refused), peer={"status": refused.status, "code": refused.code}
        ) from refused
