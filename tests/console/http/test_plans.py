"""Plans of a day, from asking for one to making it the day: over the real services."""

import html
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Protocol

import httpx
import pytest

from huaxiao.cli.sample.county import BRANCH_ID, sample_county
from huaxiao.cli.sample.day import CENTRE, UNKNOWN_SKILL
from huaxiao.cli.sample.generator import generate
from huaxiao.cli.story import Endpoints, telling, until
from huaxiao.cli.work import day as work
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.dispatch import DispatchClient
from huaxiao.shared.issuer import Issuer
from huaxiao.shared.periods import business_day
from huaxiao.shared.wire.dispatch import OrderStepIn, StepName
from huaxiao.shared.wire.plans import Plan, PlanIn, PlanState

HOME = f"/branches/{BRANCH_ID}"
LIST = f"{HOME}/plans"
Visit = Callable[..., httpx.AsyncClient]


class Asked(Protocol):
    away: str | None

    def refused(self) -> list[tuple[str, str, int]]: ...


@dataclass
class PlannedDay:
    """A day of the sample's build-and-maintain centre, and a plan of it."""

    dispatch: DispatchClient
    on: date

    async def plan(self, iterations: int = 50) -> Plan:
        """Have a plan made."""
        given = PlanIn(day=self.on, centre_id=CENTRE, iterations=iterations)
        asked = await self.dispatch.ask_for_plan(BRANCH_ID, given)
        return await self.made(asked.plan_id)

    async def made(self, plan_id: str) -> Plan:
        """Wait until a plan is made."""
        found: list[Plan] = []

        async def is_made() -> bool:
            found[:] = [await self.dispatch.plan(BRANCH_ID, plan_id)]
            return found[0].state not in {PlanState.QUEUED, PlanState.RUNNING}

        await until(is_made, "the plan is made")
        return found[0]


@pytest.fixture(scope="module")
async def entered(suite: Endpoints) -> date:
    """Enter all that the plan of a day that lies ahead is made from."""
    on = business_day(datetime.now(UTC)) + timedelta(days=2)
    county = sample_county()
    async with telling(suite, county, generate(county, 1, 50)) as story:
        await work.enter(story, on)
    return on


@pytest.fixture
async def day(suite: Endpoints, issuer: Issuer, entered: date) -> AsyncIterator[PlannedDay]:
    signed = issuer.token("test:dispatcher", roles=[Role.COUNTY_MANAGER], branch_ids=[BRANCH_ID])
    async with DispatchClient(suite.dispatch, lambda: signed) as dispatch:
        yield PlannedDay(dispatch, entered)


def at(plan: Plan) -> str:
    return f"{LIST}/{plan.plan_id}"


def rows(page: str, title: str) -> list[str]:
    table = page.partition(f'aria-label="{title}"')[2].partition("</table>")[0]
    return re.findall(r"<tr><th scope=\"row\">(.*?)</tr>", table, re.DOTALL)


async def send(browser: httpx.AsyncClient, address: str, form: str, **given: str) -> httpx.Response:
    """Send a form of a page."""
    page = (await browser.get(address)).text
    assert f'action="{form}"' in page
    key = re.search(r'name="form_key" value="(\w+)"', page)
    assert key is not None
    sent = {"form_key": key.group(1)} | given
    return await browser.post(form, data=sent, follow_redirects=True)


async def test_a_plan_is_asked_for_and_shown_when_it_is_made(visit: Visit, day: PlannedDay) -> None:
    browser = visit(Role.COUNTY_MANAGER)
    of_day = f"{LIST}?day={day.on}"

    asked = await send(browser, of_day, LIST, day=day.on.isoformat(), centre=CENTRE)
    address = str(asked.url)
    (known,) = [
        one for one in await day.dispatch.plans(BRANCH_ID, day=day.on) if one.plan_id in address
    ]
    if known.state in {PlanState.QUEUED, PlanState.RUNNING}:
        await send(browser, address, f"{LIST}/{known.plan_id}/stop")
    made = await day.made(known.plan_id)
    listed = (await browser.get(of_day)).text

    assert asked.status_code == 200
    assert made.asked_by == "test:county_manager"
    assert f"/plans/{made.plan_id}" in listed


