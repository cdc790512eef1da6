"""How a valid file is damaged: in small steps that Hypothesis draws, so that a failure shrinks to those that matter."""

from hypothesis import strategies as st

_LARGEST = 1 << 20  # bytes that damage may make of a seed

# Places are parts of 65,536 of the length, so that they mean something in any file.
_PLACE = st.integers(0, 65_536)
_TOKENS = (
    *(b"\0", b"\xff", b"\n", b"\r\n", b"\n\n", b" ", b"\t", b'"', b"'", b"\\", b"\\u0000", b"\\ud800", b"\xed\xa0\x80"),
    *(
        b"null",
        b"true",
        b"-1",
        b"1e999",
        b"NaN",
        b"9" * 400,
        b"[]",
        b"{}",
        b"[[",
        b"{{",
        b"]",
        b"}",
        b":",
        b",",
        b"=",
        b"|",
    ),
    *(b"&a ", b"*a ", b"<<: *a", b"!!python/object:os.system x", b"---\n", b"- ", b"? ", b"<!--", b"<![CDATA[", b"&x;"),
    *(
        b"<!DOCTYPE a [<!ENTITY x 'y'>]>",
        b"../",
        b"/",
        b"%00",
        b"${v}",
        b"$",
        b"#",
        b"@",
        b"!",
        b"\x1b[31m",
        b"\xef\xbb\xbf",
    ),
    *(b"PK\x01\x02", b"PK\x05\x06", b"PK\x03\x04", b"\x7fELF", b"\x1f\x8b", b"BZh9", b"\x28\xb5\x2f\xfd", b"ustar"),
)
_NUMBERS = st.sampled_from(
    [number.to_bytes(width, order) for width in (1, 2, 4, 8) for order in ("little", "big")
     for number in (0, 1, (1 << 8 * width) - 1, 1 << 8 * width - 1, (1 << 8 * width - 1) - 1)]
)  # fmt: skip

_STEP = st.one_of(
    st.tuples(st.just("put"), _PLACE, st.sampled_from(_TOKENS) | _NUMBERS | st.binary(min_size=1, max_size=8)),
    st.tuples(st.just("insert"), _PLACE, st.sampled_from(_TOKENS) | st.binary(min_size=1, max_size=8)),
    st.tuples(st.just("flip"), _PLACE, st.integers(0, 7)),
    st.tuples(st.just("cut"), _PLACE, st.integers(1, 64)),
    st.tuples(st.just("end"), _PLACE, st.none()),
    st.tuples(st.just("again"), _PLACE, st.tuples(st.integers(1, 200), st.sampled_from((2, 50, 3000)))),
    st.tuples(st.just("many"), _PLACE, st.tuples(st.sampled_from(_TOKENS), st.sampled_from((10, 300, 20_000)))),
)
STEPS = st.lists(_STEP, min_size=1, max_size=5)


def damaged(data: bytes, steps: list) -> bytes:
    """The bytes after all steps."""
    out = bytearray(data)
    for kind, place, what in steps:
        at = place * len(out) >> 16
        match kind:
            case "put":
                out[at : at + len(what)] = what
            case "insert":
                out[at:at] = what
            case "flip" if at < len(out):
                out[at] ^= 1 << what
            case "cut":
                del out[at : at + what]
            case "end":
                del out[at:]
            case "again":
                size, times = what
                out[at:at] = bytes(out[at : at + size]) * times
            case "many":
                token, times = what
                out[at:at] = token * times
        del out[_LARGEST:]
    return bytes(out)
