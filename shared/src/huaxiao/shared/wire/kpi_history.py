"""Resources of the KPI service's history: what was known when, and what was restated since."""

from huaxiao.shared.cost_kinds import CostClass
from huaxiao.shared.identifiers import Identifier
from huaxiao.shared.wire.base import Count, Moment, PeriodNumber, Resource
from huaxiao.shared.wire.kpi import Unit, Whole


class FieldMeasure(Resource):
    """A measure of a responsibility field and month, by the centre it was booked to."""

    field_id: Identifier
    period: PeriodNumber
    centre_id: Identifier
    measure: str
    unit: Unit
    amount: Whole
    cost_class: CostClass | None


class MeasureChange(Resource):
    """What one entry of a peer's feed changed of a measure."""

    source: str
    """The feed: ``/attribution``, ``/contracts`` or ``/dispatch``."""
    position: Count
    """The entry's place in it, to be read there (``…/feed?lastEventId=position-1&limit=1``)."""
    known_at: Moment
    """When the service that told it knew it."""
    field_id: Identifier | None
    amount: Whole


class Restatement(Resource):
    """A measure that is another now than it was known at a moment, and the entries that made it so."""

    centre_id: Identifier
    period: PeriodNumber
    measure: str
    unit: Unit
    amount_before: Whole | None
    """As it was known at the moment; null where nothing was known of it."""
    amount: Whole
    """As it is known now, or at ``until``."""
    change: Whole
    """What the later changes add up to; 0 where they cancel out."""
    period_was_closed: bool
    """The month's books were closed by then."""
    changes: list[MeasureChange]
    """In the order they were known, the latest hundred."""
    changes_omitted: Count
