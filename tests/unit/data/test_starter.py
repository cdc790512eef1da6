"""The starter advisories: well-formed, ours in wording, and true to their publishers' records."""

import gzip
import json
import re
import tarfile
import zipfile
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest
import yaml
from cvss import CVSS2, CVSS3, CVSS4
from defusedxml import ElementTree

STARTER = Path(str(files("openinspector"))) / "data" / "starter"
PATHS = sorted(STARTER.rglob("*.json"))
Record = dict[str, Any]
Claim = tuple[str, str, str, str]  # ecosystem, package, and the two ends of a range ("" where it stays open)

AT_LEAST = {
    "Debian": 20,
    "Ubuntu": 12,
    "Alpine": 12,
    "Amazon Linux": 12,
    "PyPI": 30,
    "npm": 30,
    "Maven": 15,
    "Go": 12,
    "RubyGems": 10,
    "crates.io": 8,
    "NuGet": 6,
    "Packagist": 8,
}
RELEASES = {
    "Debian": {"10", "11", "12", "13"},
    "Ubuntu": {"18.04:LTS", "20.04:LTS", "22.04:LTS", "24.04:LTS"},
    "Alpine": {f"v3.{minor}" for minor in range(14, 21)},
    "Amazon Linux": {"2", "2023"},
}
RANGE_TYPES = {"npm": "SEMVER", "Go": "SEMVER", "crates.io": "SEMVER"}
VECTORS = {"CVSS_V2": CVSS2, "CVSS_V3": CVSS3, "CVSS_V4": CVSS4}
FIELDS = {
    "schema_version",
    "id",
    "published",
    "modified",
    "aliases",
    "related",
    "summary",
    "severity",
    "affected",
    "references",
    "database_specific",
}


@cache
def record(path: Path) -> Record:
    return json.loads(path.read_text())


def name_of(path: Path) -> str:
    return path.relative_to(STARTER).as_posix()


each = pytest.mark.parametrize("path", PATHS, ids=name_of)


def events(advisory: Record) -> Iterator[tuple[str, str, list[tuple[str, str]]]]:
    for affected in advisory["affected"]:
        for interval in affected["ranges"]:
            pairs = [next(iter(event.items())) for event in interval["events"]]
            yield affected["package"]["ecosystem"], affected["package"]["name"], pairs


def claims(advisory: Record, ecosystem: str = "") -> set[Claim]:
    """What a record says: per package the two ends of every range, the second "" where it stays open."""
    said: set[Claim] = set()
    for where, package, pairs in events(advisory):
        bounds = [("0" if bound == "0.0.0-0" else bound) for _, bound in pairs]  # crates.io's word for "from the start"
        if where.startswith(ecosystem):
            said |= {(where, package, *ends) for ends in zip_longest(bounds[::2], bounds[1::2], fillvalue="")}
    return said


