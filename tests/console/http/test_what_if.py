"""Other rules and fields, as a county tries them before anybody lets them decide: over the real services."""

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
from huaxiao.console.what_if import pages, views
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.clients.contracts import ContractsClient
from huaxiao.shared.issuer import Issuer
from huaxiao.shared.money import yuan
from huaxiao.shared.wire.attribution import RuleSet, RuleSetIn, WhatIfIn
from huaxiao.shared.wire.contracts import FieldIn

HOME = f"/branches/{BRANCH_ID}"
PAGE = f"{HOME}/what-if"
ASKED = f"{PAGE}?period={TERM_FROM}&to_period={TERM_FROM}"
TOWN = "F-130123001"
_numbers = itertools.count(1)
Visit = Callable[..., httpx.AsyncClient]


class Asked(Protocol):
    away: str | None

    def refused(self) -> list[tuple[str, str, int]]: ...


@pytest.fixture
async def attribution(suite: Endpoints, issuer: Issuer) -> AsyncIterator[AttributionClient]:
    signed = issuer.token("test:other", roles=[Role.COUNTY_MANAGER], branch_ids=[BRANCH_ID])
    async with AttributionClient(suite.attribution, lambda: signed) as client:
        yield client


@pytest.fixture
async def contracts(suite: Endpoints, issuer: Issuer) -> AsyncIterator[ContractsClient]:
    signed = issuer.token("test:other", roles=[Role.COUNTY_MANAGER], branch_ids=[BRANCH_ID])
    async with ContractsClient(suite.contracts, lambda: signed) as client:
        yield client


async def by_developer(attribution: AttributionClient) -> RuleSetIn:
    """Return the default rules with one more: mobiles follow who developed them."""
    default = await attribution.rule_set(BRANCH_ID, views.DEFAULT_RULES)
    more = {
        "code": "105",
        "title": "Mobile by developer",
        "title_zh": "移动用户按发展人",
        "when": {"products": ["mobile"]},
        "owner": ["developer_centre"],
    }
    rules = [one.model_dump(mode="json") for one in default.rules]
    before = next(at for at, one in enumerate(rules) if one["code"] == "110")
    rules.insert(before, more)
    return RuleSetIn.model_validate({"title": "Ours", "title_zh": "本县规则", "rules": rules})


@pytest.fixture
async def draft(attribution: AttributionClient) -> RuleSet:
    """Draft rules under a name that no other test uses."""
    name = f"ours-{next(_numbers)}"
    return await attribution.put_rule_set(BRANCH_ID, name, await by_developer(attribution))


async def draw(contracts: ContractsClient, **given: Any) -> str:
    """Draw the town's field of the next term anew, for another centre; return its code."""
    town = await contracts.field(BRANCH_ID, TOWN)
    code = f"{TOWN}-N{next(_numbers)}"
    facts = {"kind": town.kind, "centre_id": "C2", "name_zh": "新田", "scope": town.scope}
    facts |= {"term_from": 201811, "term_to": 201910} | given
    scope = facts["scope"]
    facts["scope"] = scope if isinstance(scope, dict) else scope.model_dump(mode="json")
    await contracts.put_field(BRANCH_ID, code, FieldIn.model_validate(facts))
    return code


async def send(browser: httpx.AsyncClient, form: str, **given: str) -> httpx.Response:
    key = re.search(r'name="form_key" value="(\w+)"', (await browser.get(PAGE)).text)
    assert key is not None
    sent = {"form_key": key.group(1)} | given
    return await browser.post(f"{PAGE}/{form}", data=sent, follow_redirects=True)


def rows(page: str, title: str) -> list[str]:
    """Return the rows of the table that a region of this name holds."""
    table = page.partition(f'aria-label="{title}"')[2].partition("</table>")[0]
    body = table.partition("<tbody>")[2].partition("</tbody>")[0]
    return re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)


async def test_a_page_offers_the_rule_sets_and_asks_nothing_before_one_is_chosen(
    visit: Visit, asked: Asked, draft: RuleSet
) -> None:
    browser = visit(Role.COUNTY_MANAGER)

    first = (await browser.get(PAGE)).text
    nothing_chosen = (await browser.get(f"{ASKED}&rules=&draft=")).text

    assert f'<option value="{draft.name}">本县规则 · 草稿，可启用</option>' in first
    assert f'<option value="{views.DEFAULT_RULES}">' in first
    assert "请选择一套规则" not in first
    assert "请选择一套规则" in nothing_chosen
    assert "重新判定一遍" in first
    assert 'id="answer"' not in first + nothing_chosen
    assert asked.refused() == []


