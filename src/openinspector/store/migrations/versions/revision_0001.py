"""Everything, as it was first."""

import secrets
from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_BLOCK = 64  # bytes; of SHA-256


def upgrade() -> None:
    """Makes all tables, roles and policies, and the key that seals the scope of a transaction."""
    connection = op.get_bind()
    statements = Path(__file__).with_suffix(".sql").read_text()
    # Without parameters there are no placeholders, and all of the statements go in one message.
    connection.execution_options(no_parameters=True).exec_driver_sql(statements)
    key = secrets.token_bytes(_BLOCK)
    inner, outer = (bytes(byte ^ pad for byte in key) for pad in (0x36, 0x5C))
    connection.exec_driver_sql(
        "INSERT INTO openinspector.scope_key (inner_pad, outer_pad) VALUES (%(inner)s, %(outer)s)",
        {"inner": inner, "outer": outer},
    )
