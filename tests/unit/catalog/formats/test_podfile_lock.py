"""CocoaPods' lock file."""

import pytest

from openinspector.catalog.contract import File
from openinspector.catalog.formats.podfile_lock import PLUGIN
from openinspector.errors import CatalogError

LOCK = """PODS:
  - Alamofire (5.8.0)
  - Firebase/Core (10.15.0):
    - Firebase/CoreOnly
    - FirebaseAnalytics (~> 10.15.0)
  - Firebase/CoreOnly (10.15.0)
  - "NSData+zlib (1.0)"
  - Mine (0.1.0)

DEPENDENCIES:
  - Alamofire (~> 5.8)
  - Mine (from `../Mine`)

EXTERNAL SOURCES:
  Mine:
    :path: "../Mine"

SPEC CHECKSUMS:
  Alamofire: 0123456789

COCOAPODS: 1.12.1
"""


def read(text):
    return PLUGIN.read(File(path="ios/Podfile.lock", data=text.encode()))


def test_pods_are_listed_once_whatever_parts_are_used():
    reading = read(LOCK)
    assert [(each.name, each.version, each.repository) for each in reading.packages] == [
        ("Alamofire", "5.8.0", ""),
        ("Firebase", "10.15.0", ""),
        ("NSData+zlib", "1.0", ""),
        ("Mine", "0.1.0", "../Mine"),
    ]
    assert {(each.type, each.format) for each in reading.packages} == {("cocoapods", "cocoapods.lock")}
    assert not reading.problems


def test_pods_without_a_version_are_counted():
    assert read("PODS:\n  - Alone\n  - A (1.0)\n  - [x]\n").problems[0].count == 2


def test_a_lock_without_pods_is_fine():
    assert not read("PODS: []\nCOCOAPODS: 1.12.1\n").packages


@pytest.mark.parametrize("text", ["", "text", "PODS: {a: b}", "PODS: ["])
def test_another_shape_is_an_error(text):
    with pytest.raises(CatalogError):
        read(text)
