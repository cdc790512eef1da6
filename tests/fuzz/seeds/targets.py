"""A valid target for every module of `acquire/targets`: what the fuzz targets damage.

A new kind of target needs an entry here: its packed bytes, and how a TARGET on the command line names a file of them.
"""

import gzip
import json
import tarfile

import zstandard
from tests.fuzz.seeds.kinds import Seed, in_zip, seed, tarred
from tests.unit.acquire.layers import OS_RELEASE, layer, oci_files, status

LAYER = layer(
    {"etc/os-release": OS_RELEASE, "data/dpkg/status": status(a="1"), "app/requirements.txt": "b==1\n"},
    links={"var/lib/dpkg": "../../data/dpkg"},
)
_LONG = layer({"/".join(["deep" * 20] * 4) + "/requirements.txt": "b==1\n"}, form=tarfile.PAX_FORMAT)
_MANIFEST = [{"Config": "c.json", "RepoTags": ["a:1"], "Layers": ["l.tar"]}]
_CONFIG = {"os": "linux", "architecture": "amd64", "rootfs": {"diff_ids": ["sha256:00"]}, "history": []}


def _saved(content: bytes) -> bytes:
    return tarred(manifest__json=_MANIFEST, c__json=_CONFIG, l__tar=content)


def _described(content: bytes) -> bytes:
    return tarred(manifest__json=content, c__json=_CONFIG, l__tar=LAYER)


def _configured(content: bytes) -> bytes:
    return tarred(manifest__json=_MANIFEST, c__json=content, l__tar=LAYER)


_LAYOUT = oci_files(LAYER)


def _oci(content: bytes) -> bytes:
    return layer({**_LAYOUT, "index.json": content})


_CYCLONEDX = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.6",
    "components": [
        {"type": "operating-system", "name": "debian", "version": "12"},
        {"type": "library", "name": "a", "purl": "pkg:pypi/a@1", "components": [{"type": "library", "name": "b"}]},
    ],
}
_SPDX = {
    "spdxVersion": "SPDX-2.3",
    "packages": [
        {
            "name": "a",
            "SPDXID": "SPDXRef-a",
            "versionInfo": "1",
            "externalRefs": [{"referenceType": "purl", "referenceLocator": "pkg:deb/debian/a@1?distro=debian-12"}],
        }
    ],
}

SEEDS: dict[str, list[Seed]] = {
    "archive": [
        seed("image:i.tar", LAYER, _saved),
        seed("image:i.tar", _LONG, _saved),
        seed("image:i.tar", gzip.compress(LAYER, mtime=0), _saved),
        seed("image:i.tar", zstandard.ZstdCompressor().compress(LAYER), _saved),
        seed("image:i.tar", _MANIFEST, _described),
        seed("image:i.tar", _CONFIG, _configured),
        seed("image:i.tar", _LAYOUT["index.json"], _oci),
        seed("image:i.tar.gz", LAYER, lambda content: gzip.compress(_saved(content), mtime=0)),
    ],
    "lambda_zip": [seed("lambda:f.zip", "b==1\n", in_zip("requirements__txt", a___package__json={"name": "a"}))],
    "sbom": [
        seed("sbom:s.json", json.dumps(_CYCLONEDX)),
        seed("sbom:s.json", json.dumps(_SPDX)),
    ],
}
# Read from files that other targets' tests damage, or from a network.
WITHOUT_FILE = {
    "directory": "its files are those of the formats, its tree is of the file system's making",
    "registry": "its documents and layers are those of an archive; tests/hostile/test_registries.py serves lies",
}
