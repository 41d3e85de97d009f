"""What the seal of a closed period binds."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from huaxiao.shared.documents import digest


@dataclass(frozen=True, slots=True)
class Sealing:
    """A closing, as its seal binds it to the one before."""

    branch_id: int
    period: int
    entries: int
    entries_digest: str
    begun_by: str | None
    begun_at: datetime | None
    closed_by: str
    closed_at: datetime
    unresolved_fen: int
    net_revenue_fen: int
    warn_above_basis_points: int
    block_above_basis_points: int
    seal_before: str
    """The seal of the period closed before; empty for the first."""
    approved_by: str | None = None
    """Who approved that more is unresolved than the limit; None where nobody had to."""
    approved_at: datetime | None = None
    approved_reason: str | None = None
    approved_unresolved_fen: int | None = None
    approved_net_revenue_fen: int | None = None

    def seal(self) -> str:
        """Return the SHA-256, in hex, over all that is bound."""
        return digest({name: _plain(value) for name, value in asdict(self).items()})


def _plain(value: int | str | datetime | None) -> int | str | None:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return value
