"""Every test of an operation may ask for a database."""

from tests.edge.postgres import database, postgres, template  # noqa: F401
