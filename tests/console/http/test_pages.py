"""Pages over the real services: every role sees all it is offered, and asks nothing it is denied."""

import html
import re
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import httpx
import pytest

from huaxiao.cli.sample.county import BRANCH_ID, TERM_FROM
from huaxiao.cli.story import Endpoints
from huaxiao.console.visitors import SESSION_COOKIE
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.issuer import Issuer, ensure_key
from huaxiao.shared.wire.attribution import HeldState


class Asked(Protocol):
    away: str | None

    def refused(self) -> list[tuple[str, str, int]]: ...


HOME = f"/branches/{BRANCH_ID}"
TARGETS = f"{HOME}/targets?period={TERM_FROM}"
Visit = Callable[..., httpx.AsyncClient]
VISITORS = {
    Role.PROVINCE: {},
    Role.COUNTY_MANAGER: {},
    Role.COUNTY_FINANCE: {},
    Role.CONTRACTOR: {"centres": ["C1"], "person": "contractor-C1"},
    Role.ENGINEER: {"centres": ["C1"], "person": "W01"},
    Role.SUPPORT_CENTRE: {"centres": ["SS"]},
    Role.AUDITOR: {},
    Role.BSS_SOURCE: {},
}


def leads_to(page: str) -> list[str]:
    found = re.findall(r'href="([^"]+)"|hx-get="([^"]+)" hx-trigger="load"', page)
    return [html.unescape(one) for pair in found for one in pair if one.startswith("/")]


def kind_of(address: str) -> str:
    return re.sub(r"/[^/]*[A-Z0-9][^/]*", "/*", address.partition("?")[0])


@pytest.mark.parametrize("role", [one for one in VISITORS if one is not Role.BSS_SOURCE])
async def test_a_role_sees_all_it_is_offered_and_asks_nothing_it_is_denied(
    visit: Visit, asked: Asked, role: Role
) -> None:
    browser = visit(role, **VISITORS[role])
    opened: set[str] = set()
    todo = ["/"]
    while todo:
        address = todo.pop(0)
        kind = kind_of(address)
        if address.startswith("/static") or kind in opened:
            continue
        opened.add(kind)
        answer = await browser.get(address, follow_redirects=True)
        assert answer.status_code == 200, (address, answer.text[-2000:])
        if "html" in answer.headers["content-type"]:
            todo += leads_to(answer.text)

    assert asked.refused() == []
    assert len(opened) > 1


async def test_figure_to_measures_to_entries_to_the_line_and_its_story(visit: Visit) -> None:
    browser = visit(Role.COUNTY_MANAGER)
    glance = (await browser.get(TARGETS)).text
    assert "三大目标" in glance
    assert glance.count('class="card ') == 3

    measures = next(one for one in leads_to(glance) if "about=market_gross_margin" in one)
    made_of = (await browser.get(measures)).text
    entries = next(one for one in leads_to(made_of) if "/measures/revenue?" in one)
    listed = (await browser.get(entries)).text
    assert "分文不差" in listed
    line = next(one for one in leads_to(listed) if "/lines/" in one)
    told = (await browser.get(line)).text

    assert "依据规则" in told
    assert "结果一致" in told


async def test_a_page_speaks_english_when_asked_and_goes_on_to(visit: Visit) -> None:
    browser = visit(Role.COUNTY_MANAGER)

    asked_for = await browser.get(f"{TARGETS}&lang=en")
    after = await browser.get(TARGETS)

    assert '<html lang="en">' in asked_for.text
    assert "Three targets" in after.text
    assert after.headers["content-language"] == "en"


async def test_pages_forbid_inline_scripts_frames_and_being_kept(visit: Visit) -> None:
    answer = await visit(Role.COUNTY_MANAGER).get(TARGETS)

    policy = answer.headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["cache-control"] == "no-store"
    assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=", answer.text)


async def test_nobody_is_led_to_sign_in(visit: Visit) -> None:
    answer = await visit().get(TARGETS)

    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in"


async def test_a_token_signs_in_until_it_is_given_back(
    visit: Visit, suite: Endpoints, issuer: Issuer
) -> None:
    token = issuer.token("test:manager", roles=[Role.COUNTY_MANAGER], branch_ids=[BRANCH_ID])
    browser = visit()

    entered = await browser.post("/sign-in", data={"token": f"TOKEN={token}\n"})
    kept = entered.headers["set-cookie"]
    first = await browser.get("/", follow_redirects=True)
    key = re.search(r'name="form_key" value="(\w+)"', first.text)
    assert key is not None
    left = await browser.post("/sign-out", data={"form_key": key.group(1)})

    assert entered.status_code == 303
    assert all(one in kept for one in ("HttpOnly", "SameSite=strict", "Path=/"))
    assert str(first.url).endswith(f"{HOME}/targets")
    assert 'huaxiao_session=""' in left.headers["set-cookie"]
    assert (await browser.get("/")).headers["location"] == "/sign-in"


