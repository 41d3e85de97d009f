"""Why figures move, where they go, and who is told: the KPI service as its callers see it."""

from collections.abc import Sequence
from datetime import datetime

from huaxiao.shared.clients.base import ServiceClient
from huaxiao.shared.wire.alerts import (
    AcknowledgementIn,
    Alert,
    AlertHistory,
    AlertRule,
    AlertRuleIn,
    AlertState,
    Delivery,
    DeliveryState,
    Webhook,
    WebhookIn,
)
from huaxiao.shared.wire.contributions import ExplainedFigure, Explanation
from huaxiao.shared.wire.forecasts import ForecastReport
from huaxiao.shared.wire.kpi import Span
from huaxiao.shared.wire.sheets import SheetFormat
from huaxiao.shared.wire.what_if import WhatIf, WhatIfIn


class KpiAnalysisClient(ServiceClient):
    """Asks for explanations, forecasts, what-ifs, alerts and sheets."""

    async def explanation(
        self,
        branch_id: int,
        figure: ExplainedFigure,
        *,
        period: int,
        span: Span = Span.MONTH,
        centre_id: str | None = None,
        against_period: int | None = None,
        volume: str | None = None,
        known_at: datetime | None = None,
    ) -> Explanation:
        """Say why a figure moved, from the contract's base or from other booked months."""
        found: Explanation = await self._get(
            Explanation,
            f"/v1/branches/{branch_id}/contributions",
            params={
                "figure": figure,
                "period": period,
                "span": span,
                "centre_id": centre_id,
                "against_period": against_period,
                "volume": volume,
                "known_at": moment_text(known_at),
            },
        )
        return found

    async def forecasts(
        self,
        branch_id: int,
        *,
        period: int,
        centre_id: str | None = None,
        known_at: datetime | None = None,
    ) -> ForecastReport:
        """Say where a unit's targets are going, and what is needed to still meet them."""
        found: ForecastReport = await self._get(
            ForecastReport,
            f"/v1/branches/{branch_id}/forecasts",
            params={
                "period": period,
                "centre_id": centre_id,
                "known_at": moment_text(known_at),
            },
        )
        return found

    async def what_if(
        self, branch_id: int, given: WhatIfIn, *, known_at: datetime | None = None
    ) -> WhatIf:
        """Return the verdicts as they are, and as they would be."""
        found: WhatIf = await self._post(
            WhatIf,
            f"/v1/branches/{branch_id}/targets/what-if",
            given,
            params={"known_at": moment_text(known_at)},
        )
        return found

    async def alert_rules(self, branch_id: int) -> list[AlertRule]:
        """Return the rules that watch the branch as they stand."""
        found: list[AlertRule] = await self._get(
            list[AlertRule], f"/v1/branches/{branch_id}/alert-rules"
        )
        return found

    async def default_alert_rules(self, branch_id: int) -> list[AlertRule]:
        """Return the rules that watch a branch which has set none of its own, as they ship."""
        found: list[AlertRule] = await self._get(
            list[AlertRule], f"/v1/branches/{branch_id}/alert-rules/defaults"
        )
        return found

    async def put_alert_rule(self, branch_id: int, rule_id: str, given: AlertRuleIn) -> AlertRule:
        """Keep a rule, as a new version if it changes."""
        kept: AlertRule = await self._put(
            AlertRule, f"/v1/branches/{branch_id}/alert-rules/{rule_id}", given
        )
        return kept

    async def alerts(
        self, branch_id: int, *, states: Sequence[AlertState] | None = None
    ) -> list[Alert]:
        """Return alerts, those that are not quiet unless states are given."""
        return await self._all(Alert, f"/v1/branches/{branch_id}/alerts", params={"state": states})

    async def alert(self, branch_id: int, alert_id: str) -> AlertHistory:
        """Return an alert and all that became of it."""
        found: AlertHistory = await self._get(
            AlertHistory, f"/v1/branches/{branch_id}/alerts/{alert_id}"
        )
        return found

    async def acknowledge(self, branch_id: int, alert_id: str, given: AcknowledgementIn) -> Alert:
        """Say that one knows of an alert."""
        kept: Alert = await self._post(
            Alert, f"/v1/branches/{branch_id}/alerts/{alert_id}/acknowledgement", given
        )
        return kept

    async def webhooks(self, branch_id: int) -> list[Webhook]:
        """Return where alerts are told to."""
        found: list[Webhook] = await self._get(list[Webhook], f"/v1/branches/{branch_id}/webhooks")
        return found

    async def put_webhook(self, branch_id: int, webhook_id: str, given: WebhookIn) -> Webhook:
        """Keep where alerts are told to; a secret that is made is told once, here."""
        kept: Webhook = await self._put(
            Webhook, f"/v1/branches/{branch_id}/webhooks/{webhook_id}", given
        )
        return kept

    async def deliveries(
        self, branch_id: int, webhook_id: str, *, state: DeliveryState | None = None
    ) -> list[Delivery]:
        """Return what a webhook was told, what waits, and what was given up."""
        return await self._all(
            Delivery,
            f"/v1/branches/{branch_id}/webhooks/{webhook_id}/deliveries",
            params={"state": state},
        )

    async def retry_delivery(self, branch_id: int, webhook_id: str, delivery_id: str) -> Delivery:
        """Let a delivery that was given up be tried again."""
        kept: Delivery = await self._post(
            Delivery,
            f"/v1/branches/{branch_id}/webhooks/{webhook_id}/deliveries/{delivery_id}/retry",
            None,
        )
        return kept

    async def targets_sheet(
        self,
        branch_id: int,
        *,
        period: int,
        span: Span = Span.MONTH,
        wanted: SheetFormat = SheetFormat.CSV,
        known_at: datetime | None = None,
    ) -> bytes:
        """Return the targets as a sheet."""
        response = await self._send(
            "GET",
            f"/v1/branches/{branch_id}/targets/sheet",
            params={
                "period": period,
                "span": span,
                "format": wanted,
                "known_at": moment_text(known_at),
            },
        )
        return response.content

    async def measures_sheet(
        self,
        branch_id: int,
        *,
        from_period: int,
        to_period: int,
        wanted: SheetFormat = SheetFormat.CSV,
        known_at: datetime | None = None,
    ) -> bytes:
        """Return the measures of some months as a sheet."""
        response = await self._send(
            "GET",
            f"/v1/branches/{branch_id}/measures/sheet",
            params={
                "from_period": from_period,
                "to_period": to_period,
                "format": wanted,
                "known_at": moment_text(known_at),
            },
        )
        return response.content

    async def metrics(self) -> str:
        """Return how the targets of the caller's branches stand, as Prometheus reads it."""
        return (await self._send("GET", "/metrics")).text


def moment_text(moment: datetime | None) -> str | None:
    """Write a moment as a parameter."""
    return None if moment is None else moment.isoformat()
