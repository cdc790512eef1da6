"""A delegated administrator with a member, and a stranger."""

from sqlalchemy import insert

from openinspector.store.account_tables import delegated_admin, member

ADMIN, MEMBER, STRANGER = "111122223333", "444455556666", "777788889999"
ORGANIZATION = "o-abcdefghij"
REGION = "us-east-1"


def found(database):
    """Writes the organization down."""
    with database.system() as connection:
        admin = {"account": ADMIN, "region": REGION, "organization_id": ORGANIZATION, "status": "ENABLED"}
        connection.execute(insert(delegated_admin).values(admin))
        row = {"account": ADMIN, "region": REGION, "member": MEMBER, "status": "ENABLED"}
        connection.execute(insert(member).values(row))