@pytest.mark.parametrize("given", ["", "no token at all", "a.b.c"])
async def test_what_is_no_token_is_refused_in_words(visit: Visit, given: str) -> None:
    answer = await visit().post("/sign-in", data={"token": given})

    assert answer.status_code == 422
    assert "这不是访问令牌" in answer.text
    assert "set-cookie" not in answer.headers


async def test_a_token_that_another_key_signed_opens_nothing(visit: Visit, tmp_path: Path) -> None:
    forger = ensure_key(tmp_path / "key", tmp_path / "jwks", issuer="https://huaxiao.local")
    forged = forger.token("thief", roles=[Role.COUNTY_MANAGER], branch_ids=[BRANCH_ID])
    browser = visit()

    entered = await browser.post("/sign-in", data={"token": forged})
    browser.cookies.set(SESSION_COOKIE, forged)
    looked = await browser.get(TARGETS)

    assert entered.status_code == 422
    assert "服务不接受此令牌" in entered.text
    assert looked.headers["location"] == "/sign-in?expired=true"


@pytest.mark.parametrize(
    ("headers", "form"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, {}),
        ({"Origin": "https://elsewhere.example"}, {}),
        ({}, {"form_key": "0" * 64}),
        ({}, {"form_key": None}),
    ],
)
async def test_a_form_of_another_site_does_nothing(
    visit: Visit, headers: dict[str, str], form: dict[str, str | None]
) -> None:
    browser = visit(Role.COUNTY_MANAGER)
    page = await browser.get(TARGETS)
    key = re.search(r'name="form_key" value="(\w+)"', page.text)
    assert key is not None

    sent = {"form_key": key.group(1)} | form
    answer = await browser.post("/sign-out", data=sent, headers=headers)

    assert answer.status_code == 403
    assert "该表单并非由本控制台的页面提交" in answer.text


async def test_what_is_not_there_is_said_in_words(visit: Visit) -> None:
    browser = visit(Role.COUNTY_MANAGER)

    line = await browser.get(f"{HOME}/lines/S-NOBODY")
    branch = await browser.get("/branches/999999/targets")
    month = await browser.get(f"{HOME}/targets?period=201713")

    assert (line.status_code, branch.status_code, month.status_code) == (404, 404, 422)
    assert "没有这个对象" in line.text
    assert "请按提示修改后重新提交" in month.text


async def test_a_program_is_told_a_problem_and_no_page(visit: Visit) -> None:
    answer = await visit().get("/nowhere", headers={"Accept": "application/json"})

    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "not-found"


async def test_a_role_that_is_not_offered_a_page_is_told_so(visit: Visit) -> None:
    answer = await visit(Role.ENGINEER, centres=["C1"], person="W01").get(TARGETS)

    assert answer.status_code == 403
    assert "当前角色无权执行此操作" in answer.text


async def test_operations_tell_of_every_follower_how_far_behind_it_is(visit: Visit) -> None:
    page = (await visit(Role.COUNTY_MANAGER).get(f"{HOME}/operations?lang=en")).text

    table = page.partition("Who follows whom")[2].partition("</table>")[0]
    followed = re.findall(r'<th scope="row">(\w+)</th><td>(\w+)</td>\s*<td>(.*?)</td>', table)
    assert [(one, source) for one, source, _ in followed] == [
        ("attribution", "contracts"),
        ("dispatch", "attribution"),
        ("dispatch", "contracts"),
        ("kpi", "attribution"),
        ("kpi", "contracts"),
        ("kpi", "dispatch"),
    ]
    assert all("not at all" in lag or "entries" in lag for _, _, lag in followed)


