"""The states of a dispute, and what each step does to it.

One centre raises, the other replies, the county proposes a decision and another person confirms it;
one appeal goes to the general manager, whose decision is final. While a dispute is open its line is
frozen, unless its own owner has raised it: who says that a line is another's cannot keep it by saying
so. A decision takes effect when it is confirmed; an appeal opens the dispute again and suspends nothing.
Nobody decides who speaks for a party.
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from http import HTTPStatus

from huaxiao.shared.periods import BUSINESS_ZONE, business_day
from huaxiao.shared.problems import Problem, TwoPeople
from huaxiao.shared.wire.attribution import DisputeLimits, DisputeState, DisputeStepName

_S = DisputeState
_BEFORE_DECISION = {_S.RAISED, _S.REPLIED, _S.PROPOSED}
_IN_APPEAL = {_S.APPEALED, _S.FINAL_PROPOSED}
_NEED_REASON = {
    DisputeStepName.RAISE,
    DisputeStepName.REPLY,
    DisputeStepName.PROPOSE,
    DisputeStepName.APPEAL,
}


class StepNotAllowed(Problem):
    """The dispute's state, or the time that has passed, does not permit this step."""

    code = "step-not-allowed"
    status = HTTPStatus.CONFLICT
    title = "The dispute does not permit this step now"
    title_zh = "争议当前状态不允许此操作"


class NotAParty(Problem):
    """A centre speaks through those its tokens are bound to; the county speaks for the pool only."""

    code = "not-a-party"
    status = HTTPStatus.FORBIDDEN
    title = "Only a party to the dispute may do this"
    title_zh = "仅争议当事方可执行此操作"


class NotImpartial(Problem):
    """Who belongs to a party, or has spoken for one, or has decided before, does not decide."""

    code = "not-impartial"
    status = HTTPStatus.FORBIDDEN
    title = "You have a part in this dispute and may not decide it"
    title_zh = "您与该争议有关，不得参与裁决"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who takes a step."""

    subject: str
    centre_ids: frozenset[str] | None
    """Centres the caller is bound to; None is the county."""
    general_manager: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """A step somebody takes."""

    name: DisputeStepName
    by: Actor
    at: datetime
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Parties:
    """The two centres: who contests, and who is to answer; ``pool`` is the county's own unit."""

    claimant: str
    respondent: str
    pool: str

    @property
    def both(self) -> AbstractSet[str]:
        """The centres that are party to it."""
        return {self.claimant, self.respondent}


@dataclass(frozen=True, slots=True)
class Dispute:
    """How far a dispute is; moments are aware, and no longer in time themselves."""

    parties: Parties
    state: DisputeState
    reply_due: datetime
    decide_due: datetime
    appeal_due: datetime | None = None
    final_due: datetime | None = None
    proposed_by: str | None = None
    advocates: frozenset[str] = frozenset()
    """Who has spoken for a party."""
    deciders: frozenset[str] = frozenset()
    """Who proposed and who confirmed the first decision."""
    given_away: bool = False
    """The line was the claimant's own when it said that it is another's."""

    @property
    def open(self) -> bool:
        """Say whether it waits for a decision."""
        return self.state in _BEFORE_DECISION | _IN_APPEAL

    @property
    def frozen(self) -> bool:
        """Say whether the line's decisions wait for the end of the dispute."""
        return self.open and not self.given_away

    def due(self, now: datetime) -> datetime | None:
        """Return until when the next step is due; None when nothing is."""
        if self.state is _S.RAISED and now < self.reply_due:
            return self.reply_due
        if self.state in _BEFORE_DECISION:
            return self.decide_due
        if self.state in _IN_APPEAL:
            return self.final_due
        if self.state is _S.DECIDED and self.appeal_due is not None and now < self.appeal_due:
            return self.appeal_due
        return None

    def overdue(self, now: datetime) -> bool:
        """Say whether a decision is due and has not come."""
        due = self.due(now)
        return self.open and due is not None and now >= due


def in_days(moment: datetime, days: int) -> datetime:
    """Return the end of the natural day that many days after a moment's own, in the county."""
    day: date = business_day(moment) + timedelta(days=days + 1)
    return datetime.combine(day, time(), BUSINESS_ZONE)


def raised(
    parties: Parties, step: Step, limits: DisputeLimits, *, given_away: bool = False
) -> Dispute:
    """Return a dispute that a centre raises.

    Raises:
        NotAParty: the caller does not speak for the claimant.
        StepNotAllowed: there is no reason.

    """
    _require_reason(step)
    _require_speaks(step.by, {parties.claimant}, parties)
    reply_due = in_days(step.at, limits.reply_days)
    return Dispute(
        parties,
        _S.RAISED,
        reply_due,
        reply_due + timedelta(days=limits.decide_days),
        advocates=frozenset({step.by.subject}),
        given_away=given_away,
    )


