"""A file declares an organization, or is refused with what is wrong."""

import pytest

from openinspector.errors import UsageError
from openinspector.model.organization import OrganizationAccount
from openinspector.pipeline import organization
from openinspector.pipeline.organization import read_declaration

HEAD = 'id = "o-exampleorgid"\nmanagement_account = "100000000001"\n'


@pytest.fixture
def declared(tmp_path):
    def read(text):
        path = tmp_path / "organization.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_declaration(path)

    return read


def test_a_declaration_is_an_organization_with_all_of_its_accounts(declared):
    told = declared(
        HEAD
        + """
[[accounts]]
id = "200000000002"
name = "shop"
email = "shop@example.com"
joined = 2026-01-31
[[accounts]]
id = "300000000003"
status = "SUSPENDED"
joined = 2026-01-31T12:00:00+02:00
"""
    )
    assert (told.id, told.management, told.admins) == ("o-exampleorgid", "100000000001", None)
    assert told.accounts == (
        OrganizationAccount(id="100000000001"),
        OrganizationAccount(
            id="200000000002", name="shop", email="shop@example.com", joined_at="2026-01-31T00:00:00.000000Z"
        ),
        OrganizationAccount(id="300000000003", status="SUSPENDED", joined_at="2026-01-31T10:00:00.000000Z"),
    )


def test_the_management_account_may_be_described_as_well(declared):
    told = declared(HEAD + '[[accounts]]\nid = "100000000001"\nname = "root"\n')
    assert told.accounts == (OrganizationAccount(id="100000000001", name="root"),)


def account(**values):
    return HEAD + "[[accounts]]\n" + "".join(f"{name} = {value}\n" for name, value in values.items())


ONE = '"200000000002"'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "required field `id`"),
        (HEAD.replace("o-", "x-"), "no id of an organization"),
        (HEAD.replace("100000000001", "1"), "'1' is no id of an account"),
        (HEAD + "owner = 1", "unknown field `owner`"),
        (account(id="200000000002"), r"Expected `str`, got `int` - at `\$.accounts\[0\].id`"),
        (account(id='"20000000000२"'), "no id of an account"),
        (account(id=ONE, status='"GONE"'), "Invalid enum value 'GONE'"),
        (account(id=ONE, joined='"yesterday"'), "joined on a day"),
        (account(id=ONE, joined="2026-01-31T12:00:00"), "joined on a day"),
        (account(id=ONE, joined="0001-01-01T00:00:00+14:00"), "joined on a day"),
        (account(id=ONE, joined="9999-12-31T23:59:59-14:00"), "joined on a day"),
        (account(id=ONE, name='"' + "a" * 321 + '"'), "length <= 320"),
        (account(id=ONE) + f"[[accounts]]\nid = {ONE}\n", "200000000002 is declared twice"),
        (account(id='"100000000001"', status='"SUSPENDED"'), "management account 100000000001 is SUSPENDED"),
        (b"\xff\xfe", "declares no organization"),
        ("a" + ".a" * 60 + " = 1", "more than fifty parts"),
        ("a = " + "[" * 5000, "declares no organization"),
        (HEAD + "accounts = 1", "Expected `array`"),
    ],
)
def test_a_file_that_declares_none_is_refused(declared, text, message):
    with pytest.raises(UsageError, match=message):
        declared(text)


def test_a_file_is_bounded(declared, monkeypatch):
    monkeypatch.setattr(organization, "_LARGEST", 1 << 20)
    with pytest.raises(UsageError, match="more than 1 MB"):
        declared(HEAD + "#" * (1 << 20))


def test_a_file_that_is_not_there_is_said(tmp_path):
    for path in (tmp_path / "nothing.toml", tmp_path):
        with pytest.raises(UsageError, match="can't be read"):
            read_declaration(path)
