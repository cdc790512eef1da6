"""What a system says of itself: os-release, and the older files that came before it.

Each file is one fact, under the name of the file: `("os-release", {"ID": "debian", …})` where it has `KEY=value` lines,
`("debian_version", {"text": "12.5"})` where it is a line of text. `_path` is where it was read: `etc/os-release` goes
before `usr/lib/os-release`. `catalog/distribution.py` makes sense of them.

Source: os-release(5)
"""

from typing import Final

from openinspector.catalog.contract import MEGABYTE, File, Format, Reading, Wants

_ASSIGNMENTS = ("etc/os-release", "usr/lib/os-release", "etc/lsb-release")
_TEXTS = (
    "etc/debian_version", "etc/alpine-release", "etc/redhat-release", "etc/system-release", "etc/system-release-cpe",
    "etc/oracle-release", "etc/centos-release", "etc/fedora-release", "etc/rocky-release", "etc/almalinux-release",
    "etc/SuSE-release", "etc/photon-release", "etc/mariner-release", "etc/azurelinux-release",
    "usr/lib/fedora-release", "usr/lib/redhat-release", "usr/lib/system-release", "usr/lib/centos-release",
)  # fmt: skip
_LONGEST = 64 * 1024


class OsRelease:
    """os-release and its older kin."""

    name = "os-release"
    title = "os-release, lsb-release, debian_version, redhat-release …"
    type = ""
    revision = 1
    wants = Wants(paths=_ASSIGNMENTS + _TEXTS, max_size=MEGABYTE)

    def accepts(self, path: str) -> bool:
        """Every file at these paths."""
        return path in self.wants.paths

    def read(self, file: File) -> Reading:
        """One fact."""
        text = File(path=file.path, data=bytes(file.data[:_LONGEST])).text()
        fact = assignments(text) if file.path in _ASSIGNMENTS else {"text": text.strip()}
        fact["_path"] = file.path
        return Reading(facts=((file.path.rpartition("/")[2], fact),))


def assignments(text: str) -> dict[str, str]:
    """The `KEY=value` lines of a file that shells can read; the last one of a key holds."""
    found = {}
    for line in text.splitlines():
        key, equals, value = line.strip().partition("=")
        if equals and key.isidentifier():
            found[key] = _unquoted(value.strip())
    return found


def _unquoted(value: str) -> str:
    if len(value) < 2 or value[0] not in "\"'" or value[-1] != value[0]:
        return value
    if value[0] == "'":
        return value[1:-1]
    plain = []
    escaped = False
    for letter in value[1:-1]:
        if letter == "\\" and not escaped:
            escaped = True
            continue
        plain.append(letter)
        escaped = False
    return "".join(plain)


PLUGIN: Final[Format] = OsRelease()
