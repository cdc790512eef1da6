"""Which of Red Hat's repositories a system or an image takes its packages from.

The fact `redhat_repositories` has their ids: `rhel-9-for-x86_64-baseos-eus-rpms` tells that fixes come from the
extended updates of a minor release, whose versions differ (`catalog/repositories.py` makes `eus:9.2` of it).

Source: Red Hat, "Red Hat Enterprise Linux extended updates: how to enable the repositories"; buildinfo of Red Hat's
container images.
"""

import re
from typing import Final

import msgspec

from openinspector.catalog.contract import MEGABYTE, File, Format, Reading, Wants
from openinspector.catalog.safe_json import document

_REPO_FILE = "etc/yum.repos.d/redhat.repo"
_MANIFESTS = ("root/buildinfo/content_manifests", "usr/share/buildinfo")
_ENABLED = re.compile(r"enabled\s*=\s*(1|true|yes)\s*$", re.IGNORECASE)


class _Manifest(msgspec.Struct):
    content_sets: list[str] = []


class SubscribedRepositories:
    """The sections of `redhat.repo` that are enabled."""

    name = "redhat.repositories"
    title = "Red Hat's repositories of a system"
    type = ""
    revision = 1
    wants = Wants(paths=(_REPO_FILE,), max_size=8 * MEGABYTE)

    def accepts(self, path: str) -> bool:
        """The one file."""
        return path == _REPO_FILE

    def read(self, file: File) -> Reading:
        """The ids of the enabled repositories."""
        found = {}
        section = ""
        for line in file.text().splitlines():
            if line.startswith("["):
                section = line.strip()[1:-1]
            elif section and _ENABLED.match(line):
                found[section] = ""
        return Reading(facts=(("redhat_repositories", found),) if found else ())


class ContentManifest:
    """The content sets that a container image was built from."""

    name = "redhat.content-manifest"
    title = "Red Hat's content manifests of an image"
    type = ""
    revision = 1
    wants = Wants(dirs=_MANIFESTS, max_size=8 * MEGABYTE)

    def accepts(self, path: str) -> bool:
        """JSON in the folder of manifests."""
        return path.endswith(".json")

    def read(self, file: File) -> Reading:
        """The ids of the repositories that its packages came from."""
        manifest = document(file.data, _DECODER)
        found = dict.fromkeys(manifest.content_sets, "")
        return Reading(facts=(("redhat_repositories", found),) if found else ())


_DECODER: Final = msgspec.json.Decoder(_Manifest)

PLUGINS: Final[tuple[Format, ...]] = (SubscribedRepositories(), ContentManifest())
