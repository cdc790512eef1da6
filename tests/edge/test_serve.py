"""The service as a process: keys are made, boto3 talks to it, and it ends when it is told to."""

import base64
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError
from sqlalchemy import text
from tests.edge.service_process import END_SECONDS, served

ACCOUNT = "111122223333"
BILL = {
    "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
    "components": [{"type": "library", "name": "jinja2", "version": "2.10", "purl": "pkg:pypi/jinja2@2.10"}],
}  # fmt: skip


@pytest.fixture(scope="module")
def service():
    with served() as made:
        yield made


def run(service, *arguments, **more):
    command = [sys.executable, "-m", "openinspector", *arguments]
    given = {**service.environment, **more}
    return subprocess.run(command, env=given, capture_output=True, text=True, check=False, timeout=300)


def key_of(service, *more):
    return json.loads(service.run("keys", "create", "--account", ACCOUNT, "--format", "json", *more))


def client(address, key, name="inspector2", **more):
    given = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"], **more}
    return boto3.client(name, endpoint_url=address, region_name="us-east-1", **given)


def refused(call, **given):
    with pytest.raises(ClientError) as error:
        call(**given)
    return error.value.response["Error"]["Code"]


def test_boto3_talks_to_it_with_a_key_that_was_made(service):
    key = key_of(service)
    answer = client(service.address, key, "inspector-scan").scan_sbom(sbom=BILL, outputFormat="INSPECTOR")
    assert "CVE-2019-10906" in {each["id"] for each in answer["sbom"]["vulnerabilities"]}


def test_who_does_not_know_the_secret_gets_nothing(service):
    key = key_of(service)
    stranger = client(service.address, key, aws_secret_access_key="x" * 40)
    assert refused(stranger.list_findings) == "InvalidSignatureException"
    assert refused(
        client(service.address, {"AccessKeyId": "OIAKAAAAAAAAAAAAAAAA", "SecretAccessKey": "x"}).list_filters
    ) == ("InvalidSignatureException")


def test_a_reader_changes_nothing_and_a_disabled_key_is_over(service):
    key = key_of(service, "--role", "reader")
    reader = client(service.address, key)
    assert refused(reader.enable, resourceTypes=["EC2"]) == "AccessDeniedException"
    service.run("keys", "disable", key["AccessKeyId"])
    assert refused(reader.enable, resourceTypes=["EC2"]) == "UnrecognizedClientException"
    listed = json.loads(service.run("keys", "list", "--account", ACCOUNT, "--format", "json"))
    mine = next(each for each in listed if each["AccessKeyId"] == key["AccessKeyId"])
    assert mine["Disabled"]
    assert mine["LastUsed"]
    assert key["SecretAccessKey"] not in json.dumps(listed)


def test_another_region_is_not_served(service):
    key = key_of(service)
    abroad = boto3.client(
        "inspector2", endpoint_url=service.address, region_name="eu-west-1",
        aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"],
    )  # fmt: skip
    assert refused(abroad.list_findings) == "InvalidSignatureException"


@pytest.mark.parametrize("account", ["1", "11112222333x", "1111222233334"])
def test_an_account_that_is_none_is_a_usage_error(service, account):
    done = run(service, "keys", "create", "--account", account)
    assert done.returncode == 2
    assert "12 digits" in done.stderr


def test_with_other_sealing_keys_nothing_is_made_or_served(service):
    key_of(service)
    before = service.run("keys", "list", "--account", ACCOUNT)
    other = base64.b64encode(b"o" * 32).decode()
    for command in (("keys", "create", "--account", ACCOUNT), ("serve", "--port", "0")):
        done = run(service, *command, OPENINSPECTOR_SEALING_KEY=other)
        assert done.returncode == 3
        assert "no access key opens with the sealing keys that are here" in done.stderr
        assert "serving" not in done.stderr
    assert service.run("keys", "list", "--account", ACCOUNT) == before


def test_once_the_keys_that_do_not_open_are_ended_others_can_be_made(service):
    other = base64.b64encode(b"o" * 32).decode()
    for each in json.loads(service.run("keys", "list", "--account", ACCOUNT, "--format", "json")):
        assert run(service, "keys", "disable", each["AccessKeyId"], OPENINSPECTOR_SEALING_KEY=other).returncode == 0
    assert run(service, "keys", "create", "--account", ACCOUNT, OPENINSPECTOR_SEALING_KEY=other).returncode == 0


@pytest.mark.skipif(sys.platform != "linux", reason="processes are looked for in /proc")
def test_what_a_killed_worker_had_is_taken_up_by_the_one_that_comes_after_it():
    """Without that it would lie for as long as its lease says: here, for a day."""
    from openinspector.store.database import connect_embedded
    from openinspector.store.embedded import start
    from openinspector.store.holders import new_token

    add = text("INSERT INTO sink_lane VALUES ('none', 0, :token, now() + interval '1 day')")
    ask = text("SELECT lease FROM sink_lane WHERE sink = 'none'")
    with served() as service, start(service.folder / "data") as server, connect_embedded(server, pool=1) as database:
        number, holder = worker_of(service)
        with database.system() as connection:
            connection.execute(add, {"token": new_token(holder)})
        os.kill(number, signal.SIGKILL)
        ends = time.monotonic() + 120
        lease = holder
        while lease is not None:
            assert time.monotonic() < ends, service.log()
            time.sleep(0.2)
            with database.system() as connection:
                lease = connection.execute(ask).scalar_one()
        assert worker_of(service)[1] != holder


def worker_of(service):
    """The process id of the worker, and its number."""
    for each in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, IndexError):
            words = (each / "cmdline").read_bytes().split(b"\0")
            parent = (each / "stat").read_text().rpartition(")")[2].split()[1]
            if parent == f"{service.process.pid}" and b"--holder" in words:
                return int(each.name), int(words[words.index(b"--holder") + 1])
    raise AssertionError("there is no worker")


def test_it_ends_when_it_is_told_to_and_says_nothing_wrong(service):
    service.process.terminate()
    assert service.process.wait(END_SECONDS) in (0, -signal.SIGTERM)
    lines = service.log().splitlines()
    assert not [line for line in lines if "Traceback" in line or '"level":"error"' in line]
    assert all(json.loads(line)["request_id"] for line in lines if '"message":"request"' in line)
