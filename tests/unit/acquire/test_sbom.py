"""SBOMs as targets."""

import json

import pytest

from openinspector.acquire.targets.sbom import read_sbom
from openinspector.errors import AcquireError


def read(tmp_path, document):
    path = tmp_path / "bom.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return read_sbom(path)


def cyclonedx(*components):
    return {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": list(components)}


@pytest.mark.parametrize(
    ("purl", "name", "version", "source"),
    [
        ("pkg:pypi/jinja2@2.10", "jinja2", "2.10", None),
        ("pkg:npm/%40babel/core@7.0.0", "@babel/core", "7.0.0", None),
        ("pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1", "org.apache.logging.log4j:log4j-core", "2.14.1", None),
        ("pkg:golang/golang.org/x/net@v0.1.0", "golang.org/x/net", "v0.1.0", None),
        ("pkg:deb/debian/libssl3@3.0.7-1?arch=amd64&upstream=openssl", "libssl3", "3.0.7-1", ("openssl", "3.0.7-1")),
        ("pkg:rpm/redhat/bind-libs@9.16-1.el9?epoch=32&upstream=bind-9.16-1.el9.src.rpm", "bind-libs", "32:9.16-1.el9",
         ("bind", "32:9.16-1.el9")),
        ("pkg:rpm/fedora/a@1-2?epoch=0&upstream=a-b-1-3.nosrc.rpm", "a", "1-2", ("a-b", "1-3")),
        ("pkg:rpm/redhat/ImageMagick@6.9-1?upstream=ImageMagick", "ImageMagick", "6.9-1", ("ImageMagick", "6.9-1")),
        ("pkg:rpm/redhat/a@1-2?epoch=x&upstream=broken.src.rpm", "a", "1-2", None),
        ("pkg:deb/debian/bsdutils@2.38-5?epoch=1&upstream=util-linux%402.38-5", "bsdutils", "1:2.38-5",
         ("util-linux", "2.38-5")),
        ("pkg:deb/ubuntu/libssl1.0.0@1.0.1f-1?arch=amd64&epoch=0&source=openssl", "libssl1.0.0", "1.0.1f-1",
         ("openssl", "1.0.1f-1")),
        ("pkg:dpkg/libssl3@3.0.7-1?arch=ARM64&epoch=1&upstream=openssl", "libssl3", "1:3.0.7-1",
         ("openssl", "1:3.0.7-1")),
        ("pkg:apk/alpine/libcrypto3@3.1.4-r5?arch=x86_64&upstream=openssl", "libcrypto3", "3.1.4-r5",
         ("openssl", "3.1.4-r5")),
        ("pkg:alpine/musl@1.2.4-r1", "musl", "1.2.4-r1", None),
        ("pkg:golang/stdlib@v1.21.3", "stdlib", "1.21.3", None),
        ("pkg:cocoapods/Firebase@1.0#Core", "Firebase/Core", "1.0", None),
        ("pkg:generic/node@18.19.0", "node", "18.19.0", None),
    ],
    ids=lambda each: each if isinstance(each, str) and each.startswith("pkg:") else "",
)  # fmt: skip
def test_a_purl_becomes_a_package(tmp_path, purl, name, version, source):
    (package,) = read(tmp_path, cyclonedx({"type": "library", "name": "x", "purl": purl})).packages
    assert (package.name, package.version) == (name, version)
    assert ((package.source.name, package.source.version) if package.source else None) == source


def test_inspectors_generator_says_where_a_package_lies_and_its_exports_shout_the_architecture(tmp_path):
    path = {"name": "amazon:inspector:sbom_generator:source_path", "value": "/srv/app.jar"}
    jar = {"type": "library", "name": "a", "purl": "pkg:maven/g/a@1", "properties": [path]}
    inventory = read(tmp_path, cyclonedx(jar, {"type": "application", "name": "b", "purl": "pkg:dpkg/b@1?arch=ARM64"}))
    assert [(each.location.path, each.arch) for each in inventory.packages] == [("srv/app.jar", ""), ("b", "arm64")]


def test_components_within_components_count_and_the_system_names_the_release(tmp_path):
    inner = {"type": "library", "name": "b", "purl": "pkg:deb/debian/bash@5.2-1"}
    system = {"type": "operating-system", "name": "debian", "version": "12"}
    inventory = read(tmp_path, cyclonedx(system, {"type": "application", "name": "a", "components": [inner]}))
    assert [package.name for package in inventory.packages] == ["bash"]
    assert inventory.distribution.namespace == "debian:12"


def test_what_has_no_usable_purl_is_counted_not_dropped(tmp_path):
    inventory = read(
        tmp_path,
        cyclonedx({"name": "a"}, {"name": "b", "purl": "nonsense"}, {"name": "c", "purl": "pkg:pypi/c"}),
    )
    assert inventory.packages == ()
    assert [problem.reason for problem in inventory.problems] == [
        "components with a name, but no package URL: a",
        "components with a package URL that makes no sense: b",
        "components without a version: c",
    ]


def test_spdx_is_read_by_its_external_references(tmp_path):
    reference = {
        "referenceCategory": "PACKAGE-MANAGER",
        "referenceType": "purl",
        "referenceLocator": "pkg:gem/rack@2.0",
    }
    document = {
        "spdxVersion": "SPDX-2.3",
        "documentDescribes": ["SPDXRef-root"],
        "packages": [{"SPDXID": "SPDXRef-root", "name": "image"}, {"name": "rack", "externalRefs": [reference]}],
    }
    inventory = read(tmp_path, document)
    assert [(package.type, package.name) for package in inventory.packages] == [("gem", "rack")]
    assert inventory.problems == ()


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "{" * 100_000, "null", '{"bomFormat":"Other"}'], ids=lambda each: each[:12]
)
def test_what_is_no_sbom_is_a_clear_error(tmp_path, text):
    with pytest.raises(AcquireError, match="SPDX JSON"):
        read(tmp_path, text)


