"""Every test of the store may ask for a database."""

from tests.edge.postgres import database, postgres, template  # noqa: F401
