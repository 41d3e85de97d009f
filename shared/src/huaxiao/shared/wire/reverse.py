"""Resources of the reverse appraisal: those who are served rate those who support them (R28)."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from huaxiao.shared.identifiers import Identifier
from huaxiao.shared.wire.base import Given, Moment, PeriodNumber, Ratio, Resource
from huaxiao.shared.wire.tickets import Reason

Stars = Annotated[int, Field(ge=1, le=5, strict=True)]
Item = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$", examples=["attitude"])]


class Seat(StrEnum):
    """In which of a centre's two places somebody votes."""

    CONTRACTOR = "contractor"  # 承包人
    MEMBER = "member"  # 承包组员


class VoteIn(Given):
    """What somebody gives a support unit, for the centre they belong to; every item is needed."""

    centre_id: Identifier
    stars: dict[Item, Stars] = Field(max_length=20)
    reasons: dict[Item, Reason] = Field(default_factory=dict, max_length=20)
    """Two stars or fewer need one."""


class Vote(Resource):
    """A vote as it was cast: for its voter, and for those who watch over the county."""

    period: PeriodNumber
    ratee_centre_id: Identifier
    centre_id: Identifier
    seat: Seat
    person_id: Identifier
    stars: dict[str, int]
    reasons: dict[str, str]
    cast_at: Moment


class ReverseState(StrEnum):
    """Where a reverse appraisal stands."""

    NOT_OPEN = "not_open"
    VOTING = "voting"
    ANSWERING = "answering"
    """The ratee may agree or object."""
    DECIDABLE = "decidable"
    DECIDED = "decided"


class Outcome(StrEnum):
    """What came of a reverse appraisal."""

    STANDS = "stands"
    SET_ASIDE = "set_aside"
    VOID = "void"
    """Fewer than three centres voted."""


class ReverseItem(Resource):
    """An item of the card, with all that its share was computed from."""

    item: str
    weight: int
    count: int
    """How many tickets or orders were measured, or centres voted."""
    total: int | None
    """Points of 100 for each of them together; null for stars."""
    floor: int | None
    base: int | None
    challenge: int | None
    centre_means: list[str] | None
    """The centres' mean stars as fractions, smallest first, without names; null where measured."""
    value: str | None
    """The mean as a fraction; null when not applicable."""
    share: str | None
    """The share of the weight that was earned, as a fraction."""
    reasons: list[str]
    """Why so few stars, in alphabetical order, without names."""


class ReverseAnswerIn(Given):
    """What the ratee says to its card."""

    agrees: bool = Field(strict=True)
    reason: Reason | None = None
    """Needed to object."""


class ReverseAnswer(Resource):
    """What the ratee said to its card."""

    agrees: bool
    reason: str | None
    answered_at: Moment


class ReverseDecisionIn(Given):
    """Whether the card stands."""

    stands: bool = Field(strict=True)
    reason: Reason | None = None
    """Needed to set a card aside, and to decide upon an objection."""


class ReverseDecision(Resource):
    """What was decided, by whom and when."""

    outcome: Outcome
    reason: str | None
    appraisal_id: Identifier | None
    decided_by: str
    decided_at: Moment


class ReverseAppraisal(Resource):
    """A support unit as those whom it serves see it, in a period."""

    period: PeriodNumber
    ratee_centre_id: Identifier
    form: str
    state: ReverseState
    submit_until: Moment
    answer_until: Moment
    least_centres: int
    voting_centres: int | None
    """Null until the time to vote is over, as all that follows from votes."""
    void: bool | None
    score: Ratio | None
    exact_score: str | None
    items: list[ReverseItem]
    answer: ReverseAnswer | None
    decision: ReverseDecision | None
