"""Seals and statements of a branch, computed again by the service that keeps them (R21)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from huaxiao.shared.clients.contracts import ContractsClient
from huaxiao.shared.wire.verification import SealVerification


@dataclass(frozen=True, slots=True)
class Verified:
    """What agrees, and where the rest first differs."""

    seals: SealVerification
    statements: int
    differing: tuple[str, ...]
    """Each statement that came out otherwise: contract, period, and the first figure that differs."""

    @property
    def agrees(self) -> bool:
        """Whether all of it is as it was sealed and settled."""
        return self.seals.agrees and not self.differing

    def as_json(self) -> dict[str, Any]:
        """Return the same for machines."""
        return {
            "agrees": self.agrees,
            "seals": self.seals.model_dump(mode="json"),
            "statements": self.statements,
            "statements_differing": list(self.differing),
        }

    def lines(self) -> Iterator[str]:
        """Yield what to tell, a line each."""
        for one in self.seals.differences:
            where = f" at {one.pointer}" if one.pointer else ""
            yield (
                f"[red]✗[/red] {one.subject_kind} {one.subject_id}: {one.what}{where}:"
                f" {one.held!r} now, {one.sealed!r} sealed"
            )
        for told in self.differing:
            yield f"[red]✗[/red] {told}"
        mark = "[green]✓[/green]" if self.agrees else "[red]✗[/red]"
        yield (
            f"{mark} {self.seals.fields} fields, {self.seals.contracts} contracts,"
            f" {self.statements} statements computed again"
        )


async def verified(
    url: str,
    bearer: str,
    branch_id: int,
    contract_id: str | None,
    *,
    tell: Callable[[int, int], None] = lambda _done, _all: None,
) -> Verified:
    """Ask for everything to be computed again; ``tell`` hears how many statements of how many are.

    Raises:
        PeerProblem: the caller may not ask, or there is no such branch.

    """
    async with ContractsClient(url, lambda: bearer) as contracts:
        seals = await contracts.verify_seals(branch_id, contract_id)
        statements = [
            one
            for one in await contracts.settlement_statements(branch_id)
            if contract_id in {None, one.contract_id}
        ]
        differing = []
        for number, one in enumerate(statements, 1):
            again = await contracts.verify_settlement(branch_id, one.contract_id, one.period)
            if not again.agrees:
                differing.append(
                    f"statement {one.contract_id} {one.period}:"
                    f" {again.first_difference or 'its digest'} differs"
                )
            tell(number, len(statements))
    return Verified(seals, len(statements), tuple(differing))
