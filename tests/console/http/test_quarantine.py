"""What could not be booked, as those see it who mend it: over the real services."""

import html
import itertools
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
from huaxiao.shared.wire.attribution import HeldEvent

HOME = f"/branches/{BRANCH_ID}"
LIST = f"{HOME}/quarantine"
ADDRESS = "130123001001000001"
_sources = itertools.count(1)
Visit = Callable[..., httpx.AsyncClient]


class Asked(Protocol):
    away: str | None

    def refused(self) -> list[tuple[str, str, int]]: ...


class Sender:
    """Posts events under a source that no other test uses."""

    def __init__(self, attribution: AttributionClient) -> None:
        self.attribution = attribution
        self.source = f"/held-{next(_sources)}"
        self.made = 0

    def event(self, kind: str, /, **data: Any) -> dict[str, Any]:
        self.made += 1
        return {
            "specversion": "1.0",
            "id": f"{self.source[1:]}-{self.made}",
            "source": self.source,
            "type": kind,
            "time": "2017-11-30T10:00:00+08:00",
            "branchid": BRANCH_ID,
            "data": data,
        }

    def bill(self, **given: Any) -> dict[str, Any]:
        facts = {"period": TERM_FROM, "item_kind": "monthly", "amount_fen": 100, "tax_fen": 6}
        number = f"BI{self.source[1:]}-{self.made}"
        facts |= {"bill_item_id": number, "subscription_id": self.line}
        return self.event("bill_item.issued", **(facts | given))

    @property
    def line(self) -> str:
        return f"S{self.source[1:]}"

    def opened(self, **given: Any) -> dict[str, Any]:
        facts = {
            "subscription_id": self.line,
            "customer_id": "PER-1",
            "product": "broadband",
            "opened_on": "2016-05-01",
            "standard_address": ADDRESS,
        }
        return self.event("subscription.opened", **(facts | given))

    async def held(self, *events: dict[str, Any]) -> list[HeldEvent]:
        """Post events; return those of this source that lie in quarantine."""
        await self.attribution.post_events(events)
        return (await self.attribution.quarantine(BRANCH_ID, source=self.source)).items

    async def now(self, held: HeldEvent) -> HeldEvent:
        return await self.attribution.held_event(BRANCH_ID, held.held_id)


@pytest.fixture
async def sender(suite: Endpoints, issuer: Issuer) -> AsyncIterator[Sender]:
    signed = issuer.token("test:bss", roles=[Role.COUNTY_MANAGER], branch_ids=[BRANCH_ID])
    async with AttributionClient(suite.attribution, lambda: signed) as attribution:
        yield Sender(attribution)


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


def rows(page: str) -> list[str]:
    return re.findall(r"<tr><th scope=\"row\">(.*?)</tr>", page, re.DOTALL)


def text_to_mend(page: str) -> str:
    found = re.search(r'<textarea class="code"[^>]*>(.*?)</textarea>', page, re.DOTALL)
    assert found is not None
    return html.unescape(found.group(1))


async def test_a_list_says_why_each_is_held_what_it_waits_for_and_how_long(
    visit: Visit, sender: Sender
) -> None:
    await sender.held(sender.bill(), sender.bill(amount_fen=1.5))
    browser = visit(Role.COUNTY_MANAGER)

    zh = rows((await browser.get(f"{LIST}?source={sender.source}")).text)
    en = rows((await browser.get(f"{LIST}?source={sender.source}&lang=en")).text)

    assert len(zh) == len(en) == 2
    parked, refused = zh
    assert all(one in parked for one in (f"{sender.source[1:]}-1", "bill_item.issued", "用户未到"))
    assert f"用户 <code>{sender.line}</code>" in parked
    assert "不到 1 分" in parked
    assert all(one in refused for one in ("拒收", "金额不符", "来源系统", "test:bss", "待处理"))
    assert "line not known yet" in en[0]
    assert f"line <code>{sender.line}</code>" in en[0]
    assert all(one in en[1] for one in ("refused", "amount is wrong", "the sender", "held"))


@pytest.mark.parametrize(
    ("asked_for", "found"),
    [
        ("outcome=parked", 2),
        ("outcome=refused", 1),
        ("outcome=conflict", 0),
        ("code=bad-amount", 1),
        ("code=unknown-subscription&outcome=refused", 0),
        ("state=dismissed", 0),
        ("state=resolved", 0),
        ("state=all&outcome=&code=", 3),
    ],
)
async def test_a_list_shows_what_is_asked_for_and_says_when_there_is_none(
    visit: Visit, sender: Sender, asked_for: str, found: int
) -> None:
    await sender.held(sender.bill(), sender.bill(), sender.bill(amount_fen=1.5))

    page = (await visit(Role.COUNTY_FINANCE).get(f"{LIST}?source={sender.source}&{asked_for}")).text

    assert len(rows(page)) == found
    assert ("没有符合条件的事件" in page) == (found == 0)


