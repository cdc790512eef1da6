"""SPDX 2.2 and 2.3 in JSON.

Source: https://spdx.github.io/spdx-spec/v2.3/ and its JSON schema
"""

from typing import Any

from openinspector.acquire.sbom.json_document import Document, member, objects
from openinspector.acquire.sbom.record import Bill, cut
from openinspector.acquire.sbom.spdx import Element, Spdx, bill_of, check_version


def read(document: Document) -> Bill:
    """The bill of a decoded document.

    Raises:
        AcquireError: Its version is not understood.
    """
    check_version(cut(document.spdx_version))
    read_so_far = Spdx(
        creators=_texts(member(document.creation_info, "creators")),
        described=set(_texts(document.document_describes)),
        elements=[_element(each) for each in objects(document.packages)],
    )
    for each in objects(document.relationships):
        one, other = cut(each.get("spdxElementId")), cut(each.get("relatedSpdxElement"))
        read_so_far.relation(one, cut(each.get("relationshipType")), other, cut(each.get("comment")))
    for each in objects(document.has_extracted_licensing_infos):
        read_so_far.licenses[cut(each.get("licenseId"))] = cut(each.get("name")) or cut(each.get("extractedText"))
    return bill_of(read_so_far)


def _element(raw: dict[str, Any]) -> Element:
    return Element(
        id=cut(raw.get("SPDXID")),
        name=cut(raw.get("name")),
        version=cut(raw.get("versionInfo")),
        supplier=cut(raw.get("supplier")),
        purpose=cut(raw.get("primaryPackagePurpose")),
        license=cut(raw.get("licenseDeclared")),
        concluded=cut(raw.get("licenseConcluded")),
        origin=cut(raw.get("sourceInfo")),
        checksums=[
            (cut(each.get("algorithm")), cut(each.get("checksumValue"))) for each in objects(raw.get("checksums"))
        ],
        references=[
            (cut(each.get("referenceType")), cut(each.get("referenceLocator")))
            for each in objects(raw.get("externalRefs"))
        ],
        attributions=_texts(raw.get("attributionTexts")),
    )


def _texts(value: Any) -> list[str]:
    return [cut(each) for each in value if isinstance(each, str)] if isinstance(value, list) else []
