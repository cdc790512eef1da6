"""Runs Prowler's own checks of Amazon Inspector against this service, and says whether they see what is there.

Prowler comes from the package index into `.prowler/`. It talks to our service for Inspector, and to a moto server for
the rest of AWS that it asks (STS, EC2, ECR, Lambda, IAM). Nothing leaves this machine but the installation.
"""

import csv
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import venv
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".prowler"
BIN = ROOT / ".venv" / "bin"
ACCOUNT, REGION, INSTANCE = "111122223333", "us-east-1", "i-0123456789abcdef0"
BILL = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.5",
    "version": 1,
    "components": [{"type": "library", "name": "jinja2", "version": "2.10", "purl": "pkg:pypi/jinja2@2.10"}],
}
ENABLED, FINDINGS = "inspector2_is_enabled", "inspector2_active_findings_exist"
# What Prowler 5 has besides; older ones lack some.
COVERED = ("inspector2_coverage_recently_scanned", "inspector2_coverage_scan_status_active")
START_SECONDS = 60
PROWLER_SECONDS = 600


def main() -> int:
    """Installs Prowler where it isn't there, runs it in each state of an account; 0 where it said what it should."""
    install()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="openinspector-prowler-")))
        folder.chmod(0o755)  # where we are root the database runs as somebody else, who has to get in
        environment = os.environ | {
            "OPENINSPECTOR_DATA": str(folder / "data"),
            "OPENINSPECTOR_DB": str(folder / "advisories.sqlite"),
            "OPENINSPECTOR_CACHE": str(folder / "cache"),
        }
        openinspector(environment, "db", "starter")
        service = stack.enter_context(running(folder / "service.log", environment, "/readyz", *serve_command()))
        moto = stack.enter_context(
            running(
                folder / "moto.log",
                os.environ | {"MOTO_ACCOUNT_ID": ACCOUNT},
                "/moto-api/data.json",
                str(BIN / "moto_server"),
                "--port",
            )
        )
        key = json.loads(openinspector(environment, "keys", "create", "--account", ACCOUNT, "--format", "json"))
        return judged(folder, environment, service, moto, key)


def serve_command() -> tuple[str, ...]:
    """The service, to whose command a port is added."""
    return (str(BIN / "openinspector"), "serve", "--region", REGION, "--port")


def judged(
    folder: Path, environment: Mapping[str, str], service: str, moto: str, key: Mapping[str, str]
) -> int:  # fmt: skip
    """Prowler's verdict in each state that an account goes through."""
    import boto3

    signing = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    inspector = boto3.client("inspector2", endpoint_url=service, region_name=REGION, **signing)
    bill = folder / "bill.json"
    bill.write_text(json.dumps(BILL))

    def ingest() -> None:
        said = openinspector(environment, "ingest", f"sbom:{bill}", "--account", ACCOUNT, "--id", INSTANCE)
        print(f"  {said.strip()}")

    def suppress() -> None:
        criteria = {"vulnerablePackages": [{"name": {"comparison": "EQUALS", "value": "jinja2"}}]}
        inspector.create_filter(name="accepted", action="SUPPRESS", filterCriteria=criteria)
        ingest()  # a rule is applied at the next scan, if the workers were not faster

    fine = dict.fromkeys(COVERED, "PASS")
    states: tuple[tuple[str, Any, dict[str, str]], ...] = (
        ("nothing is enabled", lambda: None, {ENABLED: "FAIL"}),
        (
            "everything is enabled, nothing was found",
            lambda: inspector.enable(resourceTypes=["EC2", "ECR", "LAMBDA", "LAMBDA_CODE"]),
            {ENABLED: "PASS", FINDINGS: "PASS"},
        ),
        ("an instance has findings", ingest, {ENABLED: "PASS", FINDINGS: "FAIL"} | fine),
        ("a rule suppresses them", suppress, {ENABLED: "PASS", FINDINGS: "PASS"} | fine),
        ("disabled again", inspector.disable, {ENABLED: "FAIL"}),
    )
    wrong = 0
    for number, (state, bring_about, expected) in enumerate(states):
        print(f"\n== {state}")
        bring_about()
        said = verdicts(folder / str(number), service, moto, key)
        for check, (verdict, words) in sorted(said.items()):
            wanted = expected.get(check, verdict)
            wrong += verdict != wanted
            print(f"  {verdict:6} {check}: {words}" + ("" if verdict == wanted else f"  <-- should be {wanted}"))
        for check in sorted(expected.keys() - said.keys()):
            if check not in COVERED:
                wrong += 1
                print(f"  (none) {check}  <-- should be {expected[check]}")
    print(f"\n{'Prowler sees what is there.' if not wrong else f'{wrong} verdicts are not what they should be.'}")
    return 1 if wrong else 0


def install() -> None:
    """Makes `.prowler/` with the newest Prowler, once."""
    if (FOLDER / "bin" / "prowler").exists():
        return
    print(f"installing Prowler into {FOLDER} (some 700 MB, some minutes)")
    venv.create(FOLDER, with_pip=True, clear=True)
    try:
        command = [str(FOLDER / "bin" / "python"), "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
        subprocess.run([*command, "prowler>=5"], check=True)
    except BaseException:
        shutil.rmtree(FOLDER)  # half an environment would look like a whole one the next time
        raise


def openinspector(environment: Mapping[str, str], *arguments: str) -> str:
    """What a command of ours printed."""
    command = [str(BIN / "openinspector"), *arguments]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout


@contextmanager
def running(log: Path, environment: Mapping[str, str], path: str, *command: str) -> Iterator[str]:
    """The address of a server while it runs; a free port is added to its command."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    with log.open("wb") as file:
        process = subprocess.Popen([*command, str(port)], env=environment, stdout=file, stderr=file)
    try:
        wait_for(process, address + path, log)
        yield address
    except BaseException:
        print("".join(line for line in log.read_text().splitlines(keepends=True) if '"level":"error"' in line))
        raise
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    """Returns as soon as a server answers.

    Raises:
        SystemExit: It has ended, or takes too long.
    """
    ends = time.monotonic() + START_SECONDS
    while not answers(url):
        if process.poll() is not None or time.monotonic() > ends:
            raise SystemExit(f"{process.args!r} did not start:\n{log.read_text()[-2000:]}")
        time.sleep(0.1)


def answers(url: str) -> bool:
    """Whether a server answers there, and well."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def verdicts(folder: Path, service: str, moto: str, key: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """What each of Prowler's checks of Inspector says: its status, and in words."""
    home = folder / "home"
    home.mkdir(parents=True)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": moto,
        "AWS_ENDPOINT_URL_INSPECTOR2": service,
    }
    command = [str(FOLDER / "bin" / "prowler"), "aws", "--region", REGION, "--service", "inspector2"]
    command += ["--output-formats", "csv", "--output-directory", str(folder), "--output-filename", "report"]
    command += ["--no-banner", "--no-color", "--ignore-exit-code-3", "--log-level", "ERROR"]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=PROWLER_SECONDS, cwd=folder
    )
    report = folder / "report.csv"
    errors = [line for line in (done.stdout + done.stderr).splitlines() if "Inspector2" in line and "Error" in line]
    if done.returncode or errors:
        raise SystemExit("\n".join([f"Prowler ended with {done.returncode}", *errors, done.stderr[-2000:]]))
    if not report.exists():
        return {}
    with report.open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    return {row["CHECK_ID"]: (row["STATUS"], row["STATUS_EXTENDED"]) for row in rows}


if __name__ == "__main__":
    sys.exit(main())
