"""The second half of the demonstration: the service, with what was scanned handed in, asked as Inspector is asked."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

ACCOUNT = "111122223333"
REGION = "us-east-1"
START_SECONDS = 120


def show(programs: Path, image: Path, step: Callable[[str], None]) -> int:
    """Serve, ingest, and ask with boto3; 0 where all of it worked."""
    # Not beside the rest: a database that is started by root must be reachable for another user.
    folder = Path(tempfile.mkdtemp(prefix="openinspector-demo-"))
    folder.chmod(0o755)
    os.environ["OPENINSPECTOR_DATA"] = str(folder / "data")
    port = free_port()
    openinspector = str(programs / "openinspector")
    step(f"The service: openinspector serve --port {port}")
    key = keys(openinspector)
    log = (folder / "log").open("wb")
    service = subprocess.Popen([openinspector, "serve", "--port", str(port)], stderr=log)
    try:
        address = f"http://127.0.0.1:{port}"
        wait_for(address, service)
        step("Hand in an instance: openinspector ingest host --id i-0123456789abcdef0 --endpoint …")
        environment = os.environ | key | {"AWS_DEFAULT_REGION": REGION, "AWS_EC2_METADATA_DISABLED": "true"}
        image_arn = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/demo/sha256:{'d' * 64}"
        for target, more in (
            ("host", ("--id", "i-0123456789abcdef0", "--tag", "team=web")),
            (str(image), ("--type", "AWS_ECR_CONTAINER_IMAGE", "--id", image_arn)),
        ):
            command = [openinspector, "ingest", target, "--endpoint", address, *more]
            if subprocess.run(command, env=environment, check=False).returncode not in (0, 3):
                return 1
        step("Ask as Inspector is asked: boto3, with the endpoint changed and nothing else")
        ask(address, key)
    finally:
        service.terminate()
        service.wait(90)
        log.close()
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def free_port() -> int:
    """A port of loopback that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def keys(openinspector: str) -> dict[str, str]:
    """An access key, as `keys create` prints it for a shell."""
    command = [openinspector, "keys", "create", "--account", ACCOUNT]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return dict(line.split("=", 1) for line in said.split())


def wait_for(address: str, service: "subprocess.Popen[bytes]") -> None:
    """Wait until the service is ready."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and service.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/readyz", timeout=5):
                return
        except (OSError, urllib.error.URLError):
            time.sleep(0.1)
    raise SystemExit("the service did not start")


def ask(address: str, key: dict[str, str]) -> None:
    """List what is worst, count it, and say why."""
    import boto3

    client = boto3.client(
        "inspector2",
        endpoint_url=address,
        region_name=REGION,
        aws_access_key_id=key["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=key["AWS_SECRET_ACCESS_KEY"],
    )
    client.enable(resourceTypes=["EC2", "ECR"])
    active = {"findingStatus": [{"comparison": "EQUALS", "value": "ACTIVE"}]}
    worst = {"field": "INSPECTOR_SCORE", "sortOrder": "DESC"}
    findings = client.list_findings(filterCriteria=active, sortCriteria=worst, maxResults=5)["findings"]
    print("\nlist_findings, the five worst:")
    for each in findings:
        where = each["resources"][0]
        print(f"  {each.get('inspectorScore', 0):>4}  {each['severity']:<9} {each['title'][:60]:<60} {where['type']}")
    counts = client.list_finding_aggregations(aggregationType="ACCOUNT")["responses"][0]["accountAggregation"]
    print("\nlist_finding_aggregations:", counts["severityCounts"])
    covered = client.list_coverage()["coveredResources"]
    print("\nlist_coverage:")
    for each in covered:
        status = each["scanStatus"]
        print(f"  {each['resourceType']:<26} {status['statusCode']} {status['reason']}")
