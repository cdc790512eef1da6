"""Estates with many findings, written as the scans of a fleet leave them: instances that share an inventory."""

from datetime import UTC, datetime

from sqlalchemy import insert, text

from openinspector.model.inventory import Inventory, Layer, Target
from openinspector.model.match import Vulnerability
from openinspector.model.package import Location, Package
from openinspector.store.rows import Match, store_inventory, store_matches, store_vulnerabilities
from openinspector.store.tables import coverage, resource

REGION = "us-east-1"
NOW = datetime(2026, 3, 1, 9, 0, 0, tzinfo=UTC)
DESCRIPTION = "A flaw in the way in which the library reads what it is given. " * 12


def flaw_id(number):
    return f"CVE-2030-{number:05}"


def add_fleet(database, account, instances, flaws, status="ACTIVE", first=0, notes=0):
    """Instances, each with a finding for each of the flaws, and with long tags that make a report large."""
    packages = tuple(
        Package(type="npm", name=f"lib{number}", version="1.0", location=Location(path=f"srv/lib{number}"))
        for number in range(flaws)
    )
    target = Target(kind="image", name="x", layers=(Layer(diff_id="sha256:" + "a" * 64),))
    with database.system() as connection:
        inventory = store_inventory(connection, Inventory(target=target, packages=packages), lambda _: True)
        numbers = connection.execute(
            text("SELECT package_id FROM inventory_package WHERE inventory_id = :id ORDER BY position"),
            {"id": inventory},
        ).scalars()
        known = [Vulnerability(id=flaw_id(number), description=DESCRIPTION) for number in range(flaws)]
        store_vulnerabilities(connection, known, {})
        matches = [
            Match(package_id=package, vulnerability_id=flaw_id(number), severity="high")
            for number, package in enumerate(numbers)
        ]
        store_matches(connection, [], matches, 1)
        rows = [
            {
                "account": account,
                "region": REGION,
                "type": "AWS_EC2_INSTANCE",
                "external_id": f"i-{number:017x}",
                "platform": "AMAZON_LINUX_2023",
                "inventory_id": inventory,
                "tags": {"number": str(number)} | {f"note{each}": "x" * 250 for each in range(notes)},
            }
            for number in range(first, first + instances)
        ]
        ids = list(connection.execute(insert(resource).returning(resource.c.id), rows).scalars())
        seen = [
            {
                "resource_id": each,
                "scan_type": "PACKAGE",
                "account": account,
                "region": REGION,
                "status": "ACTIVE",
                "reason": "SUCCESSFUL",
            }
            for each in ids
        ]
        connection.execute(insert(coverage), seen)
        connection.execute(
            text(
                "INSERT INTO finding (account, region, id, resource_id, key, type, status, severity,"
                " first_observed_at, last_observed_at, updated_at, vulnerability_id, title, package_names)"
                " SELECT :account, :region, gen_random_uuid(), r, v, 'PACKAGE_VULNERABILITY', :status, 4, :now, :now,"
                " :now, v, v || ' - lib', ARRAY['lib' || n - 1] FROM unnest(CAST(:ids AS bigint[])) AS r,"
                " unnest(CAST(:flaws AS text[])) WITH ORDINALITY AS w (v, n)"
            ),
            {
                "account": account,
                "region": REGION,
                "status": status,
                "now": NOW,
                "ids": ids,
                "flaws": [flaw_id(number) for number in range(flaws)],
            },
        )
    return ids
