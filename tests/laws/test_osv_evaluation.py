"""The advisory file answers as the evaluation of the OSV schema does, record by record, on real archives.

The oracle is the schema's own algorithm, written plainly: sort the events, walk them, remember whether we are inside.
For PyPI it compares with `packaging`; for the others with our comparers, which have laws and native tools of their own.
What GitHub knows better than its ranges (`last_known_affected_version_range`) and what Go keeps outside of them
(`custom_ranges`) is left out here; `tests/unit/feeds/test_osv.py` has it.

Source: https://ossf.github.io/osv-schema/#evaluation
"""

import functools
import json
import random
import re
import zipfile
from collections import defaultdict

import pytest
from packaging.version import InvalidVersion, Version

from openinspector.errors import VersionError
from openinspector.feeds.contract import Document
from openinspector.feeds.sources.osv import PLUGIN
from openinspector.model.ecosystem import TYPE_OF_OSV, canonical_name, scheme_of
from openinspector.store.advisories import AdvisoryFile
from openinspector.store.compile import FeedState, compile_parts
from openinspector.store.part import write_part
from openinspector.versions.order import compare, scheme

PACKAGES, VERSIONS = 1200, 8  # of an archive, and of a package
_TIES = {"fixed": 0, "introduced": 1, "last_affected": 2}


def by_packaging(one, other):
    try:
        a, b = Version(one), Version(other)
    except InvalidVersion as error:
        raise VersionError(str(error)) from error
    return (a > b) - (a < b)


def inside(order, events, version):
    """Whether a range contains a version, by the schema's algorithm."""

    def between(one, other):
        if "0" in (one[0], other[0]):
            return (one[0] != "0") - (other[0] != "0") or _TIES[one[1]] - _TIES[other[1]]
        return order(one[0], other[0]) or _TIES[one[1]] - _TIES[other[1]]

    found = False
    walk = sorted(((at, kind) for event in events for kind, at in event.items()), key=functools.cmp_to_key(between))
    for at, kind in walk:
        side = 1 if at == "0" else order(version, at)
        if kind == "introduced" and side >= 0:
            found = True
        elif (kind == "fixed" and side >= 0) or (kind == "last_affected" and side > 0):
            found = False
    return found


def entries_of(archive, ecosystem):
    """Name → (id, ranges, listed versions) of every entry that is all in its ranges and lists."""
    found = defaultdict(list)
    left_out = set()
    with zipfile.ZipFile(archive) as packed:
        for member in packed.namelist():
            record = json.loads(packed.read(member))
            for entry in record.get("affected", ()):
                if record.get("withdrawn") or entry.get("package", {}).get("ecosystem") != ecosystem:
                    continue
                name = canonical_name(TYPE_OF_OSV[ecosystem], entry["package"]["name"])
                more = json.dumps([entry.get("database_specific"), entry.get("ecosystem_specific")])
                if re.search("last_known_affected|custom_ranges|informational", more):
                    left_out.add((name, record["id"]))
                ranges = [each["events"] for each in entry.get("ranges", ()) if each["type"] != "GIT"]
                found[name].append((record["id"], ranges, entry.get("versions") or ()))
    return found, left_out


@pytest.mark.feeds
@pytest.mark.parametrize("ecosystem", ["PyPI", "npm", "Maven", "Packagist", "NuGet", "crates.io"])
def test_the_file_answers_as_the_schema_evaluates(feeds_dir, tmp_path, ecosystem):
    archive = feeds_dir / "osv" / ecosystem / "all.zip"
    with archive.open("rb") as stream:
        write_part(tmp_path / "part", PLUGIN.parse(Document(path=f"osv/{ecosystem}/all.zip", stream=stream)))
    state = FeedState(name="osv", revision=1, digest="d", fetched="", parts=(tmp_path / "part",))
    compile_parts(tmp_path / "file", (state,), {})
    file = AdvisoryFile(tmp_path / "file")
    namespace = TYPE_OF_OSV[ecosystem]
    rule = scheme(scheme_of(namespace, "x"))
    order = by_packaging if ecosystem == "PyPI" else functools.partial(compare, rule.name)
    entries, left_out = entries_of(archive, ecosystem)
    chance = random.Random(7)  # noqa: S311  a sample, not a secret
    asked = 0
    for name in chance.sample(sorted(entries), min(PACKAGES, len(entries))):
        bounds = {
            at for _, ranges, _ in entries[name] for events in ranges for event in events for at in event.values()
        }
        listed = {version for _, _, versions in entries[name] for version in versions}
        for version in chance.sample(sorted(bounds | listed), min(VERSIONS, len(bounds | listed))):
            expected, unsure = set(), {identity for at, identity in left_out if at == name}
            try:
                key = rule.key(version)
                for identity, ranges, versions in entries[name]:
                    if any(inside(order, events, version) for events in ranges):
                        expected.add(identity)
                    elif any(each == version or order(each, version) == 0 for each in versions):
                        # In the list, outside of the ranges: PyPA's lists count beside them, GitHub's come from them.
                        (unsure if ranges and not identity.startswith("PYSEC-") else expected).add(identity)
            except VersionError:
                continue
            candidates = file.candidates(namespace, name, key)
            if version == "0" or any(each.unreadable or each.exact for each in candidates):
                continue
            asked += 1
            answered = {each.advisory for each in candidates}
            assert answered ^ expected <= unsure, (name, version)
    assert asked > PACKAGES
