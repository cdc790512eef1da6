"""Broken bytes of every kind end in records, problems or a FeedError, never in another exception."""

import bz2
import gzip
import json
from contextlib import suppress
from io import BytesIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openinspector.errors import FeedError
from openinspector.feeds.contract import Document
from openinspector.feeds.sources import (
    amazon,
    azurelinux,
    bottlerocket,
    cve5,
    cwe,
    epss,
    exploitdb,
    fedora,
    kev,
    nicknames,
    nvd,
    oracle,
    photon,
    redhat_vex,
    rocky,
    suse_csaf,
)

UPDATES = b"""<updates><update type="security"><id>A-1</id><issued date="2023-02-17 20:41"/>
<references><reference id="CVE-2021-44228" type="cve"/></references>
<pkglist><collection short="F43"><module name="a" stream="b"/>
<package name="a" epoch="1" version="1"
release="2" arch="x86_64"/></collection></pkglist></update></updates>"""
OVAL = b"""<oval_definitions><definitions><definition id="d"><metadata><title>ELSA-1</title>
<affected><platform>Oracle Linux 8</platform>
</affected><reference source="CVE" ref_id="CVE-2021-44228"/></metadata>
<criteria operator="AND"><criterion test_ref="t"/></criteria>
</definition></definitions><tests><rpminfo_test id="t"><object object_ref="o"/>
<state state_ref="s"/></rpminfo_test></tests>
<objects><rpminfo_object id="o"><name>a</name></rpminfo_object></objects>
<states><rpminfo_state id="s"><evr operation="less than">0:1-1</evr></rpminfo_state></states></oval_definitions>"""
CSAF = {
    "document": {"tracking": {"id": "CVE-2021-44228", "status": "final", "current_release_date": "2024-07-26"}},
    "product_tree": {
        "branches": [
            {
                "branches": [
                    {
                        "product": {
                            "product_id": "p",
                            "product_identification_helper": {"cpe": "cpe:/o:redhat:enterprise_linux:9"},
                        }
                    },
                    {
                        "product": {
                            "product_id": "c",
                            "product_identification_helper": {"purl": "pkg:rpm/redhat/a@1-1?arch=x86_64"},
                        }
                    },
                ]
            }
        ],
        "relationships": [
            {"full_product_name": {"product_id": "p:c"}, "product_reference": "c", "relates_to_product_reference": "p"}
        ],
    },
    "vulnerabilities": [{"cve": "CVE-2021-44228", "product_status": {"fixed": ["p:c"], "known_affected": ["p:c"]}}],
}
NVD = {
    "vulnerabilities": [
        {"cve": {"id": "CVE-2021-44228", "metrics": {"cvssMetricV2": [{"cvssData": {"vectorString": "AV:N"}}]}}}
    ]
}
CVE5 = {
    "cveMetadata": {"cveId": "CVE-2021-44228"},
    "containers": {
        "cna": {},
        "adp": [{"metrics": [{"other": {"type": "ssvc", "content": {"options": [{"Exploitation": "poc"}]}}}]}],
    },
}
ERRATA = {"advisories": [{"name": "RLSA-1", "kind": "Security", "packages": [{"nevra": "a-0:1-1.el9.x86_64.rpm"}]}]}
ROWS = [{"cve_id": "CVE-2021-44228", "pkg": "a", "res_ver": "1-1.ph5"}]

SEEDS = [
    (amazon.PLUGIN, "amazon/al2/core/updateinfo.xml.gz", UPDATES),
    (amazon.PLUGIN, "amazon/al2/core/updateinfo.xml.gz", gzip.compress(UPDATES, mtime=0)),
    (bottlerocket.PLUGIN, "bottlerocket/updateinfo.xml.gz", UPDATES),
    (fedora.PLUGIN, "fedora/43/updateinfo.xml.gz", UPDATES),
    (rocky.PLUGIN, "rocky/9/BaseOS/updateinfo.xml.gz", UPDATES),
    (rocky.PLUGIN, "rocky/errata/1.json", json.dumps(ERRATA).encode()),
    (oracle.PLUGIN, "oracle/com.oracle.elsa-all.xml.bz2", OVAL),
    (oracle.PLUGIN, "oracle/com.oracle.elsa-all.xml.bz2", bz2.compress(OVAL)),
    (azurelinux.PLUGIN, "azurelinux/azurelinux-3.0-oval.xml", OVAL),
    (redhat_vex.PLUGIN, "redhat/csaf-vex/a.json", json.dumps(CSAF).encode()),
    (suse_csaf.PLUGIN, "suse/csaf/a.json", json.dumps(CSAF).encode()),
    (photon.PLUGIN, "photon/cve_data_photon5.0.json", json.dumps(ROWS).encode()),
    (nvd.PLUGIN, "nvd/nvdcve-2.0-2014.json.gz", json.dumps(NVD).encode()),
    (cve5.PLUGIN, "vulnrichment/CVE-2021-44228.json", json.dumps(CVE5).encode()),
    (epss.PLUGIN, "epss/epss_scores-current.csv.gz", b"cve,epss,percentile\nCVE-2021-44228,0.9,0.9\n"),
    (kev.PLUGIN, "kev/k.json", b'{"vulnerabilities": [{"cveID": "CVE-2021-44228", "dateAdded": "2021-12-10"}]}'),
    (exploitdb.PLUGIN, "exploit/files_exploits.csv", b"id,codes,date_published\n1,CVE-2021-44228,2021-12-10\n"),
    (exploitdb.PLUGIN, "exploit/exploitdb_mapping_cve.json.gz", b'{"CVE-2021-44228": ["1"]}'),
    (
        nicknames.PLUGIN,
        "cve-aliases/cve-aliases.json",
        b'{"aliases": [{"name": "Log4Shell", "cves": ["CVE-2021-44228"]}]}',
    ),
    (cwe.PLUGIN, "cwe/cwec.xml.zip", b"PK\x03\x04"),
    (redhat_vex.PLUGIN, "redhat/csaf-vex/vex-archive.tar.zst", b"\x28\xb5\x2f\xfd\x00"),
    (cve5.PLUGIN, "vulnrichment/develop.zip", b"PK\x05\x06" + b"\0" * 18),
]


def parse(plugin, path, data):
    return list(plugin.parse(Document(path=path, stream=BytesIO(data))))


@pytest.mark.parametrize(("plugin", "path", "seed"), SEEDS[:19])
def test_the_seeds_are_read(plugin, path, seed):
    assert parse(plugin, path, seed)


@pytest.mark.parametrize(("plugin", "path", "seed"), SEEDS)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_mutated_documents_raise_nothing_but_feed_errors(plugin, path, seed, data):
    document = bytearray(seed)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(document)))
        width = data.draw(st.integers(0, 12))
        document[at : at + width] = data.draw(
            st.binary(max_size=8) | st.sampled_from([b"null", b"1e999", b"[[", b"-1", b'"', b"<", b"\\ud800"])
        )
    with suppress(FeedError):
        parse(plugin, path, bytes(document))
