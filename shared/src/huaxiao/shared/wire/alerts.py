"""Alerts: their rules as data, their states, and the webhooks that are told."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from huaxiao.shared.identifiers import Identifier
from huaxiao.shared.wire.base import Count, Fact, Given, Moment, Name, PeriodNumber, Ratio, Resource
from huaxiao.shared.wire.figures import FigureName, MeasureName
from huaxiao.shared.wire.kpi import Span, TargetName

ALERT_FIRING = "kpi.alert.firing"
ALERT_RESOLVED = "kpi.alert.resolved"
ALERT_ACKNOWLEDGED = "kpi.alert.acknowledged"

DELIVERY_HEADER = "Huaxiao-Delivery"
"""The same for each try: a receiver drops what it has seen."""
TIMESTAMP_HEADER = "Huaxiao-Timestamp"
SIGNATURE_HEADER = "Huaxiao-Signature"
_MOST_MINUTES = 60 * 24 * 31
_Minutes = Annotated[int, Field(strict=True, ge=0, le=_MOST_MINUTES)]
Note = Annotated[str, Field(min_length=1, max_length=1000, pattern=r"^[^\x00]*$")]


class AlertKind(StrEnum):
    """What a rule watches."""

    VERDICT = "verdict"
    """A target of the last month that is not met."""
    FORECAST = "forecast"
    """A target that is not expected to be met when the year ends."""
    BOOKS_LATE = "books_late"
    """A month without books some days after its end."""
    PAYROLL_LATE = "payroll_late"
    """A month whose pay is not all recorded some days after its end."""
    FEED_STILL = "feed_still"
    """A service's feed that has told nothing for some hours."""
    FIGURE = "figure"
    """A figure in force that does not meet its goal, or the unit's own goal where it has one."""
    UNIT_TARGET_BEHIND = "unit_target_behind"
    """An amount that a unit is to reach, behind the calendar; or one used up ahead of it."""
    UNIT_TARGET_FORECAST = "unit_target_forecast"
    """A unit's target that is not expected to be met; a goal of a figure, if it is a built-in one."""


class AlertState(StrEnum):
    """Where an alert stands."""

    QUIET = "quiet"
    PENDING = "pending"
    """Bad, and not yet for as long as the rule wants."""
    FIRING = "firing"
    RECOVERING = "recovering"
    """Good, and not yet for as long as the rule wants; it still fires."""


class AlertRuleIn(Given):
    """What is watched, how long it must last, and how far it must go back."""

    kind: AlertKind
    name: Name
    name_zh: Name
    enabled: bool = True
    target: TargetName | None = None
    """Of ``verdict`` and ``forecast``."""
    figure: FigureName | None = None
    """Of ``figure``: one that is in force."""
    measure: MeasureName | None = None
    """Of ``unit_target_behind`` and ``unit_target_forecast``: targets of this measure; null is all."""
    span: Span = Span.YEAR_TO_DATE
    """Of ``verdict`` and ``figure``."""
    centre_ids: Annotated[list[Identifier], Field(max_length=200)] | None = None
    """Of what is watched by unit: these centres; null is all of them."""
    with_county: bool = True
    """Of what is watched by unit: the county as well."""
    open_months: bool = False
    """Of what is watched by unit: judge the last month with books; otherwise the last that is
    closed, whose books are whole."""
    margin: Annotated[Ratio, Field(ge=0, max_digits=18, decimal_places=6)] = Decimal(0)
    """How far beyond its boundary a value, a forecast's probability or a completion must be to be
    good again; at most 1, but in the figure's unit for ``figure``."""
    behind_by: Annotated[Ratio, Field(ge=0, le=1, max_digits=8, decimal_places=6)] = Decimal(0)
    """Of ``unit_target_behind``: how far completion may be behind the calendar; 0.05 is 5 points."""
    probability_below: Annotated[Ratio, Field(gt=0, le=1, max_digits=8, decimal_places=6)] = (
        Decimal("0.5")
    )
    """Of forecasts: it is bad when the goal is met with less than this."""
    days: Annotated[int, Field(strict=True, ge=0, le=365)] = 10
    """Of what is late: how many days after the month's end."""
    hours: Annotated[int, Field(strict=True, ge=1, le=24 * 365)] = 24
    """Of ``feed_still``."""
    hold_minutes: _Minutes = 0
    """How long it must be bad before it fires."""
    clear_minutes: _Minutes = 0
    """How long it must be good before it is resolved."""
    reason: Name | None = None
    """Why it is so; needed to change a default rule, or to switch it off."""


