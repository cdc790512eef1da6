"""A package URL in parts: how publishers name packages and images across ecosystems.

Source: https://github.com/package-url/purl-spec
"""

from msgspec import Struct

LONGEST = 4096  # characters; no real one has more than a few hundred


class Purl(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`pkg:type/namespace/name@version?qualifiers#subpath`, decoded and normalised by the rules of its type."""

    type: str
    name: str
    namespace: str = ""
    version: str = ""  # "" is every version
    qualifiers: tuple[tuple[str, str], ...] = ()
    subpath: str = ""

    def qualifier(self, key: str) -> str:
        """The value of a qualifier, "" where it isn't there."""
        return next((value for name, value in self.qualifiers if name == key), "")


def parse_purl(text: str) -> Purl | None:
    """The parts; None for what is no package URL."""
    if not text.startswith("pkg:") or len(text) > LONGEST:
        return None
    from packageurl import PackageURL

    try:
        read = PackageURL.from_string(text)
    except ValueError:
        return None
    qualifiers = read.qualifiers if isinstance(read.qualifiers, dict) else {}
    return Purl(
        type=read.type,
        name=read.name,
        namespace=read.namespace or "",
        version=read.version or "",
        qualifiers=tuple(sorted(qualifiers.items())),
        subpath=read.subpath or "",
    )
