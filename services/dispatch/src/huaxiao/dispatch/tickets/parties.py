"""Who speaks for whom: for a centre its people, for all outside the branch the support centre."""

from collections.abc import Collection, Mapping

from huaxiao.dispatch.domain.tickets import Acting
from huaxiao.shared.auth import Principal, Role
from huaxiao.shared.wire.contracts import CentreKind
from huaxiao.shared.wire.tickets import Unit, UnitKind


def represents(principal: Principal, centre_id: str | None, kinds: Mapping[str, str]) -> bool:
    """Say whether a caller speaks for a centre: as one of its people, or for the support centre."""
    if centre_id is None:
        return False
    people = {Role.CONTRACTOR, Role.ENGINEER} & principal.roles
    if people and principal.may_see(centre_id):
        return True
    return Role.SUPPORT_CENTRE in principal.roles and kinds.get(centre_id) == CentreKind.SUPPORT


def acting_for(
    principal: Principal,
    owner: Unit,
    raiser_centre_id: str,
    kinds: Mapping[str, str],
    posts: Collection[str],
) -> Acting:
    """Return for which sides of a ticket a caller may act, and whether they owe it in any post."""
    # Who is no unit of the branch is spoken for at the one point of entry.
    speaking = {one for one, kind in kinds.items() if kind == CentreKind.SUPPORT}
    if owner.kind is UnitKind.CENTRE:
        speaking = {owner.centre_id or ""}
    support = Role.SUPPORT_CENTRE in principal.roles or any(
        kind == CentreKind.SUPPORT and represents(principal, centre_id, kinds)
        for centre_id, kind in kinds.items()
    )
    return Acting(
        raiser=represents(principal, raiser_centre_id, kinds),
        owner=(
            represents(principal, owner.centre_id, kinds)
            if owner.kind is UnitKind.CENTRE
            else support
        ),
        posted_with_owner=not speaking.isdisjoint(posts),
        support=support,
        # Who is bound to centres speaks for none but these.
        county_manager=Role.COUNTY_MANAGER in principal.roles and principal.centre_ids is None,
    )