async def test_other_rules_are_tried_and_the_page_tells_what_the_service_does(
    visit: Visit, attribution: AttributionClient, draft: RuleSet
) -> None:
    question = WhatIfIn(period=TERM_FROM, rules=views.stated(draft))
    answer = await attribution.what_if(BRANCH_ID, question)
    books = await attribution.reconciliation(BRANCH_ID, TERM_FROM)
    assert answer.moved > 0
    browser = visit(Role.COUNTY_FINANCE)

    zh = (await browser.get(f"{ASKED}&rules={draft.name}&shown=10000")).text
    en = (await browser.get(f"{ASKED}&rules={draft.name}&lang=en")).text

    centres = rows(zh, "各中心")
    assert len(centres) == len(answer.centres)
    for row, one in zip(centres, answer.centres, strict=True):
        figures = re.findall(r'<td class="number">(.*?)</td>', row)
        assert one.centre_id in row
        assert figures[:2] == [yuan(one.before_fen), yuan(one.after_fen)]
        assert figures[3:] == [str(one.subscriptions_in), str(one.subscriptions_out)]
    moves = rows(zh, "将换归属的用户")
    assert len(moves) == len(answer.moves)
    for row, move in zip(moves, answer.moves, strict=True):
        assert f"/lines/{move.subscription_id}?" in row
        assert all(one in row for one in (move.from_rule, move.to_rule, yuan(move.revenue_fen)))
        assert "105</code> 移动用户按发展人" in row
    assert "Would be another" in en
    assert "Mobile by developer" in en
    assert await attribution.reconciliation(BRANCH_ID, TERM_FROM) == books


