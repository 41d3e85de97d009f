"""What pages of appraisals show."""

from collections.abc import Mapping

from huaxiao.console.visitors import Visitor
from huaxiao.shared.auth import Role
from huaxiao.shared.wire.appraisals import Appeal
from huaxiao.shared.wire.dispatch import Appraisal, AppraisalState

_STARS = "stars_"
_ANSWERABLE = {AppraisalState.ANSWERING, AppraisalState.APPEALED}


def answers(appraisal: Appraisal, visitor: Visitor) -> bool:
    """Say whether a card is offered to its ratee to confirm or appeal."""
    if appraisal.confirmed or appraisal.state not in _ANSWERABLE:
        return False
    if appraisal.person_id is not None:
        return visitor.may(Role.ENGINEER) and visitor.person_id == appraisal.person_id
    return visitor.may(Role.CONTRACTOR) and appraisal.ratee_centre_id in (visitor.centre_ids or ())


def replies(appraisal: Appraisal, visitor: Visitor) -> bool:
    """Say whether the visitor speaks for the rater, who answers appeals."""
    return visitor.may(Role.CONTRACTOR) and appraisal.rater_centre_id in (visitor.centre_ids or ())


def decides(visitor: Visitor) -> bool:
    """Say whether the visitor is offered to decide appeals; the service knows who may."""
    return visitor.may(Role.SUPPORT_CENTRE, Role.COUNTY_MANAGER)


def waits(appeal: Appeal) -> bool:
    """Say whether an appeal is still to be decided."""
    return appeal.decision is None and not appeal.lapsed


def stars_given(form: Mapping[str, object]) -> dict[str, int]:
    """Read the stars of a form: fields named ``stars_<item>`` that are filled in."""
    return {
        name.removeprefix(_STARS): int(str(value))
        for name, value in form.items()
        if name.startswith(_STARS) and str(value).isdigit()
    }