@pytest.mark.parametrize("components", [None, 1, "x", [1, None, "x", {"components": 5}], {"a": 1}], ids=repr)
def test_components_of_the_wrong_shape_do_no_harm(tmp_path, components):
    document = {"bomFormat": "CycloneDX", "components": components}
    assert read(tmp_path, document).packages == ()


@pytest.mark.parametrize(
    ("component", "name", "version"),
    [
        ({"name": "JSONStream", "purl": "pkg:npm/jsonstream@1.0"}, "JSONStream", "1.0"),
        ({"group": "@A", "name": "B", "purl": "pkg:npm/%40a/b@1.0"}, "@A/B", "1.0"),
        ({"name": "other", "purl": "pkg:npm/jsonstream@1.0"}, "jsonstream", "1.0"),
        ({"name": "github.com/a/b/service/s3", "purl": "pkg:golang/github.com/a/b@v1#service/s3"},
         "github.com/a/b/service/s3", "v1"),
        ({"name": "b", "purl": "pkg:golang/github.com/a/b@v1#inner/package"}, "github.com/a/b", "v1"),
        ({"name": "x", "version": "3", "purl": "pkg:pypi/x"}, "x", "3"),
    ],
    ids=lambda each: each["name"] if isinstance(each, dict) else "",
)  # fmt: skip
def test_the_component_says_what_its_purl_cannot(tmp_path, component, name, version):
    (package,) = read(tmp_path, cyclonedx(component)).packages
    assert (package.name, package.version) == (name, version)


def with_properties(purl, **said):
    properties = [{"name": f"aquasecurity:trivy:{name}", "value": value} for name, value in said.items()]
    return {"name": "x", "purl": purl, "properties": properties}


def test_trivys_properties_name_source_and_module(tmp_path):
    said = {"SrcName": "nodejs", "SrcVersion": "18.19.0", "SrcRelease": "1.el9", "SrcEpoch": "1"}
    label = {"Modularitylabel": "nodejs:18:9030020231215:rhel9"}
    one = with_properties("pkg:rpm/redhat/npm@10.2.3-1.el9?distro=redhat-9.3&epoch=1", **said, **label)
    other = with_properties("pkg:rpm/redhat/b@1-1?distro=redhat-9.3&modularitylabel=a:1:2:3")
    inventory = read(tmp_path, cyclonedx(one, other))
    npm, b = inventory.packages
    assert (npm.source.name, npm.source.version, npm.version) == ("nodejs", "1:18.19.0-1.el9", "1:10.2.3-1.el9")
    assert (npm.module, b.module) == ("nodejs:18:9030020231215:rhel9", "a:1:2:3")
    assert inventory.distribution.namespace == "redhat:9"


