"""The AWS CLI and boto3, as docs/howto/use-the-api.md shows them, against the service as a process."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.edge.service_process import PROGRAMS, served

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs" / "howto" / "use-the-api.md"
SHOWN = "http://127.0.0.1:8080"
ACCOUNT, INSTANCE = "111122223333", "i-0123456789abcdef0"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
DONE = "--- the block has ended ---"

pytestmark = pytest.mark.skipif(not (PROGRAMS / "aws").exists(), reason="the AWS CLI is not installed (awscli)")


def blocks(language):
    """The page's blocks of a language, each with what it prints by the page; None where the page doesn't say."""
    found = list(BLOCK.finditer(PAGE.read_text()))
    for block, following in zip(found, [*found[1:], None], strict=True):
        if block[1] == language:
            follows = following is not None and following[1] == "text" and block.end() + 1 == following.start()
            yield block[2], following[2] if follows else None


@pytest.fixture(scope="module")
def service():
    with served() as made:
        yield made


@pytest.fixture(scope="module")
def environment(service):
    """What a shell has in which nobody has ever set anything up."""
    home = service.folder / "home"
    home.mkdir()
    (home / "config").touch()
    return service.environment | {
        "HOME": str(home),
        "AWS_CONFIG_FILE": str(home / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(home / "config"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_PAGER": "",
    }


@pytest.fixture(scope="module")
def printed(service, environment):
    """What each of the page's blocks printed, run one after the other in one shell."""
    script = "set -euo pipefail\n"
    for block, _ in blocks("sh"):
        script += f"{block.replace(SHOWN, service.address)}\necho '{DONE}'\n"
    folder = service.folder / "shell"
    folder.mkdir()
    bash = shutil.which("bash")
    done = subprocess.run(
        [bash], input=script, env=environment, cwd=folder, capture_output=True, text=True, check=False, timeout=3000
    )
    said = done.stdout.split(f"{DONE}\n")
    return done.returncode, said, done.stderr


def test_every_command_of_the_page_does_what_it_should(printed):
    status, said, errors = printed
    assert status == 0, f"{errors}\nafter block {len(said)}"


@pytest.mark.parametrize("number", range(len(list(blocks("sh")))))
def test_a_block_prints_what_the_page_says(printed, number):
    _, said, errors = printed
    _, expected = list(blocks("sh"))[number]
    assert number < len(said) - 1, errors
    if expected is not None:
        assert said[number] == expected


@pytest.fixture(scope="module")
def keyed(service, environment):
    """The same, with a key of the account."""
    key = json.loads(service.run("keys", "create", "--account", ACCOUNT, "--format", "json"))
    return environment | {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}


def test_boto3_does_what_the_page_says(printed, service, keyed):
    assert printed[0] == 0
    [(code, expected)] = list(blocks("python"))
    done = subprocess.run(
        [sys.executable, "-"],
        input=code.replace(SHOWN, service.address),
        env=keyed,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert (done.returncode, done.stdout) == (0, expected), done.stderr


def aws(service, keyed, *arguments):
    """Runs the AWS CLI: its exit status, what it printed, and what it complained of."""
    known = {"AWS_ENDPOINT_URL_INSPECTOR2": service.address, "AWS_DEFAULT_REGION": "us-east-1"}
    command = [str(PROGRAMS / "aws"), "inspector2", *arguments]
    done = subprocess.run(command, env=keyed | known, capture_output=True, text=True, check=False, timeout=300)
    return done.returncode, done.stdout, done.stderr


def test_a_list_is_walked_page_by_page_and_each_finding_comes_once(printed, service, keyed):
    assert printed[0] == 0
    status, said, errors = aws(service, keyed, "list-findings", "--page-size", "1", "--output", "json")
    assert status == 0, errors
    arns = [each["findingArn"] for each in json.loads(said)["findings"]]
    assert len(arns) == len(set(arns)) > 1
    status, said, errors = aws(service, keyed, "list-findings", "--max-items", "1", "--output", "json")
    assert status == 0, errors
    first = json.loads(said)
    assert [each["findingArn"] for each in first["findings"]] == arns[:1]
    rest = ("--starting-token", first["NextToken"], "--output", "json")
    status, said, errors = aws(service, keyed, "list-findings", *rest)
    assert status == 0, errors
    assert [each["findingArn"] for each in json.loads(said)["findings"]] == arns[1:]


def test_what_is_refused_is_told_in_inspectors_words(service, keyed):
    criteria = '{"severity": [{"comparison": "SAME_AS", "value": "HIGH"}]}'
    status, _, errors = aws(service, keyed, "list-findings", "--filter-criteria", criteria)
    assert status not in (0, 1)
    assert "An error occurred (ValidationException) when calling the ListFindings operation" in errors
    assert "Member must satisfy enum value set: [EQUALS, PREFIX, NOT_EQUALS]" in errors
    arn = f"arn:aws:inspector2:us-east-1:{ACCOUNT}:owner/{ACCOUNT}/filter/{'0' * 16}"
    status, _, errors = aws(service, keyed, "delete-filter", "--arn", arn)
    assert status not in (0, 1)
    assert "An error occurred (ResourceNotFoundException) when calling the DeleteFilter operation" in errors


def test_the_page_shows_every_part_of_the_service_that_people_ask_for():
    shown = PAGE.read_text()
    for command in (
        "enable", "disable", "batch-get-account-status", "list-findings", "list-finding-aggregations", "create-filter",
        "list-filters", "update-filter", "delete-filter", "list-coverage", "list-coverage-statistics",
        "list-usage-totals", "get-configuration", "update-configuration", "tag-resource", "list-tags-for-resource",
        "untag-resource", "search-vulnerabilities", "scan-sbom",
    ):  # fmt: skip
        assert (
            re.search(rf"^aws inspector\S+ {command} ", shown, re.MULTILINE) or f"(aws inspector2 {command} " in shown
        )
