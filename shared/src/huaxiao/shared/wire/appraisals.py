"""Resources of appraisals beyond the cards: drafts, appeals, decisions, explanations (R26, R27)."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from huaxiao.shared.identifiers import Identifier
from huaxiao.shared.wire.base import Count, Fact, Given, Moment, Name, PeriodNumber, Ratio, Resource
from huaxiao.shared.wire.dispatch import (
    Appraisal,
    AppraisalKind,
    AppraisalPublished,
    OrderKind,
    OrderState,
    PlainDecimal,
)
from huaxiao.shared.wire.reverse import Item, Stars
from huaxiao.shared.wire.tickets import Reason

APPRAISAL_RESTATED = "dispatch.appraisal.restated"
RATER_LATE = "dispatch.appraisal.rater_late"


# --- drafts -------------------------------------------------------------------------------------


class HorizontalDraftIn(Given):
    """What a rater has judged so far of a horizontal card; anything may still be missing."""

    cooperation_stars: Stars | None = None
    stars: dict[Item, Stars] = Field(default_factory=dict, max_length=50)
    reason: Reason | None = None


class FinalDraftIn(Given):
    """What a centre has judged so far of its engineer; anything may still be missing."""

    own_score: PlainDecimal | None = None
    stars: dict[Item, Stars] = Field(default_factory=dict, max_length=50)
    adjustment: PlainDecimal = "0"
    reason: Reason | None = None


class AppraisalDraft(Resource):
    """A draft: nobody but its rater sees it, and it counts nothing until it is submitted."""

    kind: AppraisalKind
    period: PeriodNumber
    rater_centre_id: Identifier
    ratee: Identifier
    """The centre of a horizontal card, the person of a final one."""
    given: dict[str, object]
    missing: list[str]
    """The items without which it cannot be submitted."""
    submit_until: Moment
    drafted_by: str
    drafted_at: Moment


# --- appeals ------------------------------------------------------------------------------------


class AppealIn(Given):
    """Why an item is wrong, and what shows it."""

    text: Reason
    references: list[Name] = Field(min_length=1, max_length=50)
    """Orders, photos, letters: an appeal without evidence is none."""


class AppealAnswerIn(Given):
    """What the rater says to an appeal."""

    text: Reason


class AppealDecisionIn(Given):
    """An appeal is upheld, with what the item's value is then, or dismissed."""

    upheld: Annotated[bool, Field(strict=True)]
    value: PlainDecimal | None = None
    """Needed to uphold: in per cent of orders, in points, or in stars, as the item counts."""
    reason: Reason


class CorrectionIn(Given):
    """What the value of an item of a published card is to be."""

    item: Item
    value: PlainDecimal
    reason: Reason


class AppealAnswer(Resource):
    """What the rater said."""

    text: str
    by: str
    at: Moment


class AppealDecision(Resource):
    """What was decided, and by whom."""

    upheld: bool
    value: str | None
    reason: str
    by: str
    centre_id: Identifier | None
    at: Moment


class Appeal(Resource):
    """An appeal against one item of a card."""

    item: str
    text: str
    references: list[str]
    by: str
    at: Moment
    decide_until: Moment
    answer: AppealAnswer | None
    decision: AppealDecision | None
    lapsed: bool
    """Nobody decided in time: the card stays as it was."""


class Correction(Resource):
    """A correction of a published card, by the month in which it was made."""

    number: Count
    item: str
    value: str
    reason: str
    by: str
    at: Moment
    dated_in: PeriodNumber


class RevisionCause(StrEnum):
    """Why a card's score was computed."""

    SUBMITTED = "submitted"
    EVIDENCE_ONLY = "evidence_only"
    PUBLISHED = "published"
    LATE_RATER = "late_rater"
    APPEAL = "appeal"
    HORIZONTAL_RESTATED = "horizontal_restated"
    VIOLATION = "violation"
    """Something of the negative list was decided of its person after it was published."""
    CORRECTION = "correction"


class Revision(Resource):
    """A card as it was computed at some moment; none is ever changed."""

    number: Count
    cause: RevisionCause
    score: Ratio | None
    exact_score: str | None
    grade: str | None
    corrected_in: PeriodNumber | None
    by: str
    at: Moment
    """The moment that the calendar gives."""
    recorded_at: Moment


class AppraisalHistory(Resource):
    """Everything that happened to a card."""

    appraisal: Appraisal
    revisions: list[Revision]
    appeals: list[Appeal]
    corrections: list[Correction]


# --- explanations -------------------------------------------------------------------------------


class ExplainedItem(Resource):
    """An item with all that its points follow from, and that in words."""

    part: str
    """``card``; of a final card ``own``, or ``person`` for the person's own items of F1."""
    item: str
    name: str
    name_zh: str
    weight: int
    counts: str
    """``orders`` where measured, ``stars`` where judged."""
    orders: int
    total: int | None
    """What the orders count together, each in points of 100; null in stars."""
    least: int | None
    floor: int | None
    base: int | None
    challenge: int | None
    value: str | None
    """As a fraction; null when not applicable, or when nobody judged it."""
    share: str | None
    """What it earns of its weight, 0 to 1, as a fraction; null when not applicable."""
    points: str | None
    """Its part of the score, as a fraction: the weights of what is not applicable are spread."""
    restated: bool
    text: str
    text_zh: str


class EvidenceState(Resource):
    """What was frozen of a month."""

    period: PeriodNumber
    frozen_at: Moment
    scorecard_version: Count
    orders: Count
    digest: str
    """SHA-256 over the records of all orders, in canonical form."""
    intact: bool
    """The kept records have that digest, computed again just now."""


class AppraisalExplanation(Resource):
    """Why a score is what it is, so that anybody can compute it again."""

    appraisal_id: Identifier
    kind: AppraisalKind
    period: PeriodNumber
    form: str
    scorecard_version: Count
    revision: Count
    evidence: EvidenceState | None
    """Null for reverse cards, which rest on votes and tickets."""
    items: list[ExplainedItem]
    exact_score: str | None
    score: Ratio | None
    grade: str | None
    recomputes: bool | None
    """Computed again just now from what is kept, the score is the same; null where it is computed
    elsewhere."""
    steps: list[str]
    steps_zh: list[str]


class CountedOrder(Resource):
    """An order that counts on an item, and what it counts."""

    order_id: Identifier
    points: int
    kind: OrderKind
    state: OrderState
    engineer_id: Identifier | None
    requested_at: Moment
    dispatched_at: Moment | None
    due_at: Moment | None
    finished_at: Moment | None


class MonthEvent(Resource):
    """Something that the calendar brought about in a month."""

    event: str
    at: Moment
    recorded_at: Moment


class AppraisalMonth(Resource):
    """A month's calendar, and how far it has come."""

    period: PeriodNumber
    kept: bool
    """False of a month that was over before the county came to this service: it has no days."""
    scorecard_version: Count
    freeze_at: Moment
    submit_until: Moment
    answer_until: Moment
    decide_until: Moment
    publish_at: Moment
    close_at: Moment
    events: list[MonthEvent]
    evidence: EvidenceState | None
    late_raters: list[Identifier]


# --- facts --------------------------------------------------------------------------------------


class AppraisalRestated(AppraisalPublished):
    """A published card has another score: it takes the place of the one before."""

    previous_score: Ratio | None
    previous_coefficient: Ratio | None
    cause: RevisionCause
    corrected_in: PeriodNumber | None


class RaterLate(Fact):
    """A centre did not submit its cards in time, and loses points on its own."""

    period: PeriodNumber
    centre_id: Identifier
    points: Count
    at: Moment
