"""A decision is told in sentences that people can act on, in both languages."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from attribution.unit.county import DECEMBER, ORGANISATION, RURAL, TOWN, line
from attribution.unit.test_rules import RULES, bundled, lines, statement
from hypothesis import given
from hypothesis import strategies as st

from huaxiao.attribution.domain import words
from huaxiao.attribution.domain.evidence import Register, fingerprint, gather, turns
from huaxiao.attribution.domain.histories import Baseline, Change, Lead, Line, Ruling
from huaxiao.attribution.domain.rule_sets import Rule, RuleSet, When
from huaxiao.attribution.domain.rules import Flag, decide
from huaxiao.attribution.domain.telling.case import Case, Contest, Names, OpenDispute, SealedName
from huaxiao.attribution.domain.telling.flags import FLAGS
from huaxiao.attribution.domain.telling.outlook import CHANGED_BY
from huaxiao.attribution.domain.telling.reasons import REASONS, because
from huaxiao.attribution.domain.telling.story import tell
from huaxiao.attribution.domain.timelines import Owner, Stretch, joined
from huaxiao.attribution.domain.words import Told
from huaxiao.shared.periods import Period
from huaxiao.shared.wire import events
from huaxiao.shared.wire.attribution import OwnerSource
from huaxiao.shared.wire.contracts import ChannelKind

MOMENT = datetime(2017, 11, 30, 20, tzinfo=UTC)
TERM = (201711, 201810)
NAMES = Names(
    centres={
        "C0": Told("Head office pool", "本部/游离"),
        "C1": Told("Town centre", "县城营服中心"),
        "C2": Told("Township centre", "乡镇营服中心"),
        "C3": Told("Own-hall centre", "自有厅营服中心"),
        "G1": Told("Enterprise centre", "政企营服中心"),
    },
    fields={
        "F-TOWN": SealedName("东关片", *TERM),
        "F-RURAL": SealedName("南孟镇片", *TERM),
        "F-TOWER": SealedName("东关大厦", *TERM),
        "F-KEY": SealedName("重点客户", *TERM),
        "F-HALL": SealedName("人民路营业厅", *TERM),
    },
    channels={
        "HALL": "人民路营业厅",
        "HALL-2": "新华路营业厅",
        "AGENT": "诚信通讯",
        "ONLINE": "线上商城",
    },
)


def case(subject: Line, *others: Line, period: Period = DECEMBER, **register: Any) -> Case:
    """Return what is told of a line of the small county, decided from its opening on."""
    lines = {one.subscription_id: one for one in (subject, *others)}
    known, stretches = Register(lines, **register), []
    for begins in turns(subject.subscription_id, known, ORGANISATION):
        evidence = gather(subject.subscription_id, begins, known, ORGANISATION)
        one = decide(evidence, RULES)
        owner = Owner(
            one.centre_id,
            one.field_id,
            one.unit_rule,
            one.field_rule,
            one.flags,
            fingerprint(evidence),
        )
        stretches.append(Stretch(begins, owner))
    evidence = gather(subject.subscription_id, period, known, ORGANISATION)
    return Case(
        period=period,
        evidence=evidence,
        decision=decide(evidence, RULES),
        rules=RULES,
        names=NAMES,
        timeline=joined(stretches),
        revenue_fen=5_900,
        contest=Contest(5),
    )


def moved(day: date, address: str) -> dict[str, Any]:
    return {"changes": {"S-1": (Change(day, MOMENT, "/bss#1", standard_address=address),)}}


BROADBAND = line("S-2", product="broadband", standard_address=f"{TOWN}0001")
BUNDLED = bundled(statement(date(2017, 10, 1), "S-1", "S-2", "S-3"))
LEFT = bundled(statement(date(2017, 10, 1), "S-1", "S-2"), statement(date(2017, 11, 10), "S-2"))


@pytest.mark.parametrize(
    ("told", "text", "text_zh"),
    [
        (
            case(line(), rulings={"S-1": [Ruling("R-1", "C2", None, 201712, 201803, MOMENT)]}),
            (
                "Rule 010 (“Ruling”) decides: ruling R-1, approved on 1 December 2017, says so from"
                " December 2017 to March 2018."
            ),
            "依据规则 010“裁定”：裁定 R-1 于2017年12月1日获批，自2017年12月起至2018年3月止如此判归。",
        ),
        (
            case(line(customer_id="ENT-1", product="broadband")),
            (
                "Rule 020 (“Locked stock list”) decides: customer ENT-1 is on the list of field F-KEY"
                " (重点客户), locked since November 2017; the line was there before, since 1 March 2016."
            ),
            (
                "依据规则 020“存量清单锁定”：客户 ENT-1 在 责任田 重点客户（F-KEY）的清单上，清单自2017年11月起锁定；"
                "该用户此前已在网（2016年3月1日入网），属存量。"
            ),
        ),
        (
            case(
                line(customer_kind="enterprise", opened_on=date(2017, 11, 3)),
                changes={
                    "S-1": (Change(date(2017, 11, 9), MOMENT, "/bss#1", customer_id="ENT-1"),)
                },
            ),
            (
                "Rule 025 (“New line of a listed customer”) decides: customer ENT-1, to whom it passed on"
                " 9 November 2017, is on the list of field F-KEY (重点客户), locked since November 2017;"
                " the line is newer (3 November 2017), and what a listed customer takes later goes there"
                " too."
            ),
            (
                "依据规则 025“清单客户新增”：客户 ENT-1（2017年11月9日过户）在 责任田 重点客户（F-KEY）的清单上，"
                "清单自2017年11月起锁定；该用户是新增（2017年11月3日入网），清单客户的新增同样归此。"
            ),
        ),
        (
            case(
                line(opened_on=date(2017, 11, 3)),
                leads={"S-1": [Lead("L-1", date(2017, 10, 20), "G1", "P1")]},
            ),
            (
                "Rule 030 (“Converted lead”) decides: it came from lead L-1, approved on 20 October 2017;"
                " it was opened within 90 days, on 3 November 2017, and belongs to the centre that took"
                " the lead on."
            ),
            (
                "依据规则 030“商机转化”：它由商机 L-1 转化而来，商机于2017年10月20日批准，它在 90 天内"
                "（2017年11月3日）入网，归承接商机的中心。"
            ),
        ),
        (
            case(line(product="leased_line", account_manager_id="P13")),
            (
                "Rule 040 (“Circuit”) decides: its account manager P13 worked for Enterprise centre (G1)"
                " when it was opened on 1 March 2016."
            ),
            "依据规则 040“专线电路”：其客户经理 P13 在入网当日（2016年3月1日）属于 政企营服中心（G1）。",
        ),
        (
            case(line(product="leased_line")),
            (
                "Rule 040 (“Circuit”) decides: nobody of the enterprise centre is named, it has no"
                " standard address, so it stays with Head office pool (C0)."
            ),
            "依据规则 040“专线电路”：未登记政企中心人员、没有登记标准地址，故归 本部/游离（C0）。",
        ),
        (
            case(line(product="iot", developer_id="P13")),
            (
                "Rule 050 (“Internet of things”) decides: it was opened on 1 March 2016 by developer P13,"
                " who worked for Enterprise centre (G1) that day."
            ),
            "依据规则 050“物联网”：它于2016年3月1日入网，发展人 P13 当日属于 政企营服中心（G1）。",
        ),
        (
            case(line(campus_id="CAMPUS-1")),
            (
                "Rule 060 (“Campus”) decides: it is in the group of campus CAMPUS-1, which is on the list"
                " of field F-KEY (重点客户, under contract from November 2017 to October 2018)."
            ),
            (
                "依据规则 060“校园”：它在校园 CAMPUS-1 的群组中，该校园在 责任田 重点客户"
                "（F-KEY，承包期2017年11月至2018年10月）的清单上。"
            ),
        ),
        (
            case(line(), BROADBAND, line("S-3", product="tv", standard_address=RURAL), **BUNDLED),
            (
                "Rule 070 (“Bundle with a fixed line”) decides: it has been in bundle B-1 since 1 October"
                " 2017, which follows its broadband line S-2 (broadband before television before voice,"
                " then the oldest); its standard address 130123001001*** lies under 130123001001, which"
                " belongs to field F-TOWN (东关片, under contract from November 2017 to October 2018)."
            ),
            (
                "依据规则 070“融合随固网”：它自2017年10月1日起在融合套餐 B-1 中，套餐随其宽带 S-2"
                "（宽带先于电视、固话，同类取入网最早者）；其标准地址 130123001001*** 在 130123001001 之下，后者属于"
                " 责任田 东关片（F-TOWN，承包期2017年11月至2018年10月）。"
            ),
        ),
        (
            case(line(main_subscription_id="S-2"), line("S-2", channel_id="AGENT")),
            (
                "Rule 075 (“Secondary card”) decides: it is a secondary card and follows its main card"
                " S-2, of which rule 130 (“Agent or chain store”) decides: it was sold on 1 March 2016"
                " through the agent AGENT (诚信通讯), which belongs to Township centre (C2)."
            ),
            (
                "依据规则 075“副卡随主卡”：它是副卡，随主卡 S-2；主卡依据规则 130“代理商或连锁渠道”："
                "它于2016年3月1日由代理商 诚信通讯（AGENT）售出，该渠道属于 乡镇营服中心（C2）。"
            ),
        ),
        (
            case(line(main_subscription_id="S-2"), line("S-2", main_subscription_id="S-1")),
            (
                "Rule 075 (“Secondary card”) decides: it is a secondary card, and the cards that lead"
                " from it to its main card S-2 name each other in a circle, or are more than 5; so it"
                " stays with Head office pool (C0)."
            ),
            (
                "依据规则 075“副卡随主卡”：它是副卡，而它与主卡 S-2 互为主卡（或逐级相连超过 5 张），无法判定，"
                "故归 本部/游离（C0）。"
            ),
        ),
        (
            case(line(), BROADBAND, **LEFT),
            (
                "Rule 080 (“Mobile that left its bundle”) decides: it left bundle B-1 on 10 November"
                " 2017, is in no other, and stays where it was, with that bundle, which follows its"
                " broadband line S-2; its standard address 130123001001*** lies under 130123001001, which belongs to field"
                " F-TOWN (东关片, under contract from November 2017 to October 2018)."
            ),
            (
                "依据规则 080“离开融合后保持原归属”：它于2017年11月10日离开融合套餐 B-1，之后未入其他套餐，保持原归属："
                "套餐随其宽带 S-2；其标准地址 130123001001*** 在 130123001001 之下，后者属于"
                " 责任田 东关片（F-TOWN，承包期2017年11月至2018年10月）。"
            ),
        ),
        (
            case(
                line(product="broadband", standard_address=TOWN), **moved(date(2017, 11, 15), RURAL)
            ),
            (
                "Rule 090 (“Standard address”) decides: its standard address 130123105001, where it"
                " moved on 15 November 2017, belongs to field F-RURAL (南孟镇片, under contract from"
                " November 2017 to October 2018)."
            ),
            (
                "依据规则 090“标准地址”：其标准地址 130123105001（2017年11月15日移机至此）属于"
                " 责任田 南孟镇片（F-RURAL，承包期2017年11月至2018年10月）。"
            ),
        ),
        (
            case(line(product="voice", resource_address="OLT-2-7")),
            (
                "Rule 100 (“Resource address”) decides: its resource address OLT-2-7 lies under OLT-2,"
                " which belongs to field F-RURAL (南孟镇片, under contract from November 2017 to October"
                " 2018)."
            ),
            (
                "依据规则 100“资源地址”：其资源地址 OLT-2-7 在 OLT-2 之下，后者属于"
                " 责任田 南孟镇片（F-RURAL，承包期2017年11月至2018年10月）。"
            ),
        ),
        (
            case(line(channel_id="HALL")),
            (
                "Rule 110 (“Isolated channel field”) decides: it was sold on 1 March 2016 through the own"
                " hall HALL (人民路营业厅), which stands alone as field F-HALL (人民路营业厅, under contract"
                " from November 2017 to October 2018)."
            ),
            (
                "依据规则 110“隔离的渠道型责任田”：它于2016年3月1日由自有厅 人民路营业厅（HALL）售出，该渠道隔离划小，"
                "自成 责任田 人民路营业厅（F-HALL，承包期2017年11月至2018年10月）。"
            ),
        ),
        (
            case(line(channel_id="HALL-2")),
            (
                "Rule 120 (“Own hall”) decides: it was sold on 1 March 2016 through the own hall HALL-2"
                " (新华路营业厅), which belongs to Own-hall centre (C3)."
            ),
            (
                "依据规则 120“自有厅”：它于2016年3月1日由自有厅 新华路营业厅（HALL-2）售出，"
                "该渠道属于 自有厅营服中心（C3）。"
            ),
        ),
        (
            case(line(channel_id="AGENT")),
            (
                "Rule 130 (“Agent or chain store”) decides: it was sold on 1 March 2016 through the agent"
                " AGENT (诚信通讯), which belongs to Township centre (C2)."
            ),
            (
                "依据规则 130“代理商或连锁渠道”：它于2016年3月1日由代理商 诚信通讯（AGENT）售出，"
                "该渠道属于 乡镇营服中心（C2）。"
            ),
        ),
        (
            case(line(developer_id="P1")),
            (
                "Rule 140 (“Developer”) decides: it was opened on 1 March 2016 by developer P1, who worked"
                " for Town centre (C1) that day."
            ),
            "依据规则 140“发展人”：它于2016年3月1日入网，发展人 P1 当日属于 县城营服中心（C1）。",
        ),
        (
            case(line(channel_id="ONLINE")),
            (
                "Rule 150 (“Online”) decides: it was sold on 1 March 2016 through the online channel"
                " ONLINE (线上商城); what this rule takes goes to no contracting centre but to Head office pool"
                " (C0)."
            ),
            (
                "依据规则 150“线上2I2C”：它于2016年3月1日由线上渠道 线上商城（ONLINE）售出；"
                "此规则所收的用户不归任何承包中心，归 本部/游离（C0）。"
            ),
        ),
        (
            case(line(), baselines={"S-1": [Baseline(201711, MOMENT, "/bss#1", "C1", "F-TOWN")]}),
            (
                "Rule 160 (“Baseline”) decides: no other evidence places it, and the baseline of"
                " November 2017 has it, opened on 1 March 2016, with Town centre (C1), field F-TOWN"
                " (东关片)."
            ),
            (
                "依据规则 160“承包基线”：没有其他证据可判归属，而2017年11月的承包基线将它（2016年3月1日入网）列在"
                " 县城营服中心（C1）、责任田 东关片（F-TOWN）。"
            ),
        ),
        (
            case(line()),
            (
                "Rule 900 (“Pool”) decides: no other rule found where it belongs, so it stays with Head"
                " office pool (C0) until somebody claims it."
            ),
            "依据规则 900“本部/游离”：没有其他规则能找到它的归属，故暂归 本部/游离（C0），待认领。",
        ),
    ],
    ids=lambda one: one.decision.unit_rule if isinstance(one, Case) else "",
)
def test_each_rule_says_from_what_it_decided(told: Case, text: str, text_zh: str) -> None:
    assert because(told) == (text, text_zh)


def test_every_default_rule_is_among_the_sentences_above() -> None:
    (cases,) = test_each_rule_says_from_what_it_decided.pytestmark  # type: ignore[attr-defined]
    told = {one.decision.unit_rule for one, *_ in cases.args[1]}
    assert told == {rule.code for rule in RULES.rules}


def test_a_line_that_moved_tells_its_whole_story() -> None:
    subject = line(
        product="broadband",
        standard_address=f"{TOWN}0001",
        resource_address="OLT-2-1",
        channel_id="HALL-2",
        opened_on=date(2017, 3, 1),
    )
    story = tell(case(subject, **moved(date(2018, 1, 15), RURAL)))
    assert [one.text_zh for one in story] == [
        "2017年12月，宽带 S-1 的收入归 县城营服中心（C1）、责任田 东关片（F-TOWN）。",
        (
            "依据规则 090“标准地址”：其标准地址 130123001001*** 在 130123001001 之下，后者属于"
            " 责任田 东关片（F-TOWN，承包期2017年11月至2018年10月）。"
        ),
        "以上为2017年12月1日零时的状态；移机、套餐变更自次月起计。",
        (
            "排在前面的规则均不适用：没有裁定、客户不在任何清单中、不是有效期内商机转化、是宽带、不在校园群组中、"
            "不在融合套餐中、不是副卡。"
        ),
        "它由 自有厅营服中心（C3）经渠道 新华路营业厅（HALL-2）发展；此项留有记录，但按规则 090，不由发展方判定。",
        "自有厅营服中心（C3）得影子积分（由其自有厅售出），至2018年2月止：仅作备忘，不计入任何合计，也不减少归属方收入。",
        (
            "其资源地址 OLT-2-1 却指向 乡镇营服中心（C2）、责任田 南孟镇片（F-RURAL），以标准地址为准。"
            "请核实哪个正确并更正另一个；未关账月份凭裁定改正。"
        ),
        "涉及金额 59.00 元：2017年12月的净收入，不含税，不论何时入账。",
        "责任田 东关片（F-TOWN）的承包期至2018年10月止。",
        "就目前所知，自2018年2月起它归 乡镇营服中心（C2）、责任田 南孟镇片（F-RURAL），依据规则 090。",
        "可能改变归属的情形：固网移机，自次月起。",
        "有异议的中心可在2017年12月关账前，或关账后 5 日内，提出争议。",
    ]
    assert [one.text for one in story] == [
        (
            "In December 2017 the revenue of broadband line S-1 belongs to Town centre (C1), field F-TOWN"
            " (东关片)."
        ),
        (
            "Rule 090 (“Standard address”) decides: its standard address 130123001001*** lies under"
            " 130123001001, which belongs to field F-TOWN (东关片, under contract from November 2017 to"
            " October 2018)."
        ),
        (
            "That was so when December 2017 began; a move or a change of bundle counts from the month"
            " after it."
        ),
        (
            "The rules before it do not apply: nobody has ruled on it, the customer is on no list, it"
            " came from no lead in time, it is a broadband line, it is in no campus group, it is in no"
            " bundle, it is no secondary card."
        ),
        (
            "It was developed by Own-hall centre (C3) through channel HALL-2 (新华路营业厅); that is on"
            " record, but by rule 090 who developed it does not decide here."
        ),
        (
            "Own-hall centre (C3) has a shadow credit to February 2018, because its own hall sold it: a memo"
            " in no sum, which takes nothing from the owner."
        ),
        (
            "Its resource address OLT-2-1 leads to Township centre (C2), field F-RURAL (南孟镇片) instead;"
            " the standard address wins. Check which is right and have the wrong one mended; open months"
            " are then set right by a ruling."
        ),
        (
            "59.00 yuan are at stake: its net revenue of December 2017, without VAT, whenever it was"
            " booked."
        ),
        "The term of field F-TOWN (东关片) ends with October 2018.",
        (
            "By what is known now, from February 2018 on it belongs to Township centre (C2), field F-RURAL"
            " (南孟镇片), by rule 090."
        ),
        "What would change it: a move of the fixed line, from the month after.",
        (
            "A centre that disagrees raises a dispute, while December 2017 is open or within 5 days"
            " after the day of its closing."
        ),
    ]


def test_rules_that_came_close_are_told_one_by_one() -> None:
    story = tell(case(line(customer_id="ENT-1", opened_on=date(2017, 11, 3), channel_id="AGENT")))
    assert story[2:5] == [
        (
            (
                "Rule 020 (“Locked stock list”) comes before it, but the line is newer than the locked"
                " list."
            ),
            "规则 020“存量清单锁定”在前，但该用户晚于锁定清单入网。",
        ),
        (
            (
                "Rule 025 (“New line of a listed customer”) comes before it, but the customer is a"
                " person."
            ),
            "规则 025“清单客户新增”在前，但客户是个人。",
        ),
        (
            (
                "The other rules before it do not apply: nobody has ruled on it, it came from no lead in"
                " time, it is a mobile line, it is in no campus group, it is in no bundle, it is no"
                " secondary card, it has left no bundle, the channel is in no field of its own, an agent"
                " sold it."
            ),
            (
                "排在前面的其余规则均不适用：没有裁定、不是有效期内商机转化、是移动用户、不在校园群组中、不在融合套餐中、"
                "不是副卡、没有离开过融合套餐、该渠道不在隔离的渠道型责任田中、由代理商售出。"
            ),
        ),
    ]


@pytest.mark.parametrize(
    ("told", "flag", "text_zh"),
    [
        (
            case(line(product="broadband")),
            "NO_ADDRESS",
            "它是固网用户，却没有登记地址。请补录标准地址，补录后即可判归责任田。",
        ),
        (
            case(line(product="broadband", standard_address="440101001001")),
            "NO_ADDRESS",
            "它是固网用户，但没有责任田覆盖 440101001001。地址有误请更正；地址无误，则责任田在此处有空白。",
        ),
        (
            case(
                line(main_subscription_id="S-2"), line("S-2", product="tv", standard_address="44")
            ),
            "NO_ADDRESS",
            "主卡 S-2：它是固网用户，但没有责任田覆盖 44。地址有误请更正；地址无误，则责任田在此处有空白。",
        ),
        (
            case(
                line(),
                replace(BROADBAND, resource_address="OLT-2"),
                line("S-3"),
                **BUNDLED,
            ),
            "ADDR_CONFLICT",
            (
                "其资源地址 OLT-2 却指向 乡镇营服中心（C2）、责任田 南孟镇片（F-RURAL），以标准地址为准。"
                "请核实哪个正确并更正另一个；未关账月份凭裁定改正。"
            ),
        ),
        (
            case(line(product="leased_line", standard_address=TOWN)),
            "CIRCUIT_NO_DEVELOPER",
            "该专线没有登记客户经理或发展人。请查明由谁签约，并以裁定明确归属。",
        ),
        (
            case(line(main_subscription_id="S-9", channel_id="AGENT")),
            "MAIN_MISSING",
            "它登记的主卡 S-9 在此查无记录。请核对号码；主卡入网后，本用户会自动重新判定。",
        ),
        (
            case(line(main_subscription_id="S-2"), line("S-2", main_subscription_id="S-1")),
            "MAIN_IN_CIRCLE",
            "它与 S-2 互为主卡，或逐级相连超过 5 张仍无主卡。请查明哪张是主卡，并以裁定明确归属。",
        ),
        (
            case(line(channel_id="ONLINE")),
            "ONLINE_2I2C",
            "它由线上（2I2C）售出，不由任何中心发展。如有中心实际服务，可申请裁定。",
        ),
    ],
)
def test_each_flag_says_what_to_do(told: Case, flag: str, text_zh: str) -> None:
    assert told.decision.flags == (flag,)
    assert text_zh in [one.text_zh for one in tell(told)]


def test_a_flag_of_a_countys_own_names_the_rule_that_sets_it() -> None:
    rule = Rule("077", "Prepaid", "预付费", When(), (OwnerSource.DEFAULT_CENTRE,), "PREPAID")
    rules = RuleSet("OWN", (rule,))
    told = case(line())
    told = replace(told, rules=rules, decision=decide(told.evidence, rules))
    assert "标记 PREPAID：由规则 077“预付费”设置，请按该规则的要求处理。" in [
        one.text_zh for one in tell(told)
    ]


def test_who_helped_is_credited_for_twelve_months() -> None:
    def credited(opened_on: date) -> bool:
        subject = line(
            product="broadband", standard_address=TOWN, channel_id="HALL", opened_on=opened_on
        )
        return any("影子积分" in one.text_zh for one in tell(case(subject)))

    assert credited(date(2017, 1, 1))
    assert not credited(date(2016, 12, 31))


def test_what_ends_and_what_follows_is_told() -> None:
    ruling = Ruling("R-1", "C2", None, 201712, 201803, MOMENT)
    ruled = case(line(channel_id="HALL"), rulings={"S-1": [ruling]})
    assert [one.text_zh for one in tell(ruled)][-4:-2] == [
        "此前（至2017年11月）它归 自有厅营服中心（C3）、责任田 人民路营业厅（F-HALL），依据规则 110。",
        "就目前所知，自2018年4月起它归 自有厅营服中心（C3）、责任田 人民路营业厅（F-HALL），依据规则 110。",
    ]
    stock = [one.text_zh for one in tell(case(line(channel_id="HALL")))]
    assert (
        "责任田 人民路营业厅（F-HALL）的承包期至2018年10月止；届时若无新的责任田接续，"
        "则归 自有厅营服中心（C3）。" in stock
    )
    assert "没有2017年12月的净收入入账。" in [
        one.text_zh for one in tell(replace(ruled, revenue_fen=0))
    ]


@pytest.mark.parametrize(
    ("contest", "text_zh"),
    [
        (Contest(5), "有异议的中心可在2017年12月关账前，或关账后 5 日内，提出争议。"),
        (
            Contest(5, datetime(2018, 1, 8, 16, tzinfo=UTC)),
            (
                "2017年12月已关账，账目不再改变；有异议的中心可在2018年1月8日前（含当日）提出争议，"
                "裁决结果记入首个未关账的月份。"
            ),
        ),
        (
            Contest(5, datetime(2018, 1, 8, 16, tzinfo=UTC), over=True),
            (
                "2017年12月已关账，争议期限已于2018年1月8日届满；县财务仍可提出更正裁定，"
                "记入首个未关账的月份。"
            ),
        ),
        (
            Contest(5, decided_by="D-1"),
            (
                "争议 D-1 已对此裁决；不服的当事中心可在期限内就该争议申诉。"
                "未参与该争议的中心可在申诉期满后另行提出争议，限一次。"
            ),
        ),
        (
            Contest(5, datetime(2018, 1, 8, 16, tzinfo=UTC), decided_by="D-1"),
            (
                "争议 D-1 已对此裁决；不服的当事中心可在期限内就该争议申诉。"
                "未参与该争议的中心可在申诉期满后另行提出争议，至2018年1月8日止（含当日），限一次。"
            ),
        ),
        (
            Contest(5, datetime(2018, 1, 8, 16, tzinfo=UTC), over=True, decided_by="D-1"),
            "争议 D-1 已对此裁决；不服的当事中心可在期限内就该争议申诉。",
        ),
    ],
    ids=["open", "closed", "too late", "decided", "decided, closed", "decided, too late"],
)
def test_who_disagrees_is_told_what_to_do_by_when(contest: Contest, text_zh: str) -> None:
    assert tell(replace(case(line()), contest=contest))[-1].text_zh == text_zh


def test_a_line_under_dispute_is_told_with_the_claim_and_no_advice_to_raise_another() -> None:
    dispute = OpenDispute("D-1", "C2", "C2", "F-RURAL")
    story = tell(replace(case(line(channel_id="HALL")), dispute=dispute))
    assert story[1].text_zh == (
        "该用户处于争议 D-1 中：乡镇营服中心（C2）主张其归 乡镇营服中心（C2）、责任田 南孟镇片（F-RURAL）。"
        "争议结束前归属不变，其间迟到的信息不移动账目。"
    )
    assert story[1].text.startswith("It is under dispute D-1: Township centre (C2) holds that")
    assert not any("提出争议" in one.text_zh for one in story)


def test_a_restated_month_tells_whose_it_was_and_on_what_ground() -> None:
    ruling = Ruling("R-1", "C2", None, 201712, None, MOMENT)
    ruled = case(line(channel_id="HALL"), rulings={"S-1": [ruling]})
    reason = "客户实际\n位于乡镇"
    story = tell(replace(ruled, closed_as=("C3", "F-HALL"), ruling_reason=reason))
    assert [one.text_zh for one in story][1:4] == [
        (
            "2017年12月关账时它归 自有厅营服中心（C3）、责任田 人民路营业厅（F-HALL），其后已作更正，"
            "更正记在当时未关账的月份。"
        ),
        "依据规则 010“裁定”：裁定 R-1 于2017年12月1日获批，自2017年12月起如此判归。",
        "裁定理由：“客户实际 位于乡镇”。",
    ]


def test_a_month_before_the_line_was_opened_says_so() -> None:
    later = line(channel_id="AGENT", opened_on=date(2018, 1, 15))
    told = [one.text_zh for one in tell(case(later))]
    assert told[1] == "该用户2018年1月才入网，此前的月份按其入网当日的情况计。"
    assert told[1] not in [one.text_zh for one in tell(case(later, period=Period(201801)))]


def test_a_decision_that_cannot_be_made_again_says_so() -> None:
    told = case(line(channel_id="AGENT"))
    (stretch,) = told.timeline.stretches
    other = joined([stretch._replace(owner=stretch.owner._replace(centre_id="C1"))])
    headline, doubt, *_ = tell(replace(told, timeline=other))
    assert headline.text_zh == "2017年12月，移动用户 S-1 的收入归 县城营服中心（C1）。"
    assert doubt.text_zh == (
        "注意：用留存的证据重新运行规则，结果为 乡镇营服中心（C2），依据规则 130。账目保持不变，请核查原因。"
    )


def test_everything_that_can_be_told_has_words_in_both_languages() -> None:
    assert REASONS.keys() == set(OwnerSource)
    assert CHANGED_BY.keys() == set(OwnerSource)
    assert {*Flag, *(rule.flag for rule in RULES.rules if rule.flag)} == FLAGS.keys()
    assert words.PRODUCTS.keys() == events.PRODUCTS
    assert words.CHANNELS.keys() == set(ChannelKind)
    tables = (words.PRODUCTS, words.CUSTOMERS, words.CHANNELS, CHANGED_BY)
    for told in (told for table in tables for told in table.values()):
        assert told.text.isascii()
        assert re.search("[一-鿿]", told.text_zh)
    for rule in RULES.rules:
        assert re.search("[一-鿿]", rule.title_zh), rule.code


@given(lines, lines, st.sampled_from([Period(201610), DECEMBER, Period(201811)]))
def test_no_story_speaks_the_other_language_or_of_nothing(
    subject: Line, other: Line, period: Period
) -> None:
    second = replace(other, subscription_id="S-2")
    for told in tell(case(subject, second, period=period, **BUNDLED)):
        # Codes are in capitals here, so that a small letter is a word.
        assert not re.search("[a-z]", told.text_zh), told.text_zh
        assert told.text_zh.endswith("。")
        assert told.text.endswith(".")
        assert "None" not in told.text
        assert "NONE" not in told.text_zh.upper()
