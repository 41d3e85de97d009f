"""All of that work, in the order in which the demo tells it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from rich.console import Console

from huaxiao.cli.checks import Checks
from huaxiao.cli.story import Story
from huaxiao.cli.work import clocks, day, earnings, planned, rounds, tickets
from huaxiao.cli.work.clocks import ToldClocks
from huaxiao.cli.work.day import AskedDay, ToldDay
from huaxiao.cli.work.earnings import ToldEarnings
from huaxiao.cli.work.rounds import ToldRounds
from huaxiao.cli.work.tickets import ToldTickets
from huaxiao.shared.clock import system_clock
from huaxiao.shared.periods import business_day
from huaxiao.shared.wire.dispatch import Order


@dataclass(frozen=True)
class BegunWork:
    """What is done before the month's events come in, and the plan that is made meanwhile."""

    rounds: ToldRounds
    asked: AskedDay


@dataclass(frozen=True)
class ToldWork:
    """All that is shown and checked in the end."""

    clocks: ToldClocks
    earnings: ToldEarnings
    tickets: ToldTickets
    rounds: ToldRounds
    day: ToldDay


async def begin(story: Story) -> BegunWork:
    """Walk the rounds that are due, and ask for the plan of tomorrow, the real one."""
    today = business_day(system_clock())
    await rounds.register(story, today)
    entered = await day.enter(story, today + timedelta(days=1))
    walked = await rounds.walk(story, today)
    return BegunWork(walked, await day.ask(story, entered))


async def end(story: Story, begun: BegunWork, done: Sequence[Order]) -> ToldWork:
    """Look at what has become of all of it, once the month's orders are done."""
    return ToldWork(
        clocks=await clocks.tell(story, done),
        earnings=await earnings.tell(story),
        tickets=await tickets.tell(story),
        rounds=begun.rounds,
        day=await day.look(story, begun.asked),
    )


def show_month(console: Console, told: ToldWork) -> None:
    """Show what the month's orders were to those who did them."""
    clocks.show(console, told.clocks)
    earnings.show(console, told.earnings)


def show_today(console: Console, told: ToldWork) -> None:
    """Show what goes by the real clock: tickets, rounds, and tomorrow's plan."""
    tickets.show(console, told.tickets)
    rounds.show(console, told.rounds)
    planned.show(console, told.day)


def check(checks: Checks, told: ToldWork) -> None:
    """Check all of it."""
    clocks.check(checks, told.clocks)
    earnings.check(checks, told.earnings)
    tickets.check(checks, told.tickets)
    rounds.check(checks, told.rounds)
    planned.check(checks, told.day)
