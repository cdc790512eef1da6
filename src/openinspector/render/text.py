"""What the formats share about text: JSON documents, ids made of content, addresses, lengths, hostile characters."""

import re
from collections.abc import Iterable
from typing import Any, Final

_NAMESPACE: Final = "6d1f0c2a-7b0e-5f3c-9a51-2f4d8e6b7c90"  # ours, drawn once: every id that we derive is below it
_ADDRESS: Final = re.compile(r"https?://[A-Za-z0-9\[][^\s\x00-\x20\x7f-\x9f<>\"\\^`{|}]*").fullmatch
_DATE_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)").fullmatch
_SPACE: Final = re.compile(r"\s+")
# Everything that XML 1.0 can't hold, not even as a reference, and the surrogates that UTF-8 can't.
_NOT_XML: Final = "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
_BLANK: Final = frozenset("\n\r\t\xa0\u2002\u2003\u2009\u202f\u3000")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"


def json_document(value: Any) -> str:
    """Indented JSON, ending with a line feed. Lone surrogates, which UTF-8 can't hold, become U+FFFD."""
    import msgspec

    return msgspec.json.format(_encoded(value), indent=2).decode() + "\n"


def json_line(value: Any) -> str:
    """JSON in one line; datetimes are ISO 8601. Lone surrogates become U+FFFD."""
    return _encoded(value).decode()


def _encoded(value: Any) -> bytes:
    import msgspec

    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return msgspec.json.encode(_without_surrogates(value))


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return _SURROGATE.sub(_REPLACEMENT, value)
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_surrogates(each) for each in value]
    return value


def identity(*parts: str) -> str:
    """A UUID (version 5) that depends on nothing but the parts."""
    from uuid import UUID, uuid5

    # A NUL between them, so that ("ab", "c") and ("a", "bc") differ.
    return str(uuid5(UUID(_NAMESPACE), _SURROGATE.sub(_REPLACEMENT, "\0".join(parts))))


def xml_text(text: str) -> str:
    """Text that an XML parser takes, escaped for content and for quoted attributes; what XML forbids becomes U+FFFD."""
    text = re.sub(_NOT_XML, _REPLACEMENT, text)  # not compiled before it is needed: that takes 5 ms
    return (
        text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace('"', "&quot;")
        .replace("'", "&#39;")
        .replace("\r", "&#13;")
    )


def visible(text: str) -> str:
    """Text without characters that nobody can see or that turn the direction of others; they become U+FFFD."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() or each in _BLANK else _REPLACEMENT for each in text)


def web_address(text: str) -> bool:
    """Whether this is an http(s) address that may be followed."""
    return len(text) <= 2048 and _ADDRESS(text) is not None


def web_addresses(texts: Iterable[str]) -> list[str]:
    """The http(s) addresses among them, each once, in their order."""
    return [each for each in dict.fromkeys(texts) if web_address(each)]


def date_time(text: str) -> bool:
    """Whether this is a moment as RFC 3339 writes it."""
    return _DATE_TIME(text) is not None


def one_line(text: str) -> str:
    """White space of any kind as single spaces."""
    return _SPACE.sub(" ", text).strip()


def cut(text: str, limit: int) -> str:
    """At most `limit` characters, an ellipsis where something is missing."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def page_of(vulnerability: str, address: str = "") -> str:
    """The page about a vulnerability: the publisher's own, else where ids of its kind are kept; "" for none."""
    if web_address(address):
        return address
    from urllib.parse import quote

    name = quote(vulnerability, safe="", errors="replace")
    if vulnerability.startswith("CVE-"):
        return f"https://nvd.nist.gov/vuln/detail/{name}"
    if vulnerability.startswith("GHSA-"):
        return f"https://github.com/advisories/{name}"
    return f"https://osv.dev/vulnerability/{name}" if vulnerability else ""


def cvss_version(vector: str) -> str:
    """`3.1`, `3.0`, `4.0` or `2.0`; "" for an empty vector."""
    if vector.startswith("CVSS:"):
        return vector[5:].partition("/")[0]
    return "2.0" if vector else ""
