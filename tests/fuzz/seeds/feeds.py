"""Valid documents for every feed, by its name: what the fuzz targets mutate and the hostile set damages.

A new feed needs an entry here (and nothing else): its smallest document that gives a record.
"""

import bz2

import zstandard
from tests.fuzz.seeds.kinds import Seed, in_gzip, in_tar, in_zip, seed

_CVE = "CVE-2021-44228"
_UPDATES = f"""<updates><update type="security"><id>ALAS2-2023-1</id><title>t</title><severity>high</severity>
<issued date="2023-02-17 20:41"/><references><reference href="x" id="{_CVE}" type="cve"/></references>
<pkglist><collection short="F43"><module name="a" stream="b"/><package name="a" epoch="1" version="1" release="2"
arch="x86_64"/></collection></pkglist></update></updates>"""
_OVAL = f"""<oval_definitions><definitions><definition id="d" class="patch"><metadata><title>ELSA-1: a</title>
<affected><platform>Oracle Linux 8</platform></affected><reference source="CVE" ref_id="{_CVE}"/>
<patchable>true</patchable><severity>Critical</severity></metadata><criteria operator="AND"><criterion test_ref="t"/>
</criteria></definition></definitions><tests><rpminfo_test id="t"><object object_ref="o"/><state state_ref="s"/>
</rpminfo_test></tests><objects><rpminfo_object id="o"><name>a</name></rpminfo_object></objects>
<states><rpminfo_state id="s"><evr operation="less than">0:1-1</evr></rpminfo_state></states></oval_definitions>"""
_CSAF = {
    "document": {"tracking": {"id": _CVE, "status": "final", "current_release_date": "2024-07-26"}},
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
    "vulnerabilities": [{"cve": _CVE, "product_status": {"fixed": ["p:c"], "known_affected": ["p:c"]}}],
}
_LEAP = "openSUSE Leap 15.6"
_SUSE = {
    "document": {"tracking": {"id": "SUSE-SU-2023:1-1", "status": "final", "current_release_date": "2024-07-26"}},
    "product_tree": {
        "relationships": [
            {
                "full_product_name": {"product_id": f"{_LEAP}:a-1-1.x86_64"},
                "product_reference": "a-1-1.x86_64",
                "relates_to_product_reference": _LEAP,
            }
        ]
    },
    "vulnerabilities": [{"cve": _CVE, "product_status": {"recommended": [f"{_LEAP}:a-1-1.x86_64"]}}],
}
_OSV = {
    "id": "GHSA-2222-3333-4444",
    "aliases": [_CVE],
    "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "a"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1"}]}],
            "versions": ["0.5"],
        }
    ],
}
_UBUNTU_OSV = {
    "id": f"UBUNTU-{_CVE}",
    "upstream": [_CVE],
    "affected": [
        {
            "package": {"ecosystem": "Ubuntu:22.04:LTS", "name": "a", "purl": "pkg:deb/ubuntu/a@1?arch=source"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2-1"}]}],
        }
    ],
}
_SECDB = {
    "distroversion": "v3.20",
    "reponame": "main",
    "packages": [{"pkg": {"name": "a", "secfixes": {"8.4.0-r0": [_CVE], "0": ["CVE-2016-2781"]}}}],
}
_NVD = {
    "vulnerabilities": [
        {
            "cve": {
                "id": _CVE,
                "metrics": {
                    "cvssMetricV31": [{"source": "x", "cvssData": {"vectorString": "CVSS:3.1/AV:N", "baseScore": 9}}]
                },
                "descriptions": [{"lang": "en", "value": "x"}],
            }
        }
    ]
}
_CVE5 = {
    "cveMetadata": {"cveId": _CVE, "state": "PUBLISHED"},
    "containers": {
        "cna": {"descriptions": [{"lang": "en", "value": "x"}]},
        "adp": [{"metrics": [{"other": {"type": "ssvc", "content": {"options": [{"Exploitation": "poc"}]}}}]}],
    },
}
_UBUNTU = (
    f"Candidate: {_CVE}\nPublicDate: 2023-10-10 14:15:00 UTC\nReferences:\n https://x\nDescription:\n One line\n"
    "Priority: medium\nCVSS:\n nvd: CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H [7.5 HIGH]\n\n"
    "upstream_curl: released (8.4)\nfocal_curl: released (7.68.0-1ubuntu2.20)\njammy_curl: needed\n"
)
_WEAKNESSES = """<?xml version="1.0"?><Weakness_Catalog Name="CWE" xmlns="http://cwe.mitre.org/cwe-7"><Weaknesses>
<Weakness ID="79" Name="Cross-site Scripting"><Description>x</Description></Weakness></Weaknesses></Weakness_Catalog>"""
_GEM = (
    f"---\ngem: a\ncve: {_CVE[4:]}\nurl: https://x\ndate: 2020-05-18\ncvss_v3: 9.8\npatched_versions:\n  - '~> 5.2'\n"
)
_PHP = (
    "link: https://x\ncve: ~\nbranches:\n  1.x:\n    time: ~\n    versions: ['>=1', '<2']\nreference: composer://a/b\n"
)
_NODE = {"cve": [_CVE], "vulnerable": "14.x || 16.x", "patched": "^14.21.1 || ^16.18.1", "severity": "medium"}
_EPSS = f"#model_version:v2023,score_date:2024-01-01\ncve,epss,percentile\n{_CVE},0.9,0.9\n"

SEEDS: dict[str, list[Seed]] = {
    "alpine": [seed("alpine/secdb/v3.20/main.json", _SECDB)],
    "amazon": [
        seed("amazon/al2/core/updateinfo.xml.gz", _UPDATES),
        seed("amazon/al2/core/updateinfo.xml.gz", _UPDATES, in_gzip),
    ],
    "azurelinux": [seed("azurelinux/azurelinux-3.0-oval.xml", _OVAL)],
    "bottlerocket": [seed("bottlerocket/updateinfo.xml.gz", _UPDATES)],
    "chainguard": [seed("chainguard/security.json", {**_SECDB, "reponame": "chainguard"})],
    "cve5": [
        seed(f"vulnrichment/{_CVE}.json", _CVE5),
        seed("vulnrichment/develop.zip", _CVE5, in_zip(f"a___{_CVE}__json")),
    ],
    "cwe": [seed("cwe/cwec.xml.zip", _WEAKNESSES, in_zip("cwec__xml"))],
    "debian_dsa": [
        seed(
            "debian/security-tracker/data/DSA/list",
            f"[14 Jul 2019] DSA-4480-1 redis - security update\n\t{{{_CVE}}}\n\t[stretch] - redis 3:3.2.6-3+deb9u3\n",
        )
    ],
    "debian_tracker": [
        seed(
            "debian/tracker.json",
            {
                "a": {
                    _CVE: {
                        "releases": {
                            "bookworm": {"status": "open", "urgency": "low", "repositories": {"bookworm": "1"}}
                        }
                    }
                }
            },
        )
    ],
    "epss": [seed("epss/epss_scores-current.csv.gz", _EPSS, in_gzip)],
    "exploitdb": [
        seed("exploit/files_exploits.csv", f"id,codes,date_published\n1,{_CVE},2021-12-10\n"),
        seed("exploit/exploitdb_mapping_cve.json.gz", {_CVE: ["1"]}),
    ],
    "fedora": [seed("fedora/43/updateinfo.xml.gz", _UPDATES)],
    "friendsofphp": [seed("friendsofphp/security-advisories.zip", _PHP, in_zip("m___a___b___1__yaml"))],
    "kev": [
        seed(
            "kev/known_exploited_vulnerabilities.json",
            {"vulnerabilities": [{"cveID": _CVE, "dateAdded": "2021-12-10"}]},
        )
    ],
    "nicknames": [seed("cve-aliases/cve-aliases.json", {"aliases": [{"name": "Log4Shell", "cves": [_CVE]}]})],
    "nodejs": [seed("nodejs/security-wg-vuln.zip", _NODE, in_zip("m___vuln___core___1__json"))],
    "nvd": [seed("nvd/nvdcve-2.0-2014.json.gz", _NVD, in_gzip)],
    "oracle": [
        seed("oracle/com.oracle.elsa-all.xml.bz2", _OVAL),
        seed("oracle/com.oracle.elsa-all.xml.bz2", _OVAL, bz2.compress),
    ],
    "osv": [seed("osv/PyPI/all.zip", _OSV, in_zip("GHSA-2222-3333-4444__json"))],
    "photon": [seed("photon/cve_data_photon5.0.json", [{"cve_id": _CVE, "pkg": "a", "res_ver": "1-1.ph5"}])],
    "redhat-vex": [
        seed("redhat/csaf-vex/2021/cve-2021-44228.json", _CSAF),
        seed(
            "redhat/csaf-vex/vex-archive.tar.zst",
            _CSAF,
            lambda content: zstandard.ZstdCompressor().compress(in_tar("2021___cve-2021-44228__json")(content)),
        ),
    ],
    "rocky": [
        seed("rocky/9/BaseOS/updateinfo.xml.gz", _UPDATES.replace('release="2"', 'release="2.el9"')),
        seed(
            "rocky/errata/1.json",
            {"advisories": [{"name": "RLSA-1", "kind": "Security", "packages": [{"nevra": "a-0:1-1.el9.x86_64.rpm"}]}]},
        ),
    ],
    "rubysec": [seed("rubysec/ruby-advisory-db.zip", _GEM, in_zip(f"m___gems___a___{_CVE}__yml"))],
    "suse": [
        seed("suse/csaf/a.json", _SUSE),
        seed("suse/csaf.tar.bz2", _SUSE, in_tar("csaf___a__json", "bz2")),
    ],
    "ubuntu_osv": [seed("ubuntu/osv/osv-all.tar.xz", _UBUNTU_OSV, in_tar(f"osv___cve___UBUNTU-{_CVE}__json", "xz"))],
    "ubuntu_tracker": [
        seed("ubuntu/ubuntu-cve-tracker.tar.xz", _UBUNTU, in_tar(f"ubuntu-cve-tracker___active___{_CVE}", "xz"))
    ],
    "wolfi": [seed("wolfi/security.json", {**_SECDB, "reponame": "os"})],
}
