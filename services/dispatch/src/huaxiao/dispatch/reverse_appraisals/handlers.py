"""The reverse appraisal: votes taken in, the card computed, answered, decided."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from http import HTTPStatus
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.appraisals import evidence, publishing
from huaxiao.dispatch.appraisals.computing import Computed
from huaxiao.dispatch.appraisals.evidence import record_of
from huaxiao.dispatch.appraisals.problems import OutsideWindow, PeriodNotOver
from huaxiao.dispatch.domain.calendar import silence_confirms_at, submit_until
from huaxiao.dispatch.domain.measuring import REPEAT_WITHIN, Record, measure
from huaxiao.dispatch.domain.reverse import (
    LEAST_CENTRES,
    Form,
    ReverseCard,
    Vote,
    reverse_card,
    reverse_forms,
    ticket_measures,
    vote_faults,
)
from huaxiao.dispatch.domain.scorecard import Measure, grade, rounded
from huaxiao.dispatch.reverse_appraisals import store
from huaxiao.dispatch.scorecards import handlers as scorecards
from huaxiao.dispatch.tickets import store as tickets_store
from huaxiao.dispatch.tickets.histories import records
from huaxiao.dispatch.tickets.parties import represents
from huaxiao.shared.auth import COUNTY_READERS, Principal, Role
from huaxiao.shared.periods import Period, business_day, ends_at, starts_at
from huaxiao.shared.problems import Conflict, Fault, Forbidden, Malformed, NotFound, Problem
from huaxiao.shared.wire import reverse as wire
from huaxiao.shared.wire.appraisals import RevisionCause
from huaxiao.shared.wire.contracts import CentreKind
from huaxiao.shared.wire.dispatch import AppraisalKind
from huaxiao.shared.wire.reverse import (
    Outcome,
    ReverseAnswer,
    ReverseAnswerIn,
    ReverseAppraisal,
    ReverseDecision,
    ReverseDecisionIn,
    ReverseItem,
    ReverseState,
    Seat,
    VoteIn,
)
from huaxiao.shared.wire.scorecards import Scorecard

_OVERSEERS = {Role.COUNTY_MANAGER, Role.AUDITOR, Role.PROVINCE}


class NotAVoter(Problem):
    """People of the centres that a unit serves rate it, each for their own centre (R28)."""

    code = "not-a-voter"
    status = HTTPStatus.FORBIDDEN
    title = "You have no vote on this unit for this centre"
    title_zh = "您无权代表该中心评价此单位"


class AlreadyVoted(Problem):
    """Each person votes once, and each of a centre's two seats is taken once."""

    code = "already-voted"
    status = HTTPStatus.CONFLICT
    title = "You have voted, or your centre's seat is taken"
    title_zh = "您已投票，或本中心席位已有人投票"


class VoteVoid(Problem):
    """A card on which fewer than three centres voted does not stand."""

    code = "vote-void"
    status = HTTPStatus.CONFLICT
    title = "Too few centres voted for the card to stand"
    title_zh = "参与评价的中心不足，结果无效"


@dataclass(frozen=True, slots=True)
class _Rating:
    """What is rated: a unit by its form in a period."""

    branch_id: int
    ratee: str
    period: Period
    form: Form
    kinds: Mapping[str, str]
    rules: Scorecard

    @property
    def key(self) -> dict[str, Any]:
        return {
            "branch_id": self.branch_id,
            "ratee_centre_id": self.ratee,
            "period": self.period,
        }

    @property
    def answer_until(self) -> datetime:
        return silence_confirms_at(self.period, ends_at(self.period), self.rules.calendar)

    @property
    def submit_until(self) -> datetime:
        return submit_until(self.period, self.rules.calendar)

    @property
    def is_of_support(self) -> bool:
        return self.form.ratee_kind is CentreKind.SUPPORT


async def _rating(
    connection: AsyncConnection, branch_id: int, ratee_centre_id: str, period: int
) -> _Rating:
    kinds = await tickets_store.centre_kinds(connection, branch_id)
    kind = kinds.get(ratee_centre_id)
    rules = await scorecards.of_period(connection, branch_id, period)
    form = None if kind is None else reverse_forms(rules).get(CentreKind(kind))
    if form is None:
        raise NotFound
    return _Rating(branch_id, ratee_centre_id, Period(period), form, kinds, rules)


