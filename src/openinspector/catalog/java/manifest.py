"""What a Java archive says of itself in `META-INF/MANIFEST.MF` and `pom.properties`.

Source: https://docs.oracle.com/en/java/javase/21/docs/specs/jar/jar.html#jar-manifest
(lines of at most 72 bytes, continued with a space; an empty line ends the main section),
https://docs.oracle.com/javase/8/docs/api/java/util/Properties.html#load-java.io.Reader-
"""

import re

MANIFEST_BYTES = 1 << 16  # a signed archive lists every entry after the main section; that part is not read
PROPERTIES_BYTES = 1 << 16

_CONTINUATION = re.compile(rb"\r?\n |\r(?!\n) ")
_END_OF_SECTION = re.compile(rb"\r?\n\r?\n|\r\r")


def parse_manifest(data: bytes) -> dict[str, str]:
    """The attributes of the main section by name in lower case (`bundle-version`); the first of equals counts."""
    end = _END_OF_SECTION.search(data)
    section = _CONTINUATION.sub(b"", data[: end.start()] if end else data)
    attributes: dict[str, str] = {}
    for line in section.decode("utf-8", "replace").splitlines():
        name, colon, value = line.partition(":")
        if colon and (value := value.strip()):
            attributes.setdefault(name.strip().lower(), value)
    return attributes


def parse_properties(text: str) -> dict[str, str]:
    """The lines `key=value` of a properties file, without the escapes that no coordinate needs."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        stripped = line.strip()
        if not stripped or stripped[0] in "#!":
            continue
        key, separator, value = stripped.partition("=")
        if not separator:
            key, separator, value = stripped.partition(":")
        if separator:
            found[key.strip()] = value.strip()
    return found
