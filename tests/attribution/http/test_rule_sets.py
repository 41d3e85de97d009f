"""Rule sets over HTTP: tried before they are active, and moved to by plus and minus entries."""

from collections.abc import Awaitable, Callable, Sequence

import httpx
import pytest
from attribution.conftest import TOWN, Sender, fact

from huaxiao.shared.auth import Role
from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.documents import digest
from huaxiao.shared.wire import contracts
from huaxiao.shared.wire.attribution import (
    DraftField,
    RuleSet,
    RuleSetIn,
    RuleSetState,
    WhatIfIn,
)
from huaxiao.shared.wire.contracts import FieldKind, FieldScopeIn
from huaxiao.shared.wire.feed import FeedEntry

DEFAULT = "CN-UNICOM-COUNTY-v1"
HALL = fact(
    contracts.CHANNEL_REGISTERED,
    "HALL",
    contracts.ChannelRegistered(
        channel=contracts.Channel(
            channel_id="HALL",
            kind=contracts.ChannelKind.OWN_HALL,
            centre_id="C2",
            name_zh="自有厅",
        )
    ),
)
Follow = Callable[[Sequence[FeedEntry]], Awaitable[None]]


@pytest.fixture
async def booked(manager: AttributionClient, county: int, sender: Sender) -> int:
    """Return a branch with broadband in the town, and a mobile that an agent sold, billed."""
    mobile = sender.opened("S-2", product="mobile", channel_id="AGENT")
    await manager.post_events(
        [
            sender.opened("S-1"),
            mobile,
            sender.bill("BI-1", "S-1"),
            sender.bill("BI-2", "S-2", amount_fen=3_000, tax_fen=0),
        ]
    )
    return county


async def mobiles_by_address(manager: AttributionClient, branch_id: int) -> RuleSetIn:
    """Draft the default rules with one more: mobiles follow their own address, not the channel."""
    default = await manager.rule_set(branch_id, DEFAULT)
    rules = [one.model_dump(mode="json") for one in default.rules]
    rules.insert(
        -6,
        {
            "code": "105",
            "title": "Mobile by address",
            "title_zh": "移动用户按地址",
            "when": {"products": ["mobile"]},
            "owner": ["standard_address"],
            "flag": "BY_ADDRESS",
        },
    )
    return RuleSetIn.model_validate({"title": "Ours", "title_zh": "本县", "rules": rules})


async def activate(client: AttributionClient, branch_id: int, from_period: int) -> RuleSet:
    """Activate our draft as it is."""
    draft = await client.rule_set(branch_id, "ours-v1")
    return await client.activate_rule_set(branch_id, "ours-v1", from_period, draft.digest)


async def revenue(client: AttributionClient, branch_id: int) -> dict[str, int]:
    books = await client.reconciliation(branch_id, 201711)
    assert (books.difference_fen, books.ledger_sum_fen) == (0, 0)
    return {one.centre_id: one.amount_fen for one in books.revenue_by_centre if one.amount_fen}


async def test_what_if_says_beforehand_exactly_what_activating_does(
    manager: AttributionClient, finance: AttributionClient, booked: int
) -> None:
    draft = await mobiles_by_address(manager, booked)
    before = await revenue(manager, booked)
    answer = await manager.what_if(booked, WhatIfIn(period=201711, rules=draft))
    assert await revenue(manager, booked) == before == {"C1": 10_000, "C2": 3_000}
    assert (answer.subscriptions, answer.moved) == (2, 1)
    (move,) = answer.moves
    assert (move.subscription_id, move.from_rule, move.to_rule) == ("S-2", "130", "105")

    await manager.put_rule_set(booked, "ours-v1", draft)
    active = await activate(finance, booked, 201711)
    assert (active.state, active.active_from) == (RuleSetState.ACTIVE, 201711)
    after = await revenue(manager, booked)
    assert after == {one.centre_id: one.after_fen for one in answer.centres if one.after_fen}
    found = await manager.explanation(booked, "S-2", period=201711)
    assert (found.rule_set, found.owner.unit_rule, found.version) == ("ours-v1", "105", 2)
    assert found.reproduced
    assert found.flags == ["BY_ADDRESS"]


