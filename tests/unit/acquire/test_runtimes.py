"""Runtimes: found in a tree, judged by their projects' advisories, and left to the distribution that owns them."""

import pytest
from tests.unit.catalog.binary_writers import elf

from openinspector.acquire.contract import Reader
from openinspector.acquire.limits import Limits
from openinspector.acquire.targets.directory import read_directory
from openinspector.match.engine import match
from openinspector.model.advisory import Advisory, Affected, Range
from openinspector.pipeline.registry import formats
from openinspector.store.advisories import AdvisoryFile
from openinspector.store.compile import FeedState, compile_parts
from openinspector.store.part import write_part

NODE = elf({b".rodata": b"\0node.js/v18.18.0\0" + bytes(4096)})
RUBY = b'raise "ruby lib version (3.2.2) doesn\'t match executable version (#{RUBY_VERSION})"\n'
STATUS = b"Package: nodejs\nStatus: install ok installed\nArchitecture: amd64\nVersion: 18.19.0+dfsg-6\n\n"


@pytest.fixture(scope="module")
def advisories(tmp_path_factory):
    folder = tmp_path_factory.mktemp("advisories")
    ranges = (("node", "18.18.2"), ("ruby", "3.2.4"), ("python", "4"))
    records = [
        Advisory(id=f"A-{name}", affected=(Affected(namespace="generic", name=name, ranges=(Range(fixed=fixed),)),))
        for name, fixed in ranges
    ]
    records.append(
        Advisory(id="D-1", affected=(Affected(namespace="debian:12", name="zsh", kind="source", ranges=(Range(),)),))
    )
    write_part(folder / "part.sqlite", records)
    state = FeedState(name="osv", revision=1, digest="d", fetched="", parts=(folder / "part.sqlite",))
    compile_parts(folder / "a.sqlite", (state,), {"built": "now"})
    file = AdvisoryFile(folder / "a.sqlite")
    yield file
    file.close()


def scan(folder, advisories, files):
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    inventory = read_directory(Reader(formats(), Limits(), None), folder)
    outcome = match(inventory, advisories)
    return [(each.package.name, each.package.version, each.fixed_version) for each in outcome.matches], outcome.owned


def test_node_and_ruby_of_the_usual_images_are_judged(tmp_path, advisories):
    files = {"usr/local/bin/node": NODE, "usr/local/lib/ruby/3.2.0/x86_64-linux/rbconfig.rb": RUBY}
    found, owned = scan(tmp_path, advisories, files)
    assert sorted(found) == [("node", "18.18.0", "18.18.2"), ("ruby", "3.2.2", "3.2.4")]
    assert owned == 0


def test_a_runtime_of_the_distribution_is_left_to_it(tmp_path, advisories):
    ruby = "usr/lib/x86_64-linux-gnu/ruby/3.2.0/rbconfig.rb"
    files = {
        "etc/os-release": b"ID=debian\nVERSION_ID=12\n",
        "var/lib/dpkg/status": STATUS,
        "var/lib/dpkg/info/nodejs.list": f"/.\n/usr/bin/node\n/{ruby}\n".encode(),
        "usr/bin/node": NODE,
        ruby: RUBY,
    }
    assert scan(tmp_path, advisories, files) == ([], 2)
