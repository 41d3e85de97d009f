"""A centre contests a line: it is frozen, two people decide, and the decision posts itself."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from attribution.conftest import AGREED, AMENDMENT, RURAL, Sender
from attribution.http.test_rulings import Follow, revenue, ruling

from huaxiao.shared.auth import Role
from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.wire.attribution import (
    DISPUTE_ENDED,
    DISPUTE_RAISED,
    DisputeDecisionIn,
    DisputeIn,
    DisputeLimits,
    DisputeState,
    PleaIn,
)

START = datetime(2026, 11, 2, 2, tzinfo=UTC)
DOCUMENT = {"name": "现场照片", "sha256": "a" * 64, "url": "https://files.example/p/1"}


def claim(**changed: Any) -> DisputeIn:
    facts = {
        "subscription_id": "S-1",
        "from_period": 201711,
        "to_period": 201712,
        "claimant_centre_id": "C2",
        "centre_id": "C2",
        "field_id": "F-RURAL",
        "text": "The compound lies in our village.",
        "documents": [DOCUMENT],
    }
    return DisputeIn.model_validate(facts | changed)


def decision(**changed: Any) -> DisputeDecisionIn:
    facts = {"centre_id": "C2", "field_id": "F-RURAL", "reason": "Seen on site."}
    return DisputeDecisionIn.model_validate(facts | changed)


PLEA = PleaIn(text="It has been ours since 2016.")


class County:
    """The people around a dispute, and the branch they are in."""

    def __init__(
        self,
        branch_id: int,
        caller: Callable[..., AttributionClient],
        set_clock: Callable[[datetime], None],
    ) -> None:
        self.branch_id = branch_id
        self.manager = caller(Role.COUNTY_MANAGER)
        self.finance = caller(Role.COUNTY_FINANCE)
        self.support = caller(Role.SUPPORT_CENTRE)
        self.town = caller(Role.CONTRACTOR, ["C1"])
        self.rural = caller(Role.CONTRACTOR, ["C2"])
        self._set_clock = set_clock

    def day(self, number: float) -> None:
        """Move the clock to some days after the start."""
        self._set_clock(START + timedelta(days=number))

    async def revenue(self, period: int) -> dict[str, int]:
        return await revenue(self.manager, self.branch_id, period)

    async def owner(self, period: int = 201711) -> str:
        found = await self.manager.explanation(self.branch_id, "S-1", period=period)
        return found.owner.centre_id

    async def decided(self, **given: Any) -> None:
        """Let the rural centre raise, the town reply, and the county decide, in three days."""
        await self.rural.raise_dispute(self.branch_id, "D-1", claim())
        self.day(1)
        await self.town.reply_to_dispute(self.branch_id, "D-1", PLEA)
        self.day(2)
        await self.support.propose_decision(self.branch_id, "D-1", decision(**given))
        self.day(3)
        await self.finance.confirm_decision(self.branch_id, "D-1")

    async def close(self, *periods: int) -> None:
        for period in periods:
            await self.manager.begin_closing(self.branch_id, period)
            await self.finance.close_period(self.branch_id, period)


@pytest.fixture
async def people(
    caller: Callable[..., AttributionClient],
    manager: AttributionClient,
    set_clock: Callable[[datetime], None],
    county: int,
    sender: Sender,
) -> County:
    """Return the people of a branch with a town line that is billed in two months."""
    made = County(county, caller, set_clock)
    made.day(0)
    await manager.post_events(
        [sender.opened(), sender.bill("BI-1"), sender.bill("BI-2", period=201712)]
    )
    return made


def late_move(sender: Sender) -> dict[str, Any]:
    sender.count = 100
    return sender.event(
        "subscription.moved",
        subscription_id="S-1",
        effective_on="2017-10-20",
        standard_address=RURAL,
    )


async def refusal(call: Any) -> str:
    with pytest.raises(PeerProblem) as refused:
        await call
    return refused.value.code


async def test_a_dispute_goes_from_claim_to_decision_and_the_decision_posts_itself(
    people: County,
) -> None:
    branch = people.branch_id
    raised = await people.rural.raise_dispute(branch, "D-1", claim())
    assert (raised.state, raised.frozen, raised.revenue_fen) == (DisputeState.RAISED, True, 20_000)
    assert (raised.respondent_centre_id, raised.owner_field_id) == ("C1", "F-TOWN")
    assert await people.rural.raise_dispute(branch, "D-1", claim()) == raised
    people.day(1)
    replied = await people.town.reply_to_dispute(branch, "D-1", PLEA)
    assert (replied.state, replied.age_days) == (DisputeState.REPLIED, 1)
    people.day(2)
    proposed = await people.support.propose_decision(branch, "D-1", decision())
    assert proposed.decision is None
    assert proposed.proposal is not None
    assert await people.revenue(201711) == {"C1": 10_000}
    preview = await people.support.ruling_preview(branch, proposed.proposal.ruling_id)
    assert {(one.centre_id, one.period, one.revenue_fen) for one in preview.centres} == {
        (centre, period, sign * 10_000)
        for centre, sign in (("C1", -1), ("C2", 1))
        for period in (201711, 201712)
    }
    assert await refusal(people.support.confirm_decision(branch, "D-1")) == "two-people"
    ended = await people.finance.confirm_decision(branch, "D-1")
    assert (ended.state, ended.frozen, ended.proposal) == (DisputeState.DECIDED, False, None)
    assert ended.decision == proposed.proposal
    assert [one.step for one in ended.steps] == ["raise", "reply", "propose", "confirm"]
    assert ended.steps[0].documents[0].model_dump() == DOCUMENT

    for period in (201711, 201712):
        assert await people.revenue(period) == {"C2": 10_000}
    found = await people.manager.explanation(branch, "S-1", period=201711)
    assert (found.owner.unit_rule, found.owner.field_id) == ("010", "F-RURAL")
    assert found.ruling is not None
    assert found.ruling.reason == "Seen on site."
    assert found.dispute is not None
    assert (found.dispute.dispute_id, found.dispute.frozen) == ("D-1", False)
    feed = await people.manager.feed(branch, after=0)
    told = [one for one in feed if one.subject == "D-1"]
    assert [one.type for one in told] == [DISPUTE_RAISED, DISPUTE_ENDED]
    assert told[-1].data["ruling_id"] == ended.decision.ruling_id


async def test_a_frozen_line_stays_until_the_dispute_ends_and_then_is_decided_at_once(
    people: County, sender: Sender
) -> None:
    branch = people.branch_id
    await people.rural.raise_dispute(branch, "D-1", claim())
    await people.manager.post_events([late_move(sender), sender.bill("BI-3", amount_fen=70)])
    assert await people.revenue(201711) == {"C1": 10_070}
    found = await people.town.explanation(branch, "S-1", period=201711)
    assert found.owner.centre_id == "C1"
    assert found.dispute is not None
    assert (found.dispute.frozen, found.dispute.centre_id) == (True, "C2")
    assert any("争议 D-1" in sentence for sentence in found.story_zh)
    # Both parties may see why; nobody else may.
    assert (await people.rural.explanation(branch, "S-1", period=201711)).owner == found.owner
    withdrawn = await people.rural.withdraw_dispute(branch, "D-1")
    assert (withdrawn.state, withdrawn.due_at) == (DisputeState.WITHDRAWN, None)
    assert await people.revenue(201711) == {"C2": 10_070}
    assert await people.revenue(201712) == {"C2": 10_000}
    found = await people.manager.explanation(branch, "S-1", period=201711)
    assert (found.owner.unit_rule, found.reproduced) == ("090", True)


@pytest.fixture(params=["card", "bundle"])
async def followed(request: pytest.FixtureRequest, people: County, sender: Sender) -> County:
    """Return the people of a branch whose line is followed by another, billed as well."""
    sender.count = 50
    events = [sender.opened("S-2", product="mobile", main_subscription_id="S-1")]
    if request.param == "bundle":
        together = sender.event(
            "bundle.formed",
            bundle_id="B-1",
            effective_on="2017-09-01",
            subscription_ids=["S-1", "S-2"],
        )
        events = [sender.opened("S-2", product="mobile"), together]
    await people.manager.post_events([*events, sender.bill("BI-9", "S-2", amount_fen=300)])
    return people


async def test_what_follows_a_frozen_line_stays_with_it(followed: County, sender: Sender) -> None:
    branch = followed.branch_id
    await followed.rural.raise_dispute(branch, "D-1", claim())
    await followed.manager.post_events([late_move(sender)])
    assert await followed.revenue(201711) == {"C1": 10_300}
    await followed.close(201711)
    await followed.rural.withdraw_dispute(branch, "D-1")
    assert await followed.revenue(201712) == {"C1": -10_300, "C2": 20_300}


async def test_what_two_people_decide_on_a_line_does_not_wait_for_the_line_it_follows(
    followed: County, sender: Sender
) -> None:
    branch = followed.branch_id
    await followed.rural.raise_dispute(branch, "D-1", claim())
    await followed.manager.post_events([late_move(sender)])
    given = ruling(subscription_ids=["S-2"], centre_id="G1", field_id=None, to_period=201711)
    await followed.manager.put_ruling(branch, "R-1", given)
    preview = await followed.finance.ruling_preview(branch, "R-1")
    assert [(one.subscription_id, one.to_centre_id) for one in preview.moves] == [("S-2", "G1")]
    await followed.finance.approve_ruling(branch, "R-1")
    assert await followed.revenue(201711) == {"C1": 10_000, "G1": 300}
    await followed.rural.withdraw_dispute(branch, "D-1")
    assert await followed.revenue(201711) == {"C2": 10_000, "G1": 300}


async def test_a_dismissed_claim_keeps_the_line_where_it_is_whatever_was_heard_meanwhile(
    people: County, sender: Sender
) -> None:
    branch = people.branch_id
    await people.rural.raise_dispute(branch, "D-1", claim(to_period=201711))
    await people.manager.post_events([late_move(sender)])
    people.day(1)
    await people.town.reply_to_dispute(branch, "D-1", PLEA)
    kept = decision(centre_id="C1", field_id="F-TOWN", reason="The move came after November.")
    beyond = kept.model_copy(update={"to_period": 201712})
    assert await refusal(people.support.propose_decision(branch, "D-1", beyond)) == (
        "ruling-not-possible"
    )
    await people.support.propose_decision(branch, "D-1", kept)
    await people.finance.confirm_decision(branch, "D-1")
    assert await people.revenue(201711) == {"C1": 10_000}
    assert await people.revenue(201712) == {"C2": 10_000}


async def test_months_that_close_while_a_line_is_frozen_are_made_up_for_in_the_open_one(
    people: County, sender: Sender
) -> None:
    branch = people.branch_id
    await people.rural.raise_dispute(branch, "D-1", claim())
    await people.manager.post_events([late_move(sender)])
    await people.close(201711)
    await people.rural.withdraw_dispute(branch, "D-1")
    assert await people.revenue(201711) == {"C1": 10_000}
    # What December holds is December's own revenue and November's, made up for.
    assert await people.revenue(201712) == {"C1": -10_000, "C2": 20_000}
    found = await people.manager.explanation(branch, "S-1", period=201711)
    assert found.closed_as is not None
    assert (found.owner.centre_id, found.closed_as.owner.centre_id) == ("C2", "C1")
    assert (await people.manager.verification(branch, 201711)).holds


async def test_a_closed_month_is_contested_in_time_and_restated_by_the_decision(
    people: County,
) -> None:
    branch = people.branch_id
    await people.close(201711, 201712)
    people.day(5.5)
    raised = await people.rural.raise_dispute(branch, "D-1", claim())
    people.day(9)
    assert raised.due_at is not None
    await people.support.propose_decision(branch, "D-1", decision())
    await people.finance.confirm_decision(branch, "D-1")
    assert await people.revenue(201711) == {"C1": 10_000}
    assert await people.revenue(201801) == {"C1": -20_000, "C2": 20_000}
    for period in (201711, 201712):
        assert (await people.manager.verification(branch, period)).holds
        found = await people.town.explanation(branch, "S-1", period=period)
        assert found.closed_as is not None
        assert (found.owner.centre_id, found.closed_as.owner.centre_id) == ("C2", "C1")


async def test_the_time_to_contest_ends_days_after_the_closing_or_after_a_later_decision(
    people: County,
) -> None:
    branch = people.branch_id
    await people.close(201711)
    # Closed on the 2nd: the 7th is the last day.
    people.day(6)
    assert await refusal(people.rural.raise_dispute(branch, "D-1", claim())) == "too-late"
    told = (await people.town.explanation(branch, "S-1", period=201711)).story_zh[-1]
    assert "争议期限已于2026年11月7日届满" in told
    longer = DisputeLimits(raise_days=6, reply_days=1)
    assert await people.manager.put_dispute_limits(branch, longer) == longer
    assert await people.town.dispute_limits(branch) == longer
    raised = await people.rural.raise_dispute(branch, "D-1", claim())
    assert raised.due_at == datetime(2026, 11, 9, 16, tzinfo=UTC)
    await people.rural.withdraw_dispute(branch, "D-1")
    people.day(20)
    moved = ruling(to_period=201711, restate=True)
    await people.manager.put_ruling(branch, "R-1", moved)
    await people.finance.approve_ruling(branch, "R-1")
    people.day(25)
    back = claim(claimant_centre_id="C1", centre_id="C1", field_id="F-TOWN", to_period=201711)
    contested = await people.town.raise_dispute(branch, "D-2", back)
    assert (contested.owner_centre_id, contested.respondent_centre_id) == ("C2", "C2")


async def test_one_appeal_goes_to_the_general_manager_and_no_further(people: County) -> None:
    branch = people.branch_id
    await people.decided()
    people.day(4)
    assert await refusal(people.support.appeal_dispute(branch, "D-1", PLEA)) == "not-a-party"
    appealed = await people.town.appeal_dispute(branch, "D-1", PLEA)
    assert (appealed.state, appealed.frozen) == (DisputeState.APPEALED, True)
    # A decision is in force while it is appealed.
    assert await people.owner() == "C2"
    back = decision(centre_id="C1", field_id="F-TOWN", reason="The deed says otherwise.")
    assert await refusal(people.support.propose_decision(branch, "D-1", back)) == "not-impartial"
    await people.manager.propose_decision(branch, "D-1", back)
    final = await people.finance.confirm_decision(branch, "D-1")
    assert (final.state, final.frozen, final.due_at) == (DisputeState.FINAL, False, None)
    assert await people.revenue(201711) == {"C1": 10_000}
    assert await refusal(people.rural.appeal_dispute(branch, "D-1", PLEA)) == "step-not-allowed"
    again = await refusal(people.rural.raise_dispute(branch, "D-2", claim()))
    assert again == "already-decided"


async def test_what_the_county_rules_after_a_dispute_can_be_contested_again(
    people: County,
) -> None:
    branch = people.branch_id
    await people.decided()
    people.day(4)
    other = ruling(centre_id="G1", field_id=None, to_period=201711)
    await people.manager.put_ruling(branch, "R-1", other)
    await people.finance.approve_ruling(branch, "R-1")
    december = claim(from_period=201712, claimant_centre_id="C1", centre_id="C1", field_id=None)
    assert await refusal(people.town.raise_dispute(branch, "D-2", december)) == "already-decided"
    november = claim(to_period=201711)
    # What is left of the decision may still be appealed.
    refused = await refusal(people.rural.raise_dispute(branch, "D-2", november))
    assert refused == "appeal-open"
    people.day(9)
    raised = await people.rural.raise_dispute(branch, "D-2", november)
    assert (raised.owner_centre_id, raised.respondent_centre_id) == ("G1", "G1")


async def test_what_is_ruled_on_one_month_since_opens_no_other_that_a_dispute_has_decided(
    people: County,
) -> None:
    branch = people.branch_id
    await people.decided()
    people.day(4)
    await people.manager.put_ruling(branch, "R-1", ruling(field_id=None, to_period=201711))
    await people.finance.approve_ruling(branch, "R-1")
    both = claim(claimant_centre_id="C1", centre_id="C1", field_id=None)
    assert await refusal(people.town.raise_dispute(branch, "D-2", both)) == "already-decided"
    people.day(9)
    november = both.model_copy(update={"to_period": 201711})
    assert (await people.town.raise_dispute(branch, "D-2", november)).respondent_centre_id == "C2"


async def test_months_of_a_third_centre_are_contested_apart_so_that_it_is_heard(
    people: County, caller: Callable[..., AttributionClient]
) -> None:
    branch = people.branch_id
    december = ruling(centre_id="G1", field_id=None, from_period=201712, to_period=201712)
    await people.manager.put_ruling(branch, "R-1", december)
    await people.finance.approve_ruling(branch, "R-1")
    with pytest.raises(PeerProblem) as refused:
        await people.rural.raise_dispute(branch, "D-1", claim())
    assert [one["code"] for one in refused.value.body["errors"]] == ["another-owner"]
    await people.rural.raise_dispute(branch, "D-1", claim(to_period=201711))
    await people.rural.withdraw_dispute(branch, "D-1")
    apart = await people.rural.raise_dispute(branch, "D-2", claim(from_period=201712))
    assert apart.respondent_centre_id == "G1"
    enterprise = caller(Role.CONTRACTOR, ["G1"])
    await enterprise.reply_to_dispute(branch, "D-2", PLEA)


async def test_each_closed_month_is_contested_within_its_own_time(people: County) -> None:
    branch = people.branch_id
    await people.close(201711, 201712)
    people.day(20)
    moved = ruling(centre_id="C1", field_id=None, to_period=201711, restate=True)
    await people.manager.put_ruling(branch, "R-1", moved)
    await people.finance.approve_ruling(branch, "R-1")
    people.day(22)
    with pytest.raises(PeerProblem) as refused:
        await people.rural.raise_dispute(branch, "D-1", claim())
    assert (refused.value.code, refused.value.body["period"]) == ("too-late", 201712)
    await people.rural.raise_dispute(branch, "D-1", claim(to_period=201711))


async def test_a_decision_that_a_ruling_has_replaced_is_contested_anew_and_not_appealed(
    people: County,
) -> None:
    branch = people.branch_id
    await people.decided()
    people.day(4)
    other = ruling(centre_id="G1", field_id=None, to_period=201712)
    await people.manager.put_ruling(branch, "R-1", other)
    await people.finance.approve_ruling(branch, "R-1")
    refused = await refusal(people.town.appeal_dispute(branch, "D-1", PLEA))
    assert refused == "step-not-allowed"
    anew = claim(claimant_centre_id="C1", centre_id="C1", field_id=None)
    assert (await people.town.raise_dispute(branch, "D-2", anew)).respondent_centre_id == "G1"


async def test_a_centre_that_was_not_heard_raises_its_own_dispute_once(
    people: County, caller: Callable[..., AttributionClient]
) -> None:
    branch, enterprise = people.branch_id, caller(Role.CONTRACTOR, ["G1"])
    await people.close(201711)
    await people.decided()
    own = claim(claimant_centre_id="G1", centre_id="G1", field_id=None)
    back = claim(claimant_centre_id="C1", centre_id="C1", field_id=None)
    people.day(7)
    # First the parties have their appeal, which another dispute would take from them.
    with pytest.raises(PeerProblem) as refused:
        await enterprise.raise_dispute(branch, "D-2", own)
    assert refused.value.code == "appeal-open"
    assert refused.value.body["dispute_id"] == "D-1"
    told = (await people.rural.explanation(branch, "S-1", period=201711)).story_zh[-1]
    assert "至2026年11月15日止" in told
    # Its time to contest November was over on the 7th; while it had to wait, it did not run.
    people.day(13)
    raised = await enterprise.raise_dispute(branch, "D-2", own)
    assert (raised.respondent_centre_id, raised.frozen) == ("C2", True)
    assert await refusal(people.town.raise_dispute(branch, "D-3", back)) == "already-disputed"
    await people.rural.reply_to_dispute(branch, "D-2", PLEA)
    await people.support.propose_decision(branch, "D-2", decision())
    await people.finance.confirm_decision(branch, "D-2")
    people.day(30)
    assert await people.owner() == "C2"
    # Now all three have been heard on both months.
    for party, again in ((enterprise, own), (people.town, back)):
        assert await refusal(party.raise_dispute(branch, "D-3", again)) == "already-decided"


async def test_a_centre_that_was_not_heard_comes_in_its_time_or_not_at_all(
    people: County, caller: Callable[..., AttributionClient]
) -> None:
    branch, enterprise = people.branch_id, caller(Role.CONTRACTOR, ["G1"])
    await people.close(201711, 201712)
    await people.decided()
    people.day(14)
    own = claim(claimant_centre_id="G1", centre_id="G1", field_id=None)
    assert await refusal(enterprise.raise_dispute(branch, "D-2", own)) == "too-late"
    told = (await people.rural.explanation(branch, "S-1", period=201711)).story_zh[-1]
    assert told.endswith("申诉。")


async def test_no_second_dispute_takes_the_appeal_from_a_party(
    people: County, sender: Sender
) -> None:
    branch = people.branch_id
    sender.count = 200
    await people.manager.post_events([sender.bill("BI-8", period=201801)])
    january = claim(from_period=201801, to_period=201801)
    await people.decided()
    people.day(4)
    assert await refusal(people.rural.raise_dispute(branch, "D-2", january)) == "appeal-open"
    assert (await people.town.appeal_dispute(branch, "D-1", PLEA)).frozen


async def test_no_limit_that_is_set_later_takes_the_time_to_contest(people: County) -> None:
    branch = people.branch_id
    await people.close(201711)
    people.day(1)
    await people.manager.put_dispute_limits(branch, DisputeLimits(raise_days=1))
    people.day(4)
    told = (await people.town.explanation(branch, "S-1", period=201711)).story_zh[-1]
    assert "2026年11月7日前" in told
    await people.rural.raise_dispute(branch, "D-1", claim(to_period=201711))
    await people.rural.withdraw_dispute(branch, "D-1")
    # What is closed from now on is contested within the new limit.
    await people.close(201712)
    people.day(6)
    december = claim(from_period=201712)
    assert await refusal(people.rural.raise_dispute(branch, "D-2", december)) == "too-late"


async def test_an_appeal_is_about_what_is_left_of_the_decision(
    people: County, caller: Callable[..., AttributionClient], sender: Sender
) -> None:
    branch, enterprise = people.branch_id, caller(Role.CONTRACTOR, ["G1"])
    sender.count = 200
    bill = sender.bill("BI-8", period=201801, amount_fen=500)
    await people.manager.post_events([bill])
    given = claim(to_period=201801)
    await people.rural.raise_dispute(branch, "D-1", given)
    people.day(1)
    await people.town.reply_to_dispute(branch, "D-1", PLEA)
    await people.support.propose_decision(branch, "D-1", decision())
    await people.finance.confirm_decision(branch, "D-1")
    # Nobody rules on a month in the middle, so that two pieces would be left.
    middle = ruling(centre_id="G1", field_id=None, from_period=201712, to_period=201712)
    with pytest.raises(PeerProblem) as refused:
        await people.manager.put_ruling(branch, "R-0", middle)
    assert [one["code"] for one in refused.value.body["errors"]] == ["divides-decision"]
    november = ruling(centre_id="G1", field_id=None, to_period=201711)
    await people.manager.put_ruling(branch, "R-1", november)
    await people.finance.approve_ruling(branch, "R-1")

    people.day(4)
    appealed = await people.town.appeal_dispute(branch, "D-1", PLEA)
    assert (appealed.from_period, appealed.to_period) == (201712, 201801)
    assert (appealed.raised_from_period, appealed.raised_to_period) == (201711, 201801)
    assert appealed.revenue_fen == 10_500
    # Saying again what was said when it was raised changes nothing.
    assert await people.rural.raise_dispute(branch, "D-1", given) == appealed
    found = await enterprise.explanation(branch, "S-1", period=201711)
    assert (found.owner.centre_id, found.dispute) == ("G1", None)
    back = decision(centre_id="C1", field_id="F-TOWN", reason="The deed says otherwise.")
    await people.manager.propose_decision(branch, "D-1", back)
    ended = await people.finance.confirm_decision(branch, "D-1")
    assert ended.state is DisputeState.FINAL
    assert ended.decision is not None
    assert (ended.decision.from_period, ended.decision.to_period) == (201712, 201801)
    owners = [await people.revenue(period) for period in (201711, 201712, 201801)]
    assert owners == [{"G1": 10_000}, {"C1": 10_000}, {"C1": 500}]
    # Whoever has November by the ruling is heard when that is contested.
    anew = claim(to_period=201711)
    raised = await people.rural.raise_dispute(branch, "D-2", anew)
    assert (raised.respondent_centre_id, raised.frozen) == ("G1", True)


async def test_while_an_appeal_freezes_the_line_the_other_months_keep_their_owner(
    people: County, sender: Sender
) -> None:
    """A line is frozen whole: its months hang together by its moves and bundles."""
    branch = people.branch_id
    await people.decided()
    november = ruling(centre_id="G1", field_id=None, to_period=201711)
    await people.manager.put_ruling(branch, "R-1", november)
    await people.finance.approve_ruling(branch, "R-1")
    people.day(4)
    await people.town.appeal_dispute(branch, "D-1", PLEA)
    sender.count = 100
    await people.manager.post_events([sender.bill("BI-3", amount_fen=70)])
    assert await people.revenue(201711) == {"G1": 10_070}
    later = ruling(centre_id="C1", field_id=None, to_period=201711)
    with pytest.raises(PeerProblem) as refused:
        await people.manager.put_ruling(branch, "R-2", later)
    assert [one["code"] for one in refused.value.body["errors"]] == ["disputed"]
    people.day(20)
    await people.town.lapse_dispute(branch, "D-1")
    await people.manager.put_ruling(branch, "R-2", later)
    await people.finance.approve_ruling(branch, "R-2")
    assert await people.revenue(201711) == {"C1": 10_070}
    assert await people.revenue(201712) == {"C2": 10_000}


async def test_a_claim_is_raised_and_withdrawn_twice_and_no_oftener(
    people: County, sender: Sender
) -> None:
    branch = people.branch_id
    sender.count = 200
    await people.manager.post_events([sender.bill("BI-8", period=201801)])
    for dispute_id in ("D-1", "D-2"):
        await people.rural.raise_dispute(branch, dispute_id, claim())
        await people.rural.withdraw_dispute(branch, dispute_id)
    for again in (claim(), claim(to_period=201711), claim(from_period=201712, field_id=None)):
        refused = await refusal(people.rural.raise_dispute(branch, "D-3", again))
        assert refused == "withdrawn-twice"
    # What is said again of one that was raised is no new dispute.
    shown = await people.rural.raise_dispute(branch, "D-2", claim())
    assert shown.state is DisputeState.WITHDRAWN
    # Other months, another centre's claim, and what a ruling has made another matter.
    january = claim(from_period=201801, to_period=201801)
    await people.rural.raise_dispute(branch, "D-3", january)
    await people.rural.withdraw_dispute(branch, "D-3")
    away = claim(claimant_centre_id="C1", centre_id="G1", field_id=None)
    await people.town.raise_dispute(branch, "D-4", away)
    await people.town.withdraw_dispute(branch, "D-4")
    kept = ruling(centre_id="C1", field_id="F-TOWN", to_period=201712)
    await people.manager.put_ruling(branch, "R-1", kept)
    await people.finance.approve_ruling(branch, "R-1")
    assert (await people.rural.raise_dispute(branch, "D-5", claim())).frozen


@pytest.mark.parametrize(
    ("ends", "code"),
    [
        (["lapses", "lapses"], "raised-twice"),
        (["lapses", "withdrawn"], "raised-twice"),
        (["withdrawn", "lapses"], "raised-twice"),
    ],
)
async def test_a_claim_that_nobody_decides_is_raised_once_more_and_no_oftener(
    people: County, ends: Sequence[str], code: str
) -> None:
    branch = people.branch_id
    for number, end in enumerate(ends, start=1):
        raised = await people.rural.raise_dispute(branch, f"D-{number}", claim())
        assert raised.frozen
        if end == "withdrawn":
            await people.rural.withdraw_dispute(branch, f"D-{number}")
            continue
        people.day(20 * number)
        await people.rural.appeal_dispute(branch, f"D-{number}", PLEA)
        people.day(20 * number + 10)
        await people.rural.lapse_dispute(branch, f"D-{number}")
    assert await refusal(people.rural.raise_dispute(branch, "D-3", claim())) == code
    assert await people.manager.disputes(branch, frozen=True) == []
    # It is the claim that is at its end: another centre's, and what a ruling has made another matter, is not.
    kept = ruling(centre_id="C1", field_id="F-TOWN", to_period=201712)
    await people.manager.put_ruling(branch, "R-1", kept)
    await people.finance.approve_ruling(branch, "R-1")
    assert (await people.rural.raise_dispute(branch, "D-4", claim())).frozen


async def test_a_withdrawal_gives_nobody_more_time_but_those_who_waited(
    people: County, caller: Callable[..., AttributionClient]
) -> None:
    branch, enterprise = people.branch_id, caller(Role.CONTRACTOR, ["G1"])
    await people.close(201711, 201712)
    people.day(4)
    await people.rural.raise_dispute(branch, "D-1", claim())
    people.day(8)
    await people.rural.withdraw_dispute(branch, "D-1")
    assert await refusal(people.rural.raise_dispute(branch, "D-2", claim())) == "too-late"
    own = claim(claimant_centre_id="G1", centre_id="G1", field_id=None)
    assert (await enterprise.raise_dispute(branch, "D-2", own)).respondent_centre_id == "C1"


async def test_an_appeal_comes_in_time_or_not_at_all(people: County) -> None:
    await people.decided()
    people.day(9)
    refused = await refusal(people.town.appeal_dispute(people.branch_id, "D-1", PLEA))
    assert refused == "step-not-allowed"
    assert (await people.town.dispute(people.branch_id, "D-1")).due_at is None


async def test_what_nobody_decides_stays_with_its_owner_and_is_shown_overdue(
    people: County, sender: Sender
) -> None:
    branch = people.branch_id
    await people.rural.raise_dispute(branch, "D-1", claim())
    await people.manager.post_events([late_move(sender)])
    people.day(8)
    assert await refusal(people.town.reply_to_dispute(branch, "D-1", PLEA)) == "step-not-allowed"
    assert await refusal(people.rural.appeal_dispute(branch, "D-1", PLEA)) == "step-not-allowed"
    people.day(9)
    (shown,) = await people.manager.disputes(branch, frozen=True)
    assert (shown.overdue, shown.age_days, shown.state) == (True, 9, DisputeState.RAISED)
    assert await people.owner() == "C1"
    await people.rural.appeal_dispute(branch, "D-1", PLEA)
    assert await refusal(people.town.lapse_dispute(branch, "D-1")) == "step-not-allowed"
    people.day(15)
    ended = await people.town.lapse_dispute(branch, "D-1")
    assert (ended.state, ended.decision) == (DisputeState.UNDECIDED, None)
    # Nothing was decided, so the evidence speaks again.
    assert await people.owner() == "C2"


async def test_an_appeal_for_want_of_a_decision_is_final(people: County) -> None:
    branch = people.branch_id
    await people.rural.raise_dispute(branch, "D-1", claim())
    people.day(9)
    await people.town.appeal_dispute(branch, "D-1", PLEA)
    await people.manager.propose_decision(branch, "D-1", decision())
    assert (await people.finance.confirm_decision(branch, "D-1")).state is DisputeState.FINAL
    assert await people.revenue(201711) == {"C2": 10_000}
    again = claim(claimant_centre_id="C1", centre_id="C1", field_id=None)
    assert await refusal(people.town.raise_dispute(branch, "D-2", again)) == "already-decided"


async def test_centres_see_the_disputes_they_are_party_to(
    people: County, caller: Callable[..., AttributionClient]
) -> None:
    branch = people.branch_id
    await people.rural.raise_dispute(branch, "D-1", claim())
    for party in (people.town, people.rural, people.manager, people.support):
        assert [one.dispute_id for one in await party.disputes(branch)] == ["D-1"]
    other = caller(Role.CONTRACTOR, ["G1"])
    assert await other.disputes(branch) == []
    assert await refusal(other.dispute(branch, "D-1")) == "not-found"
    assert await refusal(other.reply_to_dispute(branch, "D-1", PLEA)) == "not-found"
    assert await refusal(other.explanation(branch, "S-1", period=201711)) == "not-found"
    assert await refusal(other.raise_dispute(branch, "D-2", claim())) == "not-a-party"
    assert await refusal(people.town.raise_dispute(branch, "D-2", claim())) == "not-a-party"
    assert await refusal(people.rural.reply_to_dispute(branch, "D-1", PLEA)) == "not-a-party"
    assert await refusal(people.town.propose_decision(branch, "D-1", decision())) == "forbidden"
    assert await refusal(people.town.confirm_decision(branch, "D-1")) == "forbidden"
    assert await people.manager.disputes(branch, state=DisputeState.FINAL) == []
    assert await people.manager.disputes(branch, subscription_id="S-9") == []


async def test_somebody_of_a_party_does_not_decide(
    people: County, caller: Callable[..., AttributionClient]
) -> None:
    branch = people.branch_id
    await people.rural.raise_dispute(branch, "D-1", claim())
    people.day(1)
    await people.town.reply_to_dispute(branch, "D-1", PLEA)
    bound = caller(Role.SUPPORT_CENTRE, ["C1"])
    assert await refusal(bound.propose_decision(branch, "D-1", decision())) == "not-impartial"
    await people.support.propose_decision(branch, "D-1", decision())
    county_staff_of_a_party = caller(Role.COUNTY_FINANCE, ["C2"])
    refused = await refusal(county_staff_of_a_party.confirm_decision(branch, "D-1"))
    assert refused == "not-impartial"


async def test_a_decision_stands_over_an_earlier_ruling_whatever_the_clock_says(
    people: County, caller: Callable[..., AttributionClient]
) -> None:
    branch, enterprise = people.branch_id, caller(Role.CONTRACTOR, ["G1"])
    people.day(3)
    await people.manager.put_ruling(branch, "R-1", ruling(centre_id="G1", field_id=None))
    await people.finance.approve_ruling(branch, "R-1")
    # Another process, whose clock is behind.
    people.day(2)
    await people.rural.raise_dispute(branch, "D-1", claim())
    await enterprise.reply_to_dispute(branch, "D-1", PLEA)
    await people.support.propose_decision(branch, "D-1", decision())
    await people.finance.confirm_decision(branch, "D-1")
    assert await people.revenue(201711) == {"C2": 10_000}
    back = claim(claimant_centre_id="G1", centre_id="G1", field_id=None)
    assert await refusal(enterprise.raise_dispute(branch, "D-2", back)) == "already-decided"


async def test_no_ruling_passes_a_dispute_by(people: County) -> None:
    branch = people.branch_id
    given = ruling(centre_id="G1", field_id=None)
    await people.manager.put_ruling(branch, "R-1", given)
    await people.rural.raise_dispute(branch, "D-1", claim())
    for call in (
        people.finance.approve_ruling(branch, "R-1"),
        people.manager.put_ruling(branch, "R-2", given),
    ):
        with pytest.raises(PeerProblem) as refused:
            await call
        assert [one["code"] for one in refused.value.body["errors"]] == ["disputed"]
    people.day(5)
    proposed = await people.support.propose_decision(branch, "D-1", decision())
    assert proposed.proposal is not None
    own = proposed.proposal.ruling_id
    assert await refusal(people.finance.approve_ruling(branch, own)) == "conflict"


async def test_a_listed_customer_is_taken_off_its_list_by_an_amendment_only(
    people: County, sender: Sender, follow: Follow
) -> None:
    branch = people.branch_id
    sender.count = 100
    await people.manager.post_events(
        [sender.opened("S-9", customer_id="ENT-1"), sender.bill("BI-9", "S-9")]
    )
    contested = claim(subscription_id="S-9")
    await people.rural.raise_dispute(branch, "D-1", contested)
    people.day(4)
    refused = await refusal(people.support.propose_decision(branch, "D-1", decision()))
    assert refused == "amendment-needed"
    amended = decision(amendment_id=AMENDMENT)
    refused = await refusal(people.support.propose_decision(branch, "D-1", amended))
    assert refused == "amendment-unknown"
    await follow(AGREED)
    await people.support.propose_decision(branch, "D-1", amended)
    assert (await people.finance.confirm_decision(branch, "D-1")).state is DisputeState.DECIDED


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"subscription_id": "S-404"}, "/subscription_id"),
        ({"field_id": "F-TOWN"}, "/field_id"),
        ({"to_period": None}, "/to_period"),
        ({"to_period": 201710, "field_id": None}, "/to_period"),
        ({"centre_id": "C9", "field_id": None}, "/centre_id"),
        ({"centre_id": "C1", "field_id": None}, "/centre_id"),
        ({"centre_id": "G1", "field_id": None}, "/claimant_centre_id"),
        ({"entry_number": 404}, "/entry_number"),
        ({"from_period": 202612, "to_period": 202701, "field_id": None}, "/from_period"),
        ({"from_period": 201801, "to_period": 202610, "field_id": None}, "/to_period"),
        ({"from_period": 200001, "to_period": 201710, "field_id": None}, "/to_period"),
        ({"entry_number": 3, "to_period": 201711}, "/entry_number"),
    ],
)
async def test_a_dispute_names_what_is_there(
    people: County, changed: dict[str, Any], pointer: str
) -> None:
    with pytest.raises(PeerProblem) as refused:
        await people.rural.raise_dispute(people.branch_id, "D-1", claim(**changed))
    assert refused.value.code == "dispute-not-possible"
    assert pointer in [one["pointer"] for one in refused.value.body["errors"]]


async def test_the_month_that_runs_is_contested_before_anything_is_billed(people: County) -> None:
    running = claim(from_period=202611, to_period=202612, field_id=None)
    # The field's term is over by then, and the line lies in the pool: the county answers.
    raised = await people.rural.raise_dispute(people.branch_id, "D-1", running)
    assert (raised.respondent_centre_id, raised.revenue_fen) == ("C0", 0)


async def test_an_entry_is_contested_with_its_month_and_an_owner_may_give_a_line_away(
    people: County,
) -> None:
    given = claim(
        claimant_centre_id="C1", to_period=201711, entry_number=1, text="It was never ours."
    )
    raised = await people.town.raise_dispute(people.branch_id, "D-1", given)
    assert (raised.entry_number, raised.revenue_fen) == (1, 10_000)
    assert (raised.claimant_centre_id, raised.respondent_centre_id) == ("C1", "C2")


async def test_nobody_keeps_a_line_by_saying_that_it_is_anothers(
    people: County, sender: Sender
) -> None:
    branch = people.branch_id
    await people.manager.put_ruling(branch, "R-1", ruling(to_period=201711))
    given = claim(claimant_centre_id="C1", centre_id="G1", field_id=None)
    raised = await people.town.raise_dispute(branch, "D-1", given)
    assert (raised.open, raised.frozen) == (True, False)
    assert [one.dispute_id for one in await people.manager.disputes(branch, is_open=True)] == [
        "D-1"
    ]
    assert await people.manager.disputes(branch, frozen=True) == []
    found = await people.town.explanation(branch, "S-1", period=201711)
    assert found.dispute is not None
    assert (found.dispute.open, found.dispute.frozen) == (True, False)
    assert any("照常移动账目" in sentence for sentence in found.story_zh)
    # A ruling and late evidence move it as ever.
    await people.finance.approve_ruling(branch, "R-1")
    assert await people.revenue(201711) == {"C2": 10_000}
    await people.manager.post_events([late_move(sender)])
    assert await people.revenue(201712) == {"C2": 10_000}
    # Its owner contests it once at a time; whoever claims it does so beside.
    again = given.model_copy(update={"claimant_centre_id": "C2"})
    assert await refusal(people.rural.raise_dispute(branch, "D-2", again)) == "already-disputed"
    own = claim(claimant_centre_id="C1", centre_id="C1", field_id="F-TOWN")
    assert (await people.town.raise_dispute(branch, "D-2", own)).frozen
    people.day(9)
    overdue = await people.manager.disputes(branch, is_open=True)
    assert [(one.dispute_id, one.overdue) for one in overdue] == [("D-1", True), ("D-2", True)]
    await people.town.withdraw_dispute(branch, "D-2")
    # It has passed to a centre that is no party: what was not heard loses nothing here.
    proposed = decision(centre_id="G1", field_id=None, reason="It is an enterprise's.")
    refused = await refusal(people.support.propose_decision(branch, "D-1", proposed))
    assert refused == "ruling-not-possible"
    await people.support.propose_decision(branch, "D-1", decision(reason="It has passed on."))
    ended = await people.finance.confirm_decision(branch, "D-1")
    assert (ended.state, ended.open) == (DisputeState.DECIDED, False)
    assert await people.revenue(201711) == {"C2": 10_000}
    assert [one.dispute_id for one in await people.manager.disputes(branch, is_open=False)] == [
        "D-1",
        "D-2",
    ]


async def test_of_two_disputes_at_once_about_a_line_one_is_raised(people: County) -> None:
    calls = [
        people.rural.raise_dispute(people.branch_id, f"D-{number}", claim()) for number in (1, 2)
    ]
    found = await asyncio.gather(*calls, return_exceptions=True)
    refused = [one for one in found if isinstance(one, PeerProblem)]
    assert [one.code for one in refused] == ["already-disputed"]
    (dispute,) = await people.manager.disputes(people.branch_id)
    changed = claim(text="Another reason.")
    again = await refusal(people.rural.raise_dispute(people.branch_id, dispute.dispute_id, changed))
    assert again == "conflict"


@pytest.mark.parametrize(
    "changed",
    [
        {"documents": [DOCUMENT | {"sha256": "A" * 64}]},
        {"documents": [DOCUMENT | {"url": "javascript:alert(1)"}]},
        {"documents": [{"name": "x", "sha256": "a" * 64}]},
        {"text": "   "},
    ],
)
async def test_a_dispute_has_a_reason_and_documents_with_digest_and_address(
    people: County, http: httpx.AsyncClient, token: Callable[..., str], changed: dict[str, Any]
) -> None:
    branch = people.branch_id
    answer = await http.put(
        f"/v1/branches/{branch}/disputes/D-1",
        json=claim().model_dump(mode="json") | changed,
        headers={"Authorization": f"Bearer {token(Role.CONTRACTOR, branch, ['C2'])}"},
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "malformed")
    assert await people.manager.disputes(branch) == []
