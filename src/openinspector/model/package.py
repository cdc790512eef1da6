"""A package as its own package manager names it, and where it was found."""

from msgspec import Struct

OS_TYPES = frozenset({"deb", "rpm", "apk"})  # the types that a distribution's own advisories judge


class SourcePackage(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a distribution built a binary package from."""

    name: str
    version: str


class Location(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a package was found.

    `path` is relative to the root of the tree, without a leading slash; a file inside an archive follows a `!`
    (`app/x.war!WEB-INF/lib/y.jar`). `layer` is the diff id (`sha256:…`) of the layer that holds the file,
    `introduced` that of the layer since which the package has been there.
    """

    path: str
    layer: str = ""
    introduced: str = ""


class Package(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One package.

    `type` is the purl type (`deb`, `rpm`, `apk`, `pypi`, `npm`, `maven`, `golang`, `gem`, `cargo`, `nuget`,
    `composer`, `pub`, `hex`, `swift`, `cocoapods`, `conan`, `conda`, `generic`). `name` is the name its package
    manager uses: with scope for npm (`@babel/core`), `group:artifact` for maven, the module path for golang (the
    standard library is `stdlib`). `version` is exactly as read (rpm: `epoch:version-release`, the epoch only when
    there is one); nobody rewrites it.
    """

    type: str
    name: str
    version: str
    location: Location
    format: str = ""  # the plug-in that read it: `dpkg`, `pypi.metadata`
    arch: str = ""
    source: SourcePackage | None = None
    module: str = ""  # RPM modularity label, `nodejs:18:20230306:rhel8`
    repository: str = ""  # the repository it came from, where the package manager remembers it
    vendor: str = ""
    license: str = ""
    dev: bool = False  # needed for development only
    owner: str = ""  # the OS package that owns its files, if any
    digest: str = ""  # `sha512:…`, `sha1:…` of the distributed archive, where the file says it
    qualifiers: tuple[tuple[str, str], ...] = ()  # further purl qualifiers