def test_trivys_source_is_read_out_of_spdx_too(tmp_path):
    reference = {"referenceType": "purl", "referenceLocator": "pkg:deb/debian/libpam0g@1.5.2-6?distro=debian-12.5"}
    package = {
        "SPDXID": "SPDXRef-Package-1",
        "name": "libpam0g",
        "externalRefs": [reference],
        "sourceInfo": "built package from: pam 1.5.2-6",
        "attributionTexts": ["PkgID: libpam0g@1.5.2-6", "PkgType: debian"],
    }
    lock = {"SPDXID": "SPDXRef-Application-1", "name": "package-lock.json", "primaryPackagePurpose": "APPLICATION"}
    document = {
        "spdxVersion": "SPDX-2.3",
        "creationInfo": {"creators": ["Tool: trivy-0.59.1"]},
        "packages": [package, lock],
    }
    inventory = read(tmp_path, document)
    assert (inventory.packages[0].source.name, inventory.packages[0].source.version) == ("pam", "1.5.2-6")
    assert inventory.distribution.namespace == "debian:12"
    assert inventory.problems == ()


def test_lock_files_of_trivy_and_files_are_no_software(tmp_path):
    lock = {"type": "application", "name": "yarn.lock"}
    lock["properties"] = [{"name": "aquasecurity:trivy:Class", "value": "lang-pkgs"}]
    inventory = read(tmp_path, cyclonedx(lock, {"type": "file", "name": "a"}, {"type": "container", "name": "b"}))
    assert inventory.problems == ()


@pytest.mark.parametrize(
    ("vendor", "distro", "namespace"),
    [
        ("debian", "debian-12", "debian:12"),
        ("debian", "debian-12.5", "debian:12"),
        ("debian", "bookworm", "debian:12"),
        ("debian", "debian-sid", "debian:sid"),
        ("ubuntu", "ubuntu-22.04", "ubuntu:22.04"),
        ("ubuntu", "jammy", "ubuntu:22.04"),
        ("ubuntu", "ubuntu-noble", "ubuntu:24.04"),
        ("alpine", "alpine-3.19.1", "alpine:3.19"),
        ("alpine", "alpine-v3.19", "alpine:3.19"),
        ("alpine", "3.17.3", "alpine:3.17"),
        ("redhat", "rhel-9.2", "redhat:9"),
        ("redhat", "redhat-8.8", "redhat:8"),
        ("centos", "centos-7.9.2009", "redhat:7"),
        ("amzn", "amzn-2023", "amazon:2023"),
        ("amazon", "amazon-2+%28Karoo%29", "amazon:2"),
        ("amazon", "amazon-2023.3.20240108%20%28Amazon%20Linux%29", "amazon:2023"),
        ("rocky", "rocky-9.3", "rocky:9"),
        ("alma", "alma-9.3", "almalinux:9"),
        ("oracle", "oracle-8.9", "oracle:8"),
        ("fedora", "fedora-39", "fedora:39"),
        ("opensuse", "opensuse-leap-15.5", "opensuse-leap:15.5"),
        ("opensuse", "opensuse.leap-15.5", "opensuse-leap:15.5"),
        ("opensuse", "opensuse-tumbleweed-20240101", "opensuse-tumbleweed"),
        ("suse", "sles-15.5", "sles:15.5"),
        ("photon", "photon-5.0", "photon:5.0"),
        ("azurelinux", "azurelinux-3.0", "azurelinux:3.0"),
        ("cbl-mariner", "cbl-mariner-2.0.20240117", "mariner:2.0"),
        ("wolfi", "wolfi-20230201", "wolfi"),
        ("wolfi", "", "wolfi"),
        ("chainguard", "chainguard", "chainguard"),
        ("debian", "", ""),
        ("debian", "nonsense", ""),
        ("", "", None),
    ],
)
def test_package_urls_name_the_distribution(tmp_path, vendor, distro, namespace):
    purl = f"pkg:rpm/{vendor}/a@1-1?distro={distro}" if vendor else "pkg:rpm/a@1-1"
    distribution = read(tmp_path, cyclonedx({"name": "a", "purl": purl})).distribution
    assert (distribution.namespace if distribution else None) == namespace
    assert distribution is None or bool(distribution.namespace) != bool(distribution.reason)