async def test_what_if_leaves_lines_that_were_closed_before_as_activating_does(
    manager: AttributionClient, finance: AttributionClient, booked: int, sender: Sender
) -> None:
    sender.count = 100
    end = {"subscription_id": "S-2", "effective_on": "2017-11-20"}
    late = sender.bill("BI-12", "S-2", period=201712)
    await manager.post_events([sender.event("subscription.closed", **end), late])
    draft = await mobiles_by_address(manager, booked)
    answer = await manager.what_if(booked, WhatIfIn(period=201712, rules=draft))
    assert (answer.subscriptions, answer.moved) == (1, 0)
    await manager.put_rule_set(booked, "ours-v1", draft)
    await activate(finance, booked, 201712)
    books = await manager.reconciliation(booked, 201712)
    assert {one.centre_id: one.amount_fen for one in books.revenue_by_centre} == {"C2": 10_000}


async def test_what_if_leaves_lines_that_were_closed_before_in_the_field_as_it_was(
    manager: AttributionClient, booked: int, sender: Sender
) -> None:
    sender.count = 100
    end = {"subscription_id": "S-1", "effective_on": "2017-11-20"}
    await manager.post_events(
        [
            sender.opened("S-3"),
            sender.event("subscription.closed", **end),
            sender.bill("BI-11", "S-1", period=201712),
            sender.bill("BI-13", "S-3", period=201712),
        ]
    )
    redrawn = DraftField(
        field_id="F-TOWN",
        kind=FieldKind.REGIONAL,
        centre_id="C2",
        scope=FieldScopeIn(address_prefixes=[TOWN]),
    )
    answer = await manager.what_if(booked, WhatIfIn(period=201712, fields=[redrawn]))
    assert [(one.subscription_id, one.to_centre_id) for one in answer.moves] == [("S-3", "C2")]


async def test_an_active_rule_set_is_never_rewritten(
    manager: AttributionClient, finance: AttributionClient, booked: int
) -> None:
    draft = await mobiles_by_address(manager, booked)
    await manager.put_rule_set(booked, "ours-v1", draft)
    await activate(finance, booked, 201711)
    assert (await manager.put_rule_set(booked, "ours-v1", draft)).active_from == 201711
    assert (await activate(finance, booked, 201711)).active_from == 201711
    other = draft.model_copy(update={"title": "Other"})
    for name in ("ours-v1", DEFAULT):
        with pytest.raises(PeerProblem) as refused:
            await manager.put_rule_set(booked, name, other)
        assert (refused.value.status, refused.value.code) == (409, "conflict")
    with pytest.raises(PeerProblem) as refused:
        await activate(finance, booked, 201712)
    assert refused.value.code == "conflict"


async def test_shadow_credit_lasts_as_the_rules_said_when_the_line_was_sold(
    manager: AttributionClient,
    finance: AttributionClient,
    booked: int,
    sender: Sender,
    follow: Follow,
) -> None:
    await follow([HALL])
    default = await manager.rule_set(booked, DEFAULT)
    assert default.shadow_months == 12
    said = default.model_dump(include=set(RuleSetIn.model_fields))
    shorter = RuleSetIn.model_validate(said | {"shadow_months": 2})
    drafted = await manager.put_rule_set(booked, "ours-v1", shorter)
    assert (drafted.shadow_months, drafted.digest == default.digest) == (2, False)
    await activate(finance, booked, 201712)
    sender.count = 100
    sold = {"channel_id": "HALL"}
    await manager.post_events(
        [
            sender.opened("S-OLD", opened_on="2017-11-20", **sold),
            sender.opened("S-NEW", opened_on="2017-12-20", **sold),
        ]
    )
    told = {}
    for line, period in (("S-OLD", 201810), ("S-NEW", 201801), ("S-NEW", 201802)):
        found = await manager.explanation(booked, line, period=period)
        assert (found.owner.centre_id, found.reproduced) == ("C1", True)
        told[line, period] = [(one.centre_id, one.to_period) for one in found.shadow_credits]
    assert told == {
        ("S-OLD", 201810): [("C2", 201810)],
        ("S-NEW", 201801): [("C2", 201801)],
        ("S-NEW", 201802): [],
    }


async def test_a_rule_set_that_says_nothing_new_has_the_digest_it_always_had(
    manager: AttributionClient, booked: int
) -> None:
    default = await manager.rule_set(booked, DEFAULT)
    as_before = default.model_dump(mode="json", include={"title", "title_zh", "rules"})
    assert default.digest == digest(as_before)


