"""A lead of the sample county: two people bring it, it becomes a line, a payment earns commission (R16).

The register counts its 90 days by the clock on the wall, so the line opens on the day after the approval
and not in the sample's month: that month's figures are as they would be without it.
"""

from datetime import date, timedelta

from huaxiao.cli.sample.county import BRANCH_ID
from huaxiao.cli.sample.generator import BILLING, BSS, Event
from huaxiao.shared.periods import period_of_day
from huaxiao.shared.wire.leads import LeadConversionIn, LeadDecisionIn, LeadIn, LeadPersonIn

BRINGER = "P13"
PROSPECT = LeadIn(
    customer_name="云泽粮油公司",
    about_zh="新厂区宽带",
    expected_amount_fen=400_200,
    people=[
        LeadPersonIn(person_id=BRINGER, share_basis_points=7_500),
        LeadPersonIn(person_id="P02", share_basis_points=2_500),
    ],
)
APPROVAL = LeadDecisionIn(approved=True, reason="客户意向属实", rate_basis_points=200, months=12)
CONVERSION = LeadConversionIn(subscription_ids=["S-LEAD-1"])
EARNED_FEN = {BRINGER: 500, "P02": 167}
"""Two percent of 333.50 yuan are 6.67; three quarters of it are no whole fen."""
_PAID_FEN = 33_350


def opening(approved_on: date) -> date:
    """Return the first day on which a line comes from a lead."""
    return approved_on + timedelta(days=1)


def earned_in(approved_on: date) -> int:
    """Return the period the lead's line is opened and paid in."""
    return period_of_day(opening(approved_on))


def line_events(approved_on: date) -> list[Event]:
    """Return what BSS and billing say of the line that the lead became."""
    day = opening(approved_on)
    opened = {
        "subscription_id": "S-LEAD-1",
        "customer_id": "CUST-LEAD-1",
        "product": "broadband",
        "opened_on": day.isoformat(),
        "customer_kind": "enterprise",
    }
    paid = {"payment_id": "PAY-LEAD-1", "subscription_id": "S-LEAD-1", "amount_fen": _PAID_FEN}
    return [
        {
            "specversion": "1.0",
            "id": f"E-LEAD-{number}",
            "source": source,
            "type": kind,
            "time": f"{day.isoformat()}T00:00:00+08:00",
            "branchid": BRANCH_ID,
            "data": data,
        }
        for number, (source, kind, data) in enumerate(
            [(BSS, "subscription.opened", opened), (BILLING, "payment.received", paid)], start=1
        )
    ]