@pytest.mark.parametrize(
    ("system", "namespace", "title"),
    [
        ({"name": "debian", "version": "12.5"}, "debian:12", "debian 12.5"),
        ({"name": "redhat", "version": "9.3"}, "redhat:9", "rhel 9.3"),
        ({"name": "amazon", "version": "2 (Karoo)"}, "amazon:2", "amzn 2"),
        ({"name": "Debian GNU/Linux 12 (bookworm)", "version": "12"}, "debian:12", "Debian GNU/Linux 12 (bookworm)"),
        ({"name": "Ubuntu 22.04.3 LTS"}, "ubuntu:22.04", "Ubuntu 22.04.3 LTS"),
        ({"name": "Red Hat Enterprise Linux", "version": "8.9"}, "redhat:8", "Red Hat Enterprise Linux"),
        ({"name": "suse linux enterprise server", "version": "15.5"}, "sles:15.5", "suse linux enterprise server"),
        ({"name": "x", "properties": {"syft:distro:id": "alpine", "syft:distro:versionID": "3.19.1",
          "syft:distro:prettyName": "Alpine Linux v3.19"}}, "alpine:3.19", "Alpine Linux v3.19"),
        ({"name": "debian", "properties": {"openinspector:codename": "sid"}}, "debian:sid", "debian"),
        ({"name": "plan9", "version": "4"}, "", "plan9 4"),
    ],
)  # fmt: skip
def test_the_operating_system_component_names_the_distribution(tmp_path, system, namespace, title):
    properties = [{"name": key, "value": value} for key, value in system.get("properties", {}).items()]
    component = {**system, "type": "operating-system", "properties": properties}
    distribution = read(tmp_path, cyclonedx(component)).distribution
    assert (distribution.namespace, distribution.title) == (namespace, title)


def deb(name, distro):
    return {"name": name, "purl": f"pkg:deb/{distro.partition('-')[0]}/{name}@1-1?distro={distro}"}


def test_packages_of_another_distribution_are_left_out_and_told(tmp_path):
    system = {"type": "operating-system", "name": "debian", "version": "11"}
    language = {"name": "jinja2", "purl": "pkg:pypi/jinja2@2.10"}
    apk = {"name": "musl", "purl": "pkg:apk/alpine/musl@1"}
    inventory = read(
        tmp_path,
        cyclonedx(system, deb("a", "debian-12"), deb("b", "debian-12.5"), deb("c", "ubuntu-22.04"), language, apk),
    )
    assert [each.name for each in inventory.packages] == ["a", "b", "jinja2"]
    assert (inventory.distribution.namespace, inventory.status) == ("debian:12", "partial")
    assert [each.reason for each in inventory.problems] == [
        "it names the operating system debian:11, but its packages are judged as those of debian:12",
        "packages of ubuntu:22.04 among those of debian:12: c",
        "packages of another distribution (apk) among those of debian:12: musl",
    ]


def test_what_the_document_is_about_is_judged_if_it_is_software(tmp_path):
    document = cyclonedx()
    about = {"type": "library", "name": "log4j-core", "purl": "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1"}
    document["metadata"] = {"component": about}
    assert [each.name for each in read(tmp_path, document).packages] == ["org.apache.logging.log4j:log4j-core"]
    document["metadata"] = {"component": {"type": "container", "name": "image", "purl": "pkg:oci/image@sha256:ab"}}
    inventory = read(tmp_path, document)
    assert (inventory.packages, inventory.problems) == ((), ())


def test_spdx_documents_that_describe_each_package_lose_none(tmp_path):
    packages = [{"SPDXID": "SPDXRef-a", "name": "a"}, {"SPDXID": "SPDXRef-b", "name": "b"}]
    document = {"spdxVersion": "SPDX-2.3", "documentDescribes": ["SPDXRef-a", "SPDXRef-b"], "packages": packages}
    (problem,) = read(tmp_path, document).problems
    assert problem.count == 2


def test_every_place_of_a_component_is_a_package_with_its_owner(tmp_path):
    occurrences = [{"location": "/usr/bin/a", "additionalContext": "owned by docker"}, {"location": "opt/a"}]
    component = {"name": "stdlib", "purl": "pkg:golang/stdlib@1.21.3", "evidence": {"occurrences": occurrences}}
    packages = read(tmp_path, cyclonedx(component)).packages
    assert [(each.location.path, each.owner) for each in packages] == [("usr/bin/a", "docker"), ("opt/a", "")]


def test_an_endless_purl_is_counted(tmp_path):
    (problem,) = read(tmp_path, cyclonedx({"name": "a", "purl": "pkg:pypi/" + "a" * 10_000 + "@1"})).problems
    assert problem.reason == "components with an endless package URL: a"