async def test_a_long_list_goes_on_on_the_next_page_under_the_same_filter(
    visit: Visit, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(showing, "_PAGE", 2)
    await sender.held(*(sender.bill() for _ in range(3)), sender.bill(amount_fen=1.5))
    browser = visit(Role.COUNTY_MANAGER)

    first = (await browser.get(f"{LIST}?source={sender.source}&outcome=parked")).text
    onward = re.search(r'href="([^"]+)">下一页', first)
    assert onward is not None
    second = (await browser.get(html.unescape(onward.group(1)))).text

    assert [len(rows(one)) for one in (first, second)] == [2, 1]
    assert "下一页" not in second


async def test_a_sending_system_sees_what_it_sent_itself_and_dismisses_nothing(
    visit: Visit, sender: Sender, suite: Endpoints, issuer: Issuer
) -> None:
    (others,) = await sender.held(sender.bill())
    signed = issuer.token("test:bss_source", roles=[Role.BSS_SOURCE], branch_ids=[BRANCH_ID])
    async with AttributionClient(suite.attribution, lambda: signed) as attribution:
        system = Sender(attribution)
        (own,) = await system.held(system.bill())
    browser = visit(Role.BSS_SOURCE)

    first = await browser.get("/", follow_redirects=True)
    shown = (await browser.get(f"{LIST}?state=all")).text

    assert first.url.path == LIST
    assert own.held_id in shown
    assert f">{others.held_id}<" not in shown
    assert (await browser.get(at(others))).status_code == 404
    assert f'action="{at(own)}/dismissal"' not in (await browser.get(at(own))).text


async def test_what_waits_is_replayed_and_waits_until_what_it_waits_for_has_come(
    visit: Visit, sender: Sender
) -> None:
    (held,) = await sender.held(sender.bill())
    browser = visit(Role.COUNTY_FINANCE)

    again = await send(browser, held, "replay")
    await sender.attribution.post_events([sender.opened()])
    booked = (await browser.get(at(held))).text

    assert "已重放：仍在等待" in again.text
    assert "已入账" in booked
    assert "/replay" not in booked
    assert "/dismissal" not in booked


async def test_what_is_refused_is_mended_and_booked(visit: Visit, sender: Sender) -> None:
    (held,) = await sender.held(sender.opened(standard_address=None), sender.bill(amount_fen=1.5))
    browser = visit(Role.COUNTY_FINANCE)
    begun = text_to_mend((await browser.get(at(held))).text)

    broken = await send(browser, held, "mending", event="{")
    wrong = await send(browser, held, "mending", event=begun)
    unchanged = await sender.now(held)
    right = await send(browser, held, "mending", event=begun.replace("1.5", "150"))
    gone = await browser.post(f"{at(held)}/replay", data={"form_key": "0"})

    assert broken.status_code == 422
    assert "不是 JSON 对象" in broken.text
    assert wrong.status_code == 422
    assert "该事件仍不能入账，原状未变" in wrong.text
    assert "金额" in wrong.text
    assert unchanged == held
    assert right.status_code == 200
    assert "已重放并入账" in right.text
    assert gone.status_code == 403


async def test_two_who_replay_at_once_find_it_booked(visit: Visit, sender: Sender) -> None:
    (held,) = await sender.held(sender.bill())
    browser = visit(Role.COUNTY_MANAGER)
    page = (await browser.get(at(held))).text
    key = re.search(r'name="form_key" value="(\w+)"', page)
    assert key is not None
    await sender.attribution.post_events([sender.opened()])

    late = await browser.post(f"{at(held)}/replay", data={"form_key": key.group(1)})

    assert late.status_code == 409
    assert "该事件已不在隔离区" in late.text


async def test_personal_data_is_masked_until_it_is_asked_for_with_a_reason_to_mend(
    visit: Visit, sender: Sender
) -> None:
    wrong = sender.opened(product="balloon")
    (held,) = await sender.held(wrong)
    browser = visit(Role.COUNTY_MANAGER)
    page = (await browser.get(at(held))).text
    listed = (await browser.get(f"{LIST}?source={sender.source}")).text

    assert ADDRESS not in page + listed
    assert f"{ADDRESS[:12]}***" in page
    assert f'action="{at(held)}/mending"' not in page

    seen = await send(browser, held, "full-view", reason="修正产品")
    whole = text_to_mend(seen.text)
    assert ADDRESS in whole
    assert seen.headers["hx-push-url"] == "false"
    assert seen.headers["cache-control"] == "no-store"
    assert ADDRESS not in (await browser.get(at(held))).text

    key = re.search(r'name="form_key" value="(\w+)"', seen.text)
    assert key is not None
    form = {"form_key": key.group(1)}
    masked = whole.replace("balloon", "broadband").replace(ADDRESS, f"{ADDRESS[:12]}***")
    refused = await browser.post(f"{at(held)}/mending", data=form | {"event": masked})
    mended = form | {"event": whole.replace("balloon", "broadband")}
    booked = await browser.post(f"{at(held)}/mending", data=mended, follow_redirects=True)

    assert refused.status_code == 422
    assert "含有已遮盖的个人信息" in refused.text
    assert "已重放并入账" in booked.text
    entries = await sender.attribution.audit_entries(BRANCH_ID, route="see_held_body")
    assert [one.subject for one in entries] == ["test:county_manager"]


async def test_what_nobody_will_mend_is_dismissed_with_a_reason_and_may_be_replayed(
    visit: Visit, sender: Sender
) -> None:
    (held,) = await sender.held(sender.bill())
    browser = visit(Role.COUNTY_FINANCE)

    blank = await send(browser, held, "dismissal", reason=" ")
    dismissed = await send(browser, held, "dismissal", reason="重复开账，无此用户")
    listed = (await browser.get(f"{LIST}?source={sender.source}&state=dismissed")).text
    again = await send(browser, held, "replay")

    assert blank.status_code == 422
    assert "重复开账，无此用户" in dismissed.text
    assert "test:county_finance" in dismissed.text
    assert f'action="{at(held)}/dismissal"' not in dismissed.text
    assert len(rows(listed)) == 1
    assert "曾被搁置" in again.text


@pytest.mark.parametrize("step", ["replay", "mending", "dismissal", "full-view"])
async def test_a_form_without_its_key_changes_nothing(
    visit: Visit, sender: Sender, step: str
) -> None:
    (held,) = await sender.held(sender.bill())
    form = {"event": "{}", "reason": "x", "form_key": "0" * 64}

    answer = await visit(Role.COUNTY_MANAGER).post(f"{at(held)}/{step}", data=form)

    assert answer.status_code == 403
    assert "该表单并非由本控制台的页面提交" in answer.text
    assert await sender.now(held) == held


@pytest.mark.parametrize(
    ("role", "bound", "completeness"),
    [
        (Role.PROVINCE, {}, 200),
        (Role.AUDITOR, {}, 200),
        (Role.CONTRACTOR, {"centres": ["C1"], "person": "contractor-C1"}, 403),
        (Role.ENGINEER, {"centres": ["C1"], "person": "W01"}, 403),
        (Role.SUPPORT_CENTRE, {"centres": ["SS"]}, 403),
    ],
)
async def test_who_may_not_see_it_is_told_so_and_sees_no_link(
    visit: Visit,
    sender: Sender,
    asked: Asked,
    role: Role,
    bound: dict[str, Any],
    completeness: int,
) -> None:
    (held,) = await sender.held(sender.bill())
    browser = visit(role, **bound)

    operations = (await browser.get(f"{HOME}/operations")).text
    report = await browser.get(f"{HOME}/completeness")

    for one in (LIST, at(held)):
        answer = await browser.get(one)
        assert answer.status_code == 403
        assert "当前角色无权执行此操作" in answer.text
    assert report.status_code == completeness
    assert "/quarantine" not in operations + report.text
    assert ("/completeness" in operations) == (completeness == 200)
    assert asked.refused() == []


async def test_completeness_by_source_and_day_adds_up_and_leads_to_what_is_held(
    visit: Visit, sender: Sender
) -> None:
    opened = sender.opened()
    numbered = [sender.bill() | {"sequence": str(one)} for one in (1, 2, 5)]
    wrong = [sender.bill(subscription_id="S-NOWHERE"), sender.bill(amount_fen=1.5)]
    clash = numbered[0] | {"time": "2017-11-29T10:00:00+08:00"}
    await sender.attribution.post_events([opened, *numbered, *wrong])
    await sender.attribution.post_events([opened, clash])
    browser = visit(Role.COUNTY_MANAGER)

    page = (await browser.get(f"{HOME}/completeness?source={sender.source}")).text
    (row,) = rows(page)
    figures = re.findall(r'<td class="number">(\d+)</td>', row)
    link = re.search(r'<a href="([^"]+/quarantine[^"]+)">3</a>', row)
    assert link is not None

    assert figures[:6] == ["8", "4", "1", "1", "1", "1"]
    assert "相符" in row
    assert "不到 1 分" in row
    assert f"{sender.source}：缺 2 个编号（3–4）" in page
    assert len(rows((await browser.get(html.unescape(link.group(1)))).text)) == 3
    none = (await browser.get(f"{HOME}/completeness?first=2017-01-01&last=2017-01-02&lang=en")).text
    assert "Nothing came on these days" in none


async def test_a_service_that_is_away_is_named_in_words(visit: Visit, asked: Asked) -> None:
    asked.away = "/attribution/"
    browser = visit(Role.COUNTY_MANAGER)

    for address in (LIST, f"{HOME}/completeness"):
        answer = await browser.get(address)
        assert answer.status_code == 503
        assert "服务可能正在重启" in answer.text
