"""Swift packages: semantic versioning; versions are git tags, so a leading `v` is read too.

Source: the documentation of the Swift Package Manager, "Package versions".
"""

from typing import Final

from openinspector.versions.contract import Scheme
from openinspector.versions.semver import reader

PLUGIN: Final = Scheme(name="swift", title="Swift (SwiftPM)", key=reader("swift", prefix="v?"))