@pytest.mark.parametrize(
    ("language", "missing", "jumps"),
    [
        ("en", "1 numbers are missing（2–2）", "is one of them wrong? 1–3 (2 came), 1"),
        ("zh", "缺 1 个编号（2–2）", "编号有跳跃，请核实是否有误：1–3（到 2 个）、1"),
    ],
)
async def test_operations_tell_gaps_from_a_number_that_is_absurd_and_what_was_dismissed(
    visit: Visit, suite: Endpoints, issuer: Issuer, language: str, missing: str, jumps: str
) -> None:
    source, absurd = f"/odd-{language}", 10**17
    signed = issuer.token("test:manager", roles=[Role.COUNTY_MANAGER], branch_ids=[BRANCH_ID])
    waits = {
        "specversion": "1.0",
        "source": source,
        "type": "bill_item.issued",
        "time": "2017-11-30T10:00:00+08:00",
        "branchid": BRANCH_ID,
        "data": {
            "bill_item_id": f"ODD-{language}",
            "subscription_id": "S-NOWHERE",
            "period": TERM_FROM,
            "item_kind": "monthly",
            "amount_fen": 100,
            "tax_fen": 6,
        },
    }
    async with AttributionClient(suite.attribution, lambda: signed) as attribution:
        numbered = [waits | {"id": str(one), "sequence": str(one)} for one in (1, 3, absurd)]
        assert (await attribution.post_events(numbered)).parked == 3
        held = await attribution.quarantine(BRANCH_ID, state=HeldState.HELD)
        for one in held.items:
            if one.source == source:
                await attribution.dismiss(BRANCH_ID, one.held_id, "测试数据")

    page = (await visit(Role.COUNTY_MANAGER).get(f"{HOME}/operations?lang={language}")).text

    assert f"{source}：{missing}" in page
    assert f"{jumps}{'0' * 17}" in page
    row = page.partition(f"<code>{source}</code>")[2].partition("</tr>")[0]
    shown = re.findall(r"<td[^>]*>(.*?)</td>", row)
    assert (shown[0], shown[3], shown[6], shown[8]) == ("3", "3", "0", "3")


async def test_operations_show_the_others_while_a_service_is_away(
    visit: Visit, asked: Asked
) -> None:
    asked.away = "/attribution/"

    answer = await visit(Role.COUNTY_MANAGER).get(f"{HOME}/operations?lang=en")

    assert answer.status_code == 200
    assert answer.text.count("not ready</span>") == 1
    assert "How far attribution has come is not known" in answer.text
    assert "unknown: it does not answer" in answer.text
    assert "What sources sent is not known" in answer.text


async def test_the_support_centre_begins_with_its_tickets_and_is_told_what_centres_are_called(
    visit: Visit,
) -> None:
    browser = visit(Role.SUPPORT_CENTRE)

    first = await browser.get("/", follow_redirects=True)
    cards = (await browser.get(f"{HOME}/orders")).text

    assert first.url.path == f"{HOME}/tickets"
    assert "县城营服中心（C1）" in cards


async def test_long_lists_are_shown_in_part_and_further_when_asked(visit: Visit) -> None:
    browser = visit(Role.COUNTY_MANAGER)

    part = (await browser.get(f"{HOME}/revenue?period={TERM_FROM}&shown=1")).text
    further = next(one for one in leads_to(part) if "shown=" in one and "lang=" not in one)
    more = (await browser.get(further)).text

    assert part.count("/lines/") == 1
    assert more.count("/lines/") > 1


async def test_a_units_target_is_drafted_by_one_and_confirmed_by_another(visit: Visit) -> None:
    manager, finance = visit(Role.COUNTY_MANAGER), visit(Role.COUNTY_FINANCE)
    where = f"{HOME}/unit-targets?period={TERM_FROM}"

    async def key_of(browser: httpx.AsyncClient) -> str:
        found = re.search(r'name="form_key" value="(\w+)"', (await browser.get(where)).text)
        assert found is not None
        return found.group(1)

    form = {
        "form_key": await key_of(manager),
        "measure": "revenue",
        "centre_id": "C1",
        "from_period": str(TERM_FROM),
        "to_period": str(TERM_FROM),
        "source": "决议一号",
    }
    none = await manager.post(f"{HOME}/unit-targets", data=form | {"value": "0.001"})
    drafted = await manager.post(
        f"{HOME}/unit-targets", data=form | {"value": "1,000.50"}, follow_redirects=True
    )
    confirm = re.search(r'action="([^"]+/confirm[^"]*)"', drafted.text)
    assert confirm is not None
    address = html.unescape(confirm.group(1))
    alone = await manager.post(address, data={"form_key": form["form_key"]})
    by_another = await finance.post(
        address, data={"form_key": await key_of(finance)}, follow_redirects=True
    )

    assert none.status_code == 422
    assert "1,000.50" in drafted.text
    assert alone.status_code in {403, 409}
    assert "待第二人确认" not in by_another.text
    assert "1,000.50" in by_another.text.partition("时序进度")[2]


async def test_who_begins_to_close_a_month_cannot_close_it_and_is_told_so(visit: Visit) -> None:
    browser = visit(Role.COUNTY_MANAGER)
    page = (await browser.get(f"{HOME}/closing?period={TERM_FROM}")).text
    key = re.search(r'name="form_key" value="(\w+)"', page)
    assert key is not None
    form = {"form_key": key.group(1)}

    begun = await browser.post(
        f"{HOME}/closing/{TERM_FROM}/begin", data=form, follow_redirects=True
    )
    closed = await browser.post(f"{HOME}/closing/{TERM_FROM}/close", data=form)

    assert "关账中，待第二人" in begun.text
    assert "test:county_manager" in begun.text
    assert closed.status_code == 409
    assert "未关账" not in begun.text.partition("各账期")[0]
