"""Red Hat's repositories tell whether a system is on extended updates."""

import pytest

from openinspector.catalog.contract import File
from openinspector.catalog.formats.redhat_content import PLUGINS
from openinspector.catalog.repositories import enabled
from openinspector.errors import CatalogError
from openinspector.model.distro import Distribution

SYSTEM, IMAGE = PLUGINS

REPO_FILE = b"""[rhel-9-for-x86_64-baseos-eus-rpms]
name = Red Hat Enterprise Linux 9 for x86_64 - BaseOS - Extended Update Support (RPMs)
enabled = 1

[rhel-9-for-x86_64-baseos-rpms]
enabled = 0

[rhel-9-for-x86_64-appstream-eus-source-rpms]
enabled=0
"""


def streams(facts, version="9.2", family="redhat"):
    return enabled(facts, Distribution(id="rhel", version=version, family=family))


def test_enabled_sections_of_a_system():
    facts = SYSTEM.read(File(path="etc/yum.repos.d/redhat.repo", data=REPO_FILE)).facts
    assert facts == (("redhat_repositories", {"rhel-9-for-x86_64-baseos-eus-rpms": ""}),)
    assert streams(facts) == ("eus:9.2",)


def test_content_sets_of_an_image():
    data = b'{"metadata": {"icm_version": 1}, "content_sets": ["rhel-8-for-x86_64-appstream-e4s-rpms"], "image": {}}'
    facts = IMAGE.read(File(path="root/buildinfo/content_manifests/x.json", data=data)).facts
    assert streams(facts, "8.6") == ("e4s:8.6",)


def test_a_manifest_that_is_none_is_an_error():
    with pytest.raises(CatalogError):
        IMAGE.read(File(path="root/buildinfo/content_manifests/x.json", data=b'{"content_sets": [1]}'))


@pytest.mark.parametrize(
    ("repository", "version", "stream"),
    [
        ("rhel-9-for-x86_64-baseos-rpms", "9.2", ()),
        ("rhel-7-server-els-rpms", "7.9", ("els:7",)),
        ("rhel-7-server-tus-rpms", "7.7", ("tus:7.7",)),
        ("rhel-9-for-x86_64-baseos-eus-debug-rpms__9_DOT_2", "9.2", ("eus:9.2",)),
        ("somebody-eus-rpms", "9.2", ()),
    ],
)
def test_streams_by_the_id_of_a_repository(repository, version, stream):
    assert streams((("redhat_repositories", {repository: ""}),), version) == stream
    assert streams((("from_repo", {"bash-5-1.x86_64": repository}),), version) == stream
    assert streams((("redhat_repositories", {repository: ""}),), version, "rocky") == ()
