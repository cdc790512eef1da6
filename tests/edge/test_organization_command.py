"""`openinspector organization` over a real database."""

import itertools
import json

import pytest
from moto.organizations import models as moto_models
from moto.server import ThreadedMotoServer

from openinspector.cli.run import run
from openinspector.store.embedded import OWNER

DECLARED = """
id = "o-exampleorgid"
management_account = "100000000001"
[[accounts]]
id = "200000000002"
name = "shop"
joined = 2026-01-31
[[accounts]]
id = "300000000003"
name = "\\u001b[31mred"
status = "SUSPENDED"
"""
_numbers = itertools.count()


@pytest.fixture
def command(postgres, template, capsys, tmp_path, monkeypatch):
    """Runs a command; its exit status, and what it printed."""
    name = f"organization_{next(_numbers)}"
    postgres.make_database(name, template)
    monkeypatch.setenv(
        "OPENINSPECTOR_DATABASE_URL", postgres.url(OWNER, name).replace("postgresql+psycopg", "postgresql")
    )
    monkeypatch.setenv("OPENINSPECTOR_SETTINGS", str(tmp_path / "settings.toml"))
    (tmp_path / "settings.toml").write_text("")

    def ask(*given):
        capsys.readouterr()
        status = run(["organization", *map(str, given)])
        said = capsys.readouterr()
        return status, said.out, said.err

    return ask


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "organization.toml"
    path.write_text(DECLARED)
    return path


def test_what_is_declared_is_shown(command, file):
    assert command("show")[1] == ""
    status, said, _ = command("declare", file)
    assert (status, said) == (0, "o-exampleorgid: 3 accounts, 3 joined, 0 left, 0 with another status\n")
    _, said, _ = command("show")
    assert said.splitlines() == [
        "organization o-exampleorgid, managed by 100000000001",
        "  ACCOUNT       STATUS           MEMBER               NAME",
        "  100000000001  ACTIVE           -",
        "  200000000002  ACTIVE           -                    shop",
        "  300000000003  SUSPENDED        -                    \N{REPLACEMENT CHARACTER}[31mred",
    ]
    (told,) = json.loads(command("show", "--format", "json")[1])
    assert told["OrganizationId"] == "o-exampleorgid"
    assert told["Accounts"][1] == {
        "Account": "200000000002",
        "Name": "shop",
        "Email": "",
        "Status": "ACTIVE",
        "Joined": "2026-01-31T00:00:00.000000Z",
        "Relationships": {},
    }


def test_what_is_declared_again_is_brought_up_to_date(command, file):
    command("declare", file)
    file.write_text(DECLARED.replace("200000000002", "400000000004").replace("SUSPENDED", "ACTIVE"))
    _, said, _ = command("declare", file, "--format", "json")
    assert json.loads(said) == {
        "OrganizationId": "o-exampleorgid",
        "Accounts": 3,
        "Joined": ["400000000004"],
        "Left": ["200000000002"],
        "Changed": ["300000000003"],
    }


def test_a_file_that_declares_none_is_a_usage_error(command, file):
    file.write_text("id = 1")
    status, _, said = command("declare", file)
    assert (status, "declares no organization" in said) == (2, True)


def test_without_a_source_there_is_nothing_to_read(command):
    status, _, said = command("sync")
    assert (status, "name no source" in said) == (2, True)


def test_the_organization_is_read_from_aws(command, tmp_path, monkeypatch):
    import boto3

    services = moto_models.FakeDelegatedAdministrator.SUPPORTED_SERVICES
    monkeypatch.setattr(
        moto_models.FakeDelegatedAdministrator, "SUPPORTED_SERVICES", [*services, "inspector2.amazonaws.com"]
    )
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    server = ThreadedMotoServer("127.0.0.1", 0)
    server.start()
    try:
        host, port = server.get_host_and_port()
        address = f"http://{host}:{port}"
        client = boto3.client("organizations", region_name="us-east-1", endpoint_url=address)
        made = client.create_organization(FeatureSet="ALL")["Organization"]
        client.close()
        settings = f'[aws]\nendpoint_url = "{address}"\n[organization]\nsource = "aws"\n'
        (tmp_path / "settings.toml").write_text(settings)
        status, said, _ = command("sync")
    finally:
        server.stop()
    assert (status, said) == (0, f"{made['Id']}: 1 accounts, 1 joined, 0 left, 0 with another status\n")
