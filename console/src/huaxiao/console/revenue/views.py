"""What the pages of revenue show, and what a form of theirs comes to."""

from collections import Counter
from collections.abc import Mapping, Sequence

from huaxiao.console.visitors import Visitor
from huaxiao.shared.auth import Role
from huaxiao.shared.wire.attribution import (
    Dispute,
    DisputeState,
    DisputeStepName,
    UnresolvedLine,
)

CONTESTS = (Role.COUNTY_MANAGER, Role.COUNTY_FINANCE, Role.CONTRACTOR, Role.SUPPORT_CENTRE)
"""Who may raise, answer, appeal and withdraw; which of them, the service decides."""
_DECIDES = (Role.COUNTY_MANAGER, Role.SUPPORT_CENTRE)
_CONFIRMS = (Role.COUNTY_MANAGER, Role.COUNTY_FINANCE, Role.SUPPORT_CENTRE)
_S, _N = DisputeState, DisputeStepName
_STEPS: Mapping[DisputeState, tuple[DisputeStepName, ...]] = {
    _S.RAISED: (_N.REPLY, _N.WITHDRAW),
    _S.REPLIED: (_N.PROPOSE, _N.WITHDRAW),
    _S.PROPOSED: (_N.CONFIRM, _N.PROPOSE, _N.WITHDRAW),
    _S.DECIDED: (_N.APPEAL,),
    _S.APPEALED: (_N.PROPOSE,),
    _S.FINAL_PROPOSED: (_N.CONFIRM, _N.PROPOSE),
}
_BY: Mapping[DisputeStepName, tuple[Role, ...]] = {
    _N.REPLY: CONTESTS,
    _N.PROPOSE: _DECIDES,
    _N.CONFIRM: _CONFIRMS,
    _N.APPEAL: CONTESTS,
    _N.WITHDRAW: CONTESTS,
    _N.LAPSE: CONTESTS,
}


def steps(dispute: Dispute, visitor: Visitor) -> list[DisputeStepName]:
    """Return the steps that a visitor is offered; the service decides whether they may be taken."""
    possible = list(_STEPS.get(dispute.state, ()))
    if dispute.state is _S.RAISED and dispute.overdue:
        possible.insert(0, _N.PROPOSE)
    if dispute.open and dispute.overdue and dispute.state is _S.APPEALED:
        possible.append(_N.LAPSE)
    return [one for one in possible if visitor.may(*_BY[one]) and _is_for(one, dispute, visitor)]


def _is_for(step: DisputeStepName, dispute: Dispute, visitor: Visitor) -> bool:
    """Say whether a step is for this side: parties plead, and whoever is no party decides."""
    if visitor.centre_ids is None:
        # The county answers for the pool; what a party alone may do, it does not.
        return step not in {_N.APPEAL, _N.WITHDRAW}
    claims = dispute.claimant_centre_id in visitor.centre_ids
    answers = dispute.respondent_centre_id in visitor.centre_ids
    match step:
        case _N.REPLY:
            return answers
        case _N.WITHDRAW:
            return claims
        case _N.APPEAL | _N.LAPSE:
            return claims or answers
        case _:
            return not claims and not answers


def flags_of(lines: Sequence[UnresolvedLine]) -> list[tuple[str, int]]:
    """Count the flags of lines, the most frequent first."""
    return Counter(flag for one in lines for flag in one.flags).most_common()


def owner_of(choice: str) -> tuple[str, str | None]:
    """Read a choice of an owner: a centre, and a field of it if one is named behind a bar."""
    centre_id, _, field_id = choice.partition("|")
    return centre_id.strip(), field_id.strip() or None
