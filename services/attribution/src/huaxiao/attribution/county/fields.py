"""Fields between the wire and the domain."""

from huaxiao.attribution.domain.organisation import SealedField
from huaxiao.shared.wire.contracts import FieldKind, FieldScope


def field_with(
    scope: FieldScope,
    *,
    field_id: str,
    kind: FieldKind,
    centre_id: str,
    term: tuple[int, int],
    digest: str = "",
) -> SealedField:
    """Return a field as decisions use it; one that is only tried has no digest."""
    return SealedField(
        field_id=field_id,
        kind=kind,
        centre_id=centre_id,
        term_from=term[0],
        term_to=term[1],
        address_prefixes=tuple(scope.address_prefixes),
        resource_prefixes=tuple(scope.resource_prefixes),
        customer_ids=frozenset(one.customer_id for one in scope.customers),
        channel_ids=tuple(scope.channel_ids),
        channel_mode=scope.channel_mode,
        digest=digest,
    )
