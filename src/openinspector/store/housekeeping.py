"""What is old, or nobody's any more, is forgotten: a few rows at a time, in transactions of the system.

Each function gives how many rows it has deleted (of the main kind), which is less than `most` where none are left. Rows
that somebody else is just writing are left for another time.

**What nobody has.** An inventory that no resource points at, with the packages that no other inventory has and what was
known of them; a flaw that neither a package nor a finding has. Whoever writes findings may just be about to point at
one of these, so they are deleted with `shut_out`, behind which nobody does; and not while new advisories are matched.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, TextClause, text

from openinspector.store.rematching import exclude_all, standing


def forget_cis_results(connection: Connection, before: datetime, most: int) -> int:
    """Results of CIS checks that were told before a moment."""
    return _deleted(connection, _CIS_RESULTS, before, most)


def forget_cis_targets(connection: Connection, before: datetime, most: int) -> int:
    """Instances in CIS runs that began before a moment, and that nothing was heard of since."""
    return _deleted(connection, _CIS_TARGETS, before, most)


def forget_cis_scans(connection: Connection, before: datetime, most: int) -> int:
    """CIS runs that began before a moment and have neither instances nor results."""
    return _deleted(connection, _CIS_SCANS, before, most)


def forget_client_tokens(connection: Connection, before: datetime, most: int) -> int:
    """Idempotency tokens that were first used before a moment."""
    return _deleted(connection, _CLIENT_TOKENS, before, most)


def forget_audit(connection: Connection, before: datetime, most: int) -> int:
    """Entries of the audit log from before a moment, which is taken for 90 days ago where it is later than that."""
    return int(connection.execute(_AUDIT, {"before": before, "most": most}).scalar_one())


def forget_resources(connection: Connection, before: datetime, most: int) -> int:
    """Resources that were gone before a moment and have no findings, with how they were covered and where they ran."""
    chosen = connection.execute(_GONE, {"before": before, "most": most}).scalars().all()
    if not chosen:
        return 0
    # They are locked now, and nobody adds findings: what was added before is seen by this statement.
    ids = connection.execute(_WITHOUT_FINDINGS, {"ids": chosen}).scalars().all()
    for statement in (_THEIR_COVERAGE, _THEIR_USES, _RESOURCES):
        connection.execute(statement, {"ids": ids})
    return len(ids)


def shut_out(connection: Connection, *, milliseconds: int) -> bool:
    """Keeps others from writing findings until the end of the transaction; False while new advisories are matched.

    Raises:
        OperationalError: Somebody has been writing for too long (SQLSTATE 55P03).
    """
    connection.execute(_PATIENCE, {"patience": f"{milliseconds}ms"})
    exclude_all(connection)
    return standing(connection).running is None


def unused_inventories(connection: Connection, before: datetime, after: int, most: int) -> Sequence[int]:
    """Inventories that were read before a moment and that no resource points at, behind one's id."""
    return connection.execute(_INVENTORIES, {"before": before, "after": after, "most": most}).scalars().all()


def forget_inventories(connection: Connection, inventories: Sequence[int]) -> int:
    """Those of some inventories that no resource points at, with packages that nobody else has. Behind `shut_out`."""
    ids = connection.execute(_STILL_UNUSED_INVENTORIES, {"ids": list(inventories)}).scalars().all()
    packages = connection.execute(_THEIR_PACKAGES, {"ids": ids}).scalars().all()
    connection.execute(_INVENTORY, {"ids": ids})
    alone = connection.execute(_UNUSED_PACKAGES, {"packages": packages}).scalars().all()
    for statement in (_MATCHES, _PACKAGES):
        connection.execute(statement, {"packages": alone})
    return len(ids)


def unused_flaws(connection: Connection, most: int) -> Sequence[str]:
    """Flaws that neither a package nor a finding has; it looks through all findings."""
    return connection.execute(_UNUSED_FLAWS, {"most": most}).scalars().all()


def forget_flaws(connection: Connection, flaws: Sequence[str]) -> int:
    """Those of some flaws that no package has, with what others say of them. Behind `shut_out`."""
    unused = connection.execute(_STILL_UNUSED_FLAWS, {"flaws": list(flaws)}).scalars().all()
    for statement in (_ENRICHMENTS, _FLAWS):
        connection.execute(statement, {"flaws": unused})
    return len(unused)


def _deleted(connection: Connection, statement: TextClause, before: datetime, most: int) -> int:
    return connection.execute(statement, {"before": before, "most": most}).rowcount