async def _of_the_ratee(connection: AsyncConnection, rating: _Rating, principal: Principal) -> bool:
    """Say whether a caller belongs to the unit that is rated, in whatever other role they come."""
    if represents(principal, rating.ratee, rating.kinds):
        return True
    return principal.person_id is not None and await store.is_posted(
        connection, rating.branch_id, principal.person_id, rating.ratee
    )


# --- votes --------------------------------------------------------------------------------------


async def vote(
    connection: AsyncConnection,
    branch_id: int,
    ratee_centre_id: str,
    period: int,
    given: VoteIn,
    *,
    principal: Principal,
    now: datetime,
) -> wire.Vote:
    """Take in a vote, once of each person and each seat of a centre.

    Raises:
        NotAVoter: the caller is nobody of that centre, or the centre does not rate this unit.
        OutsideWindow: the time to vote is over.

    """
    rating = await _rating(connection, branch_id, ratee_centre_id, period)
    person_id = principal.person_id
    centre_id = person_id and await store.centre_of_person(
        connection, branch_id, person_id, business_day(now)
    )
    if (
        person_id is None
        or centre_id != given.centre_id
        or not principal.may_see(given.centre_id)
        or await store.is_posted(connection, branch_id, person_id, rating.ratee)
        or rating.kinds.get(given.centre_id) not in rating.form.voter_kinds
    ):
        raise NotAVoter
    if now < ends_at(rating.period):
        raise PeriodNotOver
    if now >= rating.submit_until:
        raise OutsideWindow(submit_until=rating.submit_until.isoformat())
    faults = list(vote_faults(rating.form, given.stars, given.reasons))
    if faults:
        raise Malformed(faults=faults)
    seat = Seat.CONTRACTOR if Role.CONTRACTOR in principal.roles else Seat.MEMBER
    row = {
        "centre_id": given.centre_id,
        "seat": seat,
        "person_id": person_id,
        "stars": given.stars,
        "reasons": given.reasons,
        "cast_by": principal.subject,
        "cast_at": now,
    } | rating.key
    if not await store.add_vote(connection, row):
        raise AlreadyVoted
    return wire.Vote.model_validate(row)


async def list_votes(
    connection: AsyncConnection,
    branch_id: int,
    ratee_centre_id: str,
    period: int,
    *,
    principal: Principal,
    now: datetime,
) -> list[wire.Vote]:
    """Return one's own vote; all of them for those who watch over the county, once it is over.

    Nobody of the unit that is rated sees another's vote, in whatever role they come.
    """
    rating = await _rating(connection, branch_id, ratee_centre_id, period)
    oversees = (
        bool(principal.roles & _OVERSEERS)
        and principal.centre_ids is None
        and not await _of_the_ratee(connection, rating, principal)
    )
    if oversees and now >= rating.submit_until:
        rows = await store.votes(connection, branch_id, ratee_centre_id, period)
    elif principal.person_id is not None:
        rows = await store.votes(
            connection, branch_id, ratee_centre_id, period, person_id=principal.person_id
        )
    else:
        rows = []
    return [wire.Vote.model_validate(dict(row)) for row in rows]


# --- the card -----------------------------------------------------------------------------------


async def _computed(
    connection: AsyncConnection, rating: _Rating
) -> tuple[ReverseCard, dict[str, Measure], dict[str, list[str]]]:
    """Compute the card, and return with it what was measured and the reasons given."""
    branch_id, period = rating.branch_id, rating.period
    since, until = starts_at(period), ends_at(period)
    if rating.is_of_support:
        rows = await tickets_store.bearing_on(connection, branch_id, since=since, until=until)
        histories = await records(connection, branch_id, rows)
        measures = ticket_measures(histories, rating.ratee, since=since, until=until)
    else:
        measures = measure(await _performed(connection, rating), since=since, until=until)
    rows = await store.votes(connection, branch_id, rating.ratee, period)
    card = reverse_card(
        rating.form, measures, [Vote(row["centre_id"], row["stars"]) for row in rows]
    )
    reasons: dict[str, list[str]] = {}
    for row in rows:
        for item, reason in row["reasons"].items():
            reasons.setdefault(item, []).append(reason)
    return card, measures, {item: sorted(given) for item, given in reasons.items()}


