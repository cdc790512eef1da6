"""The sections of a Windows executable.

Source: https://learn.microsoft.com/windows/win32/debug/pe-format (file header, optional header, section table)
"""

from struct import Struct as Layout

from openinspector.catalog.binary.segment import OUT_OF_REACH, Segment, unpack_at
from openinspector.catalog.contract import View
from openinspector.errors import CatalogError

_SECTION = Layout("<8s4I12xI")  # name, virtual size, address, raw size, raw offset, characteristics
_SECTION_SIZE = 40
_SECTIONS = 1 << 12
_WRITABLE, _EXECUTABLE = 0x80000000, 0x20000000


class Pe:
    """The sections by name, and the address at which the file is meant to be loaded."""

    def __init__(self, data: View) -> None:
        """Read the headers.

        Raises:
            CatalogError: There are none: an old DOS program, or cut off.
        """
        try:
            (at,) = unpack_at(Layout("<60xI"), data, 0)
            if bytes(data[at : at + 4]) != b"PE\0\0":
                raise CatalogError("it has no PE header")
            _, count, optional_size = unpack_at(Layout("<2H12xH"), data, at + 4)
            optional = at + 24
            (magic,) = unpack_at(Layout("<H"), data, optional)
            if magic == 0x20B:
                (base,) = unpack_at(Layout("<Q"), data, optional + 24)
            else:
                (base,) = unpack_at(Layout("<I"), data, optional + 28)
            self.sections: list[tuple[bytes, Segment]] = []
            for number in range(min(count, _SECTIONS)):
                name, virtual, address, raw, offset, flags = unpack_at(
                    _SECTION, data, optional + optional_size + number * _SECTION_SIZE
                )
                segment = Segment(
                    offset=offset,
                    size=min(raw, virtual) if virtual else raw,
                    address=base + address,
                    writable=bool(flags & _WRITABLE),
                    executable=bool(flags & _EXECUTABLE),
                )
                self.sections.append((name.rstrip(b"\0"), segment))
        except OUT_OF_REACH as error:
            raise CatalogError("its PE headers are cut off") from error
