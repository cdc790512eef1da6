"""The command as people and pipelines run it."""

import json
import os
import subprocess
import sys

import pytest


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("home")
    (folder / "app").mkdir()
    (folder / "app" / "requirements.txt").write_text("jinja2==2.10\n")
    (folder / "clean").mkdir()
    assert run(folder, "db", "starter").returncode == 0
    return folder


def run(home, *arguments, **more):
    environment = {**os.environ, "OPENINSPECTOR_DB": str(home / "a.sqlite"), "OPENINSPECTOR_CACHE": str(home / "cache")}
    environment |= more
    command = [sys.executable, "-m", "openinspector", *arguments]
    return subprocess.run(command, env=environment, cwd=home, capture_output=True, text=True, check=False, timeout=300)


def test_a_finding_is_printed_with_its_fix_and_starter_data_says_what_it_is(home):
    done = run(home, "scan", "app")
    assert done.returncode == 0
    assert "CVE-2019-10906" in done.stdout
    assert "2.10.1" in done.stdout
    assert "Only the starter advisories are loaded" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("scan", "app", "--fail-on", "high"), 1),
        (("scan", "app", "--fail-on", "critical"), 0),
        (("scan", "clean", "--fail-on", "any"), 0),
        (("scan", "app", "--severity", "critical", "--fail-on", "any"), 0),
        (("scan", "nothing-there"), 2),
        (("scan", "dir:nothing-there"), 2),
        (("scan", "app", "--format", "nonsense"), 2),
        (("scan", "app", "--db", "nothing-there"), 3),
        (("scan", "./nothing-there.tar"), 2),
        (("version-compare", "nonsense", "1", "2"), 2),
        (("db", "sign", "nothing-there", "--key", "any.key"), 2),
        (("db", "update", "--mirror", "nothing-there"), 2),
        (("db", "starter", "--output", "app/requirements.txt/a.sqlite"), 3),
        (("db", "starter", "--output", "/dev/null/a.sqlite"), 3),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, tuple) else str(each),
)
def test_the_exit_status_tells(home, arguments, status):
    done = run(home, *arguments)
    assert done.returncode == status
    assert "Traceback" not in done.stderr
    assert status in (0, 1) or done.stderr


def test_a_place_that_cannot_be_written_is_named_and_the_file_in_place_stays(home):
    before = (home / "a.sqlite").read_bytes()
    done = run(home, "db", "starter", "--output", "app/requirements.txt/a.sqlite")
    assert done.stderr.startswith("openinspector: the advisory file app/requirements.txt/a.sqlite can't be written: ")
    done = run(home, "db", "starter", OPENINSPECTOR_CACHE=str(home / "app" / "requirements.txt"))
    assert done.returncode == 3
    assert "requirements.txt/parts can't be written: " in done.stderr
    assert "OPENINSPECTOR_CACHE" in done.stderr
    assert "Traceback" not in done.stderr
    assert (home / "a.sqlite").read_bytes() == before


def test_a_path_that_leads_nowhere_is_no_image_of_a_registry(home):
    assert run(home, "scan", "./gone/app.tar").stderr == (
        "openinspector: there is no file or directory './gone/app.tar'\n"
    )


def test_what_is_left_out_is_counted(home):
    every = json.loads(run(home, "scan", "app", "--format", "json").stdout)["findings"]
    high = json.loads(run(home, "scan", "app", "--format", "json", "--severity", "high").stdout)
    kept = [each for each in every if each["severity"] in ("critical", "high")]
    assert 0 < len(kept) < len(every)
    assert [each["vulnerability"] for each in high["findings"]] == [each["vulnerability"] for each in kept]
    assert f"{len(every) - len(kept)} findings less severe than high are left out." in high["notes"]


@pytest.mark.parametrize("verb", [("layout",), ("status",), ("starter", "--output", "again.sqlite")])
def test_what_the_database_commands_say_is_readable_by_machines(home, verb):
    assert json.loads(run(home, "db", *verb, "--format", "json").stdout)


def test_explain_says_why_and_why_not(home):
    assert "AFFECTED" in run(home, "explain", "CVE-2019-10906", "app").stdout
    assert "no installed package" in run(home, "explain", "CVE-2021-44228", "app").stdout
    assert "nothing in the advisory file speaks of it" in run(home, "explain", "CVE-1999-99999", "app").stdout


def test_status_is_readable_by_machines(home):
    assert json.loads(run(home, "db", "status", "--format", "json").stdout)["feeds"][0]["name"] == "osv"


def test_completion_is_a_script(home):
    assert "openinspector" in run(home, "completion", "bash").stdout
