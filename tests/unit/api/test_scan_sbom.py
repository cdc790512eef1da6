"""ScanSbom by a real client: what it answers, and how it refuses."""

import pytest
from botocore.exceptions import ClientError
from tests.unit.api.server import client_of, service_of, serving

from openinspector.api.operations.scan_sbom import OPERATIONS
from openinspector.model.advisory import Advisory, Affected, Range
from openinspector.store.compile import FeedState, compile_parts
from openinspector.store.part import write_part

PURL = "pkg:npm/lodash@4.17.20"
COMPONENT = {"bom-ref": "comp-1", "type": "library", "name": "lodash", "version": "4.17.20", "purl": PURL}
SBOM = {"bomFormat": "CycloneDX", "specVersion": "1.5", "components": [COMPONENT]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("advisories")
    affected = Affected(namespace="npm", name="lodash", ranges=(Range(fixed="4.17.21"),))
    write_part(made / "part.sqlite", [Advisory(id="CVE-2021-23337", severity="high", affected=(affected,))])
    state = FeedState(name="osv", revision=1, digest="d", fetched="", parts=(made / "part.sqlite",))
    compile_parts(made / "advisories.sqlite", [state], {})
    return made


@pytest.fixture
def client(folder, monkeypatch):
    monkeypatch.setenv("OPENINSPECTOR_DB", str(folder / "advisories.sqlite"))
    with serving(service_of(dict(OPERATIONS))) as address:
        made = client_of(address, "inspector-scan")
        yield made
        made.close()


def test_the_default_is_cyclonedx(client):
    sbom = client.scan_sbom(sbom=SBOM)["sbom"]
    assert (sbom["bomFormat"], sbom["specVersion"]) == ("CycloneDX", "1.5")
    (flaw,) = sbom["vulnerabilities"]
    assert (flaw["id"], flaw["affects"]) == ("CVE-2021-23337", [{"ref": "comp-1"}])
    assert {"name": "amazon:inspector:sbom_scanner:fixed_version:comp-1", "value": "4.17.21"} in flaw["properties"]


@pytest.mark.parametrize("output_format", ["INSPECTOR", "INSPECTOR_ALT"])
def test_inspectors_own_format(client, output_format):
    sbom = client.scan_sbom(sbom=SBOM, outputFormat=output_format)["sbom"]
    assert sbom["vulnerability_count"] == {"critical": 0, "high": 1, "medium": 0, "low": 0, "other": 0}
    assert sbom["vulnerabilities"][0]["affects"][0]["installed_version"] == PURL


@pytest.mark.parametrize(
    ("sbom", "reason", "fields"),
    [
        ({"spdxVersion": "SPDX-2.3"}, "UNSUPPORTED_SBOM_TYPE", None),
        (SBOM | {"specVersion": "1.6"}, "UNSUPPORTED_SBOM_TYPE", None),
        (SBOM | {"components": "?"}, "CANNOT_PARSE", None),
        (SBOM | {"components": [{"name": "x"}] * 5001}, "FIELD_VALIDATION_FAILED", ["sbom"]),
    ],
)
def test_what_it_refuses_has_the_models_reason(client, sbom, reason, fields):
    with pytest.raises(ClientError) as caught:
        client.scan_sbom(sbom=sbom)
    told = caught.value.response
    assert told["Error"]["Code"] == "ValidationException"
    assert told["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert told["reason"] == reason
    assert [each["name"] for each in told.get("fields", ())] == (fields or [])


def test_without_advisories_it_says_so(client, monkeypatch, tmp_path):
    monkeypatch.setenv("OPENINSPECTOR_DB", str(tmp_path / "none.sqlite"))
    with pytest.raises(ClientError) as caught:
        client.scan_sbom(sbom=SBOM)
    told = caught.value.response
    assert told["Error"]["Code"] == "InternalServerException"
    assert told["reason"] == "FAILED_TO_GENERATE_SBOM"
    assert str(tmp_path) not in told["Error"]["Message"]
