"""Every case of the table: what we find, and that the peers still find what the table says."""

import json
import os
import sqlite3
import subprocess

import pytest
from tests.labels.cases import CASES, Case

from openinspector.pipeline.scan import Request, read_target

EACH = pytest.mark.parametrize("case", CASES, ids=lambda case: case.claim.replace(" ", "-"))


def words(package):
    """`npm rimraf 3.0.2 dev`, `pypi Jinja2 3.1.2 of python3-jinja2`."""
    marks = (" dev" if package.dev else "") + (f" of {package.owner}" if package.owner else "")
    return f"{package.type} {package.name} {package.version}{marks}"


@EACH
def test_we_find_what_is_there(case: Case, tmp_path):
    inventory = read_target(Request(target=str(case.build(tmp_path))))
    assert sorted(words(each) for each in inventory.packages) == case.ours


def found_by(command, environment):
    """The package URLs of a peer's CycloneDX, or what it says on its way out."""
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    if done.returncode:
        return done.stderr
    purls = {each["purl"] for each in json.loads(done.stdout).get("components", []) if "purl" in each}
    return sorted({purl.removeprefix("pkg:").partition("?")[0] for purl in purls})


def agrees(expected, found):
    return expected in found if isinstance(expected, str) else expected == found


@pytest.mark.native
@EACH
def test_syft_finds_what_the_table_says(case: Case, tmp_path):
    binary = os.environ.get("SYFT")
    if not binary:
        pytest.skip("SYFT does not name the binary")
    if case.syft is None:
        pytest.skip(case.note)
    target = case.build(tmp_path)
    where = f"dir:{target}" if target.is_dir() else f"oci-archive:{target}"
    environment = {"SYFT_CHECK_FOR_APP_UPDATE": "false"}
    assert agrees(case.syft, found_by([binary, "scan", where, "--output", "cyclonedx-json", "--quiet"], environment))


@pytest.mark.native
@EACH
def test_trivy_finds_what_the_table_says(case: Case, tmp_path):
    binary = os.environ.get("TRIVY")
    if not binary:
        pytest.skip("TRIVY does not name the binary")
    if case.trivy is None:
        pytest.skip(case.note)
    folder = tmp_path / "target"
    folder.mkdir()
    target = case.build(folder)
    cache = tmp_path / "cache"
    if case.java_db:
        empty_java_db(cache / "java-db")
    command = [binary, case.trivy_by, "--format", "cyclonedx", "--offline-scan", "--quiet", "--cache-dir", str(cache)]
    command += ["--include-dev-deps"] if case.trivy_by == "fs" else []
    command += ["--input", str(target)] if case.trivy_by == "image" else [str(target)]
    assert agrees(case.trivy, found_by(command, {}))


def empty_java_db(folder):
    """Trivy's database of jars, with nothing in it: there is no way to get it without a network."""
    folder.mkdir(parents=True)
    connection = sqlite3.connect(folder / "trivy-java.db")
    connection.executescript(
        "CREATE TABLE artifacts(id INTEGER PRIMARY KEY, group_id TEXT, artifact_id TEXT);"
        "CREATE TABLE indices(artifact_id INTEGER, version TEXT, sha1 BLOB, archive_type TEXT);"
    )
    connection.close()
    days = dict.fromkeys(("NextUpdate", "UpdatedAt", "DownloadedAt"), "2099-01-01T00:00:00Z")
    (folder / "metadata.json").write_text(json.dumps({"Version": 1, **days}))
