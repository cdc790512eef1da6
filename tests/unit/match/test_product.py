"""Which products are the target of a scan, or a package in it."""

import pytest

from openinspector.match.product import Reference, Scanned, reference
from openinspector.model.distro import Distribution
from openinspector.model.inventory import Inventory, Target
from openinspector.model.package import Location, Package
from openinspector.model.purl import parse_purl
from openinspector.model.vex import Product

DIGEST = "sha256:" + "a" * 64
OTHER = "sha256:" + "b" * 64
RHEL = Distribution(id="rhel", version="9.3", family="redhat", namespace="redhat:9")


def scanned(name="registry.example:5000/team/app:1.4", *, kind="image", tags=("1.4",), packages=(), **more):
    target = Target(kind=kind, name=name, digest=DIGEST, platform="linux/amd64", tags=tags)
    return Scanned(Inventory(target=target, packages=packages, **more))


def product(text, **more):
    return Product(id=text, purl=parse_purl(text), **more)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("debian", Reference("docker.io/library/debian")),
        ("debian:12", Reference("docker.io/library/debian", "12")),
        ("index.docker.io/library/debian", Reference("docker.io/library/debian")),
        ("team/app@sha256:abc", Reference("docker.io/team/app", "", "sha256:abc")),
        ("docker://localhost/app:1", Reference("localhost/app", "1")),
        ("Registry.Example:5000/a/b", Reference("registry.example:5000/a/b")),
        ("registry.example:5000/a/b:1@sha256:abc", Reference("registry.example:5000/a/b", "1", "sha256:abc")),
    ],
)
def test_a_reference_has_what_docker_leaves_out(text, expected):
    assert reference(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"pkg:oci/app@{DIGEST}", True),
        (f"pkg:oci/anything@{DIGEST}?repository_url=mirror.example/app", True),
        (f"pkg:oci/app@{OTHER}?repository_url=registry.example:5000/team/app", False),
        ("pkg:oci/app", True),
        ("pkg:oci/other", False),
        ("pkg:oci/app?repository_url=registry.example:5000/team/app", True),
        ("pkg:oci/app?repository_url=registry.example:5000/team", True),
        ("pkg:oci/app?repository_url=other.example/team/app", False),
        ("pkg:oci/app?tag=1.4", True),
        ("pkg:oci/app?tag=1.5", False),
        ("pkg:oci/app?arch=amd64", True),
        ("pkg:oci/app?arch=arm64", False),
        ("pkg:docker/team/app@1.4?repository_url=registry.example:5000", True),
        ("pkg:docker/team/app@1.5?repository_url=registry.example:5000", False),
        ("pkg:docker/team/app@1.4", False),
        ("registry.example:5000/team/app", True),
        ("registry.example:5000/team/app:1.4", True),
        ("registry.example:5000/team/app:1.5", False),
        (f"registry.example:5000/team/app@{DIGEST}", True),
        (f"registry.example:5000/team/app@{OTHER}", False),
        ("app", False),
        ("1.4", False),
        ("", False),
        ("pkg:npm/app", False),
    ],
)
def test_an_image_answers_to_digests_references_and_package_urls(text, expected):
    assert scanned().is_target(product(text)) is expected


def test_an_archive_answers_to_the_references_that_it_was_saved_under():
    archive = scanned("app.tar", tags=("team/app:1.4",))
    assert archive.is_target(product("team/app:1.4"))
    assert archive.is_target(product("pkg:docker/team/app@1.4"))
    assert archive.is_target(product("app.tar"))


def test_a_digest_of_the_product_is_the_targets():
    assert scanned().is_target(product("https://example.org/app", digests=(DIGEST,)))
    assert not scanned().is_target(product("https://example.org/app", digests=(OTHER,)))


@pytest.mark.parametrize("text", ["build/app.zip", "app.zip"])
def test_what_is_no_image_answers_to_its_name(text):
    assert scanned("build/app.zip", kind="lambda", tags=()).is_target(product(text))


@pytest.mark.parametrize(
    ("cpe", "expected"),
    [
        ("cpe:/o:redhat:enterprise_linux:9", True),
        ("cpe:/o:redhat:enterprise_linux:9::baseos", True),
        ("cpe:/a:redhat:enterprise_linux:9::appstream", True),
        ("cpe:2.3:o:redhat:enterprise_linux:9:*:*:*:*:*:*:*", True),
        ("cpe:/o:redhat:enterprise_linux:9.3", True),
        ("cpe:/o:redhat:enterprise_linux", True),
        ("cpe:/o:redhat:enterprise_linux:9.2", False),
        ("cpe:/o:redhat:enterprise_linux:8", False),
        ("cpe:/a:redhat:rhel_eus:9.2::appstream", False),
        ("cpe:2.3:o:debian:debian_linux:9", False),
        ("cpe:/", False),
        ("cpe:", False),
        ("nonsense", False),
    ],
)
def test_a_distribution_answers_to_its_cpe(cpe, expected):
    assert scanned(distribution=RHEL).is_system(Product(id="x", cpe=cpe)) is expected


def test_a_package_is_held_by_the_archives_around_it_and_by_its_owner():
    def at(path, type_="maven", name="n", **more):
        return Package(type=type_, name=name, version="1", location=Location(path=path), **more)

    war, jar = at("srv/a.war"), at("srv/a.war!lib/b.jar")
    inner, other = at("srv/a.war!lib/b.jar!c.jar"), at("srv/a.war2!lib/b.jar")
    owner = at("var/lib/dpkg/status", "deb", "python3-x")
    owned = at("usr/lib/x.dist-info", "pypi", owner="python3-x")
    found = scanned(packages=(war, jar, inner, other, owner, owned))
    assert found.holders(inner) == [war, jar]
    assert found.holders(other) == []
    assert found.holders(owned) == [owner]
