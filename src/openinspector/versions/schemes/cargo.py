"""crates.io: semantic versioning as Cargo orders it; build metadata (`0.13.5+1.4.5`) doesn't count.

Source: The Cargo Book, "SemVer"; checked against the `semver` crate's `cmp_precedence`.
"""

from typing import Final

from openinspector.versions.contract import Scheme
from openinspector.versions.semver import reader

PLUGIN: Final = Scheme(name="cargo", title="crates.io (Cargo)", key=reader("cargo"))
