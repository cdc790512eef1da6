"""Writers of small rpm databases: headers, and the three containers for them."""

import sqlite3
import struct
from zlib import adler32

INT16, INT32, STRING, ARRAY, I18N = 3, 4, 6, 8, 9


def header(
    name="bash",
    version="5.1.8",
    release="9.el9",
    epoch=None,
    arch="x86_64",
    source="bash-5.1.8-9.el9.src.rpm",
    vendor="Red Hat, Inc.",
    license_="GPLv3+",
    module=None,
    files=(),
    old_files=(),
    extra=(),
):
    """A header as it lies in a database. `files`: (folder, base name, mode)."""
    tags = [(1000, STRING, [name]), (1001, STRING, [version]), (1002, STRING, [release])]
    if epoch is not None:
        tags.append((1003, INT32, [epoch]))
    tags += [(1004, I18N, ["a summary"]), (1011, STRING, [vendor]), (1014, STRING, [license_]), (1022, STRING, [arch])]
    if old_files:
        tags.append((1027, ARRAY, list(old_files)))
    if source:
        tags.append((1044, STRING, [source]))
    if files:
        folders = list(dict.fromkeys(folder for folder, _, _ in files))
        tags += [
            (1030, INT16, [mode for _, _, mode in files]),
            (1116, INT32, [folders.index(folder) for folder, _, _ in files]),
            (1117, ARRAY, [base for _, base, _ in files]),
            (1118, ARRAY, folders),
        ]
    if module:
        tags.append((5096, STRING, [module]))
    return raw_header([*sorted(tags), *extra])


def raw_header(tags):
    """A header of (tag, type, values)."""
    index, data = b"", b""
    for tag, kind, values in tags:
        if kind in (INT16, INT32):
            size = 2 if kind == INT16 else 4
            data += bytes(-len(data) % size)
            value = struct.pack(f">{len(values)}{'H' if kind == INT16 else 'I'}", *values)
        else:
            value = b"".join(each.encode() + b"\0" for each in values)
        index += struct.pack(">4I", tag, kind, len(data), len(values))
        data += value
    return struct.pack(">2I", len(tags), len(data)) + index + data


def bdb(headers, page_size=4096, order="<"):
    """A Berkeley DB hash database with one bucket: key 0 counts, small values lie on the page, large ones off it."""
    pages = {}
    items = [(struct.pack(order + "I", 0), struct.pack(order + "I", len(headers) + 1))]
    items += [(struct.pack(order + "I", at), blob) for at, blob in enumerate(headers, 1)]

    def page(number, following, entries, free, kind, body):
        head = struct.pack(order + "QIIIHHBB", 0, number, 0, following, entries, free, 0, kind)
        return (head + body).ljust(page_size, b"\0")

    next_page = 2
    room = page_size - 26
    hash_pages = []
    content, offsets, end = bytearray(page_size), [], page_size
    for key, value in items:
        if len(value) > page_size // 4:
            first = next_page
            chunks = [value[at : at + room] for at in range(0, len(value), room)]
            for at, chunk in enumerate(chunks):
                following = next_page + 1 if at + 1 < len(chunks) else 0
                pages[next_page] = page(next_page, following, 1, len(chunk), 7, chunk)
                next_page += 1
            item = b"\3\0\0\0" + struct.pack(order + "2I", first, len(value))
        else:
            item = b"\1" + value
        need = len(item) + len(key) + 1
        if end - need < 26 + 2 * (len(offsets) + 2):
            hash_pages.append((content, offsets))
            content, offsets, end = bytearray(page_size), [], page_size
        for part in (b"\1" + key, item):
            end -= len(part)
            content[end : end + len(part)] = part
            offsets.append(end)
    hash_pages.append((content, offsets))
    numbers = [1, *range(next_page, next_page + len(hash_pages) - 1)]
    for at, (body, places) in enumerate(hash_pages):
        following = numbers[at + 1] if at + 1 < len(numbers) else 0
        raw = bytearray(body)
        raw[26 : 26 + 2 * len(places)] = struct.pack(f"{order}{len(places)}H", *places)
        pages[numbers[at]] = page(numbers[at], following, len(places), places[-1], 13, bytes(raw[26:]))
    last = len(pages)
    meta = struct.pack(order + "QIII", 0, 0, 0x00061561, 9) + struct.pack(order + "I", page_size)
    meta += bytes((0, 8, 0, 0)) + struct.pack(order + "II", 0, last) + bytes(12 + 4 + 20)
    meta += struct.pack(order + "6I", 0, 0, 0, 0, len(items), 0) + struct.pack(order + "32I", *[1] * 32)
    return meta.ljust(page_size, b"\0") + b"".join(pages[number] for number in range(1, last + 1))


def ndb(headers, deleted=()):
    """An NDB database with one page of slots; the numbers in `deleted` have a free slot."""
    slots, blobs = [], b""
    block = 4096 // 16
    for number, blob in enumerate(headers, 1):
        if number in deleted:
            slots.append(struct.pack("<4s3I", b"Slot", 0, 0, 0))
            continue
        count = (16 + len(blob) + 12 + 15) // 16
        body = struct.pack("<4s3I", b"BlbS", number, 1_700_000_000, len(blob)) + blob
        body = body.ljust(count * 16 - 12, b"\0")
        body += struct.pack("<2I4s", adler32(body), len(blob), b"BlbE")
        slots.append(struct.pack("<4s3I", b"Slot", number, block, count))
        blobs += body
        block += count
    slots += [struct.pack("<4s3I", b"Slot", 0, 0, 0)] * (4096 // 16 - 2 - len(slots))
    return struct.pack("<4s4I", b"RpmP", 0, 1, 1, len(headers) + 1).ljust(32, b"\0") + b"".join(slots) + blobs


def sqlite(headers, folder=None, script=""):
    """A SQLite database; with a folder also its write-ahead log, in which everything but the tables then is."""
    schema = "CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL);" + script
    path = ":memory:" if folder is None else str(folder / "rpmdb.sqlite")
    connection = sqlite3.connect(path)
    try:
        connection.executescript(schema)
        if folder is not None:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA wal_autocheckpoint=0")
        for each in headers:
            connection.execute("INSERT INTO Packages (blob) VALUES (?)", (each,))
        connection.commit()
        if folder is None:
            return connection.serialize(), b""
        return (folder / "rpmdb.sqlite").read_bytes(), (folder / "rpmdb.sqlite-wal").read_bytes()
    finally:
        connection.close()