async def test_a_plan_tells_everybodys_day_in_order(visit: Visit, day: PlannedDay) -> None:
    made = await day.plan()
    browser = visit(Role.PROVINCE)

    page = (await browser.get(at(made))).text
    en = (await browser.get(f"{at(made)}?lang=en")).text

    assert sum(len(one.stops) for one in made.routes) > 0
    for route in made.routes:
        shown = rows(page, f"行程 {route.engineer_id}")
        assert len(shown) == len(route.stops)
        for row, stop in zip(shown, route.stops, strict=True):
            begins = (stop.starts_at + timedelta(hours=8)).strftime("%H:%M")
            assert f"<td>{begins}</td>" in row
            assert (f"/orders/{stop.order_id}" in row) == (stop.order_id is not None)
    assert made.cost is not None
    assert f"<strong>{made.cost.total:,}</strong>" in page
    assert "the plan with the lowest sum wins" in en


async def test_a_plan_tells_what_it_leaves_out_and_why(visit: Visit, day: PlannedDay) -> None:
    made = await day.plan()

    page = (await visit(Role.AUDITOR).get(at(made))).text

    left = rows(page, "未排入的工单")
    assert len(left) == len(made.left_out) > 0
    for row, one in zip(left, made.left_out, strict=True):
        assert f"/orders/{one.order_id}" in row
        assert one.text_zh in html.unescape(row)
        assert all(each.text_zh in html.unescape(row) for each in one.obstacles)
    assert UNKNOWN_SKILL in "".join(left)
    unplanned = page.partition("无法参与排程")[2].partition("</section>")[0]
    assert all(f"/orders/{one.id}" in unplanned for one in made.orders_not_planned)
    assert made.orders_not_planned


async def test_a_plan_says_what_it_changes_and_is_made_the_day(
    visit: Visit, day: PlannedDay
) -> None:
    made = await day.plan()
    browser = visit(Role.COUNTY_MANAGER)
    difference = await day.dispatch.plan_difference(BRANCH_ID, made.plan_id)
    before = (await browser.get(at(made))).text

    applied = await send(browser, at(made), f"{at(made)}/apply")
    board = (await browser.get(f"{HOME}/orders?day={day.on}")).text

    changes = before.partition("应用后会改变什么")[2].partition("</section>")[0]
    assert changes.count("<li>") == len(difference.changes)
    assert "已应用：" in applied.text
    assert f'action="{at(made)}/apply"' not in applied.text
    assert (await day.dispatch.plan(BRANCH_ID, made.plan_id)).state is PlanState.APPLIED
    visited = {stop.order_id for route in made.routes for stop in route.stops if stop.order_id}
    assert all(f"/orders/{one}" in board for one in visited)


async def test_what_has_gone_on_meanwhile_is_named_and_left_only_if_told_to(
    visit: Visit, day: PlannedDay
) -> None:
    made = await day.plan()
    gone = next(stop.order_id for route in made.routes for stop in route.stops if stop.order_id)
    cancelled = OrderStepIn(step=StepName.CANCEL, reason="客户取消")
    await day.dispatch.step(BRANCH_ID, gone, cancelled)
    browser = visit(Role.COUNTY_MANAGER)

    page = (await browser.get(at(made))).text
    refused = await send(browser, at(made), f"{at(made)}/apply")
    applied = await send(browser, at(made), f"{at(made)}/apply", leave_outdated="true")

    outdated = page.partition("这些工单已有变化")[2].partition("</ul>")[0]
    assert f"/orders/{gone}" in outdated
    assert refused.status_code == 409
    assert "方案生成后工单已有变化" in refused.text
    assert "已应用：" in applied.text


