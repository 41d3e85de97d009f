"""What belongs to no branch, as whoever posted it sees and places it: over the real services."""

import html
import itertools
import json
import re
from collections.abc import AsyncIterator, Callable
from typing import Any, Protocol

import httpx
import pytest

from huaxiao.cli.sample.county import BRANCH_ID, TERM_FROM
from huaxiao.cli.story import Endpoints
from huaxiao.console.quarantine import showing
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.issuer import Issuer
from huaxiao.shared.wire.attribution import HeldEvent, HeldState

HOME = f"/branches/{BRANCH_ID}"
LIST = f"{HOME}/unplaced"
ELSEWHERE = 659_999
ADDRESS = "130123001001000001"
_sources = itertools.count(1)
Visit = Callable[..., httpx.AsyncClient]


class Asked(Protocol):
    away: str | None

    def refused(self) -> list[tuple[str, str, int]]: ...


class Poster:
    """Posts events under a source that no other test uses, as the visitor of a role does."""

    def __init__(self, attribution: AttributionClient) -> None:
        self.attribution = attribution
        self.source = f"/lost-{next(_sources)}"
        self.made = 0

    def event(self, kind: str, /, **data: Any) -> dict[str, Any]:
        self.made += 1
        return {
            "specversion": "1.0",
            "id": f"{self.source[1:]}-{self.made}",
            "source": self.source,
            "type": kind,
            "time": "2017-11-30T10:00:00+08:00",
            "branchid": ELSEWHERE,
            "data": data,
        }

    def opened(self, **given: Any) -> dict[str, Any]:
        facts = {
            "subscription_id": f"S{self.source[1:]}",
            "customer_id": "PER-1",
            "product": "broadband",
            "opened_on": "2016-05-01",
        }
        return self.event("subscription.opened", **(facts | given))

    def bill(self, **given: Any) -> dict[str, Any]:
        facts = {"period": TERM_FROM, "item_kind": "monthly", "amount_fen": 100, "tax_fen": 6}
        facts |= {"bill_item_id": f"BI{self.source[1:]}", "subscription_id": f"S{self.source[1:]}"}
        return self.event("bill_item.issued", **(facts | given))

    async def lost(self, *events: dict[str, Any]) -> list[HeldEvent]:
        """Post events; return those of this source that belong to no branch."""
        await self.attribution.post_events(events)
        return (await self.attribution.unplaced(source=self.source)).items

    async def now(self, held: HeldEvent) -> HeldEvent:
        return await self.attribution.unplaced_event(held.held_id)


@pytest.fixture
async def poster(suite: Endpoints, issuer: Issuer) -> AsyncIterator[Poster]:
    """Return the county's manager at the API: the same subject that visits the console."""
    signed = issuer.token(
        "test:county_manager", roles=[Role.COUNTY_MANAGER], branch_ids=[BRANCH_ID]
    )
    async with AttributionClient(suite.attribution, lambda: signed) as attribution:
        yield Poster(attribution)


def at(held: HeldEvent) -> str:
    return f"{LIST}/{held.held_id}"


async def send(
    browser: httpx.AsyncClient, held: HeldEvent, step: str, **given: str
) -> httpx.Response:
    """Send one of the forms of an event's page."""
    page = (await browser.get(at(held))).text
    assert f'action="{at(held)}/{step}"' in page
    key = re.search(r'name="form_key" value="(\w+)"', page)
    assert key is not None
    form = {"form_key": key.group(1)} | given
    return await browser.post(f"{at(held)}/{step}", data=form, follow_redirects=True)


def rows(page: str, title: str) -> list[str]:
    table = page.partition(f'aria-label="{title}"')[2].partition("</table>")[0]
    return re.findall(r"<tr><th scope=\"row\">(.*?)</tr>", table, re.DOTALL)


def text_to_mend(page: str) -> str:
    found = re.search(r'<textarea class="code"[^>]*>(.*?)</textarea>', page, re.DOTALL)
    assert found is not None
    return html.unescape(found.group(1))


