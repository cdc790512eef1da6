"""Text that a PDF can show: the fonts, what they lack, and where lines end.

The font is Bitstream Vera, which ReportLab brings and which may be embedded: Western European letters, some signs. A
character that it lacks (of other scripts, of no width, of control) is shown as its number, `[U+05D0]`, in the order in
which it was written, so that nothing is hidden, and nothing turns the direction of what stands beside it.

Source: the licence and the character map of Bitstream Vera; The Unicode Standard, 23.
"""

import re
import unicodedata
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from threading import Lock
from typing import Any, Final, Literal

Weight = Literal["regular", "bold"]

_FILES: Final[dict[Weight, str]] = {"regular": "Vera", "bold": "VeraBd"}
_LINE_END: Final = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_SPACES: Final = re.compile(r"[^\S\n]+")
_READING: Final = Lock()
_SHORT: Final = 64  # characters of a text whose lines are kept: accounts, instances, statuses come again and again
_MOST_REPEATED: Final = 4096
_PARTS: Final = re.compile(r"[^-_/:,;=&]*[-_/:,;=&]+|[^-_/:,;=&]+")  # a long word may end a line after one of these


class Font:
    """A font of ReportLab's own, by the name under which its documents know it."""

    def __init__(self, weight: Weight) -> None:
        import reportlab
        from reportlab.pdfbase import pdfmetrics
        from reportlab.pdfbase.ttfonts import TTFont

        # By its path, for ReportLab would look into folders of the system and of the user as well.
        path = Path(reportlab.__file__).with_name("fonts") / f"{_FILES[weight]}.ttf"
        self.name: Final = f"openinspector-{weight}"
        font = TTFont(self.name, str(path))
        pdfmetrics.registerFont(font)
        # Its map leads to glyph 0, the sign for a missing one, as well.
        known: dict[int, Any] = {code: glyph for code, glyph in font.face.charToGlyph.items() if glyph}
        self._widths: Final = {code: font.face.charWidths[code] for code in known}
        self._repeated: Final = lru_cache(maxsize=_MOST_REPEATED)(self._all_broken)
        self._signs: Final = _Signs(each for each in known if chr(each).isprintable())

    def width(self, text: str) -> float:
        """The width of drawable text, in thousandths of the font's size."""
        widths = self._widths
        return float(sum(widths[ord(each)] for each in text))

    def drawable(self, text: str) -> str:
        """Text of the font's characters, spaces and line feeds alone."""
        if not (text.isascii() and text.isprintable()):
            text = _LINE_END.sub("\n", unicodedata.normalize("NFC", text))
            text = "\n".join(_SPACES.sub(" ", each) for each in text.split("\n"))
            text = text.translate(self._signs)
        return text

    def lines(self, text: str, width: float) -> list[str]:
        """Drawable text in lines that are at most `width` (thousandths of the size) wide.

        A line ends where the text's do and between words; a word that no line is wide enough for is broken, after one
        of its hyphens and the like, else anywhere. A character is never left out, however narrow the line.
        """
        return self._repeated(text, width) if len(text) <= _SHORT else self._all_broken(text, width)

    def _all_broken(self, text: str, width: float) -> list[str]:
        return [line for each in text.split("\n") for line in self._broken(each, width)]

    def _broken(self, text: str, width: float) -> list[str]:
        if self.width(text) <= width:
            return [text]
        space, lines, line, used = self._widths[0x20], [], "", 0.0
        for word in text.split():
            size = self.width(word)
            if line and used + space + size <= width:
                line, used = f"{line} {word}", used + space + size
                continue
            if line:
                lines.append(line)
            if size <= width:
                line, used = word, size
                continue
            *full, line = self._pieces(word, width)
            lines += full
            used = self.width(line)
        return [*lines, line]

    def _pieces(self, word: str, width: float) -> list[str]:
        """A word in pieces of which each has a line of its own."""
        pieces, line, used = [], "", 0.0
        for part in _PARTS.findall(word):
            size = self.width(part)
            if used + size > width:
                if line:
                    pieces.append(line)
                *full, line = self._slices(part, width)
                pieces += full
                used = self.width(line)
            else:
                line, used = line + part, used + size
        return [*pieces, line]

    def _slices(self, part: str, width: float) -> list[str]:
        slices, start, before = [], 0, 0.0
        ends = list(accumulate(self._widths[ord(each)] for each in part))
        for index, end in enumerate(ends):
            if end - before > width and index > start:
                slices.append(part[start:index])
                start, before = index, ends[index - 1]
        return [*slices, part[start:]]


def font(weight: Weight) -> Font:
    """The font of a weight, read once."""
    with _READING:  # ReportLab's register has one of a name, and documents in the making look it up there
        return _read(weight)


@lru_cache(maxsize=len(_FILES))
def _read(weight: Weight) -> Font:
    return Font(weight)


class _Signs(dict[int, str]):
    """What stands for a character, for `str.translate`: itself or its number."""

    def __init__(self, known: Any) -> None:
        super().__init__({code: chr(code) for code in (0x0A, *known)})

    def __missing__(self, code: int) -> str:
        # Not kept: there are a million of them.
        return f"[U+{code:04X}]"
