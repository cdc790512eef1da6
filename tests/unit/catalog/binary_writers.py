"""Small executables, made by hand: just enough headers for a reader of sections to find its way."""

import json
import struct
import zlib

MARK = b"\xff Go buildinf:"
SENTINEL = bytes(range(16))
ADDRESS = 0x400000


def modules(*lines):
    text = "".join(line + "\n" for line in lines).encode()
    return SENTINEL + text + SENTINEL


def uvarint(number):
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def inline_blob(version, text):
    head = (MARK + bytes([8, 2])).ljust(32, b"\0")
    return head + uvarint(len(version)) + version.encode() + uvarint(len(text)) + text


def pointer_blob(version, text, *, at, pointer_size=8, big_endian=False):
    """The older form; `at` is the address at which the blob will be loaded."""
    order = ">" if big_endian else "<"
    word = order + ("Q" if pointer_size == 8 else "I")
    headers_at = at + 16 + 2 * pointer_size
    strings_at = headers_at + 4 * pointer_size
    version_bytes = version.encode()
    return b"".join(
        (
            MARK + bytes([pointer_size, int(big_endian)]),
            struct.pack(word, headers_at),
            struct.pack(word, headers_at + 2 * pointer_size),
            struct.pack(word, strings_at) + struct.pack(word, len(version_bytes)),
            struct.pack(word, strings_at + len(version_bytes)) + struct.pack(word, len(text)),
            version_bytes + text,
        )
    )


def audit(*crates):
    return zlib.compress(json.dumps({"packages": list(crates)}).encode())


def elf(sections, *, wide=True, big_endian=False, with_sections=True, padding=0):
    """An ELF file whose sections (name → bytes, the first writable at ADDRESS) follow its headers."""
    order = ">" if big_endian else "<"
    header_size, segment_size, section_size = (64, 56, 64) if wide else (52, 32, 40)
    content_at = header_size + segment_size
    content_at += -content_at % 16
    body, places = b"", []
    for content in sections.values():
        body += b"\0" * (-len(body) % 16)
        places.append((content_at + len(body), len(content)))
        body += content
    names = b"\0"
    offsets = []
    for name in (*sections, b".shstrtab"):
        offsets.append(len(names))
        names += name + b"\0"
    names_at = content_at + len(body)
    table_at = names_at + len(names)
    table_at += -table_at % 8
    rows = [(0, 0, 0, 0)]
    rows += [(name, 1, start, size) for name, (start, size) in zip(offsets, places, strict=False)]
    rows.append((offsets[-1], 3, names_at, len(names)))
    layout = order + ("2I4Q2I2Q" if wide else "10I")
    table = b"".join(struct.pack(layout, name, kind, 3, 0, at, size, 0, 0, 1, 0) for name, kind, at, size in rows)
    if not with_sections:
        table, shoff, count, index = b"", 0, 0, 0
    else:
        shoff, count, index = table_at, len(rows), len(rows) - 1
    ident = b"\x7fELF" + bytes([2 if wide else 1, 2 if big_endian else 1, 1]) + bytes(9)
    head = struct.pack(order + ("2HI3QI6H" if wide else "2HI3II6H"), 2, 62, 1, 0, header_size, shoff, 0, header_size,
                       segment_size, 1, section_size, count, index)  # fmt: skip
    loaded = len(body)
    if wide:
        segment = struct.pack(order + "2I6Q", 1, 6, content_at, ADDRESS, ADDRESS, loaded, loaded, 16)
    else:
        segment = struct.pack(order + "8I", 1, content_at, ADDRESS, ADDRESS, loaded, loaded, 6, 16)
    front = (ident + head + segment).ljust(content_at, b"\0")
    return (front + body + names).ljust(table_at, b"\0") + table + b"\0" * padding


def pe(sections):
    """A 64-bit Windows program; sections are (name, characteristics, bytes)."""
    table_at = 0x80 + 24 + 112
    content_at = table_at + 40 * len(sections)
    content_at += -content_at % 512
    table, body = b"", b""
    for number, (name, flags, content) in enumerate(sections):
        start = content_at + len(body)
        table += struct.pack("<8s4I12xI", name, len(content), 0x1000 * (number + 1), len(content), start, flags)
        body += content + b"\0" * (-len(content) % 512)
    dos = b"MZ".ljust(0x3C, b"\0") + struct.pack("<I", 0x80)
    optional = (struct.pack("<H", 0x20B).ljust(24, b"\0") + struct.pack("<Q", ADDRESS)).ljust(112, b"\0")
    head = dos.ljust(0x80, b"\0") + b"PE\0\0" + struct.pack("<2H12xHH", 0x8664, len(sections), len(optional), 0x22)
    return (head + optional + table).ljust(content_at, b"\0") + body


def macho(sections, *, big_endian=False):
    """A 64-bit macOS program with one data segment; sections are name → bytes."""
    order = ">" if big_endian else "<"
    command_size = 72 + 80 * len(sections)
    content_at = 32 + command_size
    content_at += -content_at % 16
    rows, body = b"", b""
    for name, content in sections.items():
        body += b"\0" * (-len(body) % 16)
        start = content_at + len(body)
        rows += struct.pack(order + "16s16s2Q8I", name, b"__DATA", ADDRESS + len(body), len(content), start, *[0] * 7)
        body += content
    command = struct.pack(order + "2I16s4Q4I", 0x19, command_size, b"__DATA", ADDRESS, len(body), content_at, len(body),
                          3, 3, len(sections), 0)  # fmt: skip
    head = struct.pack(order + "8I", 0xFEEDFACF, 0x0100000C, 0, 2, 1, command_size, 0, 0)
    return (head + command + rows).ljust(content_at, b"\0") + body


def fat(*programs):
    """A universal file."""
    at = 8 + 20 * len(programs)
    at += -at % 4096
    rows, body = b"", b""
    for program in programs:
        rows += struct.pack(">5I", 7, 3, at + len(body), len(program), 12)
        body += program + b"\0" * (-len(program) % 4096)
    return (b"\xca\xfe\xba\xbe" + struct.pack(">I", len(programs)) + rows).ljust(at, b"\0") + body
