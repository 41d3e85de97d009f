"""Leads that the register of contracts says were converted, as the events they are (R16).

They come in as a BSS's ``lead.converted`` does and by the same way: read, sorted out, counted, booked or
held in quarantine. Nothing about them is decided here.
"""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.county.counties import Counties
from huaxiao.attribution.intake.arrivals import Arrival
from huaxiao.attribution.intake.reading import SUITE_SOURCE, read_all
from huaxiao.attribution.intake.taking import take
from huaxiao.shared.wire import events
from huaxiao.shared.wire.feed import FeedEntry
from huaxiao.shared.wire.leads import LeadConverted

_POSTED_BY = "service:contracts"


def event_of(branch_id: int, entry: FeedEntry) -> bytes:
    """Return the event a fact stands for: the same bytes whenever it is followed."""
    lead = LeadConverted.model_validate(entry.data)
    return events.encode(
        {
            "specversion": "1.0",
            "id": lead.lead_id,
            "source": SUITE_SOURCE,
            "type": "lead.converted",
            "time": entry.time,
            "branchid": branch_id,
            "subject": lead.lead_id,
            "data": events.LeadConverted(
                lead_id=lead.lead_id,
                approved_on=lead.approved_on,
                owner_centre_id=lead.owner_centre_id,
                originator_id=lead.originator_id,
                subscription_ids=lead.subscription_ids,
                project_id=lead.project_id,
                people=[
                    events.LeadPerson(
                        person_id=one.person_id, share_basis_points=one.share_basis_points
                    )
                    for one in lead.people
                ],
                rate_basis_points=lead.rate_basis_points,
                months=lead.months,
            ),
        }
    )


async def take_registered(
    connection: AsyncConnection, branch_id: int, entries: Iterable[FeedEntry], *, now: datetime
) -> None:
    """Take converted leads in, in the transaction that follows the register."""
    readings = read_all((event_of(branch_id, one) for one in entries), now=now)
    arrivals = [Arrival(one, _POSTED_BY) for one in readings]
    # Counties of its own: what a process remembers must not come from a transaction that may fail.
    await take(connection, Counties(), branch_id, arrivals, now=now)
