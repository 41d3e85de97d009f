"""Intake beside TigerBeetle through its Python client; needs the address of a running server."""

import asyncio
import itertools
import os
from collections.abc import Sequence
from itertools import islice
from typing import Any

import asyncpg

from bench.intake import Copy, in_batches
from bench.measuring import Figure, Size, Suite, tell
from huaxiao.cli.sample.generator import Event

BEST_BATCH = 8_189
"""The most transfers that one of its messages holds."""
ACCOUNTS = (1, 2)


async def intake_batch_vs_tigerbeetle(suite: Suite, size: Size) -> Figure | None:
    """Post a month's bill items in batches; against posting them as transfers, its best batch each."""
    address = os.environ.get("TIGERBEETLE_ADDRESS")
    if not address:
        tell("intake_batch_vs_tigerbeetle: no TIGERBEETLE_ADDRESS of a running server, so no ratio")
        return None
    import tigerbeetle  # noqa: PLC0415 - only whoever measures against it needs it

    with tigerbeetle.ClientSync(cluster_id=0, replica_addresses=address) as client:
        accounts = [tigerbeetle.Account(id=one, ledger=1, code=1) for one in ACCOUNTS]
        client.create_accounts(accounts)
        numbers = itertools.count(tigerbeetle.id())

        async def limit(_: asyncpg.Connection, batches: list[list[Event]]) -> Copy:
            debit, credit = ACCOUNTS
            transfers = [
                tigerbeetle.Transfer(
                    id=next(numbers),
                    debit_account_id=debit,
                    credit_account_id=credit,
                    amount=event["data"]["amount_fen"],
                    ledger=1,
                    code=1,
                )
                for batch in batches
                for event in batch
            ]
            return lambda: asyncio.to_thread(_post, client, transfers)

        against = f"TigerBeetle through its Python client, {BEST_BATCH} transfers a message"
        return await in_batches(suite, size, "intake_batch_vs_tigerbeetle", against, limit, "", 1)


def _post(client: Any, transfers: Sequence[Any]) -> None:
    waiting = iter(transfers)
    while batch := list(islice(waiting, BEST_BATCH)):
        refused = [one for one in client.create_transfers(batch) if one.status.name != "CREATED"]
        if refused:
            raise RuntimeError(f"not all were posted: {refused[0]}")
