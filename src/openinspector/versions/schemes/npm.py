"""npm: semantic versioning as node-semver orders it.

More lenient than node-semver's strict reading: it also takes a leading `=`, blanks around and after the prefix,
numbers that begin with 0 (as its loose reading does), versions cut short, and numbers beyond 2^53. Where an
identifier of a pre-release is beyond 2^53, node-semver compares rounded values; here it counts exactly.

Source: node-semver's documentation; checked against the `semver` package that npm brings along.
"""

from typing import Final

from openinspector.versions.contract import Scheme
from openinspector.versions.semver import ANY_NUMBER, reader

BLANKS = r"\s*+"  # possessive: several in a row must not try every split of a megabyte of blanks

PLUGIN: Final = Scheme(
    name="npm",
    title="npm (node-semver)",
    key=reader("npm", prefix=f"{BLANKS}=?{BLANKS}v?{BLANKS}", digits=ANY_NUMBER, suffix=BLANKS),
)
