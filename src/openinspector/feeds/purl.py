"""The rpm package URLs of publishers, read fast: `pkg:rpm/redhat/bind-libs@9.11.36-8.el8?arch=x86_64&epoch=32`."""

from msgspec import Struct


class RpmPurl(Struct, frozen=True, kw_only=True):
    """A package URL's parts, decoded; `type` is `rpm` or `rpmmod`."""

    type: str
    name: str
    version: str
    qualifiers: dict[str, str]


def rpm_purl(text: str) -> RpmPurl | None:
    """The parts; None for another type of package."""
    head, _, tail = text.partition("?")
    kind, _, rest = head.partition("/")
    if kind not in ("pkg:rpm", "pkg:rpmmod"):
        return None
    path, _, version = rest.partition("@")
    qualifiers: dict[str, str] = {}
    if tail:
        for pair in tail.split("&"):
            key, _, value = pair.partition("=")
            qualifiers[key] = _decoded(value)
    return RpmPurl(
        type=kind.removeprefix("pkg:"),
        name=_decoded(path.rpartition("/")[2]),
        version=_decoded(version),
        qualifiers=qualifiers,
    )


def _decoded(text: str) -> str:
    if "%" not in text:
        return text
    from urllib.parse import unquote

    return unquote(text)
