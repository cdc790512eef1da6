"""The lines that findings in code are about, as they were handed in: documents in the API's words."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from openinspector.store.account_tables import code_snippet


def snippets(
    connection: Connection, account: str, region: str, findings: Collection[UUID]
) -> dict[UUID, Mapping[str, Any]]:
    """The snippets of an account's findings, of those that have one."""
    columns = code_snippet.c
    wanted = select(columns.finding_id, columns.document).where(
        columns.account == account, columns.region == region, columns.finding_id.in_(list(findings))
    )
    return {row.finding_id: row.document for row in connection.execute(wanted)}
