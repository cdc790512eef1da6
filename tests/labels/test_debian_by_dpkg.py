"""A Debian root is judged as dpkg and Debian's own records judge it: nothing more, nothing less.

A root is made of real source packages at versions around the real fixes; what is affected is worked out from the raw
records with `dpkg --compare-versions`, without any code of ours.
"""

import json
import random
import shutil
import subprocess
import zipfile
from collections import defaultdict

import pytest

from openinspector.feeds.contract import Document
from openinspector.feeds.sources.osv import PLUGIN
from openinspector.pipeline.scan import Request, read_target, scan
from openinspector.store.advisories import AdvisoryFile
from openinspector.store.compile import FeedState, compile_parts
from openinspector.store.part import write_part

PACKAGES = 250
_NO_FINDING = ("unimportant", "end-of-life")  # Debian's words for what is not to be fixed because it is none


def fixes_of(archive):
    """Source package → CVE → (fixed version or "", urgency), of Debian 12."""
    found = defaultdict(dict)
    with zipfile.ZipFile(archive) as packed:
        for member in packed.namelist():
            record = json.loads(packed.read(member)) if member.startswith("CVE-") else {}
            for entry in () if record.get("withdrawn") else record.get("affected", ()):
                package = entry.get("package", {})
                if package.get("ecosystem") == "Debian:12":
                    for each in entry["ranges"]:
                        fixed = [event["fixed"] for event in each["events"] if "fixed" in event]
                        urgency = entry.get("ecosystem_specific", {}).get("urgency", "")
                        found[package["name"]].setdefault(record["id"], []).append(("".join(fixed[:1]), urgency))
    return found


def is_older(one, other):
    return subprocess.run(["dpkg", "--compare-versions", one, "lt", other], check=False).returncode == 0  # noqa: S603, S607


@pytest.mark.feeds
@pytest.mark.native
@pytest.mark.skipif(shutil.which("dpkg") is None, reason="dpkg is not installed")
def test_a_debian_root_is_judged_as_dpkg_judges_it(feeds_dir, tmp_path):
    archive = feeds_dir / "osv" / "Debian" / "all.zip"
    fixes = fixes_of(archive)
    chance = random.Random(12)  # noqa: S311  a sample, not a secret
    names = chance.sample(sorted(name for name in fixes if not name.startswith("linux")), PACKAGES)
    installed = {}
    for name in names:
        known = sorted({fixed for told in fixes[name].values() for fixed, _ in told if fixed}) or ["1.0-1"]
        base = chance.choice(known)
        installed[name] = chance.choice((base, base + "~", base + "+b1", "0:" + base if ":" not in base else base))
    expected = {
        (name, cve)
        for name, version in installed.items()
        for cve, told in fixes[name].items()
        for fixed, urgency in told
        if urgency not in _NO_FINDING and (not fixed or is_older(version, fixed))
    }

    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    (root / "etc/os-release").write_text('ID=debian\nVERSION_ID="12"\n')
    (root / "var/lib/dpkg").mkdir(parents=True)
    (root / "var/lib/dpkg/status").write_text(
        "".join(
            f"Package: {name}-bin\nStatus: install ok installed\nArchitecture: amd64\n"
            f"Source: {name} ({version})\nVersion: 99:1-1\n\n"
            for name, version in installed.items()
        )
    )
    with archive.open("rb") as stream:
        write_part(tmp_path / "part", PLUGIN.parse(Document(path="osv/Debian/all.zip", stream=stream)))
    state = FeedState(name="osv", revision=1, digest="d", fetched="", parts=(tmp_path / "part",))
    compile_parts(tmp_path / "file", (state,), {})
    report = scan(read_target(Request(target=f"dir:{root}")), AdvisoryFile(tmp_path / "file"))
    found = {
        (each.match.package.source.name, each.vulnerability.id)
        for each in report.findings
        if each.vulnerability.id.startswith("CVE-")  # beside them, announcements of flaws that have no CVE
    }
    assert len(report.inventory.packages) == PACKAGES
    assert not report.undecided
    assert len(expected) > PACKAGES
    assert found == expected
