"""What the month's orders earned who did them, and that it is what their centres are paid (R14)."""

from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from huaxiao.cli.checks import Checks
from huaxiao.cli.sample.county import BRANCH_ID, TERM_FROM
from huaxiao.cli.sample.registration import ORDER_FEES
from huaxiao.cli.story import Story
from huaxiao.shared.money import yuan
from huaxiao.shared.wire.contracts import Engagement
from huaxiao.shared.wire.dispatch import WorkDone
from huaxiao.shared.wire.earnings import Earnings

_ENGAGED = {Engagement.OWN: "own 自有", Engagement.OUTSOURCED: "outsourced 外包"}


@dataclass(frozen=True)
class ToldEarnings:
    """A month's earnings, and the work that settlements count."""

    earnings: Earnings
    done: WorkDone


async def tell(story: Story) -> ToldEarnings:
    """Return what was earned in the sample's month."""
    return ToldEarnings(
        await story.dispatch.earnings(BRANCH_ID, period=TERM_FROM),
        await story.dispatch.work_done(BRANCH_ID, period_from=TERM_FROM, period_to=TERM_FROM),
    )


def show(console: Console, told: ToldEarnings) -> None:
    """Show what each engineer earned, by centre."""
    table = Table(
        title=f"Earnings of engineers, yuan 装维人员酬金（元）· {TERM_FROM}", title_justify="left"
    )
    for column in ("engineer", "centre", "engaged"):
        table.add_column(column)
    for column in ("orders", "with an agreed fee 计酬", "earned"):
        table.add_column(column, justify="right")
    for one in told.earnings.people:
        engaged = {figure.engagement for figure in one.figures}
        table.add_row(
            one.person_id,
            one.centre_id,
            ", ".join(_ENGAGED[each] for each in _ENGAGED if each in engaged),
            str(sum(figure.count for figure in one.figures)),
            str(sum(figure.count for figure in one.figures if figure.fee_fen is not None)),
            yuan(one.amount_fen),
        )
    console.print(table)
    console.print()


def check(checks: Checks, told: ToldEarnings) -> None:
    """Check that people's earnings are the fees of the work that their centres are paid for."""
    agreed = {(one.kind, one.area): one.fee_fen for one in ORDER_FEES}
    worth: dict[str, int] = {}
    for one in told.done.orders:
        fee = agreed.get((one.kind, one.area), 0) * one.count
        worth[one.centre_id] = worth.get(one.centre_id, 0) + fee
    earned = dict.fromkeys(worth, 0)
    for person in told.earnings.people:
        earned[person.centre_id] = earned.get(person.centre_id, 0) + person.amount_fen
    checks.equal(
        "what engineers earn adds up to the work done at the agreed fees, to the fen", earned, worth
    )
