"""A contract as a document: load, fill, render."""

import asyncio
from collections.abc import Set as AbstractSet
from importlib.resources import files
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.branches import store as branch_store
from huaxiao.contracts.contracts import handlers as contracts
from huaxiao.contracts.documents.filling import grids_of, values_of
from huaxiao.contracts.documents.rendering import render
from huaxiao.contracts.fields import handlers as fields
from huaxiao.contracts.organisation import store as organisation_store


def template(path: Path | None) -> str:
    """Return the county's own template, or the suite's."""
    if path is not None:
        return path.read_text("utf-8")
    return files("huaxiao.contracts.documents").joinpath("contract.zh.txt").read_text("utf-8")


async def contract_document(
    connection: AsyncConnection,
    branch_id: int,
    contract_id: str,
    centre_ids: AbstractSet[str] | None,
    text: str,
) -> bytes:
    """Return a contract that the caller may see as a DOCX file."""
    contract = await contracts.show(connection, branch_id, contract_id, centre_ids)
    held = [
        await fields.show(connection, branch_id, field_id, None)
        for field_id in sorted(contract.field_ids)
    ]
    codes = {code for one in held for code in one.scope.address_prefixes}
    divisions = await branch_store.known_divisions(connection, branch_id, sorted(codes))
    units = await branch_store.known_units(connection, branch_id, sorted(codes))
    names = {row["code"]: row["name"] for row in (*divisions, *units)}
    names |= await organisation_store.channel_names(connection, branch_id)
    # A list of thousands takes a while: others are served meanwhile.
    return await asyncio.to_thread(
        render, text, values_of(contract), grids_of(contract, held, names)
    )