async def test_rules_are_drafted_by_one_person_and_activated_as_read_by_another(
    manager: AttributionClient, finance: AttributionClient, booked: int
) -> None:
    draft = await mobiles_by_address(manager, booked)
    read = await manager.put_rule_set(booked, "ours-v1", draft)
    assert (read.state, read.faults) == (RuleSetState.VALIDATED, [])
    with pytest.raises(PeerProblem) as refused:
        await manager.activate_rule_set(booked, "ours-v1", 201711, read.digest)
    assert refused.value.code == "two-people"
    # What is rewritten after it was read is not what was read.
    rewritten = draft.model_copy(update={"shadow_months": 1})
    await manager.put_rule_set(booked, "ours-v1", rewritten)
    with pytest.raises(PeerProblem) as refused:
        await finance.activate_rule_set(booked, "ours-v1", 201711, read.digest)
    assert (refused.value.status, refused.value.code) == (409, "rules-changed")
    assert await revenue(manager, booked) == {"C1": 10_000, "C2": 3_000}
    await manager.put_rule_set(booked, "ours-v1", draft)
    active = await finance.activate_rule_set(booked, "ours-v1", 201711, read.digest)
    assert (active.drafted_by, active.activated_by) == (
        "test:county_manager",
        "test:county_finance",
    )
    assert await manager.rule_set(booked, "ours-v1") == active
    assert await revenue(manager, booked) == {"C1": 13_000}


async def test_a_draft_says_what_is_still_wrong_with_it(
    manager: AttributionClient, booked: int
) -> None:
    draft = await mobiles_by_address(manager, booked)
    rules = [*draft.rules[:2], draft.rules[0], *draft.rules[2:-1]]
    shown = await manager.put_rule_set(booked, "ours-v1", draft.model_copy(update={"rules": rules}))
    assert shown.state is RuleSetState.DRAFT
    assert [(one.pointer, one.code) for one in shown.faults] == [
        ("/rules/2/code", "code-twice"),
        (f"/rules/{len(rules) - 1}", "incomplete"),
        ("/rules/2", "unreachable"),
    ]
    assert (await manager.put_rule_set(booked, "ours-v1", draft)).faults == []


async def test_a_rule_set_that_leaves_lines_without_an_owner_is_never_active(
    manager: AttributionClient, finance: AttributionClient, booked: int
) -> None:
    draft = await mobiles_by_address(manager, booked)
    incomplete = draft.model_copy(update={"rules": draft.rules[:-1]})
    await manager.put_rule_set(booked, "ours-v1", incomplete)
    with pytest.raises(PeerProblem) as refused:
        await activate(finance, booked, 201711)
    assert refused.value.code == "rules-not-valid"
    assert refused.value.body["errors"][0]["code"] == "incomplete"
    with pytest.raises(PeerProblem) as refused:
        await manager.what_if(booked, WhatIfIn(period=201711, rules=incomplete))
    assert refused.value.code == "rules-not-valid"


async def test_rules_change_from_an_open_period_on(
    caller: Callable[..., AttributionClient],
    manager: AttributionClient,
    finance: AttributionClient,
    booked: int,
) -> None:
    await manager.begin_closing(booked, 201711)
    await caller(Role.COUNTY_FINANCE).close_period(booked, 201711)
    await manager.put_rule_set(booked, "ours-v1", await mobiles_by_address(manager, booked))
    with pytest.raises(PeerProblem) as refused:
        await activate(finance, booked, 201711)
    assert refused.value.code == "period-closed"
    await activate(finance, booked, 201712)
    assert await revenue(manager, booked) == {"C1": 10_000, "C2": 3_000}


