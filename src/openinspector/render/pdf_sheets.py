"""Sheets of a PDF: headings, paragraphs and tables one below the other, on as many pages as it takes.

Drawn while content comes in, without a tree of the document: what is held is the page in hand and, compressed, those
before it. Text is drawn as it is, never read as markup; characters that can't be drawn are told by their numbers.

Source: ISO 32000-1, 14.3.3 (document information) and 14.9.2 (language); ReportLab's user guide.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any, Final

from openinspector.render.pdf_text import Weight, font

MOST_BOOKMARKS: Final = 2_000

Colour = tuple[float, float, float]  # red, green, blue, 0.0-1.0

BLACK: Final[Colour] = (0.07, 0.07, 0.07)
GREY: Final[Colour] = (0.35, 0.35, 0.35)
_RULE: Final[Colour] = (0.78, 0.8, 0.83)
_SHADE: Final[Colour] = (0.91, 0.93, 0.95)

# All in points.
_WIDTH: Final = 595.28  # A4
_HEIGHT: Final = 841.89
_MARGIN: Final = 42.0
_TOP: Final = _HEIGHT - 56.0
_BOTTOM: Final = 52.0
INNER: Final = _WIDTH - 2 * _MARGIN
_SMALL: Final = 7.5  # the size of tables, headers and footers
_BODY: Final = 8.5
_HEADINGS: Final[Mapping[int, float]] = {0: 18.0, 1: 13.0, 2: 9.5}
_SPACING: Final = 1.32  # of lines, times their size
_PADDING: Final = 3.0  # of a cell
_INDENT: Final = 100.0  # of what stands beside a label
_PAGES: Final = "pages"
_LINES_FOR_LATER: Final = 3


class PagesFull(Exception):  # noqa: N818 - a state, not an error: the report ends and says so
    """There are as many pages as there may be."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table, `width` points wide. `colours` are those of the texts that have one; they are bold, too."""

    title: str
    width: float
    right: bool = False
    colours: Mapping[str, Colour] | None = None


