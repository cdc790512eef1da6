"""The organization is read from AWS (moto's), and what has changed there follows here."""

from datetime import timedelta

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from moto.organizations import models as moto_models
from moto.server import ThreadedMotoServer
from msgspec import convert
from sqlalchemy import insert, select
from tests.chores.findings import add_fleet
from tests.service.callers import REGION, clients

from openinspector.api.operations import findings, members, organization
from openinspector.errors import AcquireError, StoreError
from openinspector.model.organization import OrganizationAccount, ToldOrganization
from openinspector.pipeline.chores import organization as chore
from openinspector.pipeline.organization import register
from openinspector.pipeline.settings import Settings
from openinspector.store import organizations
from openinspector.store.account_tables import account_scan_type
from openinspector.store.account_tables import organization as table
from openinspector.store.organization_facts import known_organizations
from openinspector.transport import organizations as reading
from openinspector.transport.aws import Endpoint

TRIAL = timedelta(days=15)


@pytest.fixture(scope="module")
def server():
    started = ThreadedMotoServer("127.0.0.1", 0)
    started.start()
    host, port = started.get_host_and_port()
    yield f"http://{host}:{port}"
    started.stop()


@pytest.fixture
def aws(server, monkeypatch):
    """A client of an organization that has its management account alone."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    # Of the services that have delegated administrators moto knows some.
    services = moto_models.FakeDelegatedAdministrator.SUPPORTED_SERVICES
    monkeypatch.setattr(
        moto_models.FakeDelegatedAdministrator, "SUPPORTED_SERVICES", [*services, "inspector2.amazonaws.com"]
    )
    client = boto3.client("organizations", region_name=REGION, endpoint_url=server)
    client.create_organization(FeatureSet="ALL")
    yield client
    client.close()
    for backends in moto_models.organizations_backends.values():
        for each in backends.values():
            each.reset()


@pytest.fixture
def settings(server):
    return convert({"organization": {"source": "aws", "endpoint_url": server}}, Settings)


@pytest.fixture
def client(database, clock):
    with clients((findings, members, organization), database, clock) as of:
        yield of


def add_account(aws, name):
    made = aws.create_account(AccountName=name, Email=f"{name}@example.com")
    return made["CreateAccountStatus"]["AccountId"]


def known(database):
    with database.system() as connection:
        (one,) = known_organizations(connection)
    return one


def statuses(database):
    return {each.name: each.status for each in known(database).accounts}


def test_all_accounts_are_read_over_all_pages(aws, database, work, settings, monkeypatch, poked):
    ids = {name: add_account(aws, name) for name in map("account-{}".format, range(25))}  # moto's pages have 20
    assert chore.PLUGIN.run(work(settings=settings)) == 26
    one = known(database)
    about = aws.describe_organization()["Organization"]
    assert (one.id, one.management) == (about["Id"], about["MasterAccountId"])
    assert {each.name: each.id for each in one.accounts} == ids | {"master": one.management}
    assert {each.email for each in one.accounts if each.name == "account-7"} == {"account-7@example.com"}
    assert all(each.status == "ACTIVE" and each.joined_at.endswith("Z") for each in one.accounts)
    assert sorted(poked) == ["accounts", "suppress"]
    poked.clear()
    assert chore.PLUGIN.run(work(settings=settings)) == 0
    assert poked == []


def test_nothing_is_read_unless_the_settings_ask_for_it(aws, database, work):
    assert chore.PLUGIN.run(work()) == 0
    with database.system() as connection:
        assert known_organizations(connection) == []


def test_the_administrator_that_aws_lists_is_appointed_and_dismissed(aws, database, work, settings, client):
    admin, other = add_account(aws, "security"), add_account(aws, "other")
    service = {"ServicePrincipal": "inspector2.amazonaws.com"}
    aws.register_delegated_administrator(AccountId=admin, **service)
    chore.PLUGIN.run(work(settings=settings))
    assert known(database).admins == {REGION: admin}
    management = client(known(database).management)
    # What is decided here stands until AWS lists another one.
    management.disable_delegated_admin_account(delegatedAdminAccountId=admin)
    chore.PLUGIN.run(work(settings=settings))
    assert known(database).admins == {}
    aws.deregister_delegated_administrator(AccountId=admin, **service)
    aws.register_delegated_administrator(AccountId=other, **service)
    chore.PLUGIN.run(work(settings=settings))
    assert known(database).admins == {REGION: other}
    aws.deregister_delegated_administrator(AccountId=other, **service)
    chore.PLUGIN.run(work(settings=settings))
    assert known(database).admins == {}


def test_who_was_appointed_here_stays_though_aws_lists_nobody(aws, database, work, settings, client):
    admin = add_account(aws, "security")
    chore.PLUGIN.run(work(settings=settings))
    client(known(database).management).enable_delegated_admin_account(delegatedAdminAccountId=admin)
    chore.PLUGIN.run(work(settings=settings))
    assert known(database).admins == {REGION: admin}


def test_a_new_account_becomes_a_member_with_what_is_switched_on_for_it(aws, database, work, settings, client):
    admin, before = add_account(aws, "security"), add_account(aws, "before")
    chore.PLUGIN.run(work(settings=settings))
    client(known(database).management).enable_delegated_admin_account(delegatedAdminAccountId=admin)
    ours = client(admin)
    ours.update_organization_configuration(autoEnable={"ec2": True, "ecr": False, "lambda": True})
    new = add_account(aws, "new")
    chore.PLUGIN.run(work(settings=settings))
    told = {
        each["accountId"]: each["relationshipStatus"] for each in ours.list_members(onlyAssociated=False)["members"]
    }
    assert (told[new], told[before]) == ("ENABLED", "CREATED")
    with database.system() as connection:
        on = select(account_scan_type.c.scan_type).where(account_scan_type.c.account == new)
        assert set(connection.execute(on).scalars()) == {"EC2", "LAMBDA"}


def test_an_account_that_leaves_keeps_its_findings_and_its_administrator_sees_them_no_more(
    aws, database, work, settings, client
):
    admin, leaver = add_account(aws, "security"), add_account(aws, "leaver")
    chore.PLUGIN.run(work(settings=settings))
    client(known(database).management).enable_delegated_admin_account(delegatedAdminAccountId=admin)
    client(admin).associate_member(accountId=leaver)
    add_fleet(database, leaver, 1, 2)
    with database.system() as connection:
        connection.exec_driver_sql("UPDATE package_vulnerability SET severity = 'high'")
        connection.exec_driver_sql("UPDATE finding SET vulnerability_source = 'NVD'")
        on = {"account": leaver, "region": REGION, "scan_type": "EC2", "status": "ENABLED"}
        connection.execute(insert(account_scan_type).values(on))
    assert len(client(admin).list_findings()["findings"]) == 2
    aws.remove_account_from_organization(AccountId=leaver)
    chore.PLUGIN.run(work(settings=settings))
    assert "leaver" not in statuses(database)
    assert client(admin).list_findings()["findings"] == []
    assert client(admin).get_member(accountId=leaver)["member"]["relationshipStatus"] == "DELETED"
    assert len(client(leaver).list_findings()["findings"]) == 2


def test_an_account_that_is_closed_is_suspended(aws, database, work, settings):
    account = add_account(aws, "closing")
    chore.PLUGIN.run(work(settings=settings))
    aws.close_account(AccountId=account)
    assert chore.PLUGIN.run(work(settings=settings)) == 1
    assert statuses(database)["closing"] in ("SUSPENDED", "PENDING_CLOSURE")


# Doubt changes nothing


class Told:
    """An AWS that tells what a test has it tell, a page for each call."""

    def __init__(self, *pages, about=None, admins=()):
        self.pages = list(pages)
        self.about = {"Id": "o-exampleorgid", "MasterAccountId": "100000000001", "FeatureSet": "ALL"} | (about or {})
        self.admins = admins

    def describe_organization(self):
        return {"Organization": self.about}

    def list_accounts(self, NextToken="0"):
        page = self.pages[int(NextToken)]
        if isinstance(page, Exception):
            raise page
        more = {"NextToken": str(int(NextToken) + 1)} if int(NextToken) + 1 < len(self.pages) else {}
        return {"Accounts": page} | more

    def list_delegated_administrators(self, ServicePrincipal):
        return {"DelegatedAdministrators": [{"Id": each} for each in self.admins]}

    def close(self):
        pass


def told_account(number, **values):
    return {"Id": f"{number}0000000000{number}", "Name": f"n{number}", "Email": "e", "State": "ACTIVE"} | values


WHOLE = [told_account(1), told_account(2)]


@pytest.fixture
def tell(monkeypatch):
    def told(*pages, **values):
        monkeypatch.setattr(reading, "_client", lambda endpoint, profile: Told(*pages, **values))

    return told


@pytest.mark.parametrize(
    ("told", "message"),
    [
        (Told(WHOLE, EndpointConnectionError(endpoint_url="http://nowhere")), "can't be reached"),
        (Told([told_account(2)]), "management account '100000000001' is not among the 1"),
        (Told([]), "not among the 0"),
        (Told([*WHOLE, told_account(3, State="ODD")]), "status 'ODD', which isn't known"),
        (Told([*WHOLE, told_account(3, State=None)]), "status '', which isn't known"),
        (Told([*WHOLE, told_account(3, Id="3")]), "'3' is no id of an account"),
        (Told(WHOLE, about={"Id": "o-x"}), "no id of an organization"),
        (Told(WHOLE, about={"FeatureSet": "CONSOLIDATED_BILLING"}), "needs all features"),
        (Told(WHOLE, admins=("me",)), "'me' is no id of an account"),
    ],
)
def test_what_can_not_be_read_in_whole_changes_nothing(database, work, settings, tell, monkeypatch, told, message):
    tell([*WHOLE, told_account(3)])
    chore.PLUGIN.run(work(settings=settings))
    before = known(database)
    monkeypatch.setattr(reading, "_client", lambda endpoint, profile: told)
    with pytest.raises(AcquireError, match=message):
        chore.PLUGIN.run(work(settings=settings))
    assert known(database) == before


def test_pages_without_an_end_are_ended(tell, monkeypatch):
    class Endless(Told):
        def list_accounts(self, NextToken="0"):
            return {"Accounts": [], "NextToken": "1"}

    monkeypatch.setattr(reading, "_client", lambda endpoint, profile: Endless())
    with pytest.raises(AcquireError, match="its pages come to no end"):
        reading.read_organization(Endpoint(region=REGION))
    monkeypatch.setattr(reading, "MOST_ACCOUNTS", 1)
    tell(WHOLE)
    with pytest.raises(AcquireError, match="more than 1 accounts"):
        reading.read_organization(Endpoint(region=REGION))


def test_of_several_listed_administrators_none_is_taken(database, work, settings, tell):
    tell([*WHOLE, told_account(3)], admins=("200000000002", "300000000003"))
    chore.PLUGIN.run(work(settings=settings))
    assert known(database).admins == {}


def test_before_state_there_was_status(tell, monkeypatch):
    tell([told_account(1), told_account(2) | {"State": "", "Status": "SUSPENDED"}])
    told = reading.read_organization(Endpoint(region=REGION))
    assert [each.status for each in told.accounts] == ["ACTIVE", "SUSPENDED"]


def test_missing_credentials_are_said(aws, database, work, settings, monkeypatch):
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    with pytest.raises(AcquireError, match="credentials"):
        chore.PLUGIN.run(work(settings=settings))
    settings = convert({"organization": {"source": "aws", "profile": "nobody"}}, Settings)
    with pytest.raises(AcquireError, match="nobody"):
        chore.PLUGIN.run(work(settings=settings))


def test_an_account_that_is_in_no_organization_is_told_so(aws, database, work, settings):
    aws.delete_organization()
    with pytest.raises(AcquireError, match="is in no organization"):
        chore.PLUGIN.run(work(settings=settings))


def test_an_account_is_in_one_organization(database, clock):
    def told(organization, management):
        accounts = tuple(OrganizationAccount(id=each) for each in (management, "200000000002"))
        return ToldOrganization(id=organization, management=management, accounts=accounts)

    register(database, told("o-exampleorgid", "100000000001"), REGION, clock(), TRIAL)
    with pytest.raises(StoreError, match="200000000002 is in the organization o-exampleorgid"):
        register(database, told("o-anotherorgid", "300000000003"), REGION, clock(), TRIAL)
    with database.system() as connection:
        assert connection.execute(select(table.c.id)).scalars().all() == ["o-exampleorgid"]
        assert organizations.read_organization(connection, "300000000003") is None
