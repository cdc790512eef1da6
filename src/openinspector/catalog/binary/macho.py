"""The sections of a macOS executable, of one or several architectures.

Source: Apple's <mach-o/loader.h> and <mach-o/fat.h>
"""

from struct import Struct as Layout

from openinspector.catalog.binary.segment import OUT_OF_REACH, Segment, unpack_at
from openinspector.catalog.contract import View
from openinspector.errors import CatalogError

FAT_MAGIC, FAT_MAGIC_64 = b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf"
_ARCHITECTURES = 16
_COMMANDS = 1 << 12
_COMMAND_BYTES = 1 << 22  # of all load commands together
_WRITE, _EXECUTE = 2, 4

_MAGICS = {
    b"\xfe\xed\xfa\xce": (">", False),
    b"\xfe\xed\xfa\xcf": (">", True),
    b"\xce\xfa\xed\xfe": ("<", False),
    b"\xcf\xfa\xed\xfe": ("<", True),
}


def slices(data: View) -> list[View]:
    """The programs of a file: itself, or one for each architecture of a universal file.

    Raises:
        CatalogError: A universal file's table reaches beyond its end.
    """
    magic = bytes(data[:4])
    if magic not in (FAT_MAGIC, FAT_MAGIC_64):
        return [data]
    layout = Layout(">8xII8x") if magic == FAT_MAGIC else Layout(">8xQQ8x")
    skip = 0 if magic == FAT_MAGIC else 8
    found: list[View] = []
    try:
        (count,) = unpack_at(Layout(">4xI"), data, 0)
        for number in range(min(count, _ARCHITECTURES)):
            # cputype and cpusubtype, then offset and size; the 64-bit form has a reserved word more.
            offset, size = unpack_at(layout, data, 8 + number * (20 if not skip else 32))
            if offset + size > len(data):
                raise CatalogError("an architecture of the universal file reaches beyond its end")
            found.append(data[offset : offset + size])
    except OUT_OF_REACH as error:
        raise CatalogError("its table of architectures is cut off") from error
    return found


class MachO:
    """The segments, and the sections by name."""

    def __init__(self, data: View) -> None:
        """Read the load commands.

        Raises:
            CatalogError: They are cut off.
        """
        try:
            order, wide = _MAGICS[bytes(data[:4])]
        except KeyError as error:
            raise CatalogError("it has no Mach-O header") from error
        header = Layout(order + "16x2I")
        command_head = Layout(order + "2I")
        if wide:
            segment_layout, section_layout = Layout(order + "24x4Q2i2I"), Layout(order + "16s16x2QI")
            first, size, kind, section_size = 32, 72, 0x19, 80
        else:
            segment_layout, section_layout = Layout(order + "24x4I2i2I"), Layout(order + "16s16x2II")
            first, size, kind, section_size = 28, 56, 0x1, 68
        self.segments: list[Segment] = []
        self.sections: dict[bytes, Segment] = {}
        try:
            count, _ = unpack_at(header, data, 0)
            at = first
            for _ in range(min(count, _COMMANDS)):
                command, length = unpack_at(command_head, data, at)
                if length < 8 or at + length > _COMMAND_BYTES:
                    raise CatalogError("its load commands have no sensible length")
                if command == kind:
                    address, _, offset, file_size, _, protection, sections, _ = unpack_at(segment_layout, data, at)
                    writable, executable = bool(protection & _WRITE), bool(protection & _EXECUTE)
                    self.segments.append(
                        Segment(
                            offset=offset, size=file_size, address=address, writable=writable, executable=executable
                        )
                    )
                    for number in range(min(sections, (length - size) // section_size)):
                        name, where, long, start = unpack_at(section_layout, data, at + size + number * section_size)
                        self.sections.setdefault(
                            name.rstrip(b"\0"),
                            Segment(offset=start, size=long, address=where, writable=writable, executable=executable),
                        )
                at += length
        except OUT_OF_REACH as error:
            raise CatalogError("its load commands are cut off") from error