class AlertRule(AlertRuleIn):
    """A rule as it stands; each change is a version of its own."""

    rule_id: Identifier
    version: Count
    """0 is a default rule as it ships."""
    is_default: bool
    """It watches a branch that has set no rule under an id of its own."""
    changed_by: str | None
    changed_at: Moment | None
    """Null of a default rule as it ships."""


class AcknowledgementIn(Given):
    """What a person says to an alert."""

    note: Note


class AlertTransition(Resource):
    """What became of an alert, and when."""

    event: str
    """``firing``, ``resolved`` or ``acknowledged``."""
    at: Moment
    by: str | None
    note: str | None
    value: str | None


class Alert(Resource):
    """A rule's alert about one subject."""

    rule_id: Identifier
    subject: str
    """What it is about: ``county``, a centre, a feed such as ``/attribution``, or a unit's target."""
    kind: AlertKind
    centre_id: Identifier | None
    target: TargetName | None
    figure: FigureName | None
    """Of a rule that watches a figure."""
    target_id: Identifier | None
    """The unit's target, of a rule that watches those."""
    state: AlertState
    since: Moment
    period: PeriodNumber | None
    """The month that was judged last, or is late."""
    value: str | None
    """What was observed last."""
    alert_id: str | None
    """Of the alert that fires, or fired last."""
    fired_at: Moment | None
    acknowledged_by: str | None
    acknowledged_at: Moment | None
    note: str | None


class AlertHistory(Resource):
    """An alert and all that became of it."""

    alert: Alert
    transitions: list[AlertTransition]


class WebhookIn(Given):
    """Where alerts are told to: https, unless the installation allows the host."""

    url: Annotated[str, Field(min_length=1, max_length=2000, examples=["https://ops.example/kpi"])]
    enabled: bool = True
    new_secret: bool = False
    """Make another secret; the one before signs no more."""


class Webhook(Resource):
    """A webhook; its secret is told once, when it is made."""

    webhook_id: Identifier
    url: str
    enabled: bool
    changed_by: str
    changed_at: Moment
    secret: str | None = None
    """What bodies are signed with (HMAC-SHA256 over timestamp, a dot, and body)."""


class DeliveryState(StrEnum):
    """What became of a delivery."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"
    """It was tried as often as it is tried, and is tried no more."""


class Delivery(Resource):
    """One event on its way to one webhook."""

    delivery_id: str
    webhook_id: Identifier
    type: str
    state: DeliveryState
    tries: Count
    made_at: Moment
    next_at: Moment | None
    failure: str | None
    """What the last try came to."""


class AlertFact(Fact):
    """An alert that began, ended or was acknowledged: ``kpi.alert.…``."""

    alert_id: str
    rule_id: Identifier
    kind: AlertKind
    subject: str
    centre_id: Identifier | None
    target: TargetName | None
    period: PeriodNumber | None
    value: str | None
    name: str
    name_zh: str
    at: Moment
    by: str | None = None
    note: str | None = None
    figure: FigureName | None = None
    target_id: Identifier | None = None


class WebhookBody(Fact):
    """What a webhook is sent: the fact of the feed, with an id by which repeats are dropped."""

    id: str
    type: str
    branch_id: int
    data: AlertFact