@each
def test_a_record_has_the_shape_of_osv(path: Path) -> None:
    advisory = record(path)
    assert advisory.keys() <= FIELDS  # no `details`, no `credits`: nothing that could have been copied
    assert advisory["schema_version"] == "1.6.0"
    for day in (advisory["modified"], advisory.get("published", "1999-01-01T00:00:00Z")):
        assert datetime.strptime(day, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert 10 < len(advisory["summary"]) <= 125
    assert "\n" not in advisory["summary"]
    assert [reference["type"] for reference in advisory["references"]] == ["ADVISORY"]
    assert advisory["references"][0]["url"].startswith("https://")
    for affected in advisory["affected"]:
        assert affected.keys() <= {"package", "ranges", "ecosystem_specific"}
        assert affected["package"]["ecosystem"]
        assert affected["package"]["name"]
        assert affected["ranges"]


@each
def test_a_file_lies_in_its_ecosystems_folder_under_its_id(path: Path) -> None:
    advisory = record(path)
    assert path.stem == advisory["id"]
    assert ":" not in name_of(path)
    folder = path.parent.name
    for affected in advisory["affected"]:
        ecosystem, _, release = affected["package"]["ecosystem"].partition(":")
        assert ecosystem == folder
        assert (release in RELEASES[folder]) if folder in RELEASES else not release


@each
def test_a_range_opens_before_it_closes(path: Path) -> None:
    advisory = record(path)
    wanted = RANGE_TYPES.get(path.parent.name, "ECOSYSTEM")
    assert {interval["type"] for affected in advisory["affected"] for interval in affected["ranges"]} == {wanted}
    assert all(
        len(event) == 1
        for affected in advisory["affected"]
        for interval in affected["ranges"]
        for event in interval["events"]
    )
    for _, _, pairs in events(advisory):
        kinds = [kind for kind, _ in pairs]
        assert kinds[::2] == ["introduced"] * len(kinds[::2])
        assert set(kinds[1::2]) <= {"fixed", "last_affected"}
        assert len(kinds) % 2 == 0 or len(kinds) == 1
        assert all(value and value == value.strip() for _, value in pairs)
        assert all(value != "0" for kind, value in pairs if kind != "introduced")


@each
def test_a_package_is_named_once_per_release(path: Path) -> None:
    packages = [(a["package"]["ecosystem"], a["package"]["name"]) for a in record(path)["affected"]]
    assert len(packages) == len(set(packages))


@each
def test_vectors_and_weaknesses_parse(path: Path) -> None:
    advisory = record(path)
    for severity in advisory.get("severity", []):
        VECTORS[severity["type"]](severity["score"])
    specific = advisory.get("database_specific", {})
    assert specific.keys() <= {"severity", "cwe_ids"}
    assert all(re.fullmatch(r"CWE-[1-9]\d*", weakness) for weakness in specific.get("cwe_ids", []))


@each
def test_aliases_name_one_flaw(path: Path) -> None:
    advisory = record(path)
    names = [advisory["id"], *advisory.get("aliases", [])]
    assert len(names) == len(set(names))
    assert len([name for name in names if name.startswith("CVE-")]) <= 1
    if path.parent.name in ("Ubuntu", "Alpine"):
        assert advisory["aliases"] == [advisory["id"].partition("-")[2]]
    if path.parent.name == "Amazon Linux":
        assert advisory["related"]
        assert all(name.startswith("CVE-") for name in advisory["related"])


def test_ids_are_unique() -> None:
    counts = Counter(record(path)["id"] for path in PATHS)
    assert [name for name, count in counts.items() if count > 1] == []


def test_every_ecosystem_has_enough() -> None:
    counts = Counter(path.parent.name for path in PATHS)
    assert counts.keys() == AT_LEAST.keys()
    assert {name: counts[name] for name, least in AT_LEAST.items() if counts[name] < least} == {}


def test_no_summary_tells_two_flaws_of_one_ecosystem_alike() -> None:
    counts = Counter(
        (path.parent.name, record(path)["summary"]) for path in PATHS if path.parent.name != "Amazon Linux"
    )
    assert [summary for summary, count in counts.items() if count > 1] == []


def test_files_are_written_alike() -> None:
    for path in PATHS:
        assert path.read_text() == json.dumps(record(path), indent=2, ensure_ascii=False) + "\n", name_of(path)


def of(ecosystem: str) -> list[Record]:
    return [record(path) for path in PATHS if path.parent.name == ecosystem]


@pytest.mark.feeds
@pytest.mark.parametrize("ecosystem", ["PyPI", "npm", "Maven", "Go", "crates.io", "NuGet", "Packagist"])
def test_language_records_agree_with_their_publishers(feeds_dir: Path, ecosystem: str) -> None:
    with zipfile.ZipFile(feeds_dir / "osv" / ecosystem / "all.zip") as archive:
        for advisory in of(ecosystem):
            real = json.loads(archive.read(f"{advisory['id']}.json"))
            assert not real.get("withdrawn"), advisory["id"]
            ours = claims(advisory)
            assert ours <= claims(real_with_ranges(real), ecosystem), advisory["id"]
            # No range of a package that we name is left out.
            packages = {package for _, package, *_ in ours}
            theirs = {claim for claim in claims(real_with_ranges(real), ecosystem) if claim[1] in packages}
            assert ours == theirs, advisory["id"]
            assert set(advisory.get("aliases", [])) <= set(real.get("aliases", [])), advisory["id"]
            assert real["published"][:10] == advisory["published"][:10], advisory["id"]
            if real.get("severity"):
                assert advisory["severity"] == real["severity"], advisory["id"]


def real_with_ranges(real: Record) -> Record:
    """A publisher's record without what names no range of versions."""
    kept = []
    for affected in real["affected"]:
        ranges = [interval for interval in affected.get("ranges", []) if interval["type"] != "GIT"]
        if ranges and affected.get("package"):
            kept.append({"package": affected["package"], "ranges": ranges})
    return {"affected": kept}


@pytest.mark.feeds
def test_debian_records_agree_with_the_tracker(feeds_dir: Path) -> None:
    with zipfile.ZipFile(feeds_dir / "osv" / "Debian" / "all.zip") as archive:
        ours = {advisory["id"]: advisory for advisory in of("Debian")}
        buster: dict[str, set[Claim]] = {name: set() for name in ours}
        for member in archive.namelist():
            if not member.startswith(("DSA-", "DLA-")):
                continue
            body = archive.read(member)
            for name in set(re.findall(rb'"(CVE-\d+-\d+)"', body)) & {name.encode() for name in ours}:
                buster[name.decode()] |= claims(real_with_ranges(json.loads(body)), "Debian:10")
        for name, advisory in ours.items():
            real = claims(real_with_ranges(json.loads(archive.read(f"{name}.json"))), "Debian")
            for claim in claims(advisory):
                if claim[0] == "Debian:10":  # as its own DSA or DLA says, or fixed before that release came out
                    assert claim in buster[name] or ("Debian:11", *claim[1:]) in real, (name, claim)
                else:
                    assert claim in real, (name, claim)


@pytest.mark.feeds
def test_ubuntu_records_agree_with_the_tracker(feeds_dir: Path) -> None:
    codenames = {"18.04": "bionic", "20.04": "focal", "22.04": "jammy", "24.04": "noble"}
    wanted = {advisory["aliases"][0]: advisory for advisory in of("Ubuntu")}
    with tarfile.open(feeds_dir / "ubuntu" / "ubuntu-cve-tracker.tar.xz", "r|xz") as archive:
        texts = {
            name: archive.extractfile(member).read().decode()
            for member in archive
            if (name := member.name.rpartition("/")[2]) in wanted
        }
    assert texts.keys() == wanted.keys()
    for name, advisory in wanted.items():
        lines = set(texts[name].splitlines())
        assert f"Priority: {advisory['database_specific']['severity']}" in lines, name
        for release, package, _, end in claims(advisory):
            status = f"{codenames[release.split(':')[1]]}_{package}: "
            if end:
                assert f"{status}released ({end})" in lines, (name, package, end)
            else:
                assert any(line.startswith((status + "needed", status + "deferred")) for line in lines), name


@pytest.mark.feeds
def test_alpine_records_agree_with_secdb(feeds_dir: Path) -> None:
    real: set[tuple[str, Claim]] = set()
    for release in RELEASES["Alpine"]:
        for document in sorted((feeds_dir / "alpine" / "secdb" / release).glob("*.json")):
            for entry in json.loads(document.read_text())["packages"]:
                for version, names in entry["pkg"]["secfixes"].items():
                    for name in " ".join(names or []).split():
                        real.add((f"ALPINE-{name}", (f"Alpine:{release}", entry["pkg"]["name"], "0", version)))
    ours = {(advisory["id"], claim) for advisory in of("Alpine") for claim in claims(advisory)}
    assert ours - real == set()


@pytest.mark.feeds
def test_amazon_records_agree_with_the_update_information(feeds_dir: Path) -> None:
    ours = {advisory["id"]: advisory for advisory in of("Amazon Linux")}
    seen: set[str] = set()
    for release, folder in (("2", "al2"), ("2023", "al2023")):
        document = gzip.decompress((feeds_dir / "amazon" / folder / "core" / "updateinfo.xml.gz").read_bytes())
        for update in ElementTree.fromstring(document):
            name = update.findtext("id")
            if name not in ours:
                continue
            seen.add(name)
            real = {
                (f"Amazon Linux:{release}", package.get("name"), "0", evr(package))
                for package in update.iter("package")
                if not package.get("name").endswith(("-debuginfo", "-debugsource"))
            }
            assert claims(ours[name]) == real, name
            flaws = {reference.get("id") for reference in update.iter("reference") if reference.get("type") == "cve"}
            assert set(ours[name]["related"]) == flaws, name
            assert ours[name]["database_specific"]["severity"] == update.findtext("severity"), name
    assert seen == ours.keys()


def evr(package: Any) -> str:
    epoch = package.get("epoch") or "0"
    return ("" if epoch == "0" else f"{epoch}:") + f"{package.get('version')}-{package.get('release')}"


@pytest.mark.feeds
def test_ruby_records_agree_with_the_ruby_advisory_database(feeds_dir: Path) -> None:
    with zipfile.ZipFile(feeds_dir / "rubysec" / "ruby-advisory-db.zip") as archive:
        for advisory in of("RubyGems"):
            (gem,) = {package for _, package, *_ in claims(advisory)}
            real = yaml.safe_load(archive.read(f"ruby-advisory-db-master/gems/{gem}/{advisory['aliases'][0]}.yml"))
            assert advisory["id"] == f"GHSA-{real['ghsa']}"
            assert advisory["published"][:10] == str(real["date"])
            bounds = {re.split(r"[ ,]+", requirement)[-1] for requirement in real["patched_versions"]}
            assert {end for *_, end in claims(advisory)} == bounds, advisory["id"]
