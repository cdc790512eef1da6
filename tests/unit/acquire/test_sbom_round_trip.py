"""Our own SBOMs, scanned, give the findings of the tree that they tell of."""

import json

import pytest

from openinspector.acquire.contract import Reader
from openinspector.acquire.limits import Limits
from openinspector.acquire.targets.directory import read_directory
from openinspector.acquire.targets.sbom import read_sbom
from openinspector.match.engine import match
from openinspector.model.advisory import Advisory, Affected, Range
from openinspector.model.match import Report
from openinspector.pipeline.registry import formats
from openinspector.render import cyclonedx, spdx
from openinspector.store.advisories import AdvisoryFile
from openinspector.store.compile import FeedState, compile_parts
from openinspector.store.part import write_part

STATUS = """\
Package: libssl3
Status: install ok installed
Architecture: amd64
Source: openssl (3.0.7-1)
Version: 3.0.7-1+b1

Package: bsdutils
Status: install ok installed
Architecture: amd64
Source: util-linux (2.38.1-5)
Version: 1:2.38.1-5

Package: python3-jinja2
Status: install ok installed
Architecture: all
Source: jinja2
Version: 3.1.2-1
"""
METADATA = "Metadata-Version: 2.1\nName: Jinja2\nVersion: 3.1.2\n\n"
OWNED = "usr/lib/python3/dist-packages/Jinja2-3.1.2.dist-info/METADATA"
RUBY = 'RUBY_VERSION.start_with?("3.2.") or\n    raise "ruby lib version (3.2.2) doesn\'t match executable version"\n'

FILES = {
    "etc/os-release": 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
    "var/lib/dpkg/status": STATUS,
    "var/lib/dpkg/info/python3-jinja2.list": f"/.\n/{OWNED}\n",
    OWNED: METADATA,
    "opt/venv/lib/python3.11/site-packages/Jinja2-3.1.2.dist-info/METADATA": METADATA,
    "srv/app/package-lock.json": json.dumps(
        {
            "lockfileVersion": 3,
            "packages": {
                "": {"name": "app"},
                "node_modules/JSONStream": {"version": "1.0.0"},
                "node_modules/@babel/core": {"version": "7.0.0", "dev": True},
            },
        }
    ),
    "usr/local/lib/ruby/3.2.0/x86_64-linux/rbconfig.rb": RUBY,
}

AFFECTED = (
    ("debian:12", "openssl", "source", "3.0.8-1"),
    ("debian:12", "util-linux", "source", "2.38.1-6"),
    ("debian:12", "jinja2", "source", "3.1.3-1"),
    ("pypi", "jinja2", "binary", "3.1.3"),
    ("npm", "JSONStream", "binary", "1.3.0"),
    ("npm", "@babel/core", "binary", "7.1.0"),
    ("generic", "ruby", "binary", "3.2.4"),
)


@pytest.fixture(scope="module")
def advisories(tmp_path_factory):
    folder = tmp_path_factory.mktemp("advisories")
    records = [
        Advisory(
            id=f"A-{at}",
            vulnerabilities=(f"CVE-2024-{1000 + at}",),
            affected=(Affected(namespace=namespace, name=name, kind=kind, ranges=(Range(fixed=fixed),)),),
        )
        for at, (namespace, name, kind, fixed) in enumerate(AFFECTED)
    ]
    write_part(folder / "part.sqlite", records)
    state = FeedState(name="osv", revision=1, digest="d", fetched="", parts=(folder / "part.sqlite",))
    compile_parts(folder / "a.sqlite", (state,), {"built": "now"})
    file = AdvisoryFile(folder / "a.sqlite")
    yield file
    file.close()


@pytest.fixture(scope="module")
def direct(tmp_path_factory):
    root = tmp_path_factory.mktemp("root")
    for path, content in FILES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(content)
    return read_directory(Reader(formats(), Limits(), None), root)


def findings(inventory, advisories):
    outcome = match(inventory, advisories)
    assert outcome.undecided == ()
    said = [
        (
            each.vulnerability,
            each.package.type,
            each.package.name.lower(),
            each.package.version,
            each.package.location.path if each.package.type == "pypi" else "",
            each.fixed_version,
            [(proof.namespace, proof.name, proof.compared) for proof in each.evidence],
        )
        for each in outcome.matches
    ]
    return sorted(said), outcome.owned


def test_the_tree_itself_has_a_finding_for_each_advisory(direct, advisories):
    found, owned = findings(direct, advisories)
    assert sorted(each[0] for each in found) == [f"CVE-2024-{1000 + at}" for at in range(len(AFFECTED))]
    assert owned == 1  # Debian's own Jinja2 is judged as python3-jinja2


@pytest.mark.parametrize("renderer", [cyclonedx, spdx], ids=["cyclonedx", "spdx"])
def test_our_own_sbom_gives_the_findings_of_the_tree(tmp_path, renderer, direct, advisories):
    path = tmp_path / "bom.json"
    path.write_text(renderer.render(Report(inventory=direct, scanned_at="2024-01-01T00:00:00Z")))
    inventory = read_sbom(path)
    assert findings(inventory, advisories) == findings(direct, advisories)
    assert inventory.distribution == direct.distribution
    assert inventory.problems == ()
