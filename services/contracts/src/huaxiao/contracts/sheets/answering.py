"""How a sheet is answered: as a file in the format asked for."""

from typing import Annotated, Any

from fastapi import Query, Response

from huaxiao.contracts.sheets.files import (
    CSV_MEDIA_TYPE,
    XLSX_MEDIA_TYPE,
    write_csv,
    write_xlsx,
)
from huaxiao.shared.wire.sheets import SheetFormat

Format = Annotated[SheetFormat, Query(alias="format", description="csv or xlsx")]
SHEET: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The sheet.",
        "content": {CSV_MEDIA_TYPE: {}, XLSX_MEDIA_TYPE: {}},
    }
}


def as_file(name: str, rows: list[list[str]], wanted: SheetFormat) -> Response:
    """Return rows as a file to download."""
    if wanted is SheetFormat.CSV:
        content, media_type = write_csv(rows), CSV_MEDIA_TYPE
    else:
        content, media_type = write_xlsx(name, rows), XLSX_MEDIA_TYPE
    return download(f"{name}.{wanted}", content, media_type)


def download(name: str, content: bytes, media_type: str) -> Response:
    """Return a file to download under a name of letters, digits and dots."""
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=media_type, headers=disposition)