class Sheets:
    """A PDF in the making; `end` writes it.

    Its bytes depend on what is drawn and on the arguments alone. `made` is the document's date, aware and UTC.

    Raises:
        PagesFull: From whatever draws, where `most_pages` are full. `end` may still be called.
    """

    def __init__(self, file: IO[bytes], *, title: str, subject: str, made: datetime, most_pages: int) -> None:
        from reportlab.pdfgen.canvas import Canvas

        self._most_pages = most_pages
        self._title = font("regular").drawable(title).replace("\n", " ")
        self._page = self._bookmarks = 0
        self._y = _TOP
        self._later: dict[str, float] = {}
        self._canvas: Any = Canvas(
            file,
            pagesize=(_WIDTH, _HEIGHT),
            invariant=1,
            lang="en",
            initialFontName=font("regular").name,
            initialFontSize=_BODY,
            pageCompression=1,
        )
        self._canvas.setTitle(self._title)
        self._canvas.setSubject(font("regular").drawable(subject))
        self._canvas.setAuthor("")
        self._canvas.setCreator("openinspector")
        self._canvas.setProducer("openinspector")
        self._canvas.setDateFormatter(lambda *_: f"D:{made:%Y%m%d%H%M%S}+00'00'")
        self._canvas.setViewerPreference("DisplayDocTitle", "true")
        self._canvas.showOutline()
        self._canvas.setPageCallBack(self._compress)
        self._begin_page()

    def heading(self, text: str, level: int, *, bookmark: str = "", room: float = 60.0) -> None:
        """A heading, with `room` below it on its page. 0 is the document's, 2 the lowest.

        `bookmark` is what the outline calls it, "" for not at all; one of level 2 hangs below the last of level 1.
        There are at most `MOST_BOOKMARKS`.
        """
        size = _HEADINGS[level]
        lines = self._lines(text, INNER, size, "bold")
        self._skip(size * 0.9)
        self._need(min(len(lines) * size * _SPACING + room, (_TOP - _BOTTOM) / 2))
        if bookmark and self._bookmarks < MOST_BOOKMARKS:
            self._bookmarks += 1
            key = f"b{self._bookmarks}"
            self._canvas.bookmarkHorizontal(key, 0, self._y)
            label = font("regular").drawable(bookmark[:120]).replace("\n", " ")
            self._canvas.addOutlineEntry(label, key, max(0, level - 1), closed=True)
        self._draw(lines, size, "bold")
        self._skip(size * 0.35)

    def paragraph(self, text: str, *, label: str = "", colour: Colour = BLACK) -> None:
        """A paragraph, under a label where there is one."""
        if label:
            self._need(2 * _BODY * _SPACING)
            self._draw([label], _BODY, "bold")
        self._draw(self._lines(text, INNER, _BODY), _BODY, colour=colour)
        self._skip(_BODY * 0.5)

    def fact(self, label: str, text: str) -> None:
        """What something is, beside its name."""
        self._draw(self._lines(text, INNER - _INDENT, _BODY), _BODY, indent=_INDENT, label=label)

    def fact_for_later(self, label: str, name: str) -> None:
        """The like, of three lines at most, whose text is known at the end: `end` is given it by `name`."""
        self._need(_LINES_FOR_LATER * _BODY * _SPACING)
        self._later[name] = self._y
        self._canvas.doForm(name)
        self._draw([""] * _LINES_FOR_LATER, _BODY, indent=_INDENT, label=label)

    def table(self, columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> None:
        """A table of texts, whose header is repeated on each page. A row stays together where it fits on a page.

        What gives the rows must not draw.
        """
        header = [self._lines(each.title, each.width - 2 * _PADDING, _SMALL, "bold") for each in columns]
        top = _height(header)
        for number, row in enumerate(rows):
            cells = [self._cell(column, text) for column, text in zip(columns, row, strict=True)]
            whole = _height(cells)
            together = whole if top + whole <= _TOP - _BOTTOM else _height([["", ""]])
            if number == 0:
                self._need(top + together)
                self._header(columns, header)
            elif self._need(together):
                self._header(columns, header)
            self._y -= _PADDING
            for line in range(max(map(len, cells))):
                if self._need(_SMALL * _SPACING + _PADDING):
                    self._header(columns, header)
                    self._y -= _PADDING
                self._row_line(columns, cells, line, row)
            self._y -= _PADDING
            self._rule()
        self._skip(_BODY)

    def end(self, said: Mapping[str, str]) -> None:
        """Writes the document. `said` are the texts for later, by name: every one that was announced."""
        self._canvas.showPage()
        for name, y in self._later.items():
            self._canvas.beginForm(name)
            self._use(_BODY, "regular", BLACK)
            for number, line in enumerate(self._lines(said[name], INNER - _INDENT, _BODY)[:_LINES_FOR_LATER]):
                self._canvas.drawString(_MARGIN + _INDENT, y - _BODY - number * _BODY * _SPACING, line)
            self._canvas.endForm()
        self._canvas.beginForm(_PAGES)
        self._use(_SMALL, "regular", GREY)
        self._canvas.drawString(0, 0, str(self._page))
        self._canvas.endForm()
        self._canvas.save()

    def _lines(self, text: str, width: float, size: float, weight: Weight = "regular") -> list[str]:
        return font(weight).lines(font(weight).drawable(text), width * 1000 / size)

    def _cell(self, column: Column, text: str) -> list[str]:
        return self._lines(text, column.width - 2 * _PADDING, _SMALL, _weight(column, text))

    def _draw(
        self,
        lines: Sequence[str],
        size: float,
        weight: Weight = "regular",
        colour: Colour = BLACK,
        indent: float = 0.0,
        label: str = "",
    ) -> None:
        """Lines one below the other; `label` stands at the left of the first."""
        for number, line in enumerate(lines):
            self._need(size * _SPACING)
            if label and number == 0:
                self._use(size, "bold", BLACK)
                self._canvas.drawString(_MARGIN, self._y - size, label)
            if line:
                self._use(size, weight, colour)
                self._canvas.drawString(_MARGIN + indent, self._y - size, line)
            self._y -= size * _SPACING

    def _header(self, columns: Sequence[Column], header: Sequence[Sequence[str]]) -> None:
        height = _height(header)
        self._canvas.setFillColorRGB(*_SHADE)
        self._canvas.rect(_MARGIN, self._y - height, INNER, height, stroke=0, fill=1)
        self._y -= _PADDING
        for line in range(max(map(len, header))):
            self._row_line(columns, header, line, ())
        self._y -= _PADDING

    def _row_line(
        self, columns: Sequence[Column], cells: Sequence[Sequence[str]], line: int, row: Sequence[str]
    ) -> None:
        """One line of a row; `row` has the cells' texts, a header none."""
        # In one text object, which sets what changes: with one for each cell, as drawString has it, twice the time.
        x, y, drawn = _MARGIN, self._y - _SMALL, self._canvas.beginText()
        drawn.setFont(font("regular").name, _SMALL)
        drawn.setFillColorRGB(*BLACK)
        used: tuple[Weight, Colour] = ("regular", BLACK)
        for number, column in enumerate(columns):
            text = cells[number][line] if line < len(cells[number]) else ""
            if text:
                colour = (column.colours or {}).get(row[number]) if row else None
                looks: tuple[Weight, Colour] = ("bold" if colour or not row else "regular", colour or BLACK)
                if looks != used:
                    drawn.setFont(font(looks[0]).name, _SMALL)
                    drawn.setFillColorRGB(*looks[1])
                    used = looks
                room = (
                    column.width - _PADDING - font(looks[0]).width(text) * _SMALL / 1000 if column.right else _PADDING
                )
                drawn.setTextOrigin(x + room, y)
                drawn.textLine(text)
            x += column.width
        self._canvas.drawText(drawn)
        self._y -= _SMALL * _SPACING

    def _rule(self) -> None:
        self._canvas.setStrokeColorRGB(*_RULE)
        self._canvas.setLineWidth(0.5)
        self._canvas.line(_MARGIN, self._y, _WIDTH - _MARGIN, self._y)

    def _skip(self, height: float) -> None:
        if self._y < _TOP:
            self._y -= height

    def _need(self, height: float) -> bool:
        """Goes to a new page where less than this is left of the one in hand; whether it did."""
        if self._y - height >= _BOTTOM - 0.01:  # sums of lines are not exact
            return False
        if self._page >= self._most_pages:
            raise PagesFull
        self._canvas.showPage()
        self._begin_page()
        return True

    def _begin_page(self) -> None:
        self._page += 1
        self._y = 46.0
        self._rule()
        self._y = _TOP
        self._use(_SMALL, "regular", GREY)
        if self._page > 1:
            running, *more = font("regular").lines(self._title, (INNER - 10) * 1000 / _SMALL)
            self._canvas.drawString(_MARGIN, _HEIGHT - 40, running + ("…" if more else ""))
        # The number of pages is known at the end, and so is its width: it stands where nothing comes after it.
        number = f"Page {self._page} of "
        self._canvas.drawRightString(_WIDTH - _MARGIN, 32, "openinspector")
        self._canvas.drawString(_MARGIN, 32, number)
        self._canvas.saveState()
        self._canvas.translate(_MARGIN + font("regular").width(number) * _SMALL / 1000, 32)
        self._canvas.doForm(_PAGES)
        self._canvas.restoreState()

    def _compress(self, _number: int) -> None:
        """Compresses the page that has just ended; ReportLab would keep it as it is until the end."""
        from reportlab.pdfbase.pdfdoc import PDFDictionary, PDFName, PDFStream, PDFZCompress

        page = self._canvas._doc.Pages[-1]
        kind = PDFDictionary({"Filter": PDFName(PDFZCompress.pdfname)})
        page.Contents = PDFStream(kind, PDFZCompress.encode(page.stream))
        page.stream = None

    def _use(self, size: float, weight: Weight, colour: Colour) -> None:
        self._canvas.setFont(font(weight).name, size)
        self._canvas.setFillColorRGB(*colour)


def _weight(column: Column, text: str) -> Weight:
    return "bold" if column.colours and text in column.colours else "regular"


def _height(cells: Sequence[Sequence[str]]) -> float:
    """The height of a row of cells, each of some lines."""
    return max(map(len, cells)) * _SMALL * _SPACING + 2 * _PADDING
