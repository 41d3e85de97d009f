"""The negative list: drafted, activated, asked."""

import json
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import date, datetime
from functools import cache
from http import HTTPStatus
from importlib.resources import files

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.branches.store import branch, next_number
from huaxiao.contracts.domain.negative_list import Action, attribute_faults, judge, list_faults
from huaxiao.contracts.domain.references import require_known
from huaxiao.contracts.negative_list import store
from huaxiao.contracts.organisation.store import known_centres
from huaxiao.contracts.tables import inquiries, negative_list_activations, negative_lists
from huaxiao.shared.drafting import Drafting
from huaxiao.shared.periods import business_day
from huaxiao.shared.problems import Malformed, Problem
from huaxiao.shared.wire.negative_list import (
    ActivationIn,
    Hit,
    MayIAnswer,
    NegativeEntry,
    NegativeList,
    NegativeListIn,
    NegativeListSummary,
    OpenQuestion,
    ProposalIn,
)


class ListIsActive(Problem):
    """An active version does not change; another version takes its place."""

    code = "list-active"
    status = HTTPStatus.CONFLICT
    title = "The version is active and does not change"
    title_zh = "该版本已生效，不可变更"


class OutOfOrder(Problem):
    """Versions follow one another: each begins after the one before, and not in the past."""

    code = "out-of-order"
    status = HTTPStatus.CONFLICT
    title = "A version begins today or later, and after every other"
    title_zh = "新版本须自今日或以后、且晚于其他版本之日起生效"


@cache
def default_list() -> NegativeListIn:
    """Return the suite's own list, in force until a branch activates one of its own."""
    document = files("huaxiao.contracts.negative_list").joinpath("default.json").read_text("utf-8")
    return NegativeListIn.model_validate(json.loads(document))


_LISTS = Drafting(
    drafts=negative_lists,
    in_force=negative_list_activations,
    kind=NegativeList,
    own=default_list,
    unchangeable=ListIsActive,
    out_of_order=OutOfOrder,
    put_by="activated_by",
    put_at="activated_at",
)


async def show(connection: AsyncConnection, branch_id: int, version: int) -> NegativeList:
    """Return a version; 0 is the suite's own."""
    return await _LISTS.show(connection, branch_id, version)


async def list_versions(
    connection: AsyncConnection, branch_id: int, *, after: int, limit: int
) -> list[NegativeListSummary]:
    """Return a branch's own versions."""
    found = await _LISTS.list_versions(connection, branch_id, after=after, limit=limit)
    return [NegativeListSummary.model_validate(one.model_dump()) for one in found]


async def in_force(connection: AsyncConnection, branch_id: int, day: date) -> NegativeList:
    """Return the list in force on a day."""
    return await _LISTS.in_force_on(connection, branch_id, day)


async def draft(
    connection: AsyncConnection,
    branch_id: int,
    version: int,
    given: NegativeListIn,
    *,
    if_match: str | None,
    drafted_by: str,
    now: datetime,
) -> tuple[NegativeList, bool]:
    """Draft a version, or rewrite it while it is a draft; say whether it is new.

    Raises:
        ListIsActive: it is active, and what is given differs from it.

    """
    await branch(connection, branch_id, lock=True)
    faults = list(list_faults(given))
    if faults:
        raise Malformed(faults=faults)
    return await _LISTS.draft(
        connection, branch_id, version, given, if_match=if_match, drafted_by=drafted_by, now=now
    )


async def activate(
    connection: AsyncConnection,
    branch_id: int,
    version: int,
    given: ActivationIn,
    *,
    by: str,
    now: datetime,
) -> NegativeList:
    """Let a version be in force from a day on, as a second person; again changes nothing.

    Raises:
        OutOfOrder: the day has passed, or another version begins on it or later.

    """
    await branch(connection, branch_id, lock=True)
    return await _LISTS.put_in_force(connection, branch_id, version, given.from_day, by=by, now=now)


def hits_of(action: Action, entries: Sequence[NegativeEntry]) -> list[Hit]:
    """Return the entries that forbid an action, with the conditions that hold."""
    hits = judge(action, entries).hits
    return [Hit(**_named(entry), conditions=list(ban.conditions)) for entry, ban in hits]


async def may_i(
    connection: AsyncConnection, branch_id: int, given: ProposalIn, *, asked_by: str, now: datetime
) -> MayIAnswer:
    """Answer whether an action is allowed, and keep the answer."""
    await branch(connection, branch_id, lock=True)
    known = await known_centres(connection, branch_id, {given.centre_id})
    require_known([("/centre_id", given.centre_id)], known)
    action = Action(given.action, given.attributes)
    faults = list(attribute_faults(action))
    if faults:
        raise Malformed(faults=faults)
    day = given.on or business_day(now)
    held = await in_force(connection, branch_id, day)
    verdict = judge(action, held.entries)
    hits = hits_of(action, held.entries)
    questions = [
        OpenQuestion(**_named(entry), attributes=list(names))
        for entry, names in verdict.open_questions
    ]
    reason, reason_zh = _reason(hits, questions)
    answer = MayIAnswer(
        number=await next_number(connection, inquiries, branch_id),
        action=given.action,
        centre_id=given.centre_id,
        attributes=given.attributes,
        on=day,
        version=held.version,
        allowed=verdict.is_allowed,
        hits=hits,
        open_questions=questions,
        reason=reason,
        reason_zh=reason_zh,
        asked_by=asked_by,
        asked_at=now,
    )
    row = answer.model_dump(mode="json")
    await store.add_inquiry(
        connection,
        {
            "branch_id": branch_id,
            "number": answer.number,
            "centre_id": given.centre_id,
            "answer": row,
            "asked_by": asked_by,
            "asked_at": now,
        },
    )
    return answer


def _named(entry: object) -> dict[str, object]:
    return {name: getattr(entry, name) for name in ("code", "name", "name_zh", "severity")}


def _reason(hits: list[Hit], questions: list[OpenQuestion]) -> tuple[str, str]:
    if hits:
        named = ", ".join(f"{one.code} {one.name}" for one in hits)
        named_zh = "、".join(f"{one.code} {one.name_zh}" for one in hits)
        return f"No: it stands on the negative list: {named}.", f"不可以：属于负面清单 {named_zh}。"
    if questions:
        unsaid = sorted({name for one in questions for name in one.attributes})
        codes = ", ".join(one.code for one in questions)
        return (
            f"Not as asked: {codes} may forbid it; say {', '.join(unsaid)}.",
            f"尚不能答复：可能涉及 {codes}，请补充 {'、'.join(unsaid)}。",
        )
    return (
        "Yes: nothing on the negative list forbids it, and what is not on it is allowed.",
        "可以：不在负面清单之内，清单以外可放手去做。",
    )


async def list_inquiries(
    connection: AsyncConnection,
    branch_id: int,
    centre_ids: AbstractSet[str] | None,
    *,
    after: int,
    limit: int,
) -> list[MayIAnswer]:
    """Return what was asked and answered, within the caller's centres."""
    rows = await store.inquiry_page(connection, branch_id, centre_ids, after=after, limit=limit)
    return [MayIAnswer.model_validate(row["answer"]) for row in rows]
