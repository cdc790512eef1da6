"""`openinspector rematch` and `openinspector ingest`, over a real database and advisory files that are replaced."""

import json
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from openinspector.cli.main import main
from openinspector.model.advisory import Advisory, Affected, Range
from openinspector.store import accounts
from openinspector.store.compile import FeedState, compile_parts
from openinspector.store.database import connect_embedded
from openinspector.store.part import write_part

ACCOUNT = "111122223333"
SBOM = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.5",
    "components": [{"type": "library", "name": "flask", "version": "1.5", "purl": "pkg:pypi/flask@1.5"}],
}


@pytest.fixture
def put(tmp_path, monkeypatch):
    """Puts an advisory file in place, built on some day, in which a version of flask fixes a flaw."""
    monkeypatch.setenv("OPENINSPECTOR_DB", str(tmp_path / "advisories.sqlite"))

    def make(day, fixed):
        part = tmp_path / f"{day}.sqlite"
        flask = Affected(namespace="pypi", name="flask", ranges=(Range(fixed=fixed),))
        write_part(part, [Advisory(id="CVE-2030-0001", affected=(flask,))])
        state = FeedState(name="osv", revision=1, digest=f"{day} {fixed}", fetched="", parts=(part,))
        compile_parts(tmp_path / "advisories.sqlite", [state], {"built": f"2026-03-{day:02}T00:00:00Z"})

    return make


@pytest.fixture
def arguments(postgres, template, tmp_path):
    """Those that name a database of this test's own, and its data folder."""
    name = f"rematch_{tmp_path.name}".replace("-", "_").lower()[:60]
    postgres.make_database(name, template)
    address = postgres.url(database=name).replace("postgresql+psycopg", "postgresql")
    return ["--database-url", address, "--data", str(tmp_path / "data")], name


@pytest.fixture
def handed_in(tmp_path, arguments):
    """Hands in an SBOM of an instance."""
    document = tmp_path / "bom.json"
    document.write_text(json.dumps(SBOM))

    def ingest(identity="i-0123456789abcdef0"):
        more = ["--account", ACCOUNT, "--id", identity, "--format", "json", *arguments[0]]
        return main(["ingest", str(document), *more])

    return ingest


def said(capsys):
    return json.loads(capsys.readouterr().out)


def statuses(postgres, name):
    with connect_embedded(postgres, database=name, pool=1) as database, database.system() as connection:
        return connection.execute(text("SELECT status FROM finding ORDER BY status")).scalars().all()


def test_a_program_is_told_what_changed(postgres, capsys, put, arguments, handed_in):
    put(1, "1.0")
    assert handed_in() == 0
    capsys.readouterr()
    put(2, "2.0")
    assert main(["rematch", "--format", "json", *arguments[0]]) == 0
    told = said(capsys)
    assert (told["way"], told["in_force"], told["packages"], told["events"]) == ("diff", True, 1, 1)
    assert told["changes"] == {"opened": 1}
    assert statuses(postgres, arguments[1]) == ["ACTIVE"]
    assert main(["rematch", "--format", "json", *arguments[0]]) == 0
    assert said(capsys)["way"] == "nothing"
    assert main(["rematch", "--full", "--format", "json", *arguments[0]]) == 0
    told = said(capsys)
    assert (told["way"], told["events"]) == ("full", 0)


def test_a_person_is_told_in_a_line_and_may_go_back(postgres, capsys, put, arguments, handed_in):
    put(2, "2.0")
    handed_in()
    put(1, "1.0")
    capsys.readouterr()
    assert main(["rematch", *arguments[0]]) == 0
    line = capsys.readouterr().out
    assert "findings: 1 closed" in line
    assert statuses(postgres, arguments[1]) == ["CLOSED"]
    assert main(["rematch", *arguments[0]]) == 0
    assert "in force already" in capsys.readouterr().out


def test_what_is_handed_in_is_matched_with_the_file_that_is_there(postgres, capsys, put, arguments, handed_in):
    put(1, "1.0")
    handed_in()
    put(2, "2.0")
    capsys.readouterr()
    assert handed_in("i-00000000000000000") == 0
    assert said(capsys)["changes"] == {"opened": 1}
    assert statuses(postgres, arguments[1]) == ["ACTIVE", "ACTIVE"]  # that of the instance before, too
    put(1, "1.0")
    handed_in("i-00000000000000000")
    assert "matched with the advisories in force" in capsys.readouterr().err
    assert statuses(postgres, arguments[1]) == ["ACTIVE", "ACTIVE"]


def test_without_an_advisory_file_nothing_is_done(capsys, monkeypatch, tmp_path, arguments):
    monkeypatch.setenv("OPENINSPECTOR_DB", str(tmp_path / "nowhere.sqlite"))
    assert main(["rematch", *arguments[0]]) == 3
    assert "there is no advisory file" in capsys.readouterr().err


def jobs(postgres, name):
    """The chores that wait to be done; they are forgotten."""
    statement = text("DELETE FROM openinspector_queue.procrastinate_jobs RETURNING task_name")
    with connect_embedded(postgres, database=name, pool=1) as database, database.system() as connection:
        return sorted(connection.execute(statement).scalars())


def test_whoever_writes_events_by_hand_has_them_sent_soon(postgres, capsys, put, arguments, handed_in):
    put(1, "2.0")
    handed_in()
    assert jobs(postgres, arguments[1]) == ["deliver"]
    put(2, "1.0")
    main(["rematch", *arguments[0]])
    assert jobs(postgres, arguments[1]) == ["deliver"]
    main(["rematch", *arguments[0]])
    assert jobs(postgres, arguments[1]) == []


def test_what_is_disabled_is_not_taken_by_hand_either(postgres, capsys, put, arguments, handed_in):
    put(1, "2.0")
    now = datetime.now(UTC)
    with (
        connect_embedded(postgres, database=arguments[1], pool=1) as database,
        database.transaction(ACCOUNT) as connection,
    ):
        accounts.disable(connection, "us-east-1", [ACCOUNT], ["EC2"], now)
    assert handed_in() == 2
    told = capsys.readouterr().err
    assert "EC2 scans disabled" in told
    assert "aws inspector2 enable --resource-types EC2" in told
    assert statuses(postgres, arguments[1]) == []
    with (
        connect_embedded(postgres, database=arguments[1], pool=1) as database,
        database.transaction(ACCOUNT) as connection,
    ):
        accounts.enable(connection, "us-east-1", [ACCOUNT], ["EC2"], now)
    assert handed_in() == 0
    assert statuses(postgres, arguments[1]) == ["ACTIVE"]
