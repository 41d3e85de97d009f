"""A contractor's pay against its team's: at most so many times the members' mean (承包人薪酬限额)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from huaxiao.contracts.domain.headcount import Pay
from huaxiao.shared.periods import Period


@dataclass(frozen=True, slots=True)
class PaidSoFar:
    """What a contractor and the members of its team were paid over some months, in fen.

    A person-month is a month of which somebody's pay is recorded: who joined late counts from then.
    """

    contractor_fen: int
    contractor_months: int
    members_fen: int
    member_months: int

    def within(self, most_times: Decimal) -> bool | None:
        """Say whether the contractor's monthly pay keeps the limit; None while either is unknown."""
        if not self.contractor_months or not self.member_months:
            return None
        # Compared as products: no division, and no rounding, can tip the scale.
        return (
            self.contractor_fen * self.member_months
            <= most_times * self.members_fen * self.contractor_months
        )

    def most_fen(self, most_times: Decimal) -> int | None:
        """Return what the contractor may have been paid at most, in whole fen; None while unknown."""
        if not self.contractor_months or not self.member_months:
            return None
        return int(most_times * self.members_fen * self.contractor_months / self.member_months)


def paid_so_far(pays: Iterable[Pay], contractors: Mapping[Period, str | None]) -> PaidSoFar:
    """Sum the pay of a centre's people over the months of which the contractor is given."""
    contractor: list[int] = []
    members: list[int] = []
    for pay in pays:
        if pay.period in contractors:
            of = contractor if pay.person_id == contractors[pay.period] else members
            of.append(pay.pay_fen)
    return PaidSoFar(sum(contractor), len(contractor), sum(members), len(members))