async def test_a_list_says_why_each_belongs_to_no_branch_and_counts_what_came(
    visit: Visit, poster: Poster
) -> None:
    nameless = {name: one for name, one in poster.opened().items() if name != "branchid"}
    await poster.lost(poster.opened(), nameless)
    browser = visit(Role.COUNTY_MANAGER)

    zh = (await browser.get(f"{LIST}?source={poster.source}")).text

    held = "\n".join(rows(zh, "未入账事件"))
    assert len(rows(zh, "未入账事件")) == 2
    assert "令牌不含该分公司" in held
    assert "test:county_manager" in zh
    (day,) = [one for one in rows(zh, "按来源与接收日期") if f"<code>{poster.source}</code>" in one]
    assert re.findall(r'<td class="number">(\d+)</td>', day)[:6] == ["2", "0", "0", "0", "2", "0"]
    assert "相符" in day
    link = re.search(r'<a href="([^"]+/unplaced[^"]+)">2</a>', day)
    assert link is not None
    again = (await browser.get(html.unescape(link.group(1)))).text
    assert len(rows(again, "未入账事件")) == 2
    en = (await browser.get(f"{LIST}?source={poster.source}&lang=en")).text
    assert "branch not in the token" in en
    assert "posted by test:county_manager" in en


@pytest.mark.parametrize(
    ("asked_for", "found"),
    [
        ("code=branch-not-allowed", 3),
        ("outcome=parked", 0),
        ("state=dismissed", 0),
        ("state=all&outcome=&code=", 3),
    ],
)
async def test_a_list_shows_what_is_asked_for_and_says_when_there_is_none(
    visit: Visit, poster: Poster, asked_for: str, found: int
) -> None:
    await poster.lost(*(poster.opened() for _ in range(3)))

    page = (await visit(Role.COUNTY_MANAGER).get(f"{LIST}?source={poster.source}&{asked_for}")).text

    assert len(rows(page, "未入账事件")) == found
    assert ("没有符合条件的事件" in page) == (found == 0)


