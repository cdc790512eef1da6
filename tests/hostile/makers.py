"""What a hostile test is made of: tar headers that say anything, bombs, and images of given layers."""

import gzip
import hashlib
import json
import struct
import zlib
from functools import cache
from pathlib import Path

BLOCK = 512
MEGABYTE = 1 << 20


def entry(
    name: str | bytes,
    data: bytes = b"",
    *,
    kind: bytes = b"0",
    link: str | bytes = b"",
    size: int | bytes | None = None,
    tail: bytes = b"",
    magic: bytes = b"ustar\x0000",
    check: bool = True,
) -> bytes:
    """One member of a tar archive; `size` (a number, or the field as it stands) may lie, `tail` lies from 345 on."""
    name = name.encode() if isinstance(name, str) else name
    link = link.encode() if isinstance(link, str) else link
    said = len(data) if size is None else size
    field = b"%011o\0" % said if isinstance(said, int) else said
    fields = name.ljust(100, b"\0")[:100] + b"0000644\0" + b"0000000\0" * 2 + field + b"00000000000\0"
    head = fields + b" " * 8 + kind + link.ljust(100, b"\0")[:100] + magic
    head = head.ljust(345, b"\0") + tail
    head = head.ljust(BLOCK, b"\0")
    total = sum(head) if check else 0
    head = head[:148] + b"%06o\0 " % total + head[156:]
    return head + data + bytes(-len(data) % BLOCK)


def huge(size: int) -> bytes:
    """The size field of a large file, in base 256."""
    return b"\x80" + size.to_bytes(11, "big")


def pax(name: str | bytes, data: bytes = b"", records: tuple[tuple[str, str], ...] = (), **more: object) -> bytes:
    """A member with an extended header."""
    lines = b""
    for key, value in records:
        body = f" {key}={value}\n".encode()
        length = len(body) + len(str(len(body) + 3))
        while len(str(length)) + len(body) != length:
            length = len(str(length)) + len(body)
        lines += str(length).encode() + body
    return entry("pax", lines, kind=b"x") + entry(name, data, **more)


APPLICATION = entry("app/requirements.txt", b"victim==1\n")


def tar(*members: bytes) -> bytes:
    """A whole archive."""
    return b"".join(members) + bytes(2 * BLOCK)


def image(path: Path, *layers: bytes, config: dict | None = None) -> Path:
    """An image as `docker save` writes it, of layers as they are."""
    names = [f"{at}.tar" for at in range(len(layers))]
    told = config or {"os": "linux", "architecture": "amd64", "rootfs": {"diff_ids": [digest(each) for each in layers]}}
    manifest = json.dumps([{"Config": "config.json", "RepoTags": ["app:1"], "Layers": names}]).encode()
    members = [entry("manifest.json", manifest), entry("config.json", json.dumps(told).encode())]
    path.write_bytes(tar(*members, *(entry(name, data) for name, data in zip(names, layers, strict=True))))
    return path


def digest(data: bytes) -> str:
    """`sha256:…`."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def gzip_bomb(head: bytes, gigabytes: int) -> bytes:
    """A gzip stream of `head` and so many gigabytes of zeros: members one after another, the zeros' packed once."""
    zeros = gzip.compress(bytes(64 * MEGABYTE), 9, mtime=0)
    return gzip.compress(head, mtime=0) + zeros * (16 * gigabytes)


def zstd_bomb(head: bytes, gigabytes: int) -> bytes:
    """The same in zstd: 128 kB of zeros are a block of four bytes, and a window of 8 MB is asked for."""
    import zstandard

    first = zstandard.ZstdCompressor().compress(head)
    blocks = struct.pack("<I", (1 << 17) << 3 | 1 << 1)[:3] + b"\0"  # one byte repeated, not the last block
    last = struct.pack("<I", 0 << 3 | 0 << 1 | 1)[:3]
    return first + b"\x28\xb5\x2f\xfd\x00\x68" + blocks * (8192 * gigabytes) + last


def deflated_zeros(size: int) -> bytes:
    """A raw deflate stream of so many zeros, made by repeating the stream of one megabyte."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    first = packer.compress(bytes(MEGABYTE)) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(bytes(MEGABYTE)) + packer.flush(zlib.Z_FULL_FLUSH)
    return first + again * (size // MEGABYTE - 1) + packer.flush(zlib.Z_FINISH)


@cache
def _sum_of_zeros(size: int) -> int:
    return zlib.crc32(bytes(size))


def zip_of(*members: tuple[str, bytes, int, int], overlap: bool = False) -> bytes:
    """A zip of (name, packed bytes, method, size said), with check sums of zeros for what is packed.

    With `overlap` all entries share the bytes of the first, as in D. Fifield, "A better zip bomb" (2019).
    """
    body, directory = bytearray(), bytearray()
    for name, packed, method, size in members:
        encoded = name.encode()
        start = 0 if overlap else len(body)
        crc = zlib.crc32(packed) if not method else _sum_of_zeros(size)
        facts = struct.pack("<5H3I2H", 20, 0, method, 0, 0x21, crc, len(packed), size, len(encoded), 0)
        if not (overlap and body):
            body += b"PK\x03\x04" + facts + encoded + packed
        directory += b"PK\x01\x02" + struct.pack("<H", 20) + facts
        directory += struct.pack("<3H2I", 0, 0, 0, 0o100644 << 16, start) + encoded
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, len(members) & 0xFFFF, len(members) & 0xFFFF, len(directory),
                      len(body), 0)  # fmt: skip
    return bytes(body + directory) + end