_CIS_RESULTS: Final = text(
    "DELETE FROM cis_result WHERE ctid = ANY (ARRAY(SELECT ctid FROM cis_result WHERE created_at < :before"
    " ORDER BY created_at LIMIT :most FOR UPDATE SKIP LOCKED))"
)
_CIS_TARGETS: Final = text(
    "DELETE FROM cis_target WHERE ctid = ANY (ARRAY(SELECT t.ctid FROM cis_scan s JOIN cis_target t"
    " ON t.scan_id = s.id WHERE s.scanned_at < :before AND (t.heard_at IS NULL OR t.heard_at < :before)"
    " LIMIT :most FOR UPDATE OF t SKIP LOCKED))"
)
_CIS_SCANS: Final = text(
    "DELETE FROM cis_scan WHERE ctid = ANY (ARRAY(SELECT s.ctid FROM cis_scan s WHERE s.scanned_at < :before"
    " AND NOT EXISTS (SELECT FROM cis_target t WHERE t.scan_id = s.id)"
    " AND NOT EXISTS (SELECT FROM cis_result r WHERE r.scan_id = s.id) LIMIT :most FOR UPDATE OF s SKIP LOCKED))"
)
_CLIENT_TOKENS: Final = text(
    "DELETE FROM client_token WHERE ctid = ANY (ARRAY(SELECT ctid FROM client_token WHERE created_at < :before"
    " ORDER BY created_at LIMIT :most FOR UPDATE SKIP LOCKED))"
)
_AUDIT: Final = text("SELECT forget_audit(:before, CAST(:most AS integer))")
_GONE: Final = text(
    "SELECT id FROM resource r WHERE gone_at < :before"
    " AND NOT EXISTS (SELECT FROM finding f WHERE f.resource_id = r.id)"
    " ORDER BY gone_at LIMIT :most FOR UPDATE SKIP LOCKED"
)
_WITHOUT_FINDINGS: Final = text(
    "SELECT w.id FROM unnest(CAST(:ids AS bigint[])) AS w (id)"
    " WHERE NOT EXISTS (SELECT FROM finding f WHERE f.resource_id = w.id)"
)
_THEIR_COVERAGE: Final = text("DELETE FROM coverage WHERE resource_id = ANY (:ids)")
_THEIR_USES: Final = text("DELETE FROM image_use WHERE resource_id = ANY (:ids)")
_RESOURCES: Final = text("DELETE FROM resource WHERE id = ANY (:ids)")
_PATIENCE: Final = text("SELECT set_config('lock_timeout', :patience, true)")
_INVENTORIES: Final = text(
    "SELECT id FROM inventory i WHERE id > :after AND created_at < :before"
    " AND NOT EXISTS (SELECT FROM resource r WHERE r.inventory_id = i.id) ORDER BY id LIMIT :most"
)
_STILL_UNUSED_INVENTORIES: Final = text(
    "SELECT w.id FROM unnest(CAST(:ids AS integer[])) AS w (id)"
    " WHERE NOT EXISTS (SELECT FROM resource r WHERE r.inventory_id = w.id)"
)
_THEIR_PACKAGES: Final = text(
    "WITH gone AS (DELETE FROM inventory_package WHERE inventory_id = ANY (:ids) RETURNING package_id)"
    " SELECT DISTINCT package_id FROM gone"
)
_INVENTORY: Final = text("DELETE FROM inventory WHERE id = ANY (:ids)")
_UNUSED_PACKAGES: Final = text(
    "SELECT w.id FROM unnest(CAST(:packages AS integer[])) AS w (id)"
    " WHERE NOT EXISTS (SELECT FROM inventory_package ip WHERE ip.package_id = w.id)"
)
_MATCHES: Final = text("DELETE FROM package_vulnerability WHERE package_id = ANY (:packages)")
_PACKAGES: Final = text("DELETE FROM package WHERE id = ANY (:packages)")
_UNUSED_FLAWS: Final = text(
    "SELECT id FROM vulnerability v"
    " WHERE NOT EXISTS (SELECT FROM package_vulnerability pv WHERE pv.vulnerability_id = v.id)"
    " AND NOT EXISTS (SELECT FROM finding f WHERE f.vulnerability_id = v.id) LIMIT :most"
)
_STILL_UNUSED_FLAWS: Final = text(
    "SELECT w.id FROM unnest(CAST(:flaws AS text[])) AS w (id)"
    " WHERE NOT EXISTS (SELECT FROM package_vulnerability pv WHERE pv.vulnerability_id = w.id)"
)
_ENRICHMENTS: Final = text("DELETE FROM enrichment WHERE vulnerability_id = ANY (:flaws)")
_FLAWS: Final = text("DELETE FROM vulnerability WHERE id = ANY (:flaws)")
