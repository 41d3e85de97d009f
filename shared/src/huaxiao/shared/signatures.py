"""Signatures of Standard Webhooks: HMAC-SHA256 over identifier, moment and body."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

ID_HEADER = "webhook-id"
TIMESTAMP_HEADER = "webhook-timestamp"
SIGNATURE_HEADER = "webhook-signature"
TOLERANCE = timedelta(seconds=300)
"""How far the moment of a message may lie from ours, either way."""
SECRET_BYTES = 32
_SECRET_PREFIX = "whsec_"  # noqa: S105 - what begins every secret, and is none
_VERSION = "v1"
_MAX_ID = 255


def new_secret() -> str:
    """Return a secret nobody has had before, as it is told to whoever is to sign with it."""
    return _SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signature(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
    """Return the signature of a message, with the version of its kind before it."""
    key = base64.b64decode(secret.removeprefix(_SECRET_PREFIX))
    signed = f"{message_id}.{timestamp}.".encode() + body
    made = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return f"{_VERSION},{made}"


def is_signed(
    keys: Iterable[str],
    *,
    message_id: str,
    timestamp: str,
    signatures: str,
    body: bytes,
    now: datetime,
) -> bool:
    """Say whether one of a message's signatures, parted by spaces, is by one of these secrets.

    An identifier has no full stop, so that nothing can be shifted between what is signed.
    """
    if not (0 < len(message_id) <= _MAX_ID and message_id.isascii() and message_id.isprintable()):
        return False
    if "." in message_id or not (timestamp.isascii() and timestamp.isdecimal()):
        return False
    # Beyond twelve digits no moment is meant.
    if len(timestamp) > 12 or abs(int(timestamp) - now.timestamp()) > TOLERANCE.total_seconds():  # noqa: PLR2004
        return False
    given = [one.encode(errors="replace") for one in signatures.split(" ")]
    expected = [signature(one, message_id, timestamp, body).encode() for one in keys]
    holds = False
    for one in given:
        for known in expected:
            # Every pair is compared, so that how long it takes says nothing.
            holds |= hmac.compare_digest(one, known)
    return holds
