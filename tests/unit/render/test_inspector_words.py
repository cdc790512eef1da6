"""Inspector's words."""

import pytest

from openinspector.model.distro import Distribution
from openinspector.model.package import Location, Package
from openinspector.model.spelling import split_version
from openinspector.render import inspector_words as words


def package(type_, name="x", version="1", format_=""):
    return Package(type=type_, name=name, version=version, format=format_, location=Location(path=""))


@pytest.mark.parametrize(
    ("version", "wanted"),
    [
        ("1:2.39.2-1.1", (1, "2.39.2", "1.1")),
        ("5.10.118-111.515.amzn2", (0, "5.10.118", "111.515.amzn2")),
        ("3.1.4-r5", (0, "3.1.4", "r5")),
        ("1:1:1-2-3", (1, "1:1-2", "3")),
        ("7", (0, "7", "")),
        ("", (0, "", "")),
        ("9" * 5000 + ":1-1", (0, "9" * 5000 + ":1", "1")),
    ],
)
def test_a_distributions_version_is_told_in_parts(version, wanted):
    assert split_version(package("rpm", version=version)) == wanted


def test_a_language_packages_version_is_not_cut():
    assert split_version(package("npm", version="1.0.0-rc-1")) == (0, "1.0.0-rc-1", "")


@pytest.mark.parametrize(
    ("type_", "format_", "wanted"),
    [
        ("deb", "dpkg", "OS"),
        ("pypi", "pypi.metadata", "PYTHONPKG"),
        ("pypi", "pypi.poetry-lock", "POETRY"),
        ("pypi", "pypi.uv-lock", "PIP"),
        ("npm", "npm.package", "NODEPKG"),
        ("npm", "npm.pnpm", "NPM"),
        ("npm", "npm.yarn", "YARN"),
        ("maven", "maven.jar", "JAR"),
        ("maven", "maven.pom", "POM"),
        ("golang", "go.binary", "GOBINARY"),
        ("gem", "gem.lock", "BUNDLER"),
        ("nuget", "nuget.deps-json", "DOTNET_CORE"),
        ("cargo", "cargo.lock", "CARGO"),
        ("swift", "swift.resolved", "SWIFT"),
    ],
)
def test_the_package_manager_is_named_by_the_file_it_wrote(type_, format_, wanted):
    assert words.package_manager(package(type_, format_=format_)) == wanted


def test_a_title_names_two_packages_and_counts_the_rest():
    names = [package("deb", name) for name in ("a", "b", "b", "c", "d")]
    assert words.title("CVE-1", names[:1]) == "CVE-1 - a"
    assert words.title("CVE-1", names[:3]) == "CVE-1 - a, b"
    assert words.title("CVE-1", names) == "CVE-1 - a, b and 2 more"


@pytest.mark.parametrize(
    ("distribution", "wanted"),
    [
        (Distribution(id="amzn", version="2", family="amazon", namespace="amazon:2"), "AMAZON_LINUX_2"),
        (Distribution(id="ubuntu", version="22.04", family="ubuntu", namespace="ubuntu:22.04"), "UBUNTU_22_04"),
        (Distribution(id="alpine", version="3.8.1", family="alpine", namespace="alpine:3.8"), "ALPINE_LINUX_3_8"),
        (Distribution(id="ol", version="7.9", family="oracle", namespace="oracle:7"), "ORACLE_LINUX_7"),
        (None, ""),
    ],
)
def test_a_platform_is_named_in_upper_case(distribution, wanted):
    assert words.platform(distribution) == wanted
