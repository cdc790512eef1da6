"""One description of software as each kind of SBOM."""

import json
from xml.sax.saxutils import escape, quoteattr

SYSTEM = {
    "type": "operating-system",
    "name": "debian",
    "version": "12",
    "description": "Debian GNU/Linux 12 (bookworm)",
}

SOFTWARE = (
    {"name": "libssl3", "version": "3.0.11-1", "license": "Apache-2.0", "supplier": "Debian OpenSSL Team",
     "purl": "pkg:deb/debian/libssl3@3.0.11-1?arch=amd64&distro=debian-12&upstream=openssl"},
    {"name": "bsdutils", "version": "1:2.38.1-5", "purl": "pkg:deb/debian/bsdutils@2.38.1-5?arch=amd64&epoch=1"
     "&distro=debian-12&upstream=util-linux%402.38.1-5"},
    {"name": "jinja2", "version": "2.10", "purl": "pkg:pypi/jinja2@2.10", "hash": ("SHA-256", "ab" * 32),
     "children": ({"name": "markupsafe", "version": "1.0", "purl": "pkg:pypi/markupsafe@1.0"},)},
    {"group": "@babel", "name": "core", "version": "7.0.0", "purl": "pkg:npm/%40babel/core@7.0.0", "excluded": True},
    {"name": "zlib <old> & co", "version": "1.2.11", "cpe": "cpe:2.3:a:zlib:zlib:1.2.11:*:*:*:*:*:*:*"},
    {"name": "mystery"},
    {"name": "broken", "purl": "pkg:nothing"},
)  # fmt: skip


def flat(software=SOFTWARE):
    """Everything, each before what is within it."""
    for each in software:
        yield each
        yield from flat(each.get("children", ()))


def component(each):
    """CycloneDX's JSON of one component."""
    made = {"type": each.get("type", "library"), "name": each["name"]}
    made |= {key: each[key] for key in ("group", "version", "purl", "cpe", "description") if key in each}
    if each.get("excluded"):
        made["scope"] = "excluded"
    if "supplier" in each:
        made["supplier"] = {"name": each["supplier"]}
    if "hash" in each:
        made["hashes"] = [{"alg": each["hash"][0], "content": each["hash"][1]}]
    if "license" in each:
        made["licenses"] = [{"license": {"id": each["license"]}}]
    if "properties" in each:
        made["properties"] = [{"name": name, "value": value} for name, value in each["properties"].items()]
    if "children" in each:
        made["components"] = [component(child) for child in each["children"]]
    return made


def cyclonedx_json(software=(SYSTEM, *SOFTWARE), subject=None):
    document = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [component(each) for each in software]}
    if subject:
        document["metadata"] = {"component": component(subject)}
    return json.dumps(document)


def element(each):
    """CycloneDX's XML of one component."""
    parts = [f"<component type={quoteattr(each.get('type', 'library'))}>"]
    if "supplier" in each:
        parts.append(f"<supplier><name>{escape(each['supplier'])}</name></supplier>")
    for key in ("group", "name", "version", "description"):
        if key in each:
            parts.append(f"<{key}>{escape(each[key])}</{key}>")
    if each.get("excluded"):
        parts.append("<scope>excluded</scope>")
    if "hash" in each:
        parts.append(f"<hashes><hash alg={quoteattr(each['hash'][0])}>{each['hash'][1]}</hash></hashes>")
    if "license" in each:
        parts.append(f"<licenses><license><id>{each['license']}</id></license></licenses>")
    for key in ("cpe", "purl"):
        if key in each:
            parts.append(f"<{key}>\n  {escape(each[key])}\n</{key}>")
    if "properties" in each:
        inner = "".join(
            f"<property name={quoteattr(name)}>{escape(value)}</property>" for name, value in each["properties"].items()
        )
        parts.append(f"<properties>{inner}</properties>")
    if "children" in each:
        parts.append(f"<components>{''.join(map(element, each['children']))}</components>")
    return "".join(parts) + "</component>"


def cyclonedx_xml(software=(SYSTEM, *SOFTWARE), subject=None, version="1.6"):
    metadata = f"<metadata>{element(subject)}</metadata>" if subject else ""
    inner = "".join(map(element, software))
    return f'<bom xmlns="http://cyclonedx.org/schema/bom/{version}">{metadata}<components>{inner}</components></bom>'


def spdx_json(software=SOFTWARE, creator="Tool: maker-1"):
    packages = [{"SPDXID": "SPDXRef-root", "name": "image"}]
    relations = [("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-root")]
    for at, each in enumerate(flat(software)):
        made = {"SPDXID": f"SPDXRef-{at}", "name": "/".join(filter(None, (each.get("group"), each["name"])))}
        made |= {"versionInfo": each["version"]} if "version" in each else {}
        made |= {"supplier": f"Organization: {each['supplier']}"} if "supplier" in each else {}
        made |= {"licenseDeclared": each["license"]} if "license" in each else {}
        made |= {"sourceInfo": each["origin"]} if "origin" in each else {}
        made |= {"primaryPackagePurpose": each["type"].upper().replace("-", "_")} if "type" in each else {}
        if "hash" in each:
            made["checksums"] = [{"algorithm": each["hash"][0].replace("-", ""), "checksumValue": each["hash"][1]}]
        made["externalRefs"] = [
            {"referenceCategory": category, "referenceType": kind, "referenceLocator": each[key]}
            for key, kind, category in (("purl", "purl", "PACKAGE-MANAGER"), ("cpe", "cpe23Type", "SECURITY"))
            if key in each
        ]
        packages.append(made)
        relations.append(("SPDXRef-root", "CONTAINS", f"SPDXRef-{at}"))
        if each.get("excluded"):
            relations.append((f"SPDXRef-{at}", "DEV_DEPENDENCY_OF", "SPDXRef-root"))
    keys = ("spdxElementId", "relationshipType", "relatedSpdxElement")
    return json.dumps(
        {
            "spdxVersion": "SPDX-2.3",
            "creationInfo": {"creators": [creator]},
            "packages": packages,
            "relationships": [dict(zip(keys, each, strict=True)) for each in relations],
        }
    )


def spdx_tag_value(software=SOFTWARE, creator="Tool: maker-1"):
    """From the JSON, so that the two can't tell of different things."""
    document = json.loads(spdx_json(software, creator))
    lines = ["SPDXVersion: SPDX-2.3", "SPDXID: SPDXRef-DOCUMENT", f"Creator: {creator}", "", "##### Packages"]
    tags = {
        "SPDXID": "SPDXID",
        "versionInfo": "PackageVersion",
        "supplier": "PackageSupplier",
        "licenseDeclared": "PackageLicenseDeclared",
        "primaryPackagePurpose": "PrimaryPackagePurpose",
    }
    for each in document["packages"]:
        lines += ["", f"PackageName: {each['name']}", "FilesAnalyzed: false", "PackageDownloadLocation: NOASSERTION"]
        lines += [f"{tag}: {each[key]}" for key, tag in tags.items() if key in each]
        lines += [f"PackageChecksum: {c['algorithm']}: {c['checksumValue']}" for c in each.get("checksums", ())]
        if "sourceInfo" in each:
            lines.append(f"PackageSourceInfo: <text>{each['sourceInfo']}</text>")
        for reference in each.get("externalRefs", ()):
            lines.append("ExternalRef: " + " ".join(reference.values()))
        lines += ["FileName: ./some/file", "SPDXID: SPDXRef-File", "LicenseInfoInFile: MIT"]
    lines += ["Relationship: " + " ".join(each.values()) for each in document["relationships"]]
    return "\n".join(lines) + "\n"
