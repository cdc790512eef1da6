"""Which package URLs mean a package that was found."""

import pytest

from openinspector.match.glob import matches
from openinspector.match.purl import key_of, keys_of, means, version_is
from openinspector.model.distro import Distribution
from openinspector.model.package import Location, Package, SourcePackage
from openinspector.model.purl import parse_purl

BOOKWORM = Distribution(id="debian", version="12", codename="bookworm", family="debian", namespace="debian:12")
JAMMY = Distribution(id="ubuntu", version="22.04", codename="jammy", family="ubuntu", namespace="ubuntu:22.04")
RHEL = Distribution(id="rhel", version="9.3", family="redhat", namespace="redhat:9")
ALPINE = Distribution(id="alpine", version="3.18.4", family="alpine", namespace="alpine:3.18")
WOLFI = Distribution(id="wolfi", version="20230201", family="wolfi", namespace="wolfi")
ODD = Distribution(id="odd", reason="unknown")


def package(type_, name, version, **more):
    return Package(type=type_, name=name, version=version, location=Location(path="p"), **more)


LIBSSL = package("deb", "libssl3", "3.0.9-1", arch="amd64", source=SourcePackage(name="openssl", version="3.0.9-1"))
GIT = package("deb", "git", "1:2.39.2-1.1", arch="amd64")
NPM_RPM = package("rpm", "npm", "1:8.19-1.el9", arch="x86_64", module="nodejs:18:809:x")
MUSL = package("apk", "musl", "1.2.4-r0", arch="x86_64")
BABEL = package("npm", "@babel/core", "7.0.0")
LOG4J = package("maven", "org.apache.logging.log4j:log4j-core", "2.14.1")
JINJA = package("pypi", "Jinja2", "3.1")
GO = package("golang", "github.com/Masterminds/semver", "v3.2.0")
STDLIB = package("golang", "stdlib", "go1.21.3")
POD = package("cocoapods", "Firebase/Core", "1.0")


