"""Small rows of a fleet."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

from sqlalchemy import insert

from openinspector.store.finding_counts import count_findings
from openinspector.store.rows import FindingRow
from openinspector.store.tables import resource

OURS, THEIRS = "111122223333", "444455556666"
REGION = "eu-west-1"
NOW = datetime(2026, 3, 2, 10, 15, 30, tzinfo=UTC)


def add_resource(connection, account, external_id="i-0aaaabbbbccccdddd", **values) -> int:
    row = {"account": account, "region": REGION, "type": "AWS_EC2_INSTANCE", "external_id": external_id} | values
    return connection.execute(insert(resource).values(row).returning(resource.c.id)).scalar_one()


def finding_row(account, resource_id, key="CVE-2030-0001", **values) -> FindingRow:
    told = {
        "account": account,
        "region": REGION,
        "id": UUID(int=uuid4().int),
        "resource_id": resource_id,
        "key": key,
        "type": "PACKAGE_VULNERABILITY",
        "status": "ACTIVE",
        "severity": 4,
        "first_observed_at": NOW,
        "last_observed_at": NOW,
        "updated_at": NOW,
        "vulnerability_id": key,
        "title": f"{key} - libdemo",
    }
    return FindingRow(**(told | values))


def paged(connection, asked, size):
    """All groups of an aggregation, read by pages of a size."""
    groups, after = [], None
    while True:
        page, after = count_findings(connection, asked, size, after)
        groups += page
        if after is None:
            return groups
