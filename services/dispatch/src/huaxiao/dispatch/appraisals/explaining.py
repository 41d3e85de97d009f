"""A score explained in words and numbers, down to the orders, and computed again."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.appraisals import computing, evidence, showing
from huaxiao.dispatch.domain.measuring import Verdict
from huaxiao.dispatch.domain.scorecard import rounded
from huaxiao.shared.problems import NotFound
from huaxiao.shared.wire.appraisals import (
    AppraisalExplanation,
    CountedOrder,
    ExplainedItem,
)
from huaxiao.shared.wire.dispatch import AppraisalKind

NAMES: Mapping[str, tuple[str, str]] = {
    "open_on_time": ("Opened on time", "开通及时率"),
    "repair_on_time": ("Repaired on time", "修障及时率"),
    "first_contact": ("First contact in time", "首次联系及时率"),
    "appointment_kept": ("Appointments kept", "预约履约率"),
    "repeat_fault": ("Repeated faults within 30 days", "30 天重复障碍率"),
    "record_quality": ("Records true and complete", "回单真实与资料质量"),
    "satisfaction": ("Customer satisfaction", "客户满意度"),
    "patrol_done": ("Patrols done", "巡检完成率"),
    "cooperation": ("Cooperation", "协同响应"),
    "own_workload": ("Workload against the centre's mean", "工单量系数"),
    "own_on_time": ("On time", "及时率"),
    "own_first_fix": ("Repaired at the first visit", "首次修复率"),
    "own_repeat_fault": ("Repeated faults within 30 days", "重复障碍率"),
    "own_satisfaction": ("Customer satisfaction", "满意度"),
    "own_sales": ("Sales on visits", "随销发展"),
    "own_safety": ("Safety", "安全"),
    "first_reply": ("First reply in time", "一点响应及时率"),
    "closed_on_time": ("Closed on time", "需求派单闭环率"),
    "supervision": ("Supervised tickets closed", "嵌入式督办效果"),
    "business_support": ("Business support", "经营支撑"),
    "complaints": ("Complaints", "客户投诉界面清晰、处理"),
    "retention_and_marketing": ("Retention and joint marketing", "客户维系与协同营销"),
    "it_coordination": ("IT coordination", "IT支撑协调"),
    "attitude": ("Attitude, less intervention", "服务态度、减少干预"),
}


async def explain(
    connection: AsyncConnection, row: RowMapping, *, now: datetime
) -> AppraisalExplanation:
    """Return why a card's score is what it is, and whether it still comes out the same."""
    shown = await showing.render(connection, row, now=now)
    kept = row["explanation"]
    recomputes: bool | None = None
    frozen = await evidence.state(connection, row["branch_id"], row["period"])
    if row["kind"] == AppraisalKind.REVERSE:
        frozen = None
    elif frozen is not None:
        basis = await computing.basis_of(connection, row["branch_id"], row["period"])
        bound = row["kind"] == AppraisalKind.FINAL and row["published_at"] is not None
        again = await computing.computed(connection, row, basis, bound=bound, only_look=True)
        recomputes = frozen.intact and again.hundredths == row["score_hundredths"]
    items = [
        *kept.get("items", []),
        *kept.get("own_items", []),
        *kept.get("person_items", {}).get("items", []),
    ]
    steps, steps_zh = _steps(row, kept)
    return AppraisalExplanation(
        appraisal_id=row["appraisal_id"],
        kind=row["kind"],
        period=row["period"],
        form=kept["form"],
        scorecard_version=row["scorecard_version"],
        revision=row["revision"],
        evidence=frozen,
        items=[_item(one) for one in items],
        exact_score=kept.get("exact_score"),
        score=shown.score,
        grade=row["grade"],
        recomputes=recomputes,
        steps=steps,
        steps_zh=steps_zh,
    )


def _item(kept: Mapping[str, Any]) -> ExplainedItem:
    name, name_zh = NAMES.get(kept["item"], (kept["item"], kept["item"]))
    starred = kept.get("counts") == "stars" or kept.get("centre_means") is not None
    orders = kept.get("orders", kept.get("count", 0))
    text, text_zh = _sentence(kept, name, name_zh, orders, starred=starred)
    return ExplainedItem.model_validate(
        {
            "part": "card",
            "counts": "stars" if starred else "orders",
            "total": None,
            "least": None,
            "points": None,
            "restated": False,
        }
        | dict(kept)
        | {
            "name": name,
            "name_zh": name_zh,
            "orders": orders,
            "text": text,
            "text_zh": text_zh,
        }
    )


def _sentence(
    kept: Mapping[str, Any], name: str, name_zh: str, orders: int, *, starred: bool
) -> tuple[str, str]:
    weight, value = kept["weight"], kept["value"]
    said, said_zh = f"{name} (weight {weight}): ", f"{name_zh}（权重 {weight}）："
    if kept["share"] is None:
        least = kept.get("least")
        few = f"{orders}, fewer than {least}" if least else f"{orders}, too few"
        few_zh = f"{orders} 单，不足 {least} 单" if least else f"{orders}，数量不足"
        return (
            f"{said}{few}; not applicable, its weight goes to the other items.",
            f"{said_zh}{few_zh}，不参评，权重分摊到其他项。",
        )
    earned = f"{_two(kept['share'], times=100)} %"
    points = kept.get("points")
    gives = f"; it earns {earned}" + ("" if points is None else f", {_two(points)} points")
    gives_zh = f"，按 {earned} 计" + ("" if points is None else f"，得 {_two(points)} 分")
    if kept.get("restated"):
        gives, gives_zh = f", as decided since{gives}", f"（以裁定为准）{gives_zh}"
    if starred and value is None:
        what, what_zh = "nobody judged it in time", "逾期未评"
    elif starred:
        what, what_zh = f"{_two(value)} of 5 stars", f"{_two(value)} 星"
    else:
        bounds = [kept.get(one) for one in ("floor", "base", "challenge")]
        what = (
            f"{_two(value)} over {orders} orders, with {bounds[0]} for nothing, {bounds[1]} for"
            f" 60 % and {bounds[2]} for all of it"
        )
        what_zh = (
            f"{orders} 单，实绩 {_two(value)}，底线 {bounds[0]}、基准 {bounds[1]}、挑战 {bounds[2]}"
        )
    return f"{said}{what}{gives}.", f"{said_zh}{what_zh}{gives_zh}。"


