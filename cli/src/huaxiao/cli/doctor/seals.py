"""Seals and statements, computed again by the service that keeps them (R21)."""

from collections.abc import Callable, Sequence

import httpx

from huaxiao.cli.doctor.findings import Finding, Level, holds, unless_found
from huaxiao.cli.verifying import Verified, verified
from huaxiao.shared.clients.base import PeerProblem

CHECK = "seals"


async def check(url: str, token: Callable[[int], str], branch_ids: Sequence[int]) -> list[Finding]:
    """Have everything computed again in every branch."""
    found: list[Finding] = []
    counted = 0
    for branch_id in branch_ids:
        try:
            told = await verified(url, token(branch_id), branch_id, None)
        except (PeerProblem, httpx.TransportError) as problem:
            what = f"could not be computed again: {problem}"
            next_step = "See why contracts and attribution do not answer, then ask again."
            found.append(Finding(CHECK, Level.WRONG, what, next_step, "contracts", branch_id))
            continue
        counted += told.seals.fields + told.seals.contracts + told.statements
        found += [
            Finding(
                CHECK,
                Level.WRONG,
                what,
                "What the two sides signed is in the sealed document: put the row back to it.",
                "contracts",
                branch_id,
            )
            for what in seal_faults(told)
        ]
    return unless_found(CHECK, found, f"{counted} seals and statements come out as they were")


def seal_faults(told: Verified) -> list[str]:
    """Say what differs from what was sealed."""
    seals = [
        f"{one.subject_kind} {one.subject_id}: {one.what}"
        + (f" at {one.pointer}" if one.pointer else "")
        + f": {one.held!r} now, {one.sealed!r} sealed"
        for one in told.seals.differences
    ]
    return [*seals, *told.differing]


def not_asked() -> list[Finding]:
    """Say that nobody was named who could compute them again."""
    return [
        Finding(
            CHECK,
            Level.WARNING,
            "not computed again: no service was named that could",
            "Name it with --url and --token, or ask `huaxiao verify`.",
        )
    ]


def none_there() -> list[Finding]:
    """Say that there is no branch yet."""
    return [holds(CHECK, "there is no branch yet")]
