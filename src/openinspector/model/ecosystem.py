"""The package universes: how names are compared, which scheme orders versions.

The namespace of a language package in the advisory file is its purl type; that of a distribution's package is its
release (see `model/distro.py`).
"""

import re

from msgspec import Struct


class Ecosystem(Struct, frozen=True, kw_only=True):
    """One package universe.

    `osv` is OSV's name for it, `scheme` that of the scheme that orders its versions, "" where each package has its own.
    """

    type: str
    scheme: str
    osv: str = ""
    title: str = ""


ECOSYSTEMS: dict[str, Ecosystem] = {
    each.type: each
    for each in (
        Ecosystem(type="pypi", scheme="pypi", osv="PyPI", title="Python"),
        Ecosystem(type="npm", scheme="npm", osv="npm", title="Node.js"),
        Ecosystem(type="maven", scheme="maven", osv="Maven", title="Java"),
        Ecosystem(type="golang", scheme="go", osv="Go", title="Go"),
        Ecosystem(type="gem", scheme="gem", osv="RubyGems", title="Ruby"),
        Ecosystem(type="cargo", scheme="cargo", osv="crates.io", title="Rust"),
        Ecosystem(type="nuget", scheme="nuget", osv="NuGet", title=".NET"),
        Ecosystem(type="composer", scheme="composer", osv="Packagist", title="PHP"),
        Ecosystem(type="pub", scheme="pub", osv="Pub", title="Dart"),
        Ecosystem(type="hex", scheme="hex", osv="Hex", title="Elixir and Erlang"),
        Ecosystem(type="swift", scheme="swift", osv="SwiftURL", title="Swift"),
        Ecosystem(type="cocoapods", scheme="gem", title="CocoaPods"),
        Ecosystem(type="conan", scheme="npm", osv="ConanCenter", title="C and C++ (Conan)"),
        Ecosystem(type="conda", scheme="pypi", title="Conda"),
        Ecosystem(type="generic", scheme="", title="Runtimes: Node.js (npm); Ruby, JRuby, mruby, Rubinius (gem)"),
    )
}

TYPE_OF_OSV: dict[str, str] = {each.osv: each.type for each in ECOSYSTEMS.values() if each.osv}

# No package manager names a runtime: its type is `generic`, its name the one that its advisories use.
_RUNTIMES: dict[str, str] = {
    "node": "npm",
    "ruby": "gem",
    "jruby": "gem",
    "mruby": "gem",
    "mrubyc": "gem",
    "rbx": "gem",
    "truffleruby": "gem",
}
_OTHER_NAMES = {"nodejs": "node", "node.js": "node", "rubinius": "rbx"}

_PYPI_SEPARATORS = re.compile(r"[-_.]+")


def canonical_name(type_: str, name: str) -> str:
    """The name under which a package is looked up; equal exactly when its ecosystem takes two names for one.

    Source: PEP 503 for pypi; NuGet, Packagist, Hex and Pub ignore case; Swift packages are repository addresses.
    """
    if type_ == "pypi":
        return _PYPI_SEPARATORS.sub("-", name).lower()
    if type_ in ("nuget", "composer", "hex", "pub"):
        return name.lower()
    if type_ == "swift":
        return name.lower().removeprefix("https://").removesuffix("/").removesuffix(".git")
    if type_ == "generic":
        return _OTHER_NAMES.get(name.lower(), name)
    return name


def scheme_of(namespace: str, package_name: str = "") -> str:
    """The scheme that orders the versions of a namespace's packages; "" for one that we don't know."""
    family = namespace.partition(":")[0]
    if family == "generic":
        return _RUNTIMES.get(package_name, "")
    if family in ECOSYSTEMS:
        # The go command and the standard library are versioned as toolchains, not as modules.
        if family == "golang" and package_name in ("stdlib", "toolchain"):
            return "gotoolchain"
        return ECOSYSTEMS[family].scheme
    from openinspector.model.distro import FAMILIES

    known = FAMILIES.get(family)
    return known.scheme if known else ""
