"""Go modules: semantic versioning with or without the leading `v` (advisories leave it out).

`+incompatible` and other build metadata don't count. A pseudo-version is a pre-release like any other: its time stamp
puts it in order. The go command's own versions are another scheme, `gotoolchain`.

Source: Go Modules Reference, "Versions" and "Pseudo-versions"; checked against golang.org/x/mod/semver.
"""

from typing import Final

from openinspector.versions.contract import Scheme
from openinspector.versions.semver import reader

PLUGIN: Final = Scheme(name="go", title="Go modules", key=reader("go", prefix="v?"))
