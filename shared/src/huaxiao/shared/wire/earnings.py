"""What engineers earn of the orders they finish, by the fees that their centre's contract agrees (R14)."""

from huaxiao.shared.identifiers import Identifier
from huaxiao.shared.wire.base import AmountFen, Count, Moment, PeriodNumber, Resource, SumFen
from huaxiao.shared.wire.contracts import Engagement
from huaxiao.shared.wire.dispatch import Area, OrderKind


class EarnedOrder(Resource):
    """An order behind a figure, and the person's share of its fee."""

    order_id: Identifier
    finished_at: Moment
    shared_by: Count
    """How many people the fee is split among, by largest remainder."""
    amount_fen: AmountFen


class EarnedFigure(Resource):
    """What a person earned of one kind of work in town or country, engaged in one way."""

    kind: OrderKind
    area: Area
    engagement: Engagement | None
    """How the person was engaged when the work was finished; null of work before that was kept."""
    fee_fen: AmountFen | None
    """What the contract agrees for an order; null where it agrees nothing, which pays nothing."""
    contract_id: Identifier | None
    count: Count
    amount_fen: SumFen
    orders: list[EarnedOrder]


class PersonEarnings(Resource):
    """What a person earned for a centre in a period."""

    person_id: Identifier
    centre_id: Identifier
    """The centre that finished the orders, whose contract pays for them."""
    amount_fen: SumFen
    figures: list[EarnedFigure]


class CentreEarnings(Resource):
    """What the people listed here earned for a centre: of all of them, what its settlement pays."""

    centre_id: Identifier
    orders: Count
    amount_fen: SumFen


class Earnings(Resource):
    """What people earned in a period, by the fees as they are agreed now."""

    period: PeriodNumber
    people: list[PersonEarnings]
    centres: list[CentreEarnings]
