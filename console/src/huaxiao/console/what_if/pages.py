"""The page that tries other rules and fields, with the forms that draft rules and let them decide."""

import asyncio
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Form, Query, Response

from huaxiao.console.fields.reading import whole
from huaxiao.console.filters import ChosenText
from huaxiao.console.page import Page, in_section
from huaxiao.console.what_if import views
from huaxiao.shared.auth import Role
from huaxiao.shared.identifiers import Identifier
from huaxiao.shared.problems import Fault, Forbidden, Malformed, NotFound
from huaxiao.shared.wire.attribution import WhatIfIn
from huaxiao.shared.wire.base import PeriodText
from huaxiao.shared.wire.contracts import FieldSummary, LockState

router = APIRouter(prefix="/branches/{branch_id}/what-if")
WhatIfPage = Annotated[Page, in_section("revenue")]
_DRAFTS = (Role.COUNTY_MANAGER,)
_ACTIVATES = (Role.COUNTY_MANAGER, Role.COUNTY_FINANCE)
_SHOWN, _MORE, _MOST_SHOWN = 20, 500, 10_000
"""Moves that an answer begins with, adds when asked for more, and has at most."""
_MOST_FIELDS = 1_000
_LONGEST = 1024 * 1024
"""Characters of a rule set in a form; a service takes less."""


@router.get("")
async def what_if(
    page: WhatIfPage,
    rules: ChosenText = None,
    draft: Annotated[Sequence[str], Query(max_length=_MOST_FIELDS)] = (),
    period: PeriodText | None = None,
    to_period: PeriodText | None = None,
    shown: Annotated[int, Query(ge=1, le=_MOST_SHOWN)] = _SHOWN,
) -> Response:
    """Ask what other rules or fields would change of past months, and show it; nothing is changed."""
    if not page.tries_rules:
        raise Forbidden
    first = await page.period(period)
    last = to_period or first
    if last < first:
        raise _backwards()
    asked = page.peers.attribution
    default, own, months, fields, names = await asyncio.gather(
        asked.rule_set(page.branch, views.DEFAULT_RULES),
        asked.rule_sets(page.branch),
        asked.periods(page.branch),
        page.peers.contracts.fields(page.branch),
        page.centre_names(),
    )
    known = [default, *own]
    before = views.in_force(known, first)
    looked_at = next((one for one in known if one.name == rules), None)
    if rules is not None and looked_at is None:
        raise NotFound
    drawn = await _drawn(page, fields, first, last)
    chosen = [one for one in draft if one]
    question = WhatIfIn(
        period=first,
        to_period=last,
        rules=None if looked_at is None else views.stated(looked_at),
        fields=views.tried(chosen, drawn),
        moves_shown=shown,
    )
    # Without months a rule set is looked at; the form always names them.
    is_asked = period is not None and (looked_at is not None or bool(chosen))
    found = await asked.what_if(page.branch, question) if is_asked else None
    return page.show(
        "what_if/page.html",
        section="revenue",
        views=views,
        known=known,
        before=before,
        rule_set=looked_at,
        drawn=drawn,
        chosen=chosen,
        found=found,
        titles=views.RuleTitles.of(page.words, before, looked_at or before),
        more=_more(found.moves_omitted, shown) if found else None,
        named={one.field_id: one.name_zh for one in fields},
        names=names,
        period=first,
        to_period=last,
        opens=views.first_open(months, first),
        may_draft=page.bearer.decides_for_county(*_DRAFTS),
        may_activate=page.bearer.decides_for_county(*_ACTIVATES),
        nothing_chosen=looked_at is None and not chosen,
        sent=to_period is not None,
    )


@router.post("/rules")
async def draft_rules(
    page: WhatIfPage,
    name: Annotated[Identifier, Form()],
    rules: Annotated[str, Form(min_length=1, max_length=_LONGEST)],
) -> Response:
    """Draft a rule set, or rewrite a draft; it decides nothing."""
    await page.peers.attribution.put_rule_set(page.branch, name, views.written(rules))
    return page.back("what-if", rules=name)


@router.post("/activation")
async def activate(
    page: WhatIfPage,
    name: Annotated[Identifier, Form()],
    digest: Annotated[str, Form(pattern=r"^[0-9a-f]{64}$")],
    from_period: Annotated[PeriodText, Form()],
) -> Response:
    """Let a rule set decide from an open month on, as it was read; somebody else has drafted it."""
    await page.peers.attribution.activate_rule_set(page.branch, name, from_period, digest)
    return page.back("what-if", rules=name)


async def _drawn(
    page: Page, fields: Sequence[FieldSummary], first: int, last: int
) -> list[views.Drawn]:
    """Return the drafts, each with the sealed field of these months that it would stand for."""
    drafts = [one for one in fields if one.state is not LockState.SEALED]
    if not drafts:
        return []
    sealed = [
        one
        for one in fields
        if one.state is LockState.SEALED and one.term_from <= last and first <= one.term_to
    ]
    return views.drawn(await whole(page, drafts), await whole(page, sealed))


def _more(omitted: int, shown: int) -> int | None:
    """Return how many moves to show next, if there are more."""
    return (
        min(shown + min(omitted, _MORE), _MOST_SHOWN) if omitted and shown < _MOST_SHOWN else None
    )


def _backwards() -> Malformed:
    return Malformed(
        faults=[
            Fault("/to_period", "backwards", "it lies before the first month", "末月早于首月"),
        ]
    )
