"""Whether a product that somebody speaks of is what was scanned, or a package in it.

An image answers to its digests, to its references in registries, and to package URLs of type oci and docker; the
distribution in it to its CPE; everything to its name.
"""

from typing import Final

from msgspec import Struct

from openinspector.match.purl import means, version_is
from openinspector.model.distro import Distribution
from openinspector.model.inventory import Inventory, Target
from openinspector.model.package import OS_TYPES, Package
from openinspector.model.purl import Purl
from openinspector.model.vex import Product

_LONGEST: Final = 1000  # characters of an image's reference
_DOCKER_HUB: Final = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"})

# Source: the official CPE dictionary, and the CPEs that Red Hat and SUSE write in their documents.
_CPES: Final = {
    "debian": (("debian", "debian_linux"),),
    "ubuntu": (("canonical", "ubuntu_linux"),),
    "alpine": (("alpinelinux", "alpine_linux"),),
    "amazon": (("amazon", "linux"), ("amazon", "amazon_linux"), ("amazon", "linux_2")),
    "redhat": (("redhat", "enterprise_linux"),),
    "rocky": (("rocky", "rocky"), ("resf", "rocky_linux"), ("rockylinux", "rocky_linux")),
    "almalinux": (("almalinux", "almalinux"),),
    "oracle": (("oracle", "linux"),),
    "fedora": (("fedoraproject", "fedora"),),
    "sles": (("suse", "sles"), ("suse", "linux_enterprise_server")),
    "opensuse-leap": (("opensuse", "leap"),),
    "opensuse-tumbleweed": (("opensuse", "tumbleweed"),),
    "photon": (("vmware", "photon"), ("vmware", "photon_os")),
    "azurelinux": (("microsoft", "azure_linux"), ("microsoft", "azurelinux")),
    "mariner": (("microsoft", "cbl-mariner"),),
}


class Reference(Struct, frozen=True):
    """An image's reference: `docker.io/library/debian`, `12`, `sha256:…`."""

    repository: str
    tag: str = ""
    digest: str = ""


def reference(text: str) -> Reference:
    """The parts, with what Docker leaves out: `debian:12` is `docker.io/library/debian:12`."""
    text = text[:_LONGEST].partition("://")[2] or text[:_LONGEST]
    text, _, digest = text.partition("@")
    head, colon, tag = text.rpartition(":")
    if not colon or "/" in tag:  # the colon, if any, is that of a port
        head, tag = text, ""
    return Reference(_repository(head), tag, digest)


def _repository(text: str) -> str:
    text = (text.partition("://")[2] or text).strip("/")
    host, slash, path = text.partition("/")
    if not slash or not ("." in host or ":" in host or host == "localhost"):
        host, path = "docker.io", text
    host = "docker.io" if host.lower() in _DOCKER_HUB else host.lower()
    if host == "docker.io" and "/" not in path:
        path = f"library/{path}"
    return f"{host}/{path}"


class Scanned:
    """What was scanned, and the products that it is or holds."""

    def __init__(self, inventory: Inventory) -> None:
        self.distribution = inventory.distribution
        self._target = inventory.target
        self._references = _references(inventory.target) if inventory.target.kind == "image" else ()
        self._digests = {inventory.target.digest, *(each.digest for each in self._references)} - {""}
        self._at: dict[str, list[Package]] = {}
        self._system: dict[str, Package] = {}
        for package in inventory.packages:
            self._at.setdefault(package.location.path, []).append(package)
            if package.type in OS_TYPES:
                self._system[package.name] = package

    def is_package(self, product: Product, package: Package) -> bool:
        """Whether a package is the product."""
        if product.versions and not version_is(package, product.versions):
            return False
        if package.digest and package.digest in product.digests:
            return True
        return product.purl is not None and means(product.purl, package, self.distribution)

    def holders(self, package: Package) -> list[Package]:
        """The packages that a package is part of: archives around it, the OS package that owns its files."""
        path = package.location.path
        found: list[Package] = []
        end = path.find("!")
        while end >= 0:
            found += self._at.get(path[:end], ())
            end = path.find("!", end + 1)
        owner = self._system.get(package.owner) if package.owner else None
        return [*found, owner] if owner is not None else found

    def is_system(self, product: Product) -> bool:
        """Whether the product is the distribution as a whole."""
        return bool(product.cpe) and self.distribution is not None and _is_system(product.cpe, self.distribution)

    def is_target(self, product: Product) -> bool:
        """Whether the product is the target as a whole."""
        if self._digests.intersection(product.digests):
            return True
        if product.purl is not None:
            return product.purl.type in ("oci", "docker") and self._is_image(product.purl)
        return bool(product.id) and not product.versions and self._is_called(product.id)

    def _is_called(self, name: str) -> bool:
        target = self._target
        if name == target.name or (name in target.tags and (":" in name or "/" in name)):
            return True
        if target.kind != "image":
            return name == target.name.rstrip("/").rpartition("/")[2]
        wanted = reference(name)
        if wanted.digest:
            return wanted.digest in self._digests
        return any(each.repository == wanted.repository and wanted.tag in ("", each.tag) for each in self._references)

    def _is_image(self, purl: Purl) -> bool:
        digest = purl.version if ":" in purl.version else ""
        if digest:
            return digest in self._digests
        architecture = purl.qualifier("arch")
        if architecture and architecture != self._target.platform.partition("/")[2].partition("/")[0]:
            return False
        tag = purl.qualifier("tag") or purl.version
        return any(_is_repository(each.repository, purl) and tag in ("", each.tag) for each in self._references)


def _references(target: Target) -> tuple[Reference, ...]:
    """Every reference that the target is known by; a bare tag belongs to the target's name."""
    whole = [each for each in target.tags if ":" in each or "/" in each]
    bare = [each for each in target.tags if each not in whole]
    own = reference(target.name)
    found = [own, *(reference(each) for each in whole)]
    found += [Reference(own.repository, each, own.digest) for each in bare]
    return tuple(dict.fromkeys(found))


def _is_repository(repository: str, purl: Purl) -> bool:
    """Whether a package URL's image is one of this repository (`registry.example/team/app`)."""
    address = purl.qualifier("repository_url")
    if purl.type == "docker":
        path = f"{purl.namespace}/{purl.name}" if purl.namespace else purl.name
        host = (address.partition("://")[2] or address).strip("/")
        return repository == _repository(f"{host}/{path}" if host else path)
    if address:
        return repository in (_repository(address), _repository(f"{address.rstrip('/')}/{purl.name}"))
    return repository.rpartition("/")[2] == purl.name


def _is_system(cpe: str, distribution: Distribution) -> bool:
    """Whether `cpe:/o:redhat:enterprise_linux:9::baseos`, `cpe:2.3:o:debian:debian_linux:12` is the distribution."""
    parts = cpe.lower().split(":")
    if cpe.startswith("cpe:/"):
        parts = [parts[0], "2.3", parts[1][1:], *parts[2:]]
    if len(parts) < 5 or tuple(parts[3:5]) not in _CPES.get(distribution.family, ()):
        return False
    version = parts[5] if len(parts) > 5 else ""
    release = distribution.namespace.partition(":")[2]
    return version in ("", "*", "-", release, distribution.version) or (
        bool(release) and version.startswith(f"{release}.") and version == distribution.version
    )
