"""Support tickets of the sample county: one that is answered, one that is another's, one left lying."""

from dataclasses import dataclass

from huaxiao.shared.wire.tickets import Boundary, TicketIn, Urgency

SUPPORT_PERSON = "P29"
"""Who heads the support centre."""


@dataclass(frozen=True, slots=True)
class SampleTicket:
    """A ticket, and what the support centre does about it."""

    given: TicketIn
    answer: str | None = None
    """Its answer, which the raiser then closes the ticket with."""
    boundary: Boundary | None = None
    """Of a complaint: whose it is found to be."""
    reason: str | None = None


ANSWERED = SampleTicket(
    TicketIn(
        raiser_centre_id="C1",
        category="business_support",
        title="专线客户发票抬头更正",
        text="客户更名，十一月起按新抬头开票。",
    ),
    answer="已在计费系统更正，下一账期生效。",
)
COMPLAINT = SampleTicket(
    TicketIn(
        raiser_centre_id="C2",
        category="complaint",
        title="客户投诉套餐外流量费",
        text="客户称未收到流量提醒短信。",
    ),
    boundary=Boundary.COMPANY_SERVICE,
    reason="提醒短信由公司客服平台发送",
)
LEFT_LYING = SampleTicket(
    TicketIn(
        raiser_centre_id="G1",
        category="it_coordination",
        title="客户账单接口无法登录",
        text="客户今日须对账，请尽快协调。",
        urgency=Urgency.URGENT,
    )
)
TICKETS = (ANSWERED, COMPLAINT, LEFT_LYING)