async def test_a_field_can_be_tried_before_it_is_drawn(
    manager: AttributionClient, booked: int
) -> None:
    field = DraftField(
        field_id="F-TOWN",
        kind=FieldKind.REGIONAL,
        centre_id="C2",
        scope=FieldScopeIn(address_prefixes=[TOWN]),
    )
    answer = await manager.what_if(booked, WhatIfIn(period=201711, fields=[field]))
    assert [(one.subscription_id, one.to_centre_id) for one in answer.moves] == [("S-1", "C2")]
    assert sum(one.before_fen for one in answer.centres) == 13_000
    assert sum(one.after_fen for one in answer.centres) == 13_000


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ([("F-NEW", "C9", "130123999")], [("/fields/0/centre_id", "unknown")]),
        (
            [("F-NEW", "C2", "130123999"), ("F-NEW", "C1", "130123998")],
            [("/fields/1/field_id", "twice")],
        ),
        ([("F-NEW", "C2", TOWN)], [("/fields/0/scope", "drawn-twice")]),
        # The one it is taken from is drawn anew as well, or a part of it is asked first.
        ([("F-NEW", "C2", TOWN), ("F-TOWN", "C1", "130123998")], []),
        ([("F-NEW", "C2", f"{TOWN}01")], []),
    ],
)
async def test_fields_are_tried_as_they_could_be_sealed(
    manager: AttributionClient,
    booked: int,
    fields: list[tuple[str, str, str]],
    found: list[tuple[str, str]],
) -> None:
    drawn = [
        DraftField(
            field_id=field_id,
            kind=FieldKind.REGIONAL,
            centre_id=centre_id,
            scope=FieldScopeIn(address_prefixes=[prefix]),
        )
        for field_id, centre_id, prefix in fields
    ]
    asked = WhatIfIn(period=201711, fields=drawn)
    if not found:
        moves = (await manager.what_if(booked, asked)).moves
        assert {one.to_centre_id for one in moves} <= {"C2"}
        return
    with pytest.raises(PeerProblem) as refused:
        await manager.what_if(booked, asked)
    assert refused.value.code == "fields-not-possible"
    assert [(one["pointer"], one["code"]) for one in refused.value.body["errors"]] == found


async def test_what_if_looks_at_several_months_and_names_the_months_of_a_move(
    manager: AttributionClient, booked: int, sender: Sender
) -> None:
    sender.count = 100
    await manager.post_events(
        [
            sender.bill("BI-11", "S-2", period=201712, amount_fen=500),
            sender.bill("BI-12", "S-1", period=201712, amount_fen=700),
            sender.bill("BI-13", "S-2", period=201801, amount_fen=900),
        ]
    )
    asked = WhatIfIn(
        period=201711, to_period=201712, rules=await mobiles_by_address(manager, booked)
    )
    answer = await manager.what_if(booked, asked)
    (move,) = answer.moves
    assert (move.subscription_id, move.from_period, move.to_period) == ("S-2", 201711, 201712)
    assert move.revenue_fen == 3_000 + 500
    assert sum(one.before_fen for one in answer.centres) == 13_000 + 1_200
    assert sum(one.after_fen for one in answer.centres) == 13_000 + 1_200
    none_shown = await manager.what_if(booked, asked.model_copy(update={"moves_shown": 0}))
    assert (none_shown.moves, none_shown.moves_omitted, none_shown.moved) == ([], 1, 1)


async def test_months_asked_for_go_forward(
    http: httpx.AsyncClient, county: int, token: Callable[..., str]
) -> None:
    headers = {"Authorization": f"Bearer {token(Role.COUNTY_MANAGER, county)}"}
    path = f"/v1/branches/{county}/what-if"
    body = {"period": 201712, "to_period": 201711}
    answer = await http.post(path, json=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "malformed")


@pytest.mark.parametrize(
    "rules",
    [
        [],
        [{"code": "1", "title": "t", "title_zh": "t", "when": {"if": "x"}, "owner": ["main_card"]}],
        [{"code": "1", "title": "t", "title_zh": "t", "when": {}, "owner": ["my_centre"]}],
        [{"code": "1", "title": "t", "title_zh": "t", "when": {}, "owner": []}],
        [{"code": "1 or 1", "title": "t", "title_zh": "t", "when": {}, "owner": ["main_card"]}],
    ],
)
async def test_words_beyond_the_vocabulary_are_refused(
    http: httpx.AsyncClient, county: int, token: Callable[..., str], rules: list[object]
) -> None:
    headers = {"Authorization": f"Bearer {token(Role.COUNTY_MANAGER, county)}"}
    body = {"title": "t", "title_zh": "t", "rules": rules}
    path = f"/v1/branches/{county}/rule-sets/ours-v1"
    answer = await http.put(path, json=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "malformed")


async def test_rules_are_the_managers_and_seen_by_no_contractor(
    caller: Callable[..., AttributionClient], manager: AttributionClient, booked: int
) -> None:
    draft = await mobiles_by_address(manager, booked)
    for role in (Role.COUNTY_FINANCE, Role.CONTRACTOR, Role.AUDITOR):
        with pytest.raises(PeerProblem) as refused:
            await caller(role, ["C1"]).put_rule_set(booked, "ours-v1", draft)
        assert refused.value.status == 403
    with pytest.raises(PeerProblem) as refused:
        await caller(Role.CONTRACTOR, ["C1"]).what_if(booked, WhatIfIn(period=201711))
    assert refused.value.status == 403
