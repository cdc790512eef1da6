"""Run by Alembic: the revisions that are wanting, in the transaction of the connection that it is given."""

from alembic import context

from openinspector.store.roles import SCHEMA

context.configure(
    connection=context.config.attributes["connection"],
    version_table_schema=SCHEMA,
)
context.run_migrations()
