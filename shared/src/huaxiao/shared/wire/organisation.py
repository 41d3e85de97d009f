"""The organisation as of a day, and plans that change it (R13, R14, R20)."""

from datetime import date
from typing import Annotated

from pydantic import Field

from huaxiao.shared.identifiers import Identifier
from huaxiao.shared.wire.base import Count, Day, Fact, Given, Moment, Name, Resource
from huaxiao.shared.wire.contracts import (
    Centre,
    CentreKind,
    Channel,
    ConcurrentPlace,
    Engagement,
    Skill,
)
from huaxiao.shared.wire.negative_list import Hit

Text = Annotated[str, Field(min_length=1, max_length=2000, pattern=r"^[^\x00]*$")]


class LeaveIn(Given):
    """Somebody leaves: the first day on which they do not work here, and why."""

    day: Day
    reason: Text


class RenameIn(Given):
    """A centre is called otherwise from a day on."""

    from_day: Day
    name: Name
    name_zh: Name


class MoveIn(Given):
    """A channel belongs to another centre from a day on."""

    from_day: Day
    centre_id: Identifier


class CloseIn(Given):
    """A centre or a channel closes: the first day on which it is not there, and why."""

    day: Day
    reason: Text


class CentreState(Resource):
    """What a centre is called from a day on, or that it is closed from then on."""

    from_day: date | None
    """Null is: as long as the branch."""
    name: Name
    name_zh: Name
    open: bool
    reason: str | None
    """Why it was closed."""


class CentreHistory(Centre):
    """A centre as it is called today, and everything it has been and will be."""

    states: list[CentreState]
    """Oldest first."""


class ChannelHome(Resource):
    """The centre a channel belongs to from a day on, or that it is closed from then on."""

    from_day: date | None
    """Null is: as long as the branch."""
    centre_id: Identifier
    open: bool
    reason: str | None
    """Why it was closed."""


class ChannelHistory(Channel):
    """A channel in the centre it belongs to today, and all the centres it has belonged to."""

    homes: list[ChannelHome]
    """Oldest first."""


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


class NewCentre(Given):
    """A centre that the plan opens."""

    centre_id: Identifier
    kind: CentreKind
    name: Name
    name_zh: Name


class PlannedRename(Given):
    """A centre that is to be called otherwise."""

    centre_id: Identifier
    name: Name
    name_zh: Name


class PlannedClosing(Given):
    """A centre that is to close."""

    centre_id: Identifier
    reason: Text


class PlannedHome(Given):
    """A channel, and the centre it is to belong to."""

    channel_id: Identifier
    centre_id: Identifier


class PlannedChannelClosing(Given):
    """A channel that is to close."""

    channel_id: Identifier
    reason: Text


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
    """A plan: everybody's place from a day on. Whoever works here is named, placed or leaving.

    Centres and channels that it does not name stay as they are.
    """

    name_zh: Name
    from_day: Day
    centres: list[NewCentre] = Field(default_factory=list, max_length=200)
    """Those it opens."""
    renamed: list[PlannedRename] = Field(default_factory=list, max_length=200)
    closed: list[PlannedClosing] = Field(default_factory=list, max_length=200)
    channels: list[PlannedHome] = Field(default_factory=list, max_length=5000)
    """Those it moves."""
    closed_channels: list[PlannedChannelClosing] = Field(default_factory=list, max_length=5000)
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


class CentreRenamed(Resource):
    """A centre's names before and after."""

    centre_id: Identifier
    from_name: Name
    from_name_zh: Name
    to_name: Name
    to_name_zh: Name


class StillThere(Resource):
    """What a centre would still have on the day it closes, or later; it closes with none of it."""

    people: list[Identifier]
    channels: list[Identifier]
    contracts: list[Identifier]
    """Those signed whose term is not over."""
    sealed_fields: list[Identifier]
    """Those whose term is not over."""
    holds_the_pool: bool
    """The branch's default centre does not close."""


class CentreClosing(StillThere):
    """A centre that closes, and what would still be there."""

    centre_id: Identifier


class ChannelChange(Resource):
    """A channel that moves; null is: it closes."""

    channel_id: Identifier
    from_centre_id: Identifier
    to_centre_id: Identifier | None
    sealed_in: list[Identifier]
    """Sealed channel fields of other centres whose term is not over: they hold it."""


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
    not_here: list[Identifier] = Field(default_factory=list)
    """Who is to leave and was not here the day before."""
    without_place: list[Identifier]
    """People who work here before and whom the plan neither places nor lets go."""
    emptied_contracting_centres: list[Identifier]
    """Centres with a contract in force that nobody would work in."""
    opened: list[Centre] = Field(default_factory=list)
    renamed: list[CentreRenamed] = Field(default_factory=list)
    closed: list[CentreClosing] = Field(default_factory=list)
    channels: list[ChannelChange] = Field(default_factory=list)
    on_negative_list: list[Hit] = Field(default_factory=list)
    """Entries of the negative list in force on the day that forbid the plan as it stands."""
    digest: str
    """SHA-256, in hex, over the plan, the organisation before and the difference: what is applied."""


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
CENTRE_CHANGED = "contracts.centre.changed"
CHANNEL_MOVED = "contracts.channel.moved"


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


class CentreChanged(Fact):
    """A centre is called otherwise from a day on, or is closed."""

    centre_id: Identifier
    from_day: date
    name: Name
    name_zh: Name
    open: bool
    """False where it closes; it was called last as it is called here."""


class ChannelMoved(Fact):
    """A channel belongs to another centre from a day on, or is closed.

    What it developed before stays where it is.
    """

    channel_id: Identifier
    from_day: date
    centre_id: Identifier
    open: bool
    """False where it closes; it belonged last to the centre named here."""
