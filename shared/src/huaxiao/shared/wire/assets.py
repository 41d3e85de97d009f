"""Assets that are patrolled, the rounds that come of it, and how far they were done (R17)."""

from datetime import date
from enum import StrEnum

from huaxiao.shared.addresses import AddressCode
from huaxiao.shared.identifiers import Identifier
from huaxiao.shared.wire.base import Count, Day, Given, Moment, Name, PeriodNumber, Resource
from huaxiao.shared.wire.service_levels import AssetGrade, AssetKind, Cycle


class AssetIn(Given):
    """An asset as it is registered, or as it is from now on."""

    kind: AssetKind
    grade: AssetGrade
    name_zh: Name
    standard_address: AddressCode
    centre_id: Identifier
    """The centre whose engineers patrol it."""
    customer_id: Identifier | None = None
    """Of a circuit: whose it is."""
    cycle: Cycle | None = None
    """When absent, the one that the service levels in force have for its kind and grade."""
    from_day: Day
    """Rounds begin with the first whole month, quarter or cycle from this day on."""
    retired_on: Day | None = None
    """No round begins on this day or later."""


class Asset(AssetIn):
    """An asset, and when its next round begins."""

    model_config = Resource.model_config

    asset_id: Identifier
    next_round_on: date | None


class RoundState(StrEnum):
    """What has become of a round."""

    OPEN = "open"
    DONE = "done"
    LATE = "late"  # 逾期完成
    OVERDUE = "overdue"  # 逾期未完成，宽限期内
    MISSED = "missed"  # 漏检


class Round(Resource):
    """A patrol of an asset that a cycle asks for."""

    asset_id: Identifier
    starts_on: date
    ends_on: date
    """The last day on which it is in time."""
    due_at: Moment
    limit_at: Moment
    """From here on a round that was not done is missed."""
    order_id: Identifier | None
    """Null while the round is still to be created, after the service was down."""
    created_late: bool
    """Created after its first day."""
    state: RoundState
    finished_at: Moment | None


class RoundsOfKind(Resource):
    """The rounds of assets of a kind and grade that a period is the end of."""

    kind: AssetKind
    grade: AssetGrade
    due: Count
    done: Count
    late: Count
    missed: Count
    overdue: Count
    open: Count
    rounds: list[Round]


class RoundCoverage(Resource):
    """How far the rounds of a period were done."""

    period: PeriodNumber
    kinds: list[RoundsOfKind]