def _steps(row: RowMapping, kept: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Return how the score follows from the items, a sentence for each step."""
    exact = kept.get("exact_score")
    if row["kind"] == AppraisalKind.FINAL:
        steps, steps_zh = _final_steps(kept)
    else:
        steps = ["The points of the items add up, exactly, and are rounded once, at the end."]
        steps_zh = ["各项得分按精确值相加，最后一次性四舍五入。"]
        if kept.get("late_rater_points"):
            off = kept["late_rater_points"]
            steps.append(f"{off} point comes off: the centre was late as a rater itself.")
            steps_zh.append(f"该中心作为考核方逾期未提交，扣 {off} 分。")
    if row["evidence_only"]:
        steps.append("Nobody submitted the card in time: what was measured stands alone.")
        steps_zh.append("考核方逾期未提交，按系统取数计分。")
    if exact is not None:
        steps.append(f"The score is {_two(exact)}.")
        steps_zh.append(f"得分 {_two(exact)}。")
    elif row["kind"] != AppraisalKind.FINAL or row["published_at"] is not None:
        steps.append("Nothing could be measured: not rated.")
        steps_zh.append("无可计量项：不参评。")
    if row["coefficient"] is not None:
        steps.append(f"The {row['coefficient_kind']} coefficient is {row['coefficient']}.")
        word = "绩效系数" if row["coefficient_kind"] == "pay" else "外包结算系数"
        steps_zh.append(f"{word} {row['coefficient']}。")
    return steps, steps_zh


def _final_steps(kept: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    own = kept["own_score"]
    if own is None:
        return ["Nothing of the own part could be measured."], ["自评部分无可计量项。"]
    how, how_zh = (
        ("as the centre states it", "由中心填报")
        if kept.get("own_stated", True)
        else ("the points of its items together", "各项得分合计")
    )
    steps = [f"Own part: {_two(own)}, {how}."]
    steps_zh = [f"自评部分 {_two(own)} 分，{how_zh}。"]
    if "horizontal_weight" not in kept:
        steps.append("It waits for the horizontal appraisal that it is bound to.")
        steps_zh.append("待所绑定的横向考核确定后公布。")
        return steps, steps_zh
    weight = Fraction(kept["horizontal_weight"])
    if kept["horizontal"] is None:
        steps.append("The centre has no horizontal score: the own part counts in full.")
        steps_zh.append("中心横向考核不参评，自评部分按 100 % 计。")
    else:
        person = kept["person_items"]["exact_score"]
        made = (
            f"the centre's {_two(kept['centre_score'])} alone"
            if person is None
            else f"half the centre's {_two(kept['centre_score'])}, half the person's {_two(person)}"
        )
        made_zh = (
            f"中心横向得分 {_two(kept['centre_score'])}"
            if person is None
            else f"中心横向得分 {_two(kept['centre_score'])} 与本人横向项 {_two(person)} 各半"
        )
        steps.append(f"Horizontal part: {_two(kept['horizontal'])}, {made}.")
        steps_zh.append(f"横向部分 {_two(kept['horizontal'])} 分，{made_zh}。")
        steps.append(
            f"{_two(1 - weight, times=100)} % of the own and {_two(weight, times=100)} % of the"
            " horizontal part."
        )
        steps_zh.append(
            f"自评占 {_two(1 - weight, times=100)} %，横向占 {_two(weight, times=100)} %。"
        )
    if Fraction(kept["adjustment"]):
        steps.append(f"Moved by {_two(kept['adjustment'])} points: {kept['reason']}.")
        steps_zh.append(f"中心调整 {_two(kept['adjustment'])} 分：{kept['reason']}。")
    for one in kept.get("negative_list", []):
        steps.append(f"{one['points']} points off for violation {one['number']} ({one['entry']}).")
        steps_zh.append(f"负面清单 {one['entry']}（第 {one['number']} 号）扣 {one['points']} 分。")
    return steps, steps_zh


def _two(value: str | Fraction, *, times: int = 1) -> Decimal:
    exact = Fraction(value) * times
    return rounded(exact) if exact >= 0 else -rounded(-exact)


async def counted_orders(
    connection: AsyncConnection, row: RowMapping, item: str, *, after: str, limit: int
) -> list[CountedOrder]:
    """Return the orders that count on an item of a card, from the frozen evidence."""
    if row["kind"] == AppraisalKind.REVERSE:
        raise NotFound
    basis = await computing.basis_of(connection, row["branch_id"], row["period"])
    verdicts = computing.verdicts_of(basis, row).get(item)
    if verdicts is None:
        raise NotFound
    rows = sorted(verdicts, key=lambda one: one.record.order_id)
    return [_counted(one) for one in rows if one.record.order_id > after][:limit]


def _counted(one: Verdict) -> CountedOrder:
    record = one.record
    return CountedOrder(
        order_id=record.order_id,
        points=one.points,
        kind=record.kind,
        state=record.state,
        engineer_id=record.engineer_id,
        requested_at=record.requested_at,
        dispatched_at=record.dispatched_at,
        due_at=record.due_at,
        finished_at=record.finished_at,
    )
