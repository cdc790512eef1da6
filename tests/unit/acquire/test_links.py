"""Links on the way to package databases."""

import pytest

from openinspector.acquire.links import leading_nowhere, resolve
from openinspector.catalog.selector import Selector
from openinspector.pipeline.registry import formats

# path, links, where it leads
CASES = [
    ("var/lib/rpm/Packages", {}, "var/lib/rpm/Packages"),
    ("var/lib/rpm/Packages", {"var/lib/rpm": "../../usr/lib/sysimage/rpm"}, "usr/lib/sysimage/rpm/Packages"),
    ("lib/apk/db/installed", {"lib": "usr/lib"}, "usr/lib/apk/db/installed"),
    ("lib/apk/db/installed", {"lib": "/usr/lib", "usr": "data"}, "data/lib/apk/db/installed"),
    ("a/b", {"a": "../../../../etc"}, "etc/b"),
    ("a/b", {"a": "a"}, None),
    ("a/b", {"a": "c", "c": "a"}, None),
    ("a", {"a": "b/a", "b": "."}, None),
]


@pytest.mark.parametrize(("path", "links", "real"), CASES)
def test_a_path_leads_somewhere_in_the_tree_or_nowhere(path, links, real):
    assert resolve(path, links) == real


# links, files that were read, which links are told
DOUBTS = [
    ({"var/lib/rpm": "../../usr/lib/sysimage/rpm"}, {"usr/lib/sysimage/rpm/rpmdb.sqlite"}, []),
    ({"var/lib/rpm": "../../usr/lib/sysimage/rpm"}, set(), ["var/lib/rpm"]),
    ({"var/lib/dpkg/status": "/etc/passwd"}, {"var/lib/dpkg/info/a.list"}, ["var/lib/dpkg/status"]),
    ({"var/lib/dpkg/status": "status"}, set(), ["var/lib/dpkg/status"]),
    ({"var/lib/dpkg": "../../data"}, {"data/status"}, []),
    ({"lib": "usr/lib"}, set(), []),  # a merged /usr in a system without apk
    ({"var": "usr", "usr": "var"}, set(), ["usr", "var"]),
    ({"etc/os-release": "../usr/lib/os-release"}, set(), []),
]


@pytest.mark.parametrize(("links", "read", "told"), DOUBTS)
def test_a_link_in_place_of_a_database_that_leads_to_none_is_told(links, read, told):
    problems = list(leading_nowhere(Selector(formats().values()), links, read.__contains__))
    assert [each.path for each in problems] == told
    assert all(each.partial for each in problems)
