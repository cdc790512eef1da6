"""`openinspector usage`, over a real database."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert

from openinspector.cli.main import main
from openinspector.store import accounts
from openinspector.store.account_tables import usage_record
from openinspector.store.database import connect_embedded

OURS, THEIRS = "111122223333", "444455556666"
REGION = "us-east-1"


@pytest.fixture
def address(postgres, template, tmp_path, monkeypatch):
    """Of a database in which two accounts used something; the settings are the defaults."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("OPENINSPECTOR_SETTINGS", raising=False)
    name = f"usage_{tmp_path.name}".replace("-", "_").lower()[:60]
    postgres.make_database(name, template)
    now = datetime.now(UTC)
    with connect_embedded(postgres, database=name, pool=1) as database, database.system() as connection:
        accounts.enable(connection, REGION, [OURS], ["ECR"], now - timedelta(days=20))  # over for five days
        accounts.enable(connection, REGION, [THEIRS], ["EC2"], now)
        for account, kind, quantity in (
            (OURS, "ECR_INITIAL_SCAN", 2),
            (OURS, "CODE_REPOSITORY_SAST", 1),
            (THEIRS, "EC2_INSTANCE_HOURS", 24),
        ):
            for back in range(31):
                day = now.date() - timedelta(days=back)
                row = {"account": account, "region": REGION, "type": kind, "day": day, "resource_id": 1}
                connection.execute(insert(usage_record).values(row | {"quantity": quantity}))
    return postgres.url(database=name).replace("postgresql+psycopg", "postgresql")


def said(capsys, address, *more):
    assert main(["usage", "--database-url", address, *more]) == 0
    return capsys.readouterr()


def test_a_program_is_told_each_account_and_type_and_what_they_come_to(capsys, address):
    told = json.loads(said(capsys, address, "--format", "json").out)
    assert (told["region"], told["days"], told["currency"]) == (REGION, 30, "USD")
    by_type = {(each["account"], each["type"]): each for each in told["usage"]}
    images = by_type[OURS, "ECR_INITIAL_SCAN"]
    assert (images["quantity"], images["unit"], images["trial"]) == (60, "scans", "ENDED")
    assert images["estimatedMonthlyCost"] == pytest.approx(5.4)
    # It began 20 days ago and ended 5 days ago; those two days are free, 9 before it and 4 or 5 after it are not.
    assert images["costToDate"] == pytest.approx(0.18 * (30 - 16))
    assert by_type[OURS, "CODE_REPOSITORY_SAST"]["costToDate"] is None
    hours = by_type[THEIRS, "EC2_INSTANCE_HOURS"]
    assert (hours["quantity"], hours["unit"], hours["trial"]) == (720, "hours", "ACTIVE")
    assert hours["costToDate"] == pytest.approx(29 / 30 * 1.25)  # today is free
    assert told["total"]["estimatedMonthlyCost"] == pytest.approx(5.4 + 1.25)
    assert told["total"]["costToDate"] == pytest.approx(images["costToDate"] + hours["costToDate"])


def test_a_person_is_told_with_sums(capsys, address):
    told = said(capsys, address)
    lines = [line.split() for line in told.out.splitlines()]
    assert [OURS, "CODE_REPOSITORY_SAST", "30", "none", "-", "-"] in lines
    assert lines[4][:4] == [THEIRS, "EC2_INSTANCE_HOURS", "720.00", "until"]
    assert [line[:2] for line in lines if "total" in line] == [[OURS, "total"], [THEIRS, "total"], ["all", "total"]]
    assert "CODE_REPOSITORY_SAST is in no sum: there is no public price of it" in told.err


def test_accounts_and_days_can_be_chosen(capsys, address):
    rows = list(
        csv.DictReader(io.StringIO(said(capsys, address, "--account", THEIRS, "--days", "7", "--format", "csv").out))
    )
    (row,) = rows
    assert (row["account"], float(row["quantity"])) == (THEIRS, 7 * 24)
    assert said(capsys, address, "--region", "eu-west-1").out == "nothing was used in the last 30 days\n"


@pytest.mark.parametrize("wrong", [["--days", "0"], ["--days", "91"], ["--account", "1234"]])
def test_what_makes_no_sense_is_refused(capsys, address, wrong):
    assert main(["usage", "--database-url", address, *wrong]) == 2
    assert capsys.readouterr().err.startswith("openinspector: ")
