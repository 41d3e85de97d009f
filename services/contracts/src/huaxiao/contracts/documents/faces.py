"""The two faces that text is set in: one for Chinese, one for everything that it lacks.

What neither has a glyph for is spelled out by its code point, so that nothing is lost in print.
"""

import unicodedata
from collections.abc import Iterator, Mapping
from enum import StrEnum
from itertools import groupby

_UNSEEN = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}


class Face(StrEnum):
    """A typeface."""

    HAN = "han"
    LATIN = "latin"


class _Spelling(dict[int, int | str]):
    """What ``str.translate`` asks: each character as it is, or spelled out."""

    def __init__(self, known: Mapping[str, tuple[Face, float]]) -> None:
        super().__init__({ord("\t"): "    ", ord("\r"): ""})
        self._known = known

    def __missing__(self, code: int) -> int | str:
        seen = chr(code) in self._known and unicodedata.category(chr(code)) not in _UNSEEN
        self[code] = code if seen else f"〔U+{code:04X}〕"
        return self[code]


class Faces:
    """How wide characters are, and which face has them."""

    def __init__(self, han: Mapping[int, float], latin: Mapping[int, float]) -> None:
        """Take the widths of both faces by code point, in thousandths of the size."""
        self._known = {
            chr(code): (face, width)
            for face, widths in ((Face.LATIN, latin), (Face.HAN, han))
            for code, width in widths.items()
        }
        self._spelling = _Spelling(self._known)

    def spelled(self, text: str) -> str:
        """Return text in which every character has a glyph; lines stay lines."""
        return "\n".join(line.translate(self._spelling) for line in text.split("\n"))

    def is_han(self, char: str) -> bool:
        """Say whether a character is set like Chinese: a line may end before and after it."""
        return self._known[char][0] is Face.HAN

    def width(self, text: str, size: float) -> float:
        """Return how wide spelled text is at a size, in the unit of the size."""
        known = self._known
        return sum(known[char][1] for char in text) * size / 1000

    def runs(self, text: str) -> Iterator[tuple[Face, str]]:
        """Yield the stretches of spelled text that are set in one face."""
        for face, chars in groupby(text, key=lambda char: self._known[char][0]):
            yield face, "".join(chars)
