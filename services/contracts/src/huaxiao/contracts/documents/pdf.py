"""Blocks as a PDF that shows on every machine: the glyphs that it uses are embedded in it.

The same blocks give the same bytes: nothing in the file says when or where it was written.
"""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib.resources import as_file, files

from fpdf import FPDF
from fpdf.enums import TextMode
from fpdf.fonts import TTFFont

from huaxiao.contracts.documents.blocks import Block, Grid
from huaxiao.contracts.documents.faces import Face, Faces
from huaxiao.contracts.documents.typesetting import Page, Typesetter

MEDIA_TYPE = "application/pdf"
_FILES = {Face.HAN: "DroidSansFallbackFull.ttf", Face.LATIN: "DejaVuSansCondensed.ttf"}
_UNDATED = datetime(1970, 1, 1, tzinfo=UTC)
_HAIRLINE = 0.4
_BOLD = 0.025
"""How much heavier bold is, of the size: there is no bold face of Chinese to embed as well."""
_GREY = 235


def render(
    blocks: Sequence[Block],
    *,
    title: str,
    note: str,
    dated: datetime | None,
    turned_to_fit: bool = False,
) -> bytes:
    """Return blocks as a PDF file on A4, with a note at the foot of every page.

    It is dated by the moment that its content is of, if any. ``turned_to_fit`` sets it in landscape
    if a table would have to break many of its cells in portrait.
    """
    written = FPDF(unit="pt", format="A4")
    written.set_auto_page_break(auto=False)
    written.set_creation_date(dated or _UNDATED)
    written.set_title(title)
    written.set_lang("zh-CN")
    written.set_line_width(_HAIRLINE)
    written.set_fill_color(_GREY)
    with ExitStack() as held:
        for face, name in _FILES.items():
            path = held.enter_context(as_file(files(__package__) / "fonts" / name))
            written.add_font(face, fname=path)
        faces = Faces(*(_widths(written, face) for face in (Face.HAN, Face.LATIN)))
        setter = Typesetter(faces, note)
        landscape = turned_to_fit and not all(
            setter.fits(block) for block in blocks if isinstance(block, Grid)
        )
        if landscape:
            setter = Typesetter(faces, note, landscape=True)
        for page in setter.set(blocks):
            written.add_page("landscape" if landscape else "portrait")
            _draw(written, page)
        return bytes(written.output())


def _widths(written: FPDF, face: Face) -> Mapping[int, float]:
    font = written.fonts[face]
    assert isinstance(font, TTFFont)  # noqa: S101 - only such have been added
    return {code: font.cw[code] for code in font.cmap}


def _draw(written: FPDF, page: Page) -> None:
    for shade in page.shades:
        written.rect(shade.x, shade.y, shade.width, shade.height, style="F")
    for rule in page.rules:
        written.line(rule.x, rule.y, rule.to_x, rule.to_y)
    for run in page.runs:
        written.set_font(run.face, size=run.size)
        if run.bold:
            with written.local_context(
                text_mode=TextMode.FILL_STROKE, line_width=run.size * _BOLD, fill_color=0
            ):
                written.text(run.x, run.y, run.text)
        else:
            written.text(run.x, run.y, run.text)
