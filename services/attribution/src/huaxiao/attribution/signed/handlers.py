"""Senders that sign: register, hear, and take in what they send."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.domain.messages import Message, Refusal
from huaxiao.attribution.intake import handlers as intake
from huaxiao.attribution.intake.reading import SUITE_SOURCE, Reading, read_by_turns
from huaxiao.attribution.intake.turns import Turns
from huaxiao.attribution.signed import store
from huaxiao.shared.audit.origins import Origin
from huaxiao.shared.auth import Principal, Role
from huaxiao.shared.database import Database
from huaxiao.shared.problems import Conflict, IdempotencyKeyReused, NotFound, Unauthenticated
from huaxiao.shared.rows import Scope
from huaxiao.shared.signatures import is_signed, new_secret
from huaxiao.shared.values import changed
from huaxiao.shared.wire.signed_sources import (
    NewSecretIn,
    SignedSecret,
    SignedSource,
    SignedSourceIn,
)

_KEPT = timedelta(days=3)
"""How long it is known that a message was taken; it may come again for a few minutes only."""
_FOREIGN = Refusal(
    "foreign-source",
    "The event names another source than the one that has signed it.",
    "事件的来源与签名方登记的来源不一致。",
)


@dataclass(frozen=True, slots=True)
class Signed:
    """A message whose signature holds."""

    branch_id: int
    source_id: str
    source: str
    message_id: str
    digest: bytes

    @property
    def principal(self) -> Principal:
        """Whoever signed, as a caller: a sending system of one branch."""
        return Principal(
            subject=f"signed:{self.branch_id}/{self.source_id}",
            roles=frozenset({Role.BSS_SOURCE}),
            branch_ids=frozenset({self.branch_id}),
            centre_ids=None,
        )


# --- registering --------------------------------------------------------------------------------


async def listed(connection: AsyncConnection, branch_id: int) -> list[SignedSource]:
    """Return the senders of a branch that sign."""
    secrets = await store.secrets(connection, branch_id)
    return [
        SignedSource.model_validate(
            dict(row)
            | {
                "secrets": [
                    SignedSecret.model_validate(dict(one))
                    for one in secrets
                    if one["source_id"] == row["source_id"]
                ]
            }
        )
        for row in await store.sources(connection, branch_id)
    ]


async def _shown(
    connection: AsyncConnection, branch_id: int, source_id: str, secret: str | None
) -> SignedSource:
    (found,) = [one for one in await listed(connection, branch_id) if one.source_id == source_id]
    return found.model_copy(update={"secret": secret})


async def register(
    connection: AsyncConnection,
    branch_id: int,
    source_id: str,
    given: SignedSourceIn,
    *,
    principal: Principal,
    now: datetime,
) -> SignedSource:
    """Register a sender that signs; the same again changes nothing, and tells no secret.

    Raises:
        Conflict: it is registered as another source, or names the suite itself.

    """
    if given.source == SUITE_SOURCE:
        raise Conflict("This source names the suite itself.", "该来源专指本系统。")
    known = await store.source(connection, branch_id, source_id, lock=True)
    if known is not None:
        if known["source"] != given.source:
            raise Conflict("It is registered as another source.", "已登记为其他来源。")
        return await _shown(connection, branch_id, source_id, None)
    row = {
        "branch_id": branch_id,
        "source_id": source_id,
        "source": given.source,
        "registered_by": principal.subject,
        "registered_at": now,
    }
    if not await store.add(connection, row):
        raise Conflict("It is being registered by somebody else.", "正由他人登记。")
    secret = await _add_secret(connection, branch_id, source_id, 1, principal, now)
    return await _shown(connection, branch_id, source_id, secret)


async def _add_secret(
    connection: AsyncConnection,
    branch_id: int,
    source_id: str,
    number: int,
    principal: Principal,
    now: datetime,
) -> str:
    secret = new_secret()
    await store.add_secret(
        connection,
        {
            "branch_id": branch_id,
            "source_id": source_id,
            "number": number,
            "secret": secret,
            "made_by": principal.subject,
            "valid_from": now,
        },
    )
    return secret


async def renew(
    connection: AsyncConnection,
    branch_id: int,
    source_id: str,
    given: NewSecretIn,
    *,
    principal: Principal,
    now: datetime,
) -> SignedSource:
    """Make a new secret; those before it are good for the overlap, and no longer than they were.

    Raises:
        NotFound: there is no such sender.

    """
    if await store.source(connection, branch_id, source_id, lock=True) is None:
        raise NotFound
    until = now + timedelta(hours=given.overlap_hours)
    await store.end_secrets(connection, branch_id, source_id, until)
    number = await store.last_number(connection, branch_id, source_id) + 1
    secret = await _add_secret(connection, branch_id, source_id, number, principal, now)
    return await _shown(connection, branch_id, source_id, secret)


# --- hearing ------------------------------------------------------------------------------------


async def hear(
    database: Database,
    branch_id: int,
    source_id: str,
    *,
    message_id: str,
    timestamp: str,
    signatures: str,
    body: bytes,
    now: datetime,
) -> Signed:
    """Return a message whose signature holds.

    Raises:
        Unauthenticated: it does not, for whatever reason.

    """
    async with database.read(Scope.of_branch(branch_id)) as connection:
        rows = await store.keys(connection, branch_id, source_id, now)
    holds = is_signed(
        [row["secret"] for row in rows],
        message_id=message_id,
        timestamp=timestamp,
        signatures=signatures,
        body=body,
        now=now,
    )
    if not holds:
        raise Unauthenticated
    return Signed(
        branch_id, source_id, rows[0]["source"], message_id, hashlib.sha256(body).digest()
    )


async def answered(database: Database, heard: Signed) -> bytes | None:
    """Return the answer to a message that was taken before; None if it was not.

    Raises:
        IdempotencyKeyReused: what was taken under its identifier was something else.

    """
    async with database.read(Scope.of_branch(heard.branch_id)) as connection:
        row = await store.delivery(connection, heard.branch_id, heard.source_id, heard.message_id)
    if row is None:
        return None
    if row["digest"] != heard.digest:
        raise IdempotencyKeyReused
    answer: bytes = row["answer"]
    return answer


async def take(
    turns: Turns, heard: Signed, raws: Sequence[bytes], *, now: datetime, origin: Origin
) -> bytes:
    """Take the events of a message in; remember that it was taken, and the answer.

    That is remembered after the events are booked: if it fails the message comes again, and its
    events are known by then.
    """
    readings = [
        _bound(one, heard.source) for one in await read_by_turns(raws, now=now, posted=True)
    ]
    report = await intake.receive(turns, heard.principal, readings, now=now, origin=origin)
    answer = report.model_dump_json().encode()
    async with turns.database.write(Scope.of_branch(heard.branch_id)) as connection:
        await store.add_delivery(
            connection,
            {
                "branch_id": heard.branch_id,
                "source_id": heard.source_id,
                "message_id": heard.message_id,
                "digest": heard.digest,
                "answer": answer,
                "received_at": now,
            },
        )
    return answer


def _bound(reading: Reading, source: str) -> Reading:
    """Refuse an event that names another source than the signer's."""
    if isinstance(reading.says, Message) and reading.name.source != source:
        return changed(reading, says=_FOREIGN)
    return reading


async def forget(connection: AsyncConnection, branch_id: int, now: datetime) -> int:
    """Forget messages that can no longer come again."""
    return await store.forget(connection, branch_id, now - _KEPT)
