"""Lists that come and go as CSV and XLSX: what was uploaded, and every bad row of it."""

from enum import StrEnum

from huaxiao.shared.wire.base import Count, Moment, Resource


class SheetKind(StrEnum):
    """What a sheet lists."""

    PEOPLE = "people"  # 人员花名册
    CUSTOMERS = "customers"  # 清单客户
    FIELDS = "fields"  # 责任田


class SheetFormat(StrEnum):
    """How a sheet is written."""

    CSV = "csv"
    XLSX = "xlsx"


class BadRow(Resource):
    """A row that cannot be taken, and why; line 1 is the header."""

    line: Count
    column: str | None
    """The header of the cell at fault; null when it is the row as a whole."""
    code: str
    message: str
    message_zh: str


class SheetReport(Resource):
    """What became of a sheet: all of it is taken, or nothing."""

    number: Count
    """Counts the branch's uploads from 1."""
    kind: SheetKind
    digest: str
    """SHA-256, in hex, over the file."""
    rows: Count
    taken: bool
    """Whether it was imported; a preview never is."""
    bad: Count
    bad_rows: list[BadRow]
    """The first thousand of them."""
    uploaded_by: str
    uploaded_at: Moment
