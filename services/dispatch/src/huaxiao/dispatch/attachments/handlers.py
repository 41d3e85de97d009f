"""Attachments: load, decide, record."""

import hashlib
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.attachments import store
from huaxiao.dispatch.attachments.objects import ObjectStore, key_of
from huaxiao.dispatch.domain.attachments import AttachmentErased, accepted_type
from huaxiao.dispatch.domain.order_parts import require_open
from huaxiao.dispatch.orders import store as orders_store
from huaxiao.dispatch.parts.handlers import order_at_hand
from huaxiao.shared.auth import Principal
from huaxiao.shared.problems import Conflict, NotFound, Unavailable
from huaxiao.shared.ticking import Job
from huaxiao.shared.wire.orders import Attachment, AttachmentKind


async def upload(
    connection: AsyncConnection,
    branch_id: int,
    order_id: str,
    name: str,
    kind: AttachmentKind,
    content: bytes,
    *,
    objects: ObjectStore,
    most_bytes: int,
    principal: Principal,
    now: datetime,
) -> tuple[Attachment, bool]:
    """Keep an attachment; return it, and whether it is new.

    Raises:
        PartsClosed: the order has ended.
        AttachmentTooLarge: it has too many bytes.
        UnsupportedContent: it is neither a photo nor a form.
        Conflict: another content has this name.

    """
    _, progress = await order_at_hand(connection, branch_id, order_id, principal)
    media_type = accepted_type(name, kind, content, most_bytes=most_bytes)
    sha256 = hashlib.sha256(content).hexdigest()
    held = await store.load(connection, branch_id, order_id, name)
    if held is not None:
        if (held["sha256"], held["kind"]) != (sha256, kind):
            raise Conflict(
                f"Order {order_id} has another {name} ({held['kind']}, {held['sha256']}).",
                f"工单 {order_id} 已有不同的附件 {name}（{held['kind']}，{held['sha256']}）。",
                name=name,
                sha256=held["sha256"],
            )
        return Attachment.model_validate(dict(held)), False
    require_open(order_id, progress.state)
    await store.hold_content(connection, branch_id, sha256)
    row = {
        "branch_id": branch_id,
        "order_id": order_id,
        "name": name,
        "kind": kind,
        "media_type": media_type,
        "size": len(content),
        "sha256": sha256,
        "by": principal.subject,
        "at": now,
    }
    await store.add(connection, row)
    await objects.put(key_of(branch_id, sha256), content)
    return Attachment.model_validate(row | {"erased_at": None}), True


async def download(
    connection: AsyncConnection,
    branch_id: int,
    order_id: str,
    name: str,
    *,
    objects: ObjectStore,
    principal: Principal,
) -> tuple[Attachment, bytes]:
    """Return an attachment with its content.

    Raises:
        NotFound: there is none that the caller may see.
        AttachmentErased: what it showed is erased.
        Unavailable: its content is not where it was put, or is not what was put there.

    """
    if not await orders_store.is_visible(connection, branch_id, order_id, principal):
        raise NotFound
    row = await store.load(connection, branch_id, order_id, name)
    if row is None:
        raise NotFound
    if row["erased_at"] is not None:
        raise AttachmentErased
    content = await objects.get(key_of(branch_id, row["sha256"]))
    if content is None or hashlib.sha256(content).hexdigest() != row["sha256"]:
        raise Unavailable(
            f"The content of {name} ({row['sha256']}) is lost or damaged in the object store.",
            f"附件 {name}（{row['sha256']}）的内容在存储中丢失或损坏。",
            name=name,
            sha256=row["sha256"],
        )
    return Attachment.model_validate(dict(row)), content


async def listed(
    connection: AsyncConnection, branch_id: int, order_id: str, *, principal: Principal
) -> list[Attachment]:
    """Return an order's attachments by name."""
    if not await orders_store.is_visible(connection, branch_id, order_id, principal):
        raise NotFound
    rows = await store.listed(connection, branch_id, order_id)
    return [Attachment.model_validate(dict(row)) for row in rows]


def remove_erased(objects: ObjectStore) -> Job:
    """Return the job that takes out of the store what is erased and nothing else shows.

    The content goes before that is noted: whoever dies in between removes it once more.
    """

    async def remove(connection: AsyncConnection, branch_id: int, now: datetime) -> int:
        found = await store.to_remove(connection, branch_id)
        for sha256 in found:
            await store.hold_content(connection, branch_id, sha256)
            if not await store.is_shown(connection, branch_id, sha256):
                await objects.remove(key_of(branch_id, sha256))
            await store.removed(connection, branch_id, sha256, now=now)
        return len(found)

    return remove