async def test_a_long_answer_goes_on_under_the_same_question(
    visit: Visit, draft: RuleSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = visit(Role.AUDITOR)
    monkeypatch.setattr(pages, "_MORE", 1)

    one = (await browser.get(f"{ASKED}&rules={draft.name}&shown=1")).text
    onward = re.search(r'href="([^"]+)">显示前 2 条', one)
    assert onward is not None
    two = (await browser.get(html.unescape(onward.group(1)))).text

    assert [len(rows(page, "将换归属的用户")) for page in (one, two)] == [1, 2]


async def test_rules_that_change_nothing_are_said_to(visit: Visit) -> None:
    page = (await visit(Role.PROVINCE).get(f"{ASKED}&rules={views.DEFAULT_RULES}")).text

    assert "这些账期的每一户都仍归原处" in page
    assert rows(page, "各中心") == []


async def test_a_draft_shows_its_rules_beside_those_in_force(visit: Visit, draft: RuleSet) -> None:
    page = (await visit(Role.COUNTY_MANAGER).get(f"{ASKED}&rules={draft.name}")).text

    shown = rows(page, "规则")
    assert len(shown) == len(draft.rules)
    (new,) = [one for one in shown if "</span> 新增" in one]
    assert all(one in new for one in ("105", "产品为移动", "发展人所在中心"))
    assert draft.digest in page


async def test_rules_are_drafted_tried_and_activated_by_another(
    visit: Visit, attribution: AttributionClient
) -> None:
    name = f"written-{next(_numbers)}"
    given = await by_developer(attribution)
    manager, finance = visit(Role.COUNTY_MANAGER), visit(Role.COUNTY_FINANCE)

    drafted = await send(manager, "rules", name=name, rules=given.model_dump_json())
    known = await attribution.rule_set(BRANCH_ID, name)
    activation = {"name": name, "digest": known.digest, "from_period": "201712"}
    own = await send(manager, "activation", **activation)
    stale = await send(finance, "activation", **activation | {"digest": "0" * 64})
    active = await send(finance, "activation", **activation)
    again = (await finance.get(f"{ASKED}&rules={name}")).text

    assert 'id="answer"' not in drafted.text
    assert len(rows(drafted.text, "规则")) == len(given.rules)
    assert "test:county_manager" in drafted.text
    assert own.status_code == stale.status_code == 409
    assert "须由另一人完成此操作" in own.text
    assert "该草稿在您阅读之后已被改写" in stale.text
    assert active.status_code == 200
    assert "已启用 自 2017-12" in active.text
    assert f'action="{PAGE}/activation"' not in again
    assert (await attribution.rule_set(BRANCH_ID, name)).activated_by == "test:county_finance"


async def test_what_is_no_rule_set_is_not_kept_and_told_where_it_is_wrong(
    visit: Visit, attribution: AttributionClient
) -> None:
    browser = visit(Role.COUNTY_MANAGER)
    wrong = json.dumps({"title": "t", "title_zh": "t", "rules": [{"code": "1"}]})

    broken = await send(browser, "rules", name="broken", rules="{")
    lacking = await send(browser, "rules", name="lacking", rules=wrong)
    unnamed = await send(browser, "rules", name="no name", rules=wrong)

    assert [one.status_code for one in (broken, lacking, unnamed)] == [422] * 3
    assert "rules/0/owner" in lacking.text
    kept = {one.name for one in await attribution.rule_sets(BRANCH_ID)}
    assert kept.isdisjoint({"broken", "lacking", "no name"})


async def test_rules_that_could_not_be_active_are_refused_as_the_service_tells_it(
    visit: Visit, attribution: AttributionClient
) -> None:
    name = f"incomplete-{next(_numbers)}"
    given = await by_developer(attribution)
    short = given.model_copy(update={"rules": given.rules[:-1]})
    drafted = await attribution.put_rule_set(BRANCH_ID, name, short)
    browser = visit(Role.COUNTY_MANAGER)

    listed = (await browser.get(PAGE)).text
    answer = await browser.get(f"{ASKED}&rules={name}")

    assert "本县规则 · 草稿，尚有问题" in listed
    assert answer.status_code == 422
    assert "该规则集不能启用" in answer.text
    assert drafted.faults[0].message_zh in answer.text


async def test_a_field_is_tried_in_place_of_the_sealed_one_and_not_beside_it(
    visit: Visit, contracts: ContractsClient, attribution: AttributionClient
) -> None:
    code = await draw(contracts)
    browser = visit(Role.COUNTY_MANAGER)
    page = (await browser.get(PAGE)).text
    assert f'<option value="{code}|{TOWN}">代替 ' in page
    everything = re.search(r'href="([^"]+)">全部试算', page)
    assert everything is not None

    in_place = await browser.get(f"{ASKED}&draft={code}%7C{TOWN}")
    beside = await browser.get(f"{ASKED}&draft={code}")
    nobodys = await browser.get(f"{ASKED}&draft=F-NOBODY")
    sealed = await browser.get(f"{ASKED}&draft={TOWN}")

    moves = rows(in_place.text, "将换归属的用户")
    assert moves
    assert all("（C1）" in one and "（C2）" in one for one in moves)
    assert f'value="{code}|{TOWN}" selected' in in_place.text
    assert beside.status_code == 422
    assert "这些责任田无法试算" in beside.text
    assert TOWN in beside.text
    assert nobodys.status_code == sealed.status_code == 404
    assert f"draft={code}" in html.unescape(everything.group(1))
    books = await attribution.reconciliation(BRANCH_ID, TERM_FROM)
    assert (books.difference_fen, books.ledger_sum_fen) == (0, 0)


@pytest.mark.parametrize(
    ("months", "told"),
    [("period=201712&to_period=201711", "末月早于首月"), ("period=201713", "period")],
)
async def test_months_that_are_none_or_go_backwards_are_refused(
    visit: Visit, months: str, told: str
) -> None:
    answer = await visit(Role.COUNTY_MANAGER).get(f"{PAGE}?{months}&rules={views.DEFAULT_RULES}")

    assert answer.status_code == 422
    assert told in answer.text


async def test_a_month_in_which_nothing_was_billed_is_said_to_be_so(visit: Visit) -> None:
    asked_for = f"{PAGE}?period=201601&rules={views.DEFAULT_RULES}"

    assert "这些账期没有出过账的用户" in (await visit(Role.AUDITOR).get(asked_for)).text


@pytest.mark.parametrize(
    ("role", "bound", "forms"),
    [
        (Role.COUNTY_MANAGER, {}, {"activation", "rules"}),
        (Role.COUNTY_FINANCE, {}, {"activation"}),
        (Role.COUNTY_FINANCE, {"centres": ["C1"]}, set()),
        (Role.PROVINCE, {}, set()),
        (Role.AUDITOR, {}, set()),
    ],
)
async def test_who_may_ask_is_offered_it_with_the_forms_of_the_role(
    visit: Visit,
    asked: Asked,
    draft: RuleSet,
    role: Role,
    bound: dict[str, Any],
    forms: set[str],
) -> None:
    browser = visit(role, **bound)

    revenue = (await browser.get(f"{HOME}/revenue")).text
    page = (await browser.get(f"{ASKED}&rules={draft.name}")).text

    assert "/what-if" in revenue
    assert set(re.findall(rf'action="{PAGE}/(\w+)"', page)) == forms
    assert asked.refused() == []


@pytest.mark.parametrize(
    ("role", "bound"),
    [
        (Role.CONTRACTOR, {"centres": ["C1"], "person": "contractor-C1"}),
        (Role.SUPPORT_CENTRE, {"centres": ["SS"]}),
        (Role.ENGINEER, {"centres": ["C1"], "person": "W01"}),
    ],
)
async def test_who_may_not_ask_is_told_so_and_sees_no_link(
    visit: Visit, asked: Asked, role: Role, bound: dict[str, Any]
) -> None:
    browser = visit(role, **bound)

    revenue = (await browser.get(f"{HOME}/revenue")).text
    answer = await browser.get(f"{ASKED}&rules={views.DEFAULT_RULES}")

    assert answer.status_code == 403
    assert "/what-if" not in revenue
    assert asked.refused() == []


@pytest.mark.parametrize("form", ["rules", "activation"])
async def test_a_form_without_its_key_changes_nothing(
    visit: Visit, attribution: AttributionClient, draft: RuleSet, form: str
) -> None:
    sent = {"name": draft.name, "digest": draft.digest, "from_period": "201712", "rules": "{}"}

    answer = await visit(Role.COUNTY_FINANCE).post(
        f"{PAGE}/{form}", data=sent | {"form_key": "0" * 64}
    )

    assert answer.status_code == 403
    assert "该表单并非由本控制台的页面提交" in answer.text
    assert await attribution.rule_set(BRANCH_ID, draft.name) == draft


async def test_a_service_that_is_away_is_named_in_words(visit: Visit, asked: Asked) -> None:
    asked.away = "/attribution/"

    answer = await visit(Role.COUNTY_MANAGER).get(PAGE)

    assert answer.status_code == 503
    assert "服务可能正在重启" in answer.text
