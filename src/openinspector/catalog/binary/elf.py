"""Where a section of an ELF file lies, without reading the rest of it.

Nearly every file that is asked about is somebody's shared library and has none of the wanted sections: one look at
the table of section names answers that.
Source: System V ABI, chapters 4 (Object Files) and 5 (Program Loading).
"""

from collections.abc import Collection, Iterator
from struct import Struct as Layout

from openinspector.catalog.binary.segment import OUT_OF_REACH, Segment, unpack_at
from openinspector.catalog.contract import View
from openinspector.errors import CatalogError

_NAMES_BYTES = 1 << 20  # of the section name table
_SECTIONS = 1 << 16
_SEGMENTS = 1 << 12
_EXTENDED = 0xFFFF  # the real number stands in the first section header
_HEADER_BYTES = 64
_LOAD, _EXECUTABLE, _WRITABLE = 1, 1, 2

# Section and program table offsets, then the six 16-bit numbers behind e_flags and e_ehsize: sizes, counts, name table.
_HEADERS = {
    (2, 1): (Layout("<32xQQ4x2x5H"), Layout("<2I4Q2I2Q"), Layout("<2I6Q")),
    (2, 2): (Layout(">32xQQ4x2x5H"), Layout(">2I4Q2I2Q"), Layout(">2I6Q")),
    (1, 1): (Layout("<28xII4x2x5H"), Layout("<10I"), Layout("<8I")),
    (1, 2): (Layout(">28xII4x2x5H"), Layout(">10I"), Layout(">8I")),
}


class Elf:
    """The headers of an ELF file."""

    def __init__(self, data: View) -> None:
        """Read the file header.

        Raises:
            CatalogError: It is cut off or of an unknown class.
        """
        head = bytes(data[:_HEADER_BYTES])
        try:
            layouts = _HEADERS[head[4], head[5]]
            (
                self._segments_at,
                self._sections_at,
                self._segment_size,
                self._segment_count,
                self._section_size,
                self._section_count,
                self._names_index,
            ) = layouts[0].unpack_from(head)
        except (KeyError, IndexError, *OUT_OF_REACH) as error:
            raise CatalogError("its ELF header is cut off or of an unknown class") from error
        self._header, self._section, self._program = layouts
        self._wide = head[4] == 2
        self.big_endian = head[5] == 2
        self._data = data

    def names(self) -> bytes | None:
        """The table of section names as it lies in the file; None where the section table was removed or is damaged."""
        data, at, size, index = self._data, self._sections_at, self._section_size, self._names_index
        if not at or size < self._section.size:
            return None
        try:
            if index == _EXTENDED:
                index = unpack_at(self._section, data, at)[6]
            header = unpack_at(self._section, data, at + index * size)
        except OUT_OF_REACH:
            return None
        start, length = header[4], header[5]
        if header[1] != 3 or start + length > len(data) or length > _NAMES_BYTES:  # SHT_STRTAB
            return None
        return bytes(data[start : start + length])

    def sections(self, names: bytes, wanted: Collection[bytes]) -> dict[bytes, View]:
        """The content of those wanted sections that exist; `names` is what `names()` gave.

        Raises:
            CatalogError: A wanted section reaches beyond the end of the file.
        """
        found: dict[bytes, View] = {}
        for header in self._section_headers():
            end = names.find(b"\0", header[0])
            name = names[header[0] : end]
            if name not in wanted or name in found:
                continue
            start, length = header[4], header[5]
            if header[1] == 8 or start + length > len(self._data):  # SHT_NOBITS: only a debug companion keeps the name
                raise CatalogError(f"its section {name.decode('ascii', 'replace')} is not in the file")
            found[name] = self._data[start : start + length]
        return found

    def segments(self) -> list[Segment]:
        """The parts that are loaded."""
        found = []
        for number in range(min(self._segment_count, _SEGMENTS)):
            try:
                header = unpack_at(self._program, self._data, self._segments_at + number * self._segment_size)
            except OUT_OF_REACH:
                break
            if header[0] != _LOAD:
                continue
            if self._wide:
                _, flags, offset, address, _, size, _, _ = header
            else:
                _, offset, address, _, size, _, flags, _ = header
            found.append(
                Segment(
                    offset=offset,
                    size=size,
                    address=address,
                    writable=bool(flags & _WRITABLE),
                    executable=bool(flags & _EXECUTABLE),
                )
            )
        return found

    def _section_headers(self) -> Iterator[tuple[int, ...]]:
        at, count = self._sections_at, self._section_count
        try:
            if count == 0:
                count = unpack_at(self._section, self._data, at)[5]
            for number in range(min(count, _SECTIONS)):
                yield unpack_at(self._section, self._data, at + number * self._section_size)
        except OUT_OF_REACH:
            return
