"""The documents of an SBOM export, one for each resource, and the keys that they lie under.

The members are those that the service's exports have, with three differences that make the documents readable by
others: package URLs are of registered types and name the distribution (the service writes `pkg:dpkg/…` without one),
CycloneDX's `metadata.component` is left out where the service writes null, and SPDX's mandatory `dataLicense` is there.

Source: Inspector's user guide, "Exporting SBOMs with Amazon Inspector"; published exports;
https://cyclonedx.org/docs/1.4/json/; https://spdx.github.io/spdx-spec/v2.3/
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal
from urllib.parse import quote

from msgspec import Struct
from msgspec.structs import replace

from openinspector.model.inventory import Inventory
from openinspector.model.package import OS_TYPES, Package
from openinspector.model.resource import Ec2Instance, EcrImage, LambdaFunction, Resource
from openinspector.render.components import reference
from openinspector.render.text import date_time, identity, json_document, one_line

ReportFormat = Literal["CYCLONEDX_1_4", "SPDX_2_3"]
_Object = dict[str, Any]

_ODD: Final = re.compile(r"[^A-Za-z0-9.-]+")


class Content(Struct, frozen=True, kw_only=True):
    """What is told of a resource. `flaws` are the ids of the vulnerabilities of each package that has any.

    `exported_at` is ISO 8601 in UTC.
    """

    resource: Resource
    inventory: Inventory
    flaws: Mapping[Package, Sequence[str]]
    exported_at: str


def object_key(prefix: str, report_format: ReportFormat, report_id: str, resource: Resource) -> str:
    """Where the document of a resource lies in the bucket.

    `CYCLONEDX_1_4_outputs_<id>/account=111122223333/resource=AWS_EC2_INSTANCE/i-0abc_CYCLONEDX_1_4.json`
    """
    folder = f"{prefix}/" if prefix and not prefix.endswith("/") else prefix
    name = resource.id.replace("/", "_")
    return (
        f"{folder}{report_format}_outputs_{report_id}/account={resource.account}/resource={resource.type}"
        f"/{name}_{report_format}.json"
    )


def render(content: Content, report_format: ReportFormat) -> str:
    """The document of a resource."""
    components = _components(content)
    made = _cyclonedx(content, components) if report_format == "CYCLONEDX_1_4" else _spdx(content, components)
    return json_document(made)


class _Listed(Struct, frozen=True):
    """A package at one place, with the vulnerabilities that it has there."""

    purl: str
    package: Package
    flaws: tuple[str, ...]

    @property
    def reference(self) -> str:
        """32 hexadecimal digits, the same in every export."""
        return identity(self.purl).replace("-", "")


def _components(content: Content) -> list[_Listed]:
    """The packages by package URL; what lies in several places is there several times."""
    found: dict[str, tuple[Package, dict[str, None]]] = {}
    for package in dict.fromkeys((*content.inventory.packages, *content.flaws)):
        path = package.location.path
        placed = package
        if package.type not in OS_TYPES and path:
            placed = replace(package, qualifiers=(*package.qualifiers, ("path", path)))
        purl = reference(placed, content.inventory.distribution)
        _, flaws = found.setdefault(purl, (package, {}))
        flaws.update(dict.fromkeys(content.flaws.get(package, ())))
    return [_Listed(purl, package, tuple(flaws)) for purl, (package, flaws) in sorted(found.items())]


def _cyclonedx(content: Content, components: Sequence[_Listed]) -> _Object:
    affected: dict[str, list[_Object]] = {}
    for each in components:
        for flaw in each.flaws:
            affected.setdefault(flaw, []).append({"ref": each.reference})
    metadata: _Object = {"properties": [{"name": name, "value": value} for name, value in _facts(content)]}
    if date_time(content.exported_at):
        metadata = {"timestamp": content.exported_at} | metadata
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.4",
        "version": 1,
        "metadata": metadata,
        "components": [_component(each) for each in components],
        "vulnerabilities": [{"id": flaw, "affects": refs} for flaw, refs in sorted(affected.items())],
    }


def _component(each: _Listed) -> _Object:
    package = each.package
    made: _Object = {
        "type": "application" if package.type in OS_TYPES else "library",
        "bom-ref": each.reference,
        "name": package.name or "unknown",
        "version": package.version,
    }
    if each.purl.startswith("pkg:"):
        made["purl"] = each.purl
    return made


def _facts(content: Content) -> Iterable[tuple[str, str]]:
    resource = content.resource
    said = [
        ("accountId", resource.account),
        ("resourceType", resource.type),
        ("resourceId", resource.id),
        *_own_facts(resource),
        ("architecture", _architecture(content)),
        ("platform", resource.platform),
    ]
    return ((name, value) for name, value in said if value)


def _own_facts(resource: Resource) -> list[tuple[str, str]]:
    match resource.details:
        case Ec2Instance(image_id=image):
            return [("instanceId", resource.id), ("amiId", image)]
        case EcrImage(repository=repository, digest=digest):
            return [("imageId", digest), ("repositoryName", repository)]
        case LambdaFunction(name=name, version=version):
            return [("functionName", name), ("functionVersion", version)]
    return []


def _architecture(content: Content) -> str:
    """`amd64`; of the resource, else of what was scanned."""
    match content.resource.details:
        case EcrImage(architecture=own) if own:
            return own
        case LambdaFunction(architectures=(first, *_)):
            return first
    return content.inventory.target.platform.partition("/")[2].partition("/")[0]


def _spdx(content: Content, components: Sequence[_Listed]) -> _Object:
    resource = content.resource
    packages = [_package(each) for each in components]
    moment = f"{content.exported_at[:19]}Z" if date_time(content.exported_at) else "1970-01-01T00:00:00Z"
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": "/".join((resource.account, *_names(resource))),
        "documentNamespace": _namespace(content),
        "creationInfo": {
            "created": moment,
            "creators": [f"Organization: {resource.account}", "Tool: openinspector"],
        },
        "packages": packages,
        "relationships": [
            {
                "spdxElementId": "SPDXRef-DOCUMENT",
                "relationshipType": "DESCRIBES",
                "relatedSpdxElement": each,
            }
            for each in [package["SPDXID"] for package in packages] or ["NONE"]
        ],
    }


def _names(resource: Resource) -> tuple[str, ...]:
    """`EC2`, the instance and its image; the other kinds in the same manner."""
    match resource.details:
        case Ec2Instance(image_id=image):
            return "EC2", resource.id, image or "null"
        case EcrImage(repository=repository, digest=digest):
            return "ECR", repository, digest
        case LambdaFunction(name=name, version=version):
            return "LAMBDA", name, version
    return resource.type, resource.id


def _namespace(content: Content) -> str:
    """`EC2://i-0abc/UBUNTU_22_04/null/amd64`."""
    kind, name, *_ = _names(content.resource)
    scheme = kind.replace("_", "-")
    parts = (name, content.resource.platform or "null", "null", _architecture(content) or "null")
    return f"{scheme}://" + "/".join(quote(each, safe="/:") for each in parts)


def _package(each: _Listed) -> _Object:
    package = each.package
    name = one_line(package.name) or "unknown"
    readable = _ODD.sub("-", f"{package.type}-{name}").strip("-.")[:200]
    made: _Object = {
        "SPDXID": f"SPDXRef-Package-{readable}-{each.reference}",
        "name": name,
        "versionInfo": package.version,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
    }
    if package.location.path:
        made["sourceInfo"] = package.location.path
    references = [("SECURITY", "vulnerability", flaw) for flaw in each.flaws]
    if each.purl.startswith("pkg:"):
        references.insert(0, ("PACKAGE-MANAGER", "purl", each.purl))
    made["externalRefs"] = [
        {"referenceCategory": category, "referenceType": kind, "referenceLocator": locator}
        for category, kind, locator in references
    ]
    return made
