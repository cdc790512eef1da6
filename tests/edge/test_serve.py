"""The service as a process: keys are made, boto3 talks to it, and it ends when it is told to."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import boto3
import pytest
from botocore.exceptions import ClientError
from tests.edge.postgres import scratch

ACCOUNT = "111122223333"
BILL = {
    "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
    "components": [{"type": "library", "name": "jinja2", "version": "2.10", "purl": "pkg:pypi/jinja2@2.10"}],
}  # fmt: skip


@pytest.fixture(scope="module")
def folder():
    with scratch() as made:
        yield made


def environment(folder):
    return {
        **os.environ,
        "OPENINSPECTOR_DATA": str(folder / "data"),
        "OPENINSPECTOR_DB": str(folder / "advisories.sqlite"),
        "OPENINSPECTOR_CACHE": str(folder / "cache"),
    }


def run(folder, *arguments):
    command = [sys.executable, "-m", "openinspector", *arguments]
    return subprocess.run(command, env=environment(folder), capture_output=True, text=True, check=False, timeout=120)


def key_of(folder, *more):
    done = run(folder, "keys", "create", "--account", ACCOUNT, "--format", "json", *more)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def service(folder):
    """The address of a running service, and its process."""
    assert run(folder, "db", "starter").returncode == 0
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "openinspector", "serve", "--port", str(port)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment(folder), stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(address, process, folder)
        yield address, process
    finally:
        process.kill()
        process.wait(30)


def _wait_for(address, process, folder):
    for _ in range(600):
        assert process.poll() is None, (folder / "log").read_text()
        try:
            with urllib.request.urlopen(f"{address}/readyz", timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("the service did not come up")


def client(address, key, name="inspector2", **more):
    given = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"], **more}
    return boto3.client(name, endpoint_url=address, region_name="us-east-1", **given)


def refused(call, **given):
    with pytest.raises(ClientError) as error:
        call(**given)
    return error.value.response["Error"]["Code"]


def test_boto3_talks_to_it_with_a_key_that_was_made(folder, service):
    address, _ = service
    key = key_of(folder)
    answer = client(address, key, "inspector-scan").scan_sbom(sbom=BILL, outputFormat="INSPECTOR")
    assert "CVE-2019-10906" in {each["id"] for each in answer["sbom"]["vulnerabilities"]}


def test_who_does_not_know_the_secret_gets_nothing(folder, service):
    address, _ = service
    key = key_of(folder)
    stranger = client(address, key, aws_secret_access_key="x" * 40)
    assert refused(stranger.list_findings) == "InvalidSignatureException"
    assert refused(client(address, {"AccessKeyId": "OIAKAAAAAAAAAAAAAAAA", "SecretAccessKey": "x"}).list_filters) == (
        "InvalidSignatureException"
    )


def test_a_reader_changes_nothing_and_a_disabled_key_is_over(folder, service):
    address, _ = service
    key = key_of(folder, "--role", "reader")
    reader = client(address, key)
    assert refused(reader.enable, resourceTypes=["EC2"]) == "AccessDeniedException"
    assert run(folder, "keys", "disable", key["AccessKeyId"]).returncode == 0
    assert refused(reader.enable, resourceTypes=["EC2"]) == "UnrecognizedClientException"
    listed = json.loads(run(folder, "keys", "list", "--account", ACCOUNT, "--format", "json").stdout)
    mine = next(each for each in listed if each["AccessKeyId"] == key["AccessKeyId"])
    assert mine["Disabled"]
    assert mine["LastUsed"]
    assert key["SecretAccessKey"] not in json.dumps(listed)


def test_another_region_is_not_served(folder, service):
    address, _ = service
    key = key_of(folder)
    abroad = boto3.client(
        "inspector2", endpoint_url=address, region_name="eu-west-1",
        aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"],
    )  # fmt: skip
    assert refused(abroad.list_findings) == "InvalidSignatureException"


@pytest.mark.parametrize("account", ["1", "11112222333x", "1111222233334"])
def test_an_account_that_is_none_is_a_usage_error(folder, account):
    done = run(folder, "keys", "create", "--account", account)
    assert done.returncode == 2
    assert "12 digits" in done.stderr


def test_it_ends_when_it_is_told_to_and_says_nothing_wrong(folder, service):
    _, process = service
    process.send_signal(signal.SIGTERM)
    assert process.wait(40) in (0, -signal.SIGTERM)
    lines = (folder / "log").read_text().splitlines()
    assert not [line for line in lines if "Traceback" in line or '"level":"error"' in line]
    assert all(json.loads(line)["request_id"] for line in lines if '"message":"request"' in line)