@pytest.mark.parametrize(
    ("purl", "found", "system", "expected"),
    [
        # without a version every version, with one that one, equal by the scheme
        ("pkg:pypi/jinja2", JINJA, None, True),
        ("pkg:pypi/JINJA2@3.1.0", JINJA, None, True),
        ("pkg:pypi/jinja2@3.1.1", JINJA, None, False),
        ("pkg:pypi/jinja2@nonsense", JINJA, None, False),
        ("pkg:npm/jinja2", JINJA, None, False),
        # namespaces and names
        ("pkg:npm/%40babel/core@7.0.0", BABEL, None, True),
        ("pkg:npm/core@7.0.0", BABEL, None, False),
        ("pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1", LOG4J, None, True),
        ("pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1?type=jar", LOG4J, None, True),
        ("pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1?classifier=sources", LOG4J, None, False),
        ("pkg:maven/log4j-core", LOG4J, None, False),
        ("pkg:golang/github.com/masterminds/semver@v3.2.0", GO, None, True),
        ("pkg:golang/github.com/Masterminds/semver@3.2.0", GO, None, True),
        ("pkg:golang/github.com/Masterminds/semver@v3.2.0#internal", GO, None, False),
        ("pkg:golang/stdlib@1.21.3", STDLIB, None, True),
        ("pkg:golang/stdlib@1.21.4", STDLIB, None, False),
        ("pkg:cocoapods/Firebase@1.0#Core", POD, None, True),
        ("pkg:cocoapods/Firebase@1.0", POD, None, False),
        # a distribution's packages: whose they are
        ("pkg:deb/debian/libssl3@3.0.9-1", LIBSSL, BOOKWORM, True),
        ("pkg:deb/libssl3", LIBSSL, BOOKWORM, True),
        ("pkg:deb/ubuntu/libssl3@3.0.9-1", LIBSSL, BOOKWORM, False),
        ("pkg:deb/debian/libssl3", LIBSSL, None, False),
        ("pkg:rpm/redhat/npm", NPM_RPM, RHEL, True),
        ("pkg:rpm/rhel/npm", NPM_RPM, RHEL, True),
        ("pkg:rpm/fedora/npm", NPM_RPM, RHEL, False),
        # source packages
        ("pkg:deb/debian/openssl@3.0.9-1?arch=source", LIBSSL, BOOKWORM, True),
        ("pkg:deb/debian/openssl?arch=src", LIBSSL, BOOKWORM, True),
        ("pkg:deb/debian/openssl", LIBSSL, BOOKWORM, False),
        ("pkg:deb/debian/git?arch=source", GIT, BOOKWORM, True),
        # architecture and release
        ("pkg:deb/debian/libssl3?arch=amd64", LIBSSL, BOOKWORM, True),
        ("pkg:deb/debian/libssl3?arch=arm64", LIBSSL, BOOKWORM, False),
        ("pkg:deb/debian/libssl3?distro=debian-12", LIBSSL, BOOKWORM, True),
        ("pkg:deb/debian/libssl3?distro=debian-12.5", LIBSSL, BOOKWORM, True),
        ("pkg:deb/debian/libssl3?distro=bookworm", LIBSSL, BOOKWORM, True),
        ("pkg:deb/debian/libssl3?distro=debian-bookworm", LIBSSL, BOOKWORM, True),
        ("pkg:deb/debian/libssl3?distro=debian-1", LIBSSL, BOOKWORM, False),
        ("pkg:deb/debian/libssl3?distro=bullseye", LIBSSL, BOOKWORM, False),
        ("pkg:deb/debian/libssl3?distro=debian", LIBSSL, BOOKWORM, False),
        ("pkg:deb/ubuntu/libssl3?distro=esm-infra/jammy", LIBSSL, JAMMY, True),
        ("pkg:rpm/redhat/npm?distro=rhel-9", NPM_RPM, RHEL, True),
        ("pkg:rpm/redhat/npm?distro=rhel-9.2", NPM_RPM, RHEL, True),
        ("pkg:rpm/redhat/npm?distro=rhel-8", NPM_RPM, RHEL, False),
        ("pkg:apk/alpine/musl?distro=alpine-3.18.2", MUSL, ALPINE, True),
        ("pkg:apk/alpine/musl?distro=3.18", MUSL, ALPINE, True),
        ("pkg:apk/alpine/musl?distro=alpine-3.19.0", MUSL, ALPINE, False),
        ("pkg:apk/wolfi/musl?distro=wolfi", MUSL, WOLFI, True),
        ("pkg:apk/wolfi/musl?distro=wolfi-20240101", MUSL, WOLFI, True),
        ("pkg:apk/wolfi/musl?distro=alpine-3.18", MUSL, WOLFI, False),
        ("pkg:deb/odd/git?distro=odd", GIT, ODD, False),
        # epochs and module streams
        ("pkg:deb/debian/git@2.39.2-1.1?epoch=1", GIT, BOOKWORM, True),
        ("pkg:deb/debian/git@1:2.39.2-1.1", GIT, BOOKWORM, True),
        ("pkg:deb/debian/git@2.39.2-1.1", GIT, BOOKWORM, True),
        ("pkg:deb/debian/git@2.39.2-1.1?epoch=2", GIT, BOOKWORM, False),
        ("pkg:rpm/redhat/npm?epoch=1", NPM_RPM, RHEL, True),
        ("pkg:rpm/redhat/npm?epoch=2", NPM_RPM, RHEL, False),
        ("pkg:rpm/redhat/npm?rpmmod=nodejs:18", NPM_RPM, RHEL, True),
        ("pkg:rpm/redhat/npm?rpmmod=nodejs:16", NPM_RPM, RHEL, False),
        # what can't be checked doesn't agree; where it may be had is no condition
        ("pkg:npm/%40babel/core?flavour=mint", BABEL, None, False),
        ("pkg:npm/%40babel/core?repository_url=registry.example", BABEL, None, True),
    ],
)
def test_what_a_package_url_says_must_agree(purl, found, system, expected):
    written = parse_purl(purl)
    assert means(written, found, system) is expected
    if expected:
        assert key_of(written) in keys_of(found)


def test_patterns_compare_names_and_versions_by_shape():
    assert means(parse_purl("pkg:npm/%40babel/*@7.*"), BABEL, None, matches)
    assert not means(parse_purl("pkg:npm/%40babel/*@8.*"), BABEL, None, matches)


def test_a_version_is_one_of_those_listed():
    assert version_is(JINJA, ("2.0", "3.1.0"))
    assert not version_is(JINJA, ("2.0",))
