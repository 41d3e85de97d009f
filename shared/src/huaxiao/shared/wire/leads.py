"""Leads (商机): who brings what about which customer, what was decided, what it became (R16)."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from huaxiao.shared.identifiers import Identifier
from huaxiao.shared.leads import WHOLE
from huaxiao.shared.wire.base import Count, Fact, Given, Moment, Name, Resource
from huaxiao.shared.wire.personal import ShownName
from huaxiao.shared.wire.settlement import Text
from huaxiao.shared.wire.terms import NotNegativeFen

MAX_PEOPLE = 20
MAX_SUBSCRIPTIONS = 100
ShareBasisPoints = Annotated[
    int, Field(strict=True, gt=0, le=WHOLE, description="份额，单位：基点")
]
RateBasisPoints = Annotated[
    int, Field(strict=True, ge=0, le=WHOLE, description="提成比例，单位：基点")
]
Months = Annotated[int, Field(strict=True, ge=1, le=60, description="提成账期数")]


class LeadState(StrEnum):
    """Where a lead stands; nobody says so, it follows from its steps and the day."""

    BROUGHT = "brought"  # 已提出
    REJECTED = "rejected"  # 已驳回
    APPROVED = "approved"  # 已批准
    CONVERTED = "converted"  # 已转化
    VOID = "void"  # 已失效


class LeadPersonIn(Given):
    """Somebody who has a part in a lead."""

    person_id: Identifier
    share_basis_points: ShareBasisPoints


class LeadIn(Given):
    """A lead as it is brought; its text does not change afterwards."""

    customer_id: Identifier | None = None
    """A prospect has none yet."""
    customer_name: Name
    about_zh: Text
    expected_amount_fen: NotNegativeFen | None = None
    people: list[LeadPersonIn] | None = Field(default=None, min_length=1, max_length=MAX_PEOPLE)
    """Who has which part, all parts together a whole; the first is who brought it. Whoever calls
    with a token of their own may leave it out: then all of it is theirs."""


class LeadDecisionIn(Given):
    """Approved, to a centre and on terms, or rejected; with the reason."""

    approved: bool
    reason: Text
    owner_centre_id: Identifier | None = None
    """Of an approval: the centre that is to have the revenue; else where the first person worked."""
    rate_basis_points: RateBasisPoints | None = None
    """Of what is collected; else as the branch's commission terms say, like the months."""
    months: Months | None = None


class LeadConversionIn(Given):
    """What an approved lead became."""

    subscription_ids: list[Identifier] = Field(min_length=1, max_length=MAX_SUBSCRIPTIONS)
    project_id: Identifier | None = None


class LeadPerson(Resource):
    """Somebody who has a part in a lead, and where they worked on the day it was brought."""

    person_id: Identifier
    share_basis_points: Count
    centre_id: Identifier


class LeadStep(Resource):
    """Something that was done with a lead: by whom, when and why."""

    step: Literal["brought", "approved", "rejected", "converted"]
    by: str
    at: Moment
    why: str | None


class LeadSummary(Resource):
    """A lead in a list."""

    lead_id: Identifier
    number: Count
    """Counts from 1 without gaps."""
    customer_id: Identifier | None
    customer_name: ShownName | None
    """Null once it has been erased; ``POST …/full-views`` shows it in full."""
    expected_amount_fen: NotNegativeFen | None
    brought_on: date
    people: list[LeadPerson]
    state: LeadState
    owner_centre_id: Identifier | None
    approved_on: date | None
    holds_through: date | None
    """The last day on which it may still become a line."""


class Lead(LeadSummary):
    """A lead and everything that was done with it."""

    about_zh: str
    rate_basis_points: Count | None
    months: Count | None
    subscription_ids: list[Identifier]
    project_id: Identifier | None
    steps: list[LeadStep]


LEAD_CONVERTED = "contracts.lead.converted"


class LeadConverted(Fact):
    """A lead became lines: the revenue is the centre's, a commission the people's."""

    lead_id: Identifier
    approved_on: date
    owner_centre_id: Identifier
    originator_id: Identifier
    """The first of the people."""
    subscription_ids: list[Identifier]
    project_id: Identifier | None
    people: list[LeadPersonIn]
    rate_basis_points: Count | None
    months: Count | None
