"""The sample's assets and their rounds: created on their cycle, most of them walked (R17)."""

from dataclasses import dataclass
from datetime import date, timedelta

from rich.console import Console
from rich.table import Table

from huaxiao.cli.checks import Checks
from huaxiao.cli.sample.county import BRANCH_ID
from huaxiao.cli.sample.day import ASSETS
from huaxiao.cli.story import Story, until
from huaxiao.shared.auth import Role
from huaxiao.shared.periods import first_day, period_of_day, periods_from, shift
from huaxiao.shared.wire.assets import Asset, Round, RoundCoverage, RoundState
from huaxiao.shared.wire.dispatch import Evidence, OrderState, OrderStepIn, StepName

_WALKING = {
    OrderState.DISPATCHED: StepName.ACCEPT,
    OrderState.REASSIGNED: StepName.ACCEPT,
    OrderState.ACCEPTED: StepName.START,
    OrderState.IN_PROGRESS: StepName.FINISH,
}
_STATES = {
    RoundState.DONE: "done\n完成",
    RoundState.LATE: "late\n逾期完成",
    RoundState.OPEN: "open\n待巡",
    RoundState.OVERDUE: "overdue\n逾期",
    RoundState.MISSED: "missed\n漏检",
}


@dataclass(frozen=True)
class ToldRounds:
    """Assets, and what has become of their rounds until today."""

    assets: tuple[Asset, ...]
    coverage: tuple[RoundCoverage, ...]
    today: date

    def rounds_of(self, asset: Asset) -> list[Round]:
        """Return the rounds of an asset that have begun, from its first on."""
        found = [
            one
            for period in self.coverage
            for kind in period.kinds
            for one in kind.rounds
            if one.asset_id == asset.asset_id and one.starts_on <= self.today
        ]
        return sorted(found, key=lambda one: one.starts_on)


async def register(story: Story, today: date) -> None:
    """Register the assets that are not there, in use since the month before."""
    known = {one.asset_id for one in await story.dispatch.assets(BRANCH_ID)}
    since = first_day(shift(period_of_day(today), -1))
    for one in ASSETS:
        if one.asset_id not in known:
            given = one.given(story.county, since)
            await story.dispatch.put_asset(BRANCH_ID, one.asset_id, given)


async def walk(story: Story, today: date) -> ToldRounds:
    """Wait until every round that has begun is an order, walk most, and return what became of all."""
    told: list[ToldRounds] = []

    async def created() -> bool:
        told[:] = [await _told(story, today)]
        rounds = [one for asset in told[0].assets for one in told[0].rounds_of(asset)]
        return all(one.order_id is not None for one in rounds)

    await until(created, "dispatch creates the rounds of assets")
    walked = {one.asset_id for one in ASSETS if one.walked}
    for asset in told[0].assets:
        for one in told[0].rounds_of(asset):
            if asset.asset_id in walked and one.finished_at is None and one.order_id is not None:
                await _walk_one(story, one.order_id)
    return await _told(story, today)


async def _told(story: Story, today: date) -> ToldRounds:
    assets = await story.dispatch.assets(BRANCH_ID)
    periods = periods_from(
        period_of_day(min(one.from_day for one in assets)), shift(period_of_day(today), 1)
    )
    coverage = [await story.dispatch.round_coverage(BRANCH_ID, period=one) for one in periods]
    return ToldRounds(tuple(assets), tuple(coverage), today)


async def _walk_one(story: Story, order_id: str) -> None:
    order = await story.dispatch.order(BRANCH_ID, order_id)
    if order.engineer_id is None:
        return
    async with story.somebody(Role.ENGINEER, order.engineer_id) as engineer:
        while order.state in _WALKING:
            step = OrderStepIn(step=_WALKING[order.state], evidence=Evidence())
            order = await engineer.step(BRANCH_ID, order_id, step)


def show(console: Console, told: ToldRounds) -> None:
    """Show the assets, and how many of their rounds became what."""
    table = Table(title="Rounds of assets 巡检覆盖", title_justify="left")
    table.add_column("asset")
    for column in ("rounds\n应巡", *_STATES.values()):
        table.add_column(column, justify="right")
    for asset in told.assets:
        states = [one.state for one in told.rounds_of(asset)]
        counts = [states.count(one) for one in _STATES]
        table.add_row(
            f"{asset.asset_id} {asset.name_zh}",
            str(len(states)),
            *("–" if count == 0 else str(count) for count in counts),
        )
    console.print(table)
    console.print()


def check(checks: Checks, told: ToldRounds) -> None:
    """Check that rounds follow one another from an asset's first day until today."""
    checks.hold(
        "rounds of assets skip no day, and each has its order (R17)",
        held=all(_skips_nothing(told, one) for one in told.assets) and bool(told.assets),
    )
    checks.hold(
        "what nobody walked is named as overdue or missed",
        held={
            one.asset_id
            for asset in told.assets
            for one in told.rounds_of(asset)
            if one.state in {RoundState.OVERDUE, RoundState.MISSED}
        }
        == {one.asset_id for one in ASSETS if not one.walked},
    )


def _skips_nothing(told: ToldRounds, asset: Asset) -> bool:
    expected = asset.from_day
    for one in told.rounds_of(asset):
        if one.starts_on != expected or one.order_id is None:
            return False
        expected = one.ends_on + timedelta(days=1)
    return expected > told.today