async def test_a_day_without_plans_or_workers_is_said_to_be_so(
    visit: Visit, day: PlannedDay
) -> None:
    browser = visit(Role.COUNTY_MANAGER)
    gone_by = business_day(datetime.now(UTC)) - timedelta(days=1)

    tomorrow = (await browser.get(LIST)).text
    past = (await browser.get(f"{LIST}?day={gone_by}")).text
    missing = await browser.get(f"{LIST}/P-NOBODY")

    assert "这一天还没有方案" in tomorrow
    assert f'value="{business_day(datetime.now(UTC)) + timedelta(days=1)}"' in tomorrow
    assert f'action="{LIST}"><input type="hidden" name="form_key"' not in past
    assert "请求一个方案" not in past
    assert missing.status_code == 404


@pytest.mark.parametrize(
    ("role", "bound", "sees"),
    [
        (Role.CONTRACTOR, {"centres": [CENTRE], "person": "P18"}, True),
        (Role.CONTRACTOR, {"centres": ["C1"], "person": "contractor-C1"}, False),
    ],
)
async def test_a_contractor_sees_and_plans_the_days_of_its_centre(
    visit: Visit, day: PlannedDay, role: Role, bound: dict[str, Any], sees: bool
) -> None:
    made = await day.plan(1)
    browser = visit(role, **bound)

    page = (await browser.get(f"{LIST}?day={day.on}")).text
    answer = await browser.get(at(made))

    assert (f"/plans/{made.plan_id}" in page) == sees
    assert answer.status_code == (200 if sees else 404)
    assert "请求一个方案" in page


@pytest.mark.parametrize(
    ("role", "bound"),
    [
        (Role.ENGINEER, {"centres": [CENTRE], "person": "P19"}),
        (Role.SUPPORT_CENTRE, {"centres": ["SS"]}),
    ],
)
async def test_who_may_not_read_plans_is_told_so_and_sees_no_link(
    visit: Visit, asked: Asked, role: Role, bound: dict[str, Any]
) -> None:
    browser = visit(role, **bound)

    orders = (await browser.get(f"{HOME}/orders")).text

    assert (await browser.get(LIST)).status_code == 403
    assert "/plans" not in orders
    assert asked.refused() == []


async def test_whoever_plans_nothing_is_offered_no_form(
    visit: Visit, asked: Asked, day: PlannedDay
) -> None:
    made = await day.plan(1)
    browser = visit(Role.AUDITOR)

    pages = [(await browser.get(one)).text for one in (f"{LIST}?day={day.on}", at(made))]

    assert "请求一个方案" not in pages[0]
    assert f'action="{at(made)}/apply"' not in pages[1]
    assert asked.refused() == []


@pytest.mark.parametrize("form", ["", "/stop", "/apply"])
async def test_a_form_without_its_key_changes_nothing(
    visit: Visit, day: PlannedDay, form: str
) -> None:
    made = await day.plan(1)
    address = f"{at(made)}{form}" if form else LIST
    sent = {"day": day.on.isoformat(), "centre": CENTRE, "form_key": "0" * 64}
    known = len(await day.dispatch.plans(BRANCH_ID, day=day.on))

    answer = await visit(Role.COUNTY_MANAGER).post(address, data=sent)

    assert answer.status_code == 403
    assert "该表单并非由本控制台的页面提交" in answer.text
    assert (await day.dispatch.plan(BRANCH_ID, made.plan_id)).state is PlanState.DONE
    assert len(await day.dispatch.plans(BRANCH_ID, day=day.on)) == known


async def test_a_service_that_is_away_is_named_in_words(visit: Visit, asked: Asked) -> None:
    asked.away = "/dispatch/"

    answer = await visit(Role.COUNTY_MANAGER).get(LIST)

    assert answer.status_code == 503
    assert "服务可能正在重启" in answer.text
