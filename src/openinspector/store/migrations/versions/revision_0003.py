"""What of a network is known: who can get to a resource."""

from pathlib import Path

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds it."""
    statements = Path(__file__).with_suffix(".sql").read_text()
    # Without parameters there are no placeholders, and all of the statements go in one message.
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(statements)