async def _performed(connection: AsyncConnection, rating: _Rating) -> list[Record]:
    """Return the orders of the rated unit: as they were frozen, or as they are before that."""
    kept = await evidence.kept_records(connection, rating.branch_id, rating.period)
    if kept is not None:
        return [one for one in kept if one.performer_centre_id == rating.ratee]
    orders = await store.performed_orders(
        connection,
        rating.branch_id,
        rating.ratee,
        since=starts_at(rating.period) - REPEAT_WITHIN,
        until=ends_at(rating.period),
    )
    return [record_of(row) for row in orders]


def _items(
    form: Form, card: ReverseCard, measures: Mapping[str, Measure], reasons: Mapping[str, list[str]]
) -> list[ReverseItem]:
    scales = {one.item: one for one in form.scales}
    items = []
    for one in card.items:
        scale = scales.get(one.item)
        # Of a void vote nothing is told: one or two centres would be known by their stars.
        hidden = scale is None and card.void
        items.append(
            ReverseItem(
                item=one.item,
                weight=one.weight,
                count=one.count,
                total=None if scale is None else measures.get(one.item, Measure(0, 0)).total,
                floor=scale and scale.floor,
                base=scale and scale.base,
                challenge=scale and scale.challenge,
                centre_means=(
                    None
                    if scale is not None
                    else []
                    if hidden
                    else [str(mean) for mean in card.centre_means[one.item]]
                ),
                value=None if hidden or one.value is None else str(one.value),
                share=None if hidden or one.share is None else str(one.share),
                reasons=[] if hidden else reasons.get(one.item, []),
            )
        )
    return items


async def show(
    connection: AsyncConnection,
    branch_id: int,
    ratee_centre_id: str,
    period: int,
    *,
    principal: Principal,
    now: datetime,
) -> ReverseAppraisal:
    """Show a card as it stands, to the county, its ratee and those who rate it.

    Nobody is told anything of the votes before the time to vote is over.
    """
    rating = await _rating(connection, branch_id, ratee_centre_id, period)
    if not await _concerns(connection, rating, principal):
        raise NotFound
    return await _shown(connection, rating, now=now)


async def _concerns(connection: AsyncConnection, rating: _Rating, principal: Principal) -> bool:
    if principal.roles & set(COUNTY_READERS) and principal.centre_ids is None:
        return True
    if await _of_the_ratee(connection, rating, principal):
        return True
    return any(
        kind in rating.form.voter_kinds and represents(principal, centre_id, rating.kinds)
        for centre_id, kind in rating.kinds.items()
    )


async def _shown(
    connection: AsyncConnection, rating: _Rating, *, now: datetime
) -> ReverseAppraisal:
    decided = await store.decision(connection, rating.branch_id, rating.ratee, rating.period)
    if decided is not None:
        return ReverseAppraisal.model_validate(decided["card"])
    answer = await store.answer(connection, rating.branch_id, rating.ratee, rating.period)
    counted: dict[str, Any] = {
        "voting_centres": None,
        "void": None,
        "score": None,
        "exact_score": None,
        "items": [],
    }
    if now < ends_at(rating.period):
        state = ReverseState.NOT_OPEN
    elif now < rating.submit_until:
        state = ReverseState.VOTING
    else:
        card, measures, reasons = await _computed(connection, rating)
        waits = not card.void and answer is None and now < rating.answer_until
        state = ReverseState.ANSWERING if waits else ReverseState.DECIDABLE
        counted = {
            "voting_centres": card.voting_centres,
            "void": card.void,
            "score": None if card.score is None else rounded(card.score),
            "exact_score": None if card.score is None else str(card.score),
            "items": _items(rating.form, card, measures, reasons),
        }
    return ReverseAppraisal(
        period=rating.period,
        ratee_centre_id=rating.ratee,
        form=rating.form.name,
        state=state,
        submit_until=rating.submit_until,
        answer_until=rating.answer_until,
        least_centres=LEAST_CENTRES,
        answer=None if answer is None else ReverseAnswer.model_validate(dict(answer)),
        decision=None,
        **counted,
    )


# --- the ratee's answer, and the decision -------------------------------------------------------


