"""SearchVulnerabilities: one CVE, as the advisories in force know it."""

import pytest
from tests.service.organization import REGION, STRANGER, refused

from openinspector.model.advisory import Advisory, Affected, Cvss, Range
from openinspector.store import accounts
from openinspector.store.compile import FeedState, compile_parts
from openinspector.store.part import write_part

VECTOR = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"


def affected(namespace, name):
    return (Affected(namespace=namespace, name=name, ranges=(Range(fixed="2"),)),)


FEEDS = {
    "nvd": [
        Advisory(id="CVE-2024-1", description="Told by all.", cvss=(Cvss(vector=VECTOR, score=9.8, source="NVD"),)),
        Advisory(id="CVE-2024-3", description="Told by nobody else."),
    ],
    "debian_tracker": [Advisory(id="CVE-2024-1", affected=affected("debian:12", "a"))],
    "amazon": [Advisory(id="ALAS2-2024-7", vulnerabilities=("CVE-2024-1",), affected=affected("amazon:2", "a"))],
    "osv": [
        Advisory(id="GHSA-2", aliases=("CVE-2024-2",), affected=affected("npm", "b")),
        Advisory(id="PYSEC-2024-4", aliases=("CVE-2024-4",), affected=affected("pypi", "d")),
    ],
    "cve5": [Advisory(id="CVE-2024-5", withdrawn="2024-05-05")],
}


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("advisories")
    states = []
    for name, records in FEEDS.items():
        write_part(folder / f"{name}.sqlite", records)
        states.append(FeedState(name=name, revision=1, digest="d", fetched="", parts=(folder / f"{name}.sqlite",)))
    compile_parts(folder / "advisories.sqlite", states, {})
    return folder / "advisories.sqlite"


@pytest.fixture
def ours(client, database, clock, file, monkeypatch):
    monkeypatch.setenv("OPENINSPECTOR_DB", str(file))
    with database.transaction(STRANGER) as connection:
        accounts.enable(connection, REGION, [STRANGER], ["EC2"], clock.now)
    return client(STRANGER)


def search(client, name):
    return client.search_vulnerabilities(filterCriteria={"vulnerabilityIds": [name]})["vulnerabilities"]


def test_what_is_known_of_a_flaw_is_told(ours):
    (told,) = search(ours, "CVE-2024-1")
    assert (told["id"], told["source"], told["description"]) == ("CVE-2024-1", "NVD", "Told by all.")
    assert told["cvss3"] == {"baseScore": 9.8, "scoringVector": VECTOR}


def test_detection_is_where_somebody_says_which_packages(ours):
    platforms = {name: search(ours, name)[0].get("detectionPlatforms") for name in ("CVE-2024-1", "CVE-2024-3")}
    assert platforms["CVE-2024-1"] == ["AMAZON_LINUX", "DEBIAN"]
    assert platforms["CVE-2024-3"] == []
    assert search(ours, "CVE-2024-4")[0]["detectionPlatforms"] == ["PYTHON"]
    assert "detectionPlatforms" not in search(ours, "CVE-2024-2")[0]


def test_nobody_speaks_of_it(ours):
    assert search(ours, "CVE-2024-999") == []
    assert search(ours, "CVE-2024-5") == []


def test_one_cve_is_asked_for(ours):
    for names in (["GHSA-2"], ["CVE-2024-1", "CVE-2024-2"], [], ["CVE-2024-1\n"]):
        code, _ = refused(ours.search_vulnerabilities, filterCriteria={"vulnerabilityIds": names})
        assert code == "ValidationException"


def test_there_is_one_page(ours):
    criteria = {"vulnerabilityIds": ["CVE-2024-1"]}
    code, _ = refused(ours.search_vulnerabilities, filterCriteria=criteria, nextToken="x")
    assert code == "ValidationException"
    assert "nextToken" not in ours.search_vulnerabilities(filterCriteria=criteria)


def test_the_account_has_to_be_enabled(client, file, monkeypatch):
    monkeypatch.setenv("OPENINSPECTOR_DB", str(file))
    criteria = {"vulnerabilityIds": ["CVE-2024-1"]}
    code, _ = refused(client(STRANGER).search_vulnerabilities, filterCriteria=criteria)
    assert code == "AccessDeniedException"


def test_without_advisories_the_service_says_so(ours, monkeypatch, tmp_path):
    monkeypatch.setenv("OPENINSPECTOR_DB", str(tmp_path / "none.sqlite"))
    criteria = {"vulnerabilityIds": ["CVE-2024-1"]}
    code, message = refused(ours.search_vulnerabilities, filterCriteria=criteria)
    assert (code, "no advisories" in message) == ("InternalServerException", True)
