"""The organisation as of a day, and plans that change it (R13, R14, R20)."""

from datetime import date
from typing import Annotated

from pydantic import Field

from huaxiao.shared.identifiers import Identifier
from huaxiao.shared.wire.base import Count, Day, Fact, Given, Moment, Name, Resource
from huaxiao.shared.wire.contracts import (
    CentreIn,
    CentreKind,
    Channel,
    ConcurrentPlace,
    Engagement,
    Skill,
)

Text = Annotated[str, Field(min_length=1, max_length=2000, pattern=r"^[^\x00]*$")]


class LeaveIn(Given):
    """Somebody leaves: the first day on which they do not work here, and why."""

    day: Day
    reason: Text


class HeldPosition(Resource):
    """A position somebody holds; a concurrent one (兼任) counts no head."""

    person_id: Identifier
    position: Name
    concurrent: bool
    engagement: Engagement
    skills: list[Skill]
    since: date


class HeadCount(Resource):
    """How many people a centre has, by how they are engaged."""

    own: Count
    centre_hired: Count
    outsourced: Count


class CentreOn(Resource):
    """A centre as it stands on a day."""

    centre_id: Identifier
    kind: CentreKind
    name: Name
    name_zh: Name
    heads: HeadCount
    positions: list[HeldPosition]
    channels: list[Channel]


class Organisation(Resource):
    """The organisation of a branch on a day."""

    on: date
    heads: HeadCount
    """Of the centres shown; nobody counts twice."""
    centres: list[CentreOn]


# --- re-organisation ----------------------------------------------------------------------------


class NewCentre(CentreIn):
    """A centre that the plan opens."""

    centre_id: Identifier


class PlannedPositions(Given):
    """How many places of a position a centre is to have (编制)."""

    centre_id: Identifier
    position: Name
    places: Annotated[int, Field(strict=True, ge=0, le=1000)]


class PlannedPlace(Given):
    """Where somebody is to work."""

    person_id: Identifier
    centre_id: Identifier
    position: Name
    engagement: Engagement
    skills: list[Skill] = Field(default_factory=list, max_length=20)
    concurrent: list[ConcurrentPlace] = Field(default_factory=list, max_length=20)


class PlannedLeave(Given):
    """Who is to leave."""

    person_id: Identifier
    reason: Text


class ReorganisationIn(Given):
    """A plan: everybody's place from a day on. Whoever works here is named, placed or leaving."""

    name_zh: Name
    from_day: Day
    centres: list[NewCentre] = Field(default_factory=list, max_length=200)
    positions: list[PlannedPositions] = Field(default_factory=list, max_length=2000)
    places: list[PlannedPlace] = Field(default_factory=list, max_length=5000)
    leaving: list[PlannedLeave] = Field(default_factory=list, max_length=5000)


class Move(Resource):
    """Somebody whose place or engagement changes; null is: not here."""

    person_id: Identifier
    from_centre_id: Identifier | None
    from_position: Name | None
    to_centre_id: Identifier | None
    to_position: Name | None


class CentreChange(Resource):
    """A centre's heads before and after."""

    centre_id: Identifier
    before: HeadCount
    after: HeadCount


class Vacancy(Resource):
    """Places of a position that nobody holds after, or people beyond its places (negative)."""

    centre_id: Identifier
    position: Name
    open: int


class ReorganisationPreview(Resource):
    """The difference that a plan makes, of the organisation on the day before it."""

    before_on: date
    moves: list[Move]
    joining: list[Move]
    leaving: list[Move]
    staying: Count
    centres: list[CentreChange]
    vacancies: list[Vacancy]
    without_place: list[Identifier]
    """People who work here before and whom the plan neither places nor lets go."""
    emptied_contracting_centres: list[Identifier]
    """Centres with a contract in force that nobody would work in."""
    digest: str
    """SHA-256, in hex, over the plan and the organisation before: what is applied."""


class Reorganisation(ReorganisationIn):
    """A plan; an applied one shows the difference it made."""

    model_config = Resource.model_config

    plan_id: Identifier
    drafted_by: str
    drafted_at: Moment
    applied_by: str | None
    applied_at: Moment | None
    made: ReorganisationPreview | None


class ApplyIn(Given):
    """The digest of the difference that was previewed."""

    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


PERSON_LEFT = "contracts.person.left"
REORGANISATION_APPLIED = "contracts.reorganisation.applied"


class PersonLeft(Fact):
    """Somebody does not work here any more, from a day on."""

    person_id: Identifier
    centre_id: Identifier
    """Where they worked last."""
    from_day: date


class ReorganisationApplied(Fact):
    """A plan was applied; its places are facts of their own."""

    plan_id: Identifier
    from_day: date
    digest: str