def take(dispute: Dispute, step: Step, limits: DisputeLimits) -> Dispute:
    """Return the dispute after a step.

    Raises:
        StepNotAllowed: the state or the time forbids it, or it lacks its reason.
        NotAParty: only a party may take it.
        NotImpartial: only those may take it who have no part in the dispute.
        TwoPeople: who proposed a decision may not confirm it.

    """
    _require_reason(step)
    match step.name:
        case DisputeStepName.REPLY:
            return _reply(dispute, step, limits)
        case DisputeStepName.PROPOSE:
            return _propose(dispute, step)
        case DisputeStepName.CONFIRM:
            return _confirm(dispute, step, limits)
        case DisputeStepName.APPEAL:
            return _appeal(dispute, step, limits)
        case DisputeStepName.WITHDRAW:
            return _withdraw(dispute, step)
        case DisputeStepName.LAPSE:
            return _lapse(dispute, step)
        case DisputeStepName.RAISE:
            raise StepNotAllowed


def _reply(dispute: Dispute, step: Step, limits: DisputeLimits) -> Dispute:
    _require_speaks(step.by, {dispute.parties.respondent}, dispute.parties)
    _require(dispute, step, dispute.state is _S.RAISED)
    if step.at >= dispute.reply_due:
        raise StepNotAllowed("The time for a reply has passed.", "答辩期限已过。")
    return replace(
        dispute,
        state=_S.REPLIED,
        decide_due=in_days(step.at, limits.decide_days),
        advocates=dispute.advocates | {step.by.subject},
    )


def _propose(dispute: Dispute, step: Step) -> Dispute:
    _require_impartial(step.by, dispute)
    if dispute.state in _IN_APPEAL:
        if not step.by.general_manager or step.by.subject in dispute.deciders:
            raise NotImpartial(
                "An appeal is decided by the general manager, who had no part in the first decision.",
                "申诉由未参与首次裁决的总经理裁决。",
            )
        return replace(dispute, state=_S.FINAL_PROPOSED, proposed_by=step.by.subject)
    heard = dispute.state is not _S.RAISED or step.at >= dispute.reply_due
    _require(dispute, step, dispute.state in _BEFORE_DECISION)
    if not heard:
        raise StepNotAllowed(
            "The other centre may still reply.", "对方中心仍在答辩期内。", until=dispute.reply_due
        )
    return replace(dispute, state=_S.PROPOSED, proposed_by=step.by.subject)


def _confirm(dispute: Dispute, step: Step, limits: DisputeLimits) -> Dispute:
    _require_impartial(step.by, dispute)
    _require(dispute, step, dispute.state in {_S.PROPOSED, _S.FINAL_PROPOSED})
    assert dispute.proposed_by is not None  # noqa: S101 - both states have a proposal
    if dispute.proposed_by == step.by.subject:
        raise TwoPeople
    if dispute.state is _S.FINAL_PROPOSED:
        return replace(dispute, state=_S.FINAL)
    return replace(
        dispute,
        state=_S.DECIDED,
        appeal_due=in_days(step.at, limits.appeal_days),
        deciders=frozenset({dispute.proposed_by, step.by.subject}),
    )


def _appeal(dispute: Dispute, step: Step, limits: DisputeLimits) -> Dispute:
    _require_speaks(step.by, dispute.parties.both, dispute.parties)
    decided = dispute.state is _S.DECIDED
    _require(dispute, step, decided or dispute.state in _BEFORE_DECISION)
    if decided and dispute.due(step.at) is None:
        raise StepNotAllowed("The time for an appeal has passed.", "申诉期限已过。")
    if not decided and not dispute.overdue(step.at):
        raise StepNotAllowed("The decision is not overdue yet.", "首次裁决尚未逾期。")
    return replace(
        dispute,
        state=_S.APPEALED,
        final_due=in_days(step.at, limits.final_days),
        proposed_by=None,
        advocates=dispute.advocates | {step.by.subject},
    )


def _withdraw(dispute: Dispute, step: Step) -> Dispute:
    _require_speaks(step.by, {dispute.parties.claimant}, dispute.parties)
    _require(dispute, step, dispute.state in _BEFORE_DECISION)
    return replace(dispute, state=_S.WITHDRAWN)


def _lapse(dispute: Dispute, step: Step) -> Dispute:
    if step.by.centre_ids is not None:
        _require_speaks(step.by, dispute.parties.both, dispute.parties)
    _require(dispute, step, dispute.state in _IN_APPEAL)
    if not dispute.overdue(step.at):
        raise StepNotAllowed("The final decision is not overdue yet.", "终裁尚未逾期。")
    return replace(dispute, state=_S.UNDECIDED)


# --- what steps require -------------------------------------------------------------------------


def _require(dispute: Dispute, step: Step, allowed: bool) -> None:  # noqa: FBT001 - the condition itself
    if not allowed:
        raise StepNotAllowed(
            f"A {dispute.state} dispute permits no {step.name}.",
            state=dispute.state,
            step=step.name,
        )


def _require_reason(step: Step) -> None:
    if step.name in _NEED_REASON and not (step.reason or "").strip():
        raise StepNotAllowed("This step needs a reason.", "此操作须说明理由。")


def _require_speaks(by: Actor, centre_ids: AbstractSet[str], parties: Parties) -> None:
    own = {parties.pool} if by.centre_ids is None else by.centre_ids
    if own.isdisjoint(centre_ids):
        raise NotAParty


def _require_impartial(by: Actor, dispute: Dispute) -> None:
    party = by.centre_ids is not None and not by.centre_ids.isdisjoint(dispute.parties.both)
    if party or by.subject in dispute.advocates:
        raise NotImpartial