async def test_a_long_list_goes_on_on_the_next_page(
    visit: Visit, poster: Poster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(showing, "_PAGE", 2)
    await poster.lost(*(poster.opened() for _ in range(3)))
    browser = visit(Role.COUNTY_MANAGER)

    first = (await browser.get(f"{LIST}?source={poster.source}")).text
    onward = re.search(r'href="([^"]+)">下一页', first)
    assert onward is not None
    second = (await browser.get(html.unescape(onward.group(1)))).text

    assert [len(rows(one, "未入账事件")) for one in (first, second)] == [2, 1]


async def test_what_somebody_else_posted_is_neither_listed_nor_found(
    visit: Visit, poster: Poster
) -> None:
    (held,) = await poster.lost(poster.opened())
    browser = visit(Role.COUNTY_FINANCE)

    listed = (await browser.get(f"{LIST}?source={poster.source}")).text
    answer = await browser.get(at(held))

    assert rows(listed, "未入账事件") == rows(listed, "按来源与接收日期") == []
    assert "您发来的都已有所属分公司" in (await browser.get(LIST)).text
    assert "这些日子没有收到此类事件" in (await browser.get(LIST)).text
    assert answer.status_code == 404


async def test_one_of_a_wrong_branch_is_mended_into_its_branch_and_booked(
    visit: Visit, poster: Poster
) -> None:
    (held,) = await poster.lost(poster.opened())
    browser = visit(Role.COUNTY_MANAGER)
    begun = text_to_mend((await browser.get(at(held))).text)

    again = await send(browser, held, "replay")
    broken = await send(browser, held, "mending", event="[]")
    unchanged = await poster.now(held)
    right = await send(
        browser, held, "mending", event=json.dumps(json.loads(begun) | {"branchid": BRANCH_ID})
    )

    assert again.status_code == broken.status_code == 422
    assert "该事件仍不能入账，仍留在此处" in again.text
    assert unchanged == held
    assert right.status_code == 200
    assert "已重放并入账" in right.text
    assert (await poster.now(held)).state is HeldState.RESOLVED
    explained = await poster.attribution.explanation(
        BRANCH_ID, f"S{poster.source[1:]}", period=TERM_FROM
    )
    assert explained.subscription_id == f"S{poster.source[1:]}"


async def test_one_that_waits_in_its_branch_is_said_to_lie_there_now(
    visit: Visit, poster: Poster
) -> None:
    bill = poster.bill()
    (held,) = await poster.lost(bill)
    browser = visit(Role.COUNTY_MANAGER)

    moved = await send(browser, held, "mending", event=json.dumps(bill | {"branchid": BRANCH_ID}))

    assert "已转入其所属分公司的隔离区" in moved.text
    assert f'action="{at(held)}/replay"' not in moved.text
    there = await poster.attribution.quarantine(BRANCH_ID, source=poster.source)
    assert [one.code for one in there.items] == ["unknown-subscription"]


async def test_one_that_clashes_in_its_branch_is_said_to_lie_there_now(
    visit: Visit, poster: Poster
) -> None:
    opened = poster.opened()
    (held,) = await poster.lost(opened)
    known = opened | {"branchid": BRANCH_ID, "time": "2017-11-29T10:00:00+08:00"}
    assert (await poster.attribution.post_events([known])).booked == 1

    moved = await send(
        visit(Role.COUNTY_MANAGER),
        held,
        "mending",
        event=json.dumps(opened | {"branchid": BRANCH_ID}),
    )

    assert "已转入其所属分公司的隔离区" in moved.text
    there = await poster.attribution.quarantine(BRANCH_ID, source=poster.source)
    assert [one.code for one in there.items] == ["conflict"]


async def test_personal_data_is_masked_until_it_is_asked_for_with_a_reason(
    visit: Visit, poster: Poster
) -> None:
    (held,) = await poster.lost(poster.opened(standard_address=ADDRESS))
    browser = visit(Role.COUNTY_MANAGER)
    page = (await browser.get(at(held))).text

    seen = await send(browser, held, "full-view", reason="分公司写错")

    assert ADDRESS not in page
    assert f'action="{at(held)}/mending"' not in page
    assert ADDRESS in text_to_mend(seen.text)
    assert seen.headers["hx-push-url"] == "false"
    assert ADDRESS not in (await browser.get(at(held))).text


async def test_one_that_nobody_will_place_is_dismissed_by_who_posted_it(
    visit: Visit, poster: Poster
) -> None:
    (held,) = await poster.lost(poster.opened())
    browser = visit(Role.COUNTY_MANAGER)

    blank = await send(browser, held, "dismissal", reason=" ")
    dismissed = await send(browser, held, "dismissal", reason="测试数据")

    assert blank.status_code == 422
    assert "测试数据" in dismissed.text
    assert f'action="{at(held)}/dismissal"' not in dismissed.text
    listed = (await browser.get(f"{LIST}?source={poster.source}&state=dismissed")).text
    assert len(rows(listed, "未入账事件")) == 1


async def test_a_sending_system_places_and_dismisses_what_it_posted(
    visit: Visit, suite: Endpoints, issuer: Issuer, asked: Asked
) -> None:
    signed = issuer.token("test:bss_source", roles=[Role.BSS_SOURCE], branch_ids=[BRANCH_ID])
    async with AttributionClient(suite.attribution, lambda: signed) as attribution:
        system = Poster(attribution)
        held, other = await system.lost(system.opened(), system.opened())
    browser = visit(Role.BSS_SOURCE)

    first = (await browser.get("/", follow_redirects=True)).text
    booked = await send(
        browser, held, "mending", event=json.dumps(json.loads(held.body) | {"branchid": BRANCH_ID})
    )
    dismissed = await send(browser, other, "dismissal", reason="误发")

    assert f'href="{LIST}"' in first
    assert "已重放并入账" in booked.text
    assert "误发" in dismissed.text
    assert asked.refused() == []


@pytest.mark.parametrize("step", ["replay", "mending", "dismissal", "full-view"])
async def test_a_form_without_its_key_changes_nothing(
    visit: Visit, poster: Poster, step: str
) -> None:
    (held,) = await poster.lost(poster.opened())
    form = {"event": "{}", "reason": "x", "form_key": "0" * 64}

    answer = await visit(Role.COUNTY_MANAGER).post(f"{at(held)}/{step}", data=form)

    assert answer.status_code == 403
    assert await poster.now(held) == held


@pytest.mark.parametrize(
    ("role", "bound"),
    [
        (Role.PROVINCE, {}),
        (Role.AUDITOR, {}),
        (Role.CONTRACTOR, {"centres": ["C1"], "person": "contractor-C1"}),
        (Role.ENGINEER, {"centres": ["C1"], "person": "W01"}),
    ],
)
async def test_who_posts_nothing_is_told_so_and_sees_no_link(
    visit: Visit, asked: Asked, role: Role, bound: dict[str, Any]
) -> None:
    browser = visit(role, **bound)

    operations = (await browser.get(f"{HOME}/operations")).text
    report = (await browser.get(f"{HOME}/completeness")).text

    assert (await browser.get(LIST)).status_code == 403
    assert "/unplaced" not in operations + report
    assert asked.refused() == []


async def test_a_service_that_is_away_is_named_in_words(visit: Visit, asked: Asked) -> None:
    asked.away = "/attribution/"

    answer = await visit(Role.COUNTY_MANAGER).get(LIST)

    assert answer.status_code == 503
    assert "服务可能正在重启" in answer.text
