"""Package URLs: right for every type, and the reference implementation's own canonical form."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packageurl import PackageURL

from openinspector.model.distro import Distribution
from openinspector.model.package import Location, Package, SourcePackage
from openinspector.render.purl import purl

DEBIAN = Distribution(id="debian", version="12", codename="bookworm")
UBUNTU = Distribution(id="ubuntu", version="22.04")
SID = Distribution(id="debian", codename="sid")
FEDORA = Distribution(id="fedora", version="40")
RHEL = Distribution(id="rhel", version="9.3")
AMAZON = Distribution(id="amzn", version="2023")
LEAP = Distribution(id="opensuse-leap", version="15.6")
SLES = Distribution(id="sles", version="15.5")
ALPINE = Distribution(id="alpine", version="3.20.1")


def package(type_, name, version="1.0", **more):
    return Package(type=type_, name=name, version=version, location=Location(path="x"), **more)


def source(name, version):
    return SourcePackage(name=name, version=version)


CASES = [
    (
        package("deb", "curl", "7.50.3-1", arch="i386"),
        DEBIAN,
        "pkg:deb/debian/curl@7.50.3-1?arch=i386&distro=debian-12",
    ),
    (
        package("deb", "attr", "1:2.4.47-2+b1", arch="amd64"),
        UBUNTU,
        "pkg:deb/ubuntu/attr@1:2.4.47-2%2Bb1?arch=amd64&distro=ubuntu-22.04",
    ),
    (package("deb", "g++", "4:13", arch="all"), SID, "pkg:deb/debian/g%2B%2B@4:13?arch=all&distro=debian-sid"),
    (package("deb", "curl", "7-1"), None, "pkg:deb/curl@7-1"),
    (
        package("deb", "libssl3", "3.0-1", source=source("openssl", "3.0-1")),
        DEBIAN,
        "pkg:deb/debian/libssl3@3.0-1?distro=debian-12&upstream=openssl",
    ),
    (
        package("deb", "bsdutils", "1:2.38-1", source=source("util-linux", "2.38-1")),
        DEBIAN,
        "pkg:deb/debian/bsdutils@1:2.38-1?distro=debian-12&upstream=util-linux%402.38-1",
    ),
    (package("deb", "git", "1-1", source=source("git", "1-1")), DEBIAN, "pkg:deb/debian/git@1-1?distro=debian-12"),
    (
        package("rpm", "curl", "7.50.3-1.fc25", arch="i386"),
        FEDORA,
        "pkg:rpm/fedora/curl@7.50.3-1.fc25?arch=i386&distro=fedora-40",
    ),
    (
        package("rpm", "openssl-libs", "1:3.0.7-24.el9", arch="x86_64", source=source("openssl", "1:3.0.7-24.el9")),
        RHEL,
        "pkg:rpm/redhat/openssl-libs@3.0.7-24.el9?arch=x86_64&distro=rhel-9.3&epoch=1&upstream=openssl-3.0.7-24.el9.src.rpm",
    ),
    (package("rpm", "bash", "0:5-1"), AMAZON, "pkg:rpm/amzn/bash@5-1?distro=amzn-2023"),
    (
        package("rpm", "nodejs", "1:18.1-1", module="nodejs:18:8080:abc"),
        RHEL,
        "pkg:rpm/redhat/nodejs@18.1-1?distro=rhel-9.3&epoch=1&rpmmod=nodejs:18:8080:abc",
    ),
    (package("rpm", "NetworkManager", "1-1"), LEAP, "pkg:rpm/opensuse/NetworkManager@1-1?distro=opensuse-leap-15.6"),
    (package("rpm", "zypper", "1-1"), SLES, "pkg:rpm/suse/zypper@1-1?distro=sles-15.5"),
    (
        package("apk", "libcrypto3", "3.1-r0", arch="x86", source=source("openssl", "3.1-r0")),
        ALPINE,
        "pkg:apk/alpine/libcrypto3@3.1-r0?arch=x86&distro=alpine-3.20.1&upstream=openssl",
    ),
    (package("npm", "foobar", "12.3.1"), DEBIAN, "pkg:npm/foobar@12.3.1"),
    (package("npm", "@angular/animation", "12.3.1"), None, "pkg:npm/%40angular/animation@12.3.1"),
    (package("npm", "JSONStream", "1.3.5"), None, "pkg:npm/jsonstream@1.3.5"),
    (
        package("maven", "org.apache.xmlgraphics:batik-anim", "1.9.1"),
        None,
        "pkg:maven/org.apache.xmlgraphics/batik-anim@1.9.1",
    ),
    (package("maven", "lonely", ""), None, "pkg:maven/lonely"),
    (package("golang", "github.com/BurntSushi/toml", "v1.3.2"), None, "pkg:golang/github.com/BurntSushi/toml@v1.3.2"),
    (
        package("golang", "gopkg.in/yaml.v3", "v3.0.1+incompatible"),
        None,
        "pkg:golang/gopkg.in/yaml.v3@v3.0.1%2Bincompatible",
    ),
    (package("golang", "stdlib", "go1.21.3"), None, "pkg:golang/stdlib@1.21.3"),
    (package("golang", "stdlib", "1.21.3"), None, "pkg:golang/stdlib@1.21.3"),
    (package("pypi", "Django_Allauth", "12.23"), None, "pkg:pypi/django-allauth@12.23"),
    (package("pypi", "zope.interface", "6.0+local"), None, "pkg:pypi/zope-interface@6.0%2Blocal"),
    (
        package("gem", "ruby-advisory-db-check", "0.12.4", qualifiers=(("platform", "java"),)),
        None,
        "pkg:gem/ruby-advisory-db-check@0.12.4?platform=java",
    ),
    (package("cargo", "clap", "2.33.0"), None, "pkg:cargo/clap@2.33.0"),
    (package("nuget", "EnterpriseLibrary.Common", "6.0.1304"), None, "pkg:nuget/EnterpriseLibrary.Common@6.0.1304"),
    (package("composer", "Guzzlehttp/Promises", "2.0.2"), None, "pkg:composer/guzzlehttp/promises@2.0.2"),
    (package("pub", "shared-preferences", "1.2"), None, "pkg:pub/shared_preferences@1.2"),
    (package("hex", "Jason", "1.1.2"), None, "pkg:hex/jason@1.1.2"),
    (package("hex", "acme/foo", "2.3."), None, "pkg:hex/acme/foo@2.3."),
    (
        package("swift", "github.com/Alamofire/Alamofire", "5.4.3"),
        None,
        "pkg:swift/github.com/Alamofire/Alamofire@5.4.3",
    ),
    (
        package("swift", "https://github.com/apple/swift-nio.git", "2.0"),
        None,
        "pkg:swift/github.com/apple/swift-nio@2.0",
    ),
    (package("cocoapods", "AFNetworking", "4.0.1"), None, "pkg:cocoapods/AFNetworking@4.0.1"),
    (
        package("cocoapods", "GoogleUtilities/NSData+zlib", "7.5.2"),
        None,
        "pkg:cocoapods/GoogleUtilities@7.5.2#NSData%2Bzlib",
    ),
    (
        package("conan", "openssl", "3.0.3", qualifiers=(("channel", "stable"), ("user", "bincrafters"))),
        None,
        "pkg:conan/openssl@3.0.3?channel=stable&user=bincrafters",
    ),
    (
        package(
            "conda",
            "absl-py",
            "0.4.1",
            qualifiers=(("build", "py36h06a4308_0"), ("channel", "main"), ("subdir", "linux-64")),
        ),
        None,
        "pkg:conda/absl-py@0.4.1?build=py36h06a4308_0&channel=main&subdir=linux-64",
    ),
    (package("generic", "openssl", "1.1.10g"), None, "pkg:generic/openssl@1.1.10g"),
    (package("generic", "vendor/thing", "1"), None, "pkg:generic/vendor/thing@1"),
]


@pytest.mark.parametrize(("given_package", "distribution", "wanted"), CASES, ids=[each[2] for each in CASES])
def test_each_type_by_its_rules(given_package, distribution, wanted):
    assert purl(given_package, distribution) == wanted


@pytest.mark.parametrize("wanted", [each[2] for each in CASES])
def test_the_reference_implementation_writes_the_same(wanted):
    assert PackageURL.from_string(wanted).to_string() == wanted


def test_what_stands_in_a_name_cannot_leave_its_part():
    text = purl(package("npm", "a?b#c@d/e f", "1?x=y#z&k", qualifiers=(("BAD KEY", "1"), ("ok", "a&b=c"))), None)
    read = PackageURL.from_string(text)
    assert (read.namespace, read.name, read.version) == ("a?b#c@d", "e f", "1?x=y#z&k")
    assert read.qualifiers == {"ok": "a&b=c"}
    assert read.subpath is None


def test_a_package_without_a_name_has_none():
    assert purl(package("npm", ""), None) == ""
    assert purl(package("deb", "  "), DEBIAN) == ""


# What the reference can tell apart again: no slashes, no white space at the ends.
TEXT = st.text(st.characters(exclude_characters="/", exclude_categories=("Cs", "Cc", "Z")), min_size=1, max_size=12)
TYPES = st.sampled_from(["cargo", "nuget", "gem", "conda", "maven", "golang", "generic", "rpm"])


@settings(max_examples=150, deadline=None)
@given(type_=TYPES, name=TEXT.filter(lambda text: ":" not in text), version=TEXT.filter(lambda text: ":" not in text))
def test_any_name_and_version_can_be_read_back(type_, name, version):
    read = PackageURL.from_string(purl(package(type_, name, version), FEDORA))
    assert (read.type, read.name) == (type_, name)
    if name not in ("stdlib", "toolchain"):
        assert read.version == version


@settings(max_examples=100, deadline=None)
@given(
    type_=st.sampled_from(["npm", "pypi", "swift", "composer", "deb", "apk", "odd"]), name=st.text(), version=st.text()
)
def test_hostile_text_never_breaks_it(type_, name, version):
    text = purl(package(type_, name, version, arch=name, source=source(version, name)), DEBIAN)
    assert text == "" or text.isascii()
    assert " " not in text
