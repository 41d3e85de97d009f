"""The sample's support tickets: raised, answered, decided, and one left lying (R18, R19)."""

from dataclasses import dataclass
from datetime import datetime

from rich.console import Console
from rich.table import Table

from huaxiao.cli.checks import Checks
from huaxiao.cli.sample.county import BRANCH_ID
from huaxiao.cli.sample.tickets import LEFT_LYING, SUPPORT_PERSON, TICKETS, SampleTicket
from huaxiao.cli.story import Story
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.clients.dispatch import DispatchClient
from huaxiao.shared.clock import system_clock
from huaxiao.shared.periods import BUSINESS_ZONE
from huaxiao.shared.wire.tickets import (
    ClosedHow,
    Supervisor,
    Ticket,
    TicketDetail,
    TicketState,
    TicketStepIn,
    TicketStepName,
    UnitKind,
)

_REFUSED = "owing-unit-may-not-close"
_UNITS = {
    UnitKind.CENTRE: "{0}",
    UnitKind.SUPPORT_MANAGER: "SS manager 支撑中心经理",
    UnitKind.CITY_COMPANY: "city company 市公司",
    UnitKind.COMPANY_SERVICE: "company 公司客服",
}
_STATES = {
    TicketState.RAISED: "raised 已提出",
    TicketState.ACCEPTED: "accepted 已受理",
    TicketState.HANDED_OVER: "given on 已转派",
    TicketState.ANSWERED: "answered 已答复",
    TicketState.CLOSED: "[green]closed 已闭环[/green]",
}
_SUPERVISORS = {
    Supervisor.SUPPORT_MANAGER: "SS manager 支撑中心经理",
    Supervisor.GENERAL_MANAGER: "general manager 总经理",
}


@dataclass(frozen=True)
class ToldTickets:
    """What became of the tickets."""

    tickets: tuple[TicketDetail, ...]
    refused: str | None
    """The code with which who owes a ticket was kept from closing it."""
    asked_at: datetime


async def tell(story: Story) -> ToldTickets:
    """Raise each ticket once, take it as far as the sample does, and return them all."""
    known = {one.title: one for one in await _all(story.dispatch)}
    async with story.somebody(Role.SUPPORT_CENTRE, SUPPORT_PERSON) as support:
        told = [await _tell(story, one, known.get(one.given.title), support) for one in TICKETS]
        refused = await _refused_to_close(support, told[TICKETS.index(LEFT_LYING)])
    return ToldTickets(tuple(told), refused, system_clock())


async def _all(dispatch: DispatchClient) -> list[Ticket]:
    found: list[Ticket] = []
    cursor: str | None = None
    while True:
        page = await dispatch.tickets(BRANCH_ID, cursor=cursor)
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            return found


async def _tell(
    story: Story, sample: SampleTicket, known: Ticket | None, support: DispatchClient
) -> TicketDetail:
    async with story.contractor(sample.given.raiser_centre_id) as raiser:
        ticket = known or await raiser.raise_ticket(BRANCH_ID, sample.given)

        async def take(by: DispatchClient, step: TicketStepIn) -> None:
            nonlocal ticket
            ticket = await by.step_ticket(BRANCH_ID, ticket.ticket_id, step)

        if sample.boundary is not None and ticket.boundary is None:
            await take(
                support,
                TicketStepIn(
                    step=TicketStepName.DECIDE_BOUNDARY,
                    boundary=sample.boundary,
                    reason=sample.reason,
                ),
            )
        if sample.answer is not None:
            if ticket.state is TicketState.RAISED:
                await take(support, TicketStepIn(step=TicketStepName.ACCEPT))
            if ticket.state is TicketState.ACCEPTED:
                await take(support, TicketStepIn(step=TicketStepName.ANSWER, text=sample.answer))
            if ticket.state is TicketState.ANSWERED:
                await take(raiser, TicketStepIn(step=TicketStepName.CLOSE))
    return await story.dispatch.ticket(BRANCH_ID, ticket.ticket_id)


async def _refused_to_close(support: DispatchClient, ticket: Ticket) -> str | None:
    """Have who owes a ticket close it; return the code with which that is refused."""
    step = TicketStepIn(step=TicketStepName.CLOSE, reason="已处理")
    try:
        await support.step_ticket(BRANCH_ID, ticket.ticket_id, step)
    except PeerProblem as problem:
        return problem.code
    return None


def show(console: Console, told: ToldTickets) -> None:
    """Show who owes which ticket, and by when."""
    table = Table(title="Support tickets 需求单", title_justify="left")
    for column in ("ticket", "from", "owed by", "state", "due, and then seen to by 时限与督办"):
        table.add_column(column)
    for one in told.tickets:
        table.add_row(
            one.title,
            one.raiser_centre_id,
            _UNITS[one.owner.kind].format(one.owner.centre_id),
            _STATES.get(one.state, one.state),
            _due(one),
        )
    console.print(table)
    console.print()


def _due(one: TicketDetail) -> str:
    if one.state is TicketState.CLOSED:
        return "in time 按时" if one.on_time else "[red]late 超时[/red]"
    if one.supervisor is not None:
        return f"[red]late 超时[/red], {_SUPERVISORS[one.supervisor]}"
    if one.due_at is None:
        return "with its raiser 待提出方"
    due = one.due_at.astimezone(BUSINESS_ZONE)
    return f"{due:%m-%d %H:%M}, {_SUPERVISORS[Supervisor.SUPPORT_MANAGER]}"


def check(checks: Checks, told: ToldTickets) -> None:
    """Check what must be true of tickets, whenever they were raised."""
    answered, complaint, lying = told.tickets
    checks.equal(
        "a ticket that was answered is closed by its raiser, in time (R18)",
        (answered.state, answered.closed_how, answered.on_time),
        (TicketState.CLOSED, ClosedHow.RAISER, True),
    )
    checks.equal(
        "a complaint is owed by whose it was found to be (R19)",
        complaint.owner.kind,
        UnitKind.COMPANY_SERVICE,
    )
    checks.equal("who owes a ticket cannot close it", told.refused, _REFUSED)
    checks.hold(
        "an unanswered ticket is supervised from its due time on, and not before",
        held=lying.due_at is not None
        and (lying.supervisor is not None) == (lying.due_at < told.asked_at),
    )
