"""Each journey of the console as somebody makes it, in a real browser; axe looks at every page."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from support.browsing import DESK, PHONE, Enter, Visit
from support.suite import run

from huaxiao.shared.auth import Role
from huaxiao.shared.identifiers import new_id
from huaxiao.shared.periods import business_day

MONTH = "period=201711"
SEEN = (
    *("targets", "unit-targets", "orders", "orders/calendar", "revenue", "statements"),
    *("closing", "fields", "appraisals", "tickets", "operations", "quarantine", "completeness"),
    *("what-if", "unplaced", "plans"),
)
C1 = {"role": Role.CONTRACTOR, "centre": "C1", "person": "P01"}


def tomorrow() -> str:
    return (business_day(datetime.now(UTC)) + timedelta(days=1)).isoformat()


def planned_day(visit: Visit) -> str:
    """Open the day that the demo has planned: the day after the one it ran on."""
    for day in (tomorrow(), business_day(datetime.now(UTC)).isoformat()):
        visit.open(f"orders?day={day}")
        if visit.page.locator("a.visit, .day li").count():
            return day
    raise AssertionError("nothing is planned")


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("size", [(1280, 800), PHONE], ids=["desk", "phone"])
def test_axe_finds_nothing_on_any_page(enter: Enter, language: str, size: tuple[int, int]) -> None:
    manager = enter(Role.COUNTY_MANAGER, size=size, language=language)

    for path in SEEN:
        manager.open(path)
        manager.accept()


def test_a_manager_goes_from_the_targets_down_to_one_event(enter: Enter) -> None:
    manager = enter(Role.COUNTY_MANAGER)
    page = manager.open(f"targets?{MONTH}")
    expect(page.locator("article.card .figure strong").first).to_have_text("82.40 %")
    expect(page.get_by_role("img", name=re.compile("市场毛利率逐月走势图"))).to_be_visible()
    expect(page.get_by_text("各项相加恰等于它")).to_be_visible()
    manager.picture("targets-zh")

    page.get_by_role("link", name=re.compile("查看构成")).first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("构成")
    manager.accept()
    page.get_by_role("link", name=re.compile("^出账收入.*县城营服中心")).click()
    expect(page.get_by_text("分文不差")).to_be_visible()
    manager.accept()
    page.locator("tbody a").first.click()
    expect(page.get_by_text("依据规则").first).to_be_visible()
    expect(page.get_by_text("结果一致")).to_be_visible()
    manager.accept()
    manager.picture("explanation-zh")


def test_the_same_in_english_for_the_readme(enter: Enter) -> None:
    manager = enter(Role.COUNTY_MANAGER, language="en")

    page = manager.open(f"targets?{MONTH}")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    manager.picture("targets-en")


def test_a_figures_contributions_are_asked_for_without_leaving_the_page(enter: Enter) -> None:
    manager = enter(Role.COUNTY_MANAGER)
    page = manager.open(f"targets?{MONTH}")

    page.get_by_label("指标").select_option("net_cash")
    page.locator("#contributions").get_by_role("button", name="查看").click()
    manager.settle()

    expect(page.locator("#contributions")).to_contain_text("净现金流")
    expect(page).to_have_url(re.compile(r"/targets\?period=201711$"))
    manager.accept()


def test_a_day_by_engineer_and_hour_and_its_appointments(enter: Enter) -> None:
    manager = enter(Role.COUNTY_MANAGER)
    day = planned_day(manager)
    page = manager.open(f"orders?day={day}&centre=B1")
    expect(
        page.get_by_role("region", name="按工程师与小时的安排").locator("tbody tr")
    ).not_to_have_count(0)
    manager.accept()
    manager.picture("orders-zh")

    page.get_by_role("link", name="预约日历").click()
    manager.settle()
    expect(page.locator("a.visit").first).to_be_visible()
    manager.accept()


def test_an_engineer_takes_the_next_step_on_a_phone(enter: Enter) -> None:
    engineer = enter(Role.ENGINEER, centre="B1", person="P18", size=PHONE)
    planned_day(engineer)
    page = engineer.page
    expect(page.get_by_role("heading", level=1)).to_contain_text("我的工单")
    engineer.accept()
    engineer.picture("phone-zh")

    page.locator(".day li", has_text="已派单").first.get_by_role("link").click()
    engineer.accept()
    engineer.send("接单")
    expect(page.locator("h1 + .tools")).to_contain_text("已接单")
    engineer.send("出发")
    expect(page.locator("h1 + .tools")).to_contain_text("在途")
    engineer.accept()


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_a_day_is_planned_looked_at_and_applied(enter: Enter, size: tuple[int, int]) -> None:
    contractor = enter(Role.CONTRACTOR, centre="B1", person="P18", size=size)
    planned_day(contractor)
    page = contractor.page
    page.get_by_role("link", name="排程方案").click()
    contractor.settle()
    expect(page.locator("tbody tr").first).to_be_visible()
    contractor.accept()
    page.get_by_role("button", name=re.compile("^排 .* 的方案$")).click()
    # The page looks again by itself until the plan is made.
    applying = page.get_by_role("button", name="应用这个方案")
    expect(applying).to_be_visible(timeout=120_000)
    expect(page.get_by_role("region", name="行程 P18").locator("tbody tr")).not_to_have_count(0)
    page.locator("summary", has_text="逐人说明").first.click()
    contractor.accept()
    if page.get_by_label("已有变化的工单保持不动").count():
        page.get_by_label("已有变化的工单保持不动").check()
    contractor.send("应用这个方案")

    expect(page.get_by_role("status")).to_contain_text("已应用")
    contractor.accept()
    page.get_by_role("link", name="看这一天").click()
    contractor.settle()
    expect(page.get_by_role("region", name="按工程师与小时的安排")).to_be_visible()


def test_a_dispute_is_raised_answered_decided_and_confirmed(enter: Enter) -> None:
    manager = enter(Role.COUNTY_MANAGER)
    line = manager.open(f"revenue?{MONTH}&flag=ONLINE_2I2C").locator("tbody th a").last.inner_text()
    manager.accept()
    contractor = enter(**C1)
    page = contractor.open(f"revenue?{MONTH}")
    page.locator("summary", has_text="提出争议").click()
    page.locator("input[name=subscription_id]").fill(line)
    page.get_by_label("理由").fill("客户由本中心营业厅发展，应归本中心。")
    contractor.accept()
    contractor.send("提出争议")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"争议 · {line}")
    contractor.accept()
    dispute = page.url.partition("/branches/130123/")[2]

    manager.open(dispute).get_by_label("理由").first.fill("本部无异议，请裁决。")
    manager.send("答辩")
    support = enter(Role.SUPPORT_CENTRE, person="P29")
    page = support.open(dispute)
    page.get_by_label("支持申请").check()
    page.get_by_label("理由").fill("发展凭证齐全，支持申请。")
    support.accept()
    support.send("提出裁决")
    finance = enter(Role.COUNTY_FINANCE)
    finance.open(dispute)
    finance.accept()
    finance.picture("dispute-zh")
    finance.send("确认裁决")

    expect(finance.page.get_by_text("已裁决，可申诉")).to_be_visible()
    expect(finance.open(f"lines/{line}?{MONTH}").get_by_role("heading", level=1)).to_contain_text(
        "县城营服中心"
    )


def test_whoever_may_not_is_told_so_and_keeps_what_was_written(enter: Enter) -> None:
    contractor = enter(**C1)
    page = contractor.open(f"revenue?{MONTH}")
    page.locator("summary", has_text="提出争议").click()
    page.locator("input[name=subscription_id]").fill("S-NOBODY")
    page.get_by_label("理由").fill("写了很久的理由。")

    page.get_by_role("button", name="提出争议", exact=True).click()

    expect(page.get_by_role("alert")).to_contain_text("无此用户")
    expect(page.locator("#problems .problem")).to_be_focused()
    expect(page.get_by_label("理由")).to_have_value("写了很久的理由。")
    contractor.accept()


def test_a_month_is_closed_by_two_and_its_statement_confirmed_and_taken_along(
    enter: Enter,
) -> None:
    contractor = enter(**C1)
    page = contractor.open("statements")
    page.get_by_role("link", name="CT-2017-11-C1").click()
    contractor.settle()
    contractor.accept()
    contractor.picture("statement-zh")
    page.locator("summary", has_text="提出异议").click()
    page.get_by_label("理由").fill("请核对考核影响。")
    contractor.send("提出异议")
    expect(page.get_by_text("请核对考核影响。").last).to_be_visible()

    county = enter(Role.COUNTY_FINANCE)
    where = page.url.partition("/branches/130123/")[2]
    county.open(where).locator("summary", has_text="答复").last.click()
    county.page.get_by_label("答复内容").last.fill("已核对，系数按合同计算。")
    county.send("答复")
    expect(contractor.open(where).get_by_text("关账后重新起草，方可确认")).to_be_visible()
    manager = enter(Role.COUNTY_MANAGER)
    manager.open(f"closing?{MONTH}")
    manager.accept()
    manager.send("开始关账")
    county.open(f"closing?{MONTH}")
    county.send("关账")
    county.accept()
    county.picture("closing-zh")
    county.send("起草结算单")
    contractor.open(where)
    contractor.send("确认结算单")
    expect(page.locator("li", has_text="承包方").get_by_text("已确认")).to_be_visible()
    contractor.accept()
    with page.expect_download() as file:
        page.get_by_role("link", name="PDF").click()

    assert file.value.path().read_bytes().startswith(b"%PDF")


def test_fields_are_a_map_a_tree_and_a_list_down_to_their_villages(enter: Enter) -> None:
    manager = enter(Role.COUNTY_MANAGER)
    page = manager.open(f"fields?{MONTH}")
    expect(page.get_by_text("每一处恰属一块责任田")).to_be_visible()
    manager.picture("fields-zh")

    page.get_by_role("link", name="诸福屯街道").click()
    page.locator("summary", has_text="个村与社区").click()
    expect(page.locator("details li", has_text="诸福屯社区居民委员会")).to_be_visible()
    manager.accept()


def test_a_ticket_is_raised_by_a_centre_and_answered_by_the_support_centre(enter: Enter) -> None:
    contractor = enter(**C1)
    page = contractor.open("tickets")
    page.get_by_label("标题").fill("营业厅收银机无法联网")
    page.get_by_label("内容").fill("今早起无法联网，已重启。")
    contractor.accept()
    contractor.send("提出")
    expect(page.get_by_role("heading", level=1)).to_have_text("营业厅收银机无法联网")
    contractor.accept()
    where = page.url.partition("/branches/130123/")[2]

    support = enter(Role.SUPPORT_CENTRE, centre="SS", person="P29")
    support.open(where)
    support.send("受理")
    support.page.get_by_label("内容").fill("线路已恢复，请确认。")
    support.accept()
    support.send("答复")
    contractor.open(where)
    contractor.send("闭环")

    expect(page.locator("h1 + .tools")).to_contain_text("已闭环")


def test_a_card_says_why_it_has_its_score(enter: Enter) -> None:
    manager = enter(Role.COUNTY_MANAGER)
    page = manager.open("appraisals")

    page.locator("tbody th a").first.click()

    expect(page.get_by_text("为什么是这个分")).to_be_visible()
    expect(page.get_by_text("结果一致")).to_be_visible()
    manager.accept()


def test_a_contractor_gives_an_appraisal_that_its_ratee_confirms(enter: Enter) -> None:
    rater = enter(Role.CONTRACTOR, centre="G1", person="P12")
    page = rater.open("appraisals")
    page.locator("summary", has_text="横向考核").click()
    page.get_by_label("被评中心").fill("C2")
    page.get_by_label("3", exact=True).first.check()
    rater.accept()
    rater.send("提交")
    expect(page.get_by_role("heading", level=1)).to_contain_text("横向考核")
    where = page.url.partition("/branches/130123/")[2]

    ratee = enter(Role.CONTRACTOR, centre="C2", person="P03")
    ratee.open(where)
    ratee.accept()
    ratee.send("确认此考核")

    expect(ratee.page.get_by_role("button", name="确认此考核")).to_have_count(0)


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_rules_are_drafted_and_tried_by_one_and_activated_by_another(
    enter: Enter, size: tuple[int, int]
) -> None:
    manager = enter(Role.COUNTY_MANAGER, size=size)
    page = manager.open(f"revenue?{MONTH}")
    page.get_by_role("link", name="试算").click()
    manager.settle()
    page.locator("summary", has_text="起草或改写").click()
    rules = page.get_by_label("规则（JSON）")
    # Mobiles follow who developed them, before anything is asked of the channel.
    given = json.loads(rules.input_value())
    codes = [one["code"] for one in given["rules"]]
    more = {"code": "105", "title": "Mobile by developer", "title_zh": "移动用户按发展人"}
    more |= {"when": {"products": ["mobile"]}, "owner": ["developer_centre"]}
    given["rules"].insert(codes.index("110"), more)
    name = f"mobile-{str(new_id())[-12:]}"
    page.locator("input[name=name]").last.fill(name)
    rules.fill(json.dumps(given | {"title_zh": "移动按发展人"}, ensure_ascii=False))
    manager.accept()
    manager.send("存为草稿")

    expect(page.get_by_role("region", name="规则").locator(".badge")).to_have_text(["! 新增"])
    page.get_by_label("规则集").select_option(name)
    page.get_by_label("账期自").fill("201711")
    page.get_by_role("button", name="试算").click()
    page.wait_for_url(re.compile("to_period=201711"))
    manager.settle()
    expect(page.get_by_role("img", name=re.compile("各中心净收入变化图"))).to_be_visible()
    expect(page.get_by_role("region", name="将换归属的用户").locator("tbody tr")).to_have_count(20)
    manager.accept()
    if size == DESK:
        page.locator("#answer").evaluate("one => one.scrollIntoView()")
        manager.picture("what-if-zh")

    page.get_by_role("button", name="启用这套规则").click()
    expect(page.get_by_role("alert")).to_contain_text("须由另一人完成此操作")
    finance = enter(Role.COUNTY_FINANCE, size=size)
    finance.open(f"what-if?{MONTH}&rules={name}").get_by_label("自账期", exact=True).fill("201811")
    finance.accept()
    finance.send("启用这套规则")
    expect(finance.page.get_by_role("heading", level=2, name="移动按发展人")).to_contain_text(
        "已启用"
    )
    finance.accept()


def test_operations_show_health_lag_and_completeness(enter: Enter) -> None:
    page = (manager := enter(Role.COUNTY_MANAGER)).open("operations")

    expect(page.get_by_text("可用", exact=False).first).to_be_visible()
    expect(page.get_by_role("row", name="无滞后")).to_have_count(6)
    manager.picture("operations-zh")


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_from_completeness_to_what_is_held_and_a_wrong_one_is_mended(
    enter: Enter, awkward: str, size: tuple[int, int]
) -> None:
    manager = enter(Role.COUNTY_MANAGER, size=size)
    page = manager.open(f"completeness?source={awkward}")
    expect(page.get_by_text("3–4")).to_be_visible()
    manager.accept()
    page.locator("tbody tr").get_by_role("link", name="4", exact=True).click()
    manager.settle()
    expect(page.locator("tbody tr")).to_have_count(4)
    manager.accept()
    if size == DESK:
        manager.picture("quarantine-zh")

    page.get_by_label("原因").select_option("bad-amount")
    page.locator(".filters button").click()
    manager.settle()
    page.locator("tbody th a").click()
    manager.settle()
    manager.accept()
    text = page.locator("textarea[name=event]")
    wrong = text.input_value()
    page.get_by_role("button", name="修正并重放").click()
    manager.settle()
    expect(page.locator("#problems")).to_contain_text("原状未变")
    expect(text).to_have_value(wrong)
    manager.accept()
    text.fill(wrong.replace("1.5", "150"))
    manager.send("修正并重放")
    expect(page.get_by_text("已重放并入账")).to_be_visible()
    manager.accept()


def test_what_bears_personal_data_is_seen_in_full_with_a_reason_and_mended(
    enter: Enter, awkward: str
) -> None:
    manager = enter(Role.COUNTY_FINANCE, language="en")
    page = manager.open(f"quarantine?source={awkward}&code=unknown-product")
    page.locator("tbody th a").click()
    manager.settle()
    expect(page.locator(".raw")).to_contain_text("130123001001***")
    page.get_by_label("What you need it for").fill("a wrong product")
    manager.send("See it in full")
    text = page.locator("textarea[name=event]")
    expect(text).to_have_value(re.compile("130123001001000001"))
    expect(page).to_have_url(re.compile(r"/quarantine/H-[0-9]+$"))
    manager.accept()
    text.fill(text.input_value().replace("balloon", "broadband"))
    manager.send("Mend and replay")
    expect(page.get_by_text("is booked")).to_be_visible()


def test_what_waits_in_vain_is_replayed_and_dismissed(enter: Enter, awkward: str) -> None:
    manager = enter(Role.COUNTY_FINANCE)
    page = manager.open(f"quarantine?source={awkward}&outcome=parked")
    page.locator("tbody th a").first.click()
    manager.settle()
    page.locator("summary", has_text="按原样重放").click()
    manager.send("重放")
    expect(page.get_by_text("已重放：仍在等待")).to_be_visible()
    manager.accept()
    page.locator("summary", has_text="搁置").click()
    page.get_by_label("理由").fill("无此用户")
    manager.send("搁置")
    expect(page.get_by_text("无此用户")).to_be_visible()
    expect(page.get_by_role("button", name="搁置", exact=True)).to_have_count(0)
    manager.accept()


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_what_names_a_wrong_branch_is_mended_into_its_own(
    enter: Enter, astray: str, size: tuple[int, int]
) -> None:
    manager = enter(Role.COUNTY_MANAGER, size=size)
    page = manager.open("quarantine")
    page.get_by_role("link", name="无所属分公司").click()
    manager.settle()
    held = page.get_by_role("region", name="未入账事件").locator("tbody tr", has_text=astray)
    expect(held).to_have_count(2)
    expect(
        page.get_by_role("region", name="按来源与接收日期").locator("tbody tr", has_text=astray)
    ).to_have_count(1)
    manager.accept()

    held.first.get_by_role("link").click()
    manager.settle()
    text = page.locator("textarea[name=event]")
    manager.accept()
    text.fill(text.input_value().replace("659999", "130123"))
    manager.send("修正并重放")
    expect(page.get_by_role("status")).to_contain_text("已重放并入账")
    manager.accept()

    page = manager.open(f"unplaced?source={astray}")
    page.locator("tbody th a").first.click()
    manager.settle()
    page.locator("summary", has_text="搁置").click()
    page.get_by_label("理由").fill("误发")
    manager.send("搁置")
    expect(page.get_by_text("误发")).to_be_visible()
    manager.accept()


def test_who_may_not_mend_is_offered_no_quarantine(enter: Enter) -> None:
    page = enter(**C1).open("operations")
    expect(page.locator(".side a")).not_to_have_count(0)
    expect(page.locator("a[href*=quarantine], a[href*=completeness]")).to_have_count(0)


def test_the_keyboard_alone_leads_to_the_content_and_through_the_navigation(enter: Enter) -> None:
    page = enter(Role.COUNTY_MANAGER).open(f"targets?{MONTH}")

    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()
    page.locator(".side a", has_text="结算单").focus()
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text("结算单")


def test_what_the_command_prints_signs_in(browser: Browser, address: str, data: Path) -> None:
    who = ("--role", "county_manager", "--branch", "130123", "--data", str(data))

    page = Visit(browser, address, run("token", *who).stdout).page

    expect(page.get_by_role("heading", level=1)).to_contain_text("三大目标")


def test_signing_out_forgets_the_token(enter: Enter) -> None:
    page = enter(Role.COUNTY_MANAGER).page

    page.get_by_role("button", name="退出").click()
    page.goto(page.url.partition("/sign-in")[0] + "/branches/130123/targets")

    expect(page).to_have_url(re.compile("/sign-in$"))


@pytest.mark.usefixtures("later")
def test_a_forecast_is_a_line_within_a_band_with_a_table_of_its_months(enter: Enter) -> None:
    manager = enter(Role.COUNTY_MANAGER)

    page = manager.open("targets?period=201801")

    chart = page.get_by_role("img", name=re.compile("现金流同比全年累计与预测图"))
    expect(chart.locator("canvas")).to_be_visible()
    expect(page.get_by_text(re.compile("八成可能在 ")).first).to_be_visible()
    page.locator("summary", has_text="数据表：现金流同比").click()
    rows = page.get_by_role("row", name=re.compile("2018-10 预测"))
    expect(rows.first).to_contain_text("…")
    manager.accept()
    page.locator("section", has_text="年末预测").last.evaluate("one => one.scrollIntoView()")
    manager.picture("forecast-zh")