async def answer_card(
    connection: AsyncConnection,
    branch_id: int,
    ratee_centre_id: str,
    period: int,
    given: ReverseAnswerIn,
    *,
    principal: Principal,
    now: datetime,
) -> ReverseAppraisal:
    """Let the ratee agree or object, once, until the eighth day after the month."""
    rating = await _rating(connection, branch_id, ratee_centre_id, period)
    if not represents(principal, rating.ratee, rating.kinds):
        raise Forbidden
    if not rating.submit_until <= now < rating.answer_until:
        raise OutsideWindow(
            answer_from=rating.submit_until.isoformat(),
            answer_until=rating.answer_until.isoformat(),
        )
    if not given.agrees and given.reason is None:
        raise _reason_missing()
    if await store.decision(connection, branch_id, ratee_centre_id, period) is not None:
        raise Conflict("It is decided already.", "已作出决定。")
    row = {
        "agrees": given.agrees,
        "reason": given.reason,
        "answered_by": principal.subject,
        "answered_at": now,
    } | rating.key
    if not await store.add_answer(connection, row):
        raise Conflict("It was answered already.", "已作出答复。")
    return await _shown(connection, rating, now=now)


async def decide(
    connection: AsyncConnection,
    branch_id: int,
    ratee_centre_id: str,
    period: int,
    given: ReverseDecisionIn,
    *,
    principal: Principal,
    now: datetime,
) -> ReverseAppraisal:
    """Decide whether a card stands, and publish it if it does.

    The general manager decides upon the support centre's; upon another unit's the support centre
    may as well. Nobody of the unit that is rated decides, in whatever role they come.

    Raises:
        OutsideWindow: people may still vote, or the ratee answer.
        VoteVoid: too few centres voted for it to stand.

    """
    rating = await _rating(connection, branch_id, ratee_centre_id, period)
    if rating.is_of_support and Role.COUNTY_MANAGER not in principal.roles:
        raise Forbidden
    if await _of_the_ratee(connection, rating, principal):
        raise Forbidden
    shown = await _shown(connection, rating, now=now)
    _require_decidable(shown, given)
    appraisal = None
    outcome = Outcome.VOID if shown.void else Outcome.SET_ASIDE
    if given.stands:
        outcome = Outcome.STANDS
        appraisal = await _appraise(connection, rating, shown, by=principal.subject, now=now)
    decided = ReverseDecision(
        outcome=outcome,
        reason=given.reason,
        appraisal_id=None if appraisal is None else appraisal["appraisal_id"],
        decided_by=principal.subject,
        decided_at=now,
    )
    final = shown.model_copy(update={"state": ReverseState.DECIDED, "decision": decided})
    row = decided.model_dump() | {"card": final.model_dump(mode="json")} | rating.key
    if not await store.add_decision(connection, row):
        raise Conflict("It is decided already.", "已作出决定。")
    if appraisal is not None:
        await publishing.publish(connection, appraisal, at=now, now=now)
    return final


def _require_decidable(shown: ReverseAppraisal, given: ReverseDecisionIn) -> None:
    if shown.state is ReverseState.DECIDED:
        raise Conflict("It is decided already.", "已作出决定。")
    if shown.state is not ReverseState.DECIDABLE:
        raise OutsideWindow(answer_until=shown.answer_until.isoformat())
    if given.stands and shown.void:
        raise VoteVoid
    objected = shown.answer is not None and not shown.answer.agrees
    set_aside = not given.stands and not shown.void
    if given.reason is None and (objected or set_aside):
        raise _reason_missing()


async def _appraise(
    connection: AsyncConnection, rating: _Rating, shown: ReverseAppraisal, *, by: str, now: datetime
) -> RowMapping:
    """Store the card as an appraisal: all that its score follows from, and no reasons given."""
    score = None if shown.exact_score is None else Fraction(shown.exact_score)
    made = Computed(
        score,
        None if score is None else grade(score),
        {
            "form": rating.form.name,
            "rated": score is not None,
            "exact_score": shown.exact_score,
            "voting_centres": shown.voting_centres,
            "items": [one.model_dump(mode="json", exclude={"reasons"}) for one in shown.items],
        },
    )
    return await publishing.keep(
        connection,
        rating.branch_id,
        {
            "kind": AppraisalKind.REVERSE,
            "period": rating.period,
            "rater_centre_id": None,
            "ratee_centre_id": rating.ratee,
            "made_at": now,
            "confirmed_at": now,
            "given": {},
            "scorecard_version": rating.rules.version,
        },
        made,
        cause=RevisionCause.SUBMITTED,
        by=by,
        now=now,
    )


def _reason_missing() -> Malformed:
    fault = Fault("/reason", "missing", "this needs a written reason", "须填写原因")
    return Malformed(faults=[fault])
