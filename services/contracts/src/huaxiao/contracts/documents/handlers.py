"""A contract as a document: load, fill, write."""

import asyncio
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from importlib.resources import files
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.branches import store as branch_store
from huaxiao.contracts.contracts import handlers as contracts
from huaxiao.contracts.documents import pdf, word
from huaxiao.contracts.documents.blocks import read
from huaxiao.contracts.documents.filling import grids_of, note_of, values_of
from huaxiao.contracts.fields import handlers as fields
from huaxiao.contracts.organisation import store as organisation_store
from huaxiao.contracts.signing.handlers import signatures_of
from huaxiao.shared.wire.contracts import Contract, DocumentFormat, ResponsibilityField
from huaxiao.shared.wire.signing import SideSignature


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
    wanted: DocumentFormat,
) -> bytes:
    """Return a contract that the caller may see as a file."""
    contract = await contracts.show(connection, branch_id, contract_id, centre_ids)
    signatures = await signatures_of(connection, branch_id, contract_id)
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
    return await asyncio.to_thread(_written, text, contract, signatures, held, names, wanted)


def _written(
    text: str,
    contract: Contract,
    signatures: Sequence[SideSignature],
    held: Sequence[ResponsibilityField],
    names: Mapping[str, str],
    wanted: DocumentFormat,
) -> bytes:
    blocks = read(text, values_of(contract, signatures), grids_of(contract, held, names))
    if wanted is DocumentFormat.DOCX:
        return word.render(blocks)
    return pdf.render(
        blocks, title=contract.contract_id, note=note_of(contract), dated=contract.signed_at
    )
