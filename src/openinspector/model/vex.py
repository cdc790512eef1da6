"""What somebody states about a vulnerability in a product: Vulnerability Exploitability eXchange.

Source: "Minimum Requirements for Vulnerability Exploitability eXchange (VEX)", CISA, April 2023.
"""

from typing import Literal

from msgspec import Struct

from openinspector.model.purl import Purl

VexStatus = Literal["not_affected", "fixed", "under_investigation", "affected"]
VexFormat = Literal["OpenVEX", "CycloneDX", "CSAF"]


class Product(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a statement is about, under each name that its publisher gives it; any of them identifies it.

    `versions`, where there are any, are the only ones that are meant.
    """

    id: str  # as written: a package URL, an IRI, a name
    purl: Purl | None = None
    cpe: str = ""
    digests: tuple[str, ...] = ()  # `sha256:…`
    versions: tuple[str, ...] = ()


class Statement(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One vulnerability, one product, one status.

    With `components` the vulnerability is meant as those parts of the product bring it, else as anything in it does.
    `vulnerabilities` are names of one flaw. `timestamp` is ISO 8601 in UTC with microseconds, so that texts sort; ""
    is earlier than any.
    """

    vulnerabilities: tuple[str, ...]
    status: VexStatus
    product: Product
    components: tuple[Product, ...] = ()
    justification: str = ""  # the publisher's label: `vulnerable_code_not_present`, `code_not_reachable`
    impact: str = ""  # why it is not affected, in words
    action: str = ""  # what to do about it, in words
    author: str = ""
    timestamp: str = ""
    document: str = ""  # the document's own id
    file: str = ""  # where it was read from
    format: VexFormat = "OpenVEX"
