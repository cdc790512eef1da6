"""The statements by which findings follow new matches, over temporary tables (see following.py).

`found` and `carrier` are the resources and flaws in question; `signed` says of an inventory and a flaw what the
observation follows from; `grouped` are the distinct ones. `turn` is how each finding stands before, `move` what becomes
of it; `fresh` and `ending` are what is written for all findings of a group that are open, or closed.
"""

import re
from typing import Final

from sqlalchemy import text

from openinspector.model.coverage import Reason
from openinspector.model.finding import SEVERITIES


def _collated(columns: str) -> str:
    """Texts that compare as those of our tables do."""
    return re.sub(r" text(?=,|$)", ' text COLLATE "C"', columns.replace("text[]", 'text[] COLLATE "C"'))


_TABLES: Final = {
    "found": "resource_id bigint, inventory_id integer, flaw text, place text",
    "carrier": "resource_id bigint, inventory_id integer, flaw text, place text",
    "signed": "inventory_id integer, flaw text, signature text",
    "grouped": "number integer, flaw text, signature text, place text, digest uuid",
    "turn": "resource_id bigint, inventory_id integer, flaw text, place text, account text, region text, grp integer,"
    " finding_id uuid, status text, first_observed_at timestamptz, closed_at timestamptz, digest uuid,"
    " is_looked_at boolean, is_ruled boolean, is_odd boolean",
    "fresh": "number integer, severity smallint, score double precision, exploit boolean, vulnerability_source text,"
    " vendor_severity text, vector text, score_source text, fix text, title text, package_names text[], digest uuid",
    "move": "resource_id bigint, flaw text, account text, region text, finding_id uuid, first_observed_at timestamptz,"
    " was text, grp integer, fresh integer, change text, status text, suppressed_by text, is_ruled boolean",
    "ending": "grp integer, details jsonb",
}
TEMPORARY: Final = {name: _collated(columns) for name, columns in _TABLES.items()}
FRESH: Final = (
    *("severity", "score", "exploit", "vulnerability_source", "vendor_severity", "vector", "score_source"),
    *("fix", "title", "package_names", "digest"),
)

# Who isn't looked at any more, though there may be findings of what was.
LEFT_ALONE: Final[tuple[Reason, ...]] = (
    "SCAN_FREQUENCY_MANUAL",
    "SCAN_FREQUENCY_SCAN_ON_PUSH",
    "SCAN_ELIGIBILITY_EXPIRED",
    "EXCLUDED_BY_TAG",
    "IMAGE_ARCHIVED",
)
# What of a resource itself has a part in what is observed on it: a function's layers, and who can get to it.
_PLACE: Final = (
    "CASE WHEN r.type = 'AWS_LAMBDA_FUNCTION' AND r.details -> 'layers' <> '[]'"
    " THEN (r.details ->> 'layers') || CAST(i.layers AS text) ELSE '' END || r.posture"
)
FIND: Final = text(
    "INSERT INTO pg_temp.following_found SELECT r.id, r.inventory_id, c.flaw, "  # noqa: S608  our own names
    f"{_PLACE} FROM (SELECT m.package_id, m.vulnerability_id AS flaw FROM rematch_match m"
    " WHERE m.vulnerability_id = ANY (:flaws) UNION SELECT pv.package_id, pv.vulnerability_id"
    " FROM package_vulnerability pv WHERE pv.vulnerability_id = ANY (:told)) AS c"
    " JOIN inventory_package ip ON ip.package_id = c.package_id AND ip.is_judged"
    " JOIN inventory i ON i.id = ip.inventory_id JOIN resource r ON r.inventory_id = i.id LIMIT :most"
)
CARRIERS: Final = text(
    "INSERT INTO pg_temp.following_carrier SELECT DISTINCT resource_id, inventory_id, flaw, place"
    " FROM pg_temp.following_found"
)
KEEPERS: Final = text(
    "INSERT INTO pg_temp.following_carrier SELECT f.resource_id, r.inventory_id, f.vulnerability_id, '' FROM finding f"
    " JOIN resource r ON r.id = f.resource_id WHERE f.status <> 'CLOSED' AND f.details ? 'packages'"
    " AND f.vulnerability_id = ANY (:flaws) AND NOT EXISTS (SELECT FROM pg_temp.following_carrier c"
    " WHERE c.resource_id = f.resource_id AND c.flaw = f.vulnerability_id)"
)
LOCK: Final = text(
    "SELECT count(*) FROM (SELECT r.id FROM resource r WHERE r.id IN (SELECT resource_id FROM"
    " pg_temp.following_carrier) ORDER BY r.id FOR NO KEY UPDATE) AS locked"
)
# Nearly all inventories with a package of the flaw are in question: to look for each of them takes ten times as long.
SIGN: Final = text(
    "WITH lying AS MATERIALIZED (SELECT pv.vulnerability_id AS flaw, pv.repository, ip.* FROM package_vulnerability pv"
    " JOIN inventory_package ip ON ip.package_id = pv.package_id AND ip.is_judged WHERE pv.state <> ALL (:silent)"
    " AND pv.vulnerability_id IN (SELECT flaw FROM pg_temp.following_carrier))"
    " INSERT INTO pg_temp.following_signed SELECT i.id, t.flaw, md5(string_agg(CAST(ROW(l.package_id, l.path,"
    " l.owner, i.layers[l.layer + 1], i.layers[l.introduced + 1], l.extra) AS text), ',' ORDER BY l.position))"
    " FROM (SELECT DISTINCT inventory_id, flaw FROM pg_temp.following_carrier) AS t"
    " JOIN lying l ON l.inventory_id = t.inventory_id AND l.flaw = t.flaw JOIN inventory i ON i.id = t.inventory_id"
    " WHERE l.repository = '' OR l.repository = ANY (i.repositories) GROUP BY i.id, t.flaw"
)
GROUPS: Final = text(
    "SELECT s.flaw, s.signature, c.place, min(c.inventory_id) AS inventory_id, min(c.resource_id) AS resource_id"
    " FROM pg_temp.following_carrier c JOIN pg_temp.following_signed s"
    " ON s.inventory_id = c.inventory_id AND s.flaw = c.flaw GROUP BY s.flaw, s.signature, c.place"
    " ORDER BY s.flaw, s.signature, c.place"
)
_IN_GROUP: Final = (
    " LEFT JOIN pg_temp.following_signed s ON s.inventory_id = {0}.inventory_id AND s.flaw = {0}.flaw"
    " LEFT JOIN pg_temp.following_grouped g ON g.flaw = s.flaw AND g.signature = s.signature AND g.place = {0}.place"
)
TURNS: Final = text(
    "INSERT INTO pg_temp.following_turn SELECT t.resource_id, t.inventory_id, t.flaw, t.place,"  # noqa: S608  ours
    " t.account, t.region, t.number, t.id, t.status, t.first_observed_at, t.closed_at, t.digest, t.is_looked_at,"
    " t.is_ruled, coalesce(t.status, 'CLOSED') <> 'CLOSED'"
    " AND (NOT t.is_looked_at OR t.has_details OR t.digest IS DISTINCT FROM t.expected) FROM ("
    "SELECT c.resource_id, c.inventory_id, c.flaw, c.place, r.account, r.region, g.number, f.id, f.status,"
    " f.first_observed_at, f.closed_at, f.digest, r.state IN ('', 'running')"
    " AND coalesce(v.reason, '') <> ALL (:aside) AS is_looked_at, false AS is_ruled,"
    " f.details IS NOT NULL AS has_details, g.digest AS expected FROM pg_temp.following_carrier c"
    " JOIN resource r ON r.id = c.resource_id"
    + _IN_GROUP.format("c")
    + " LEFT JOIN coverage v ON v.resource_id = c.resource_id AND v.scan_type = 'PACKAGE'"
    " LEFT JOIN LATERAL (SELECT o.* FROM finding o WHERE o.resource_id = c.resource_id AND o.key = c.flaw"
    " AND (o.delete_at IS NULL OR o.delete_at > :now) ORDER BY o.first_observed_at DESC LIMIT 1) AS f ON true) AS t"
)
HAS_UNDECIDED: Final = text(
    "SELECT EXISTS (SELECT FROM rematch_match WHERE vulnerability_id = ANY (:flaws) AND verdict = 'undecided')"
)
UNDECIDED: Final = text(
    "UPDATE pg_temp.following_turn t SET is_odd = true WHERE t.status <> 'CLOSED' AND EXISTS ("
    "SELECT FROM rematch_match m JOIN inventory_package ip ON ip.package_id = m.package_id"
    " AND ip.inventory_id = t.inventory_id AND ip.is_judged WHERE m.vulnerability_id = t.flaw"
    " AND m.verdict = 'undecided')"
)
PLACES: Final = text("SELECT DISTINCT account, region FROM pg_temp.following_turn ORDER BY account, region")
RULED: Final = text(
    "UPDATE pg_temp.following_turn t SET is_ruled = true FROM unnest(CAST(:accounts AS text[]),"
    " CAST(:regions AS text[]), CAST(:flaws AS text[])) AS a (account, region, flaw)"
    " WHERE t.account = a.account AND t.region = a.region AND t.flaw = a.flaw"
)
ODD: Final = text(
    "SELECT resource_id, inventory_id, flaw, is_looked_at FROM pg_temp.following_turn WHERE is_odd"
    " ORDER BY resource_id, flaw"
)
DROP_MATCHES: Final = text(
    "DELETE FROM package_vulnerability pv USING rematch_match m WHERE m.vulnerability_id = ANY (:flaws)"
    " AND m.verdict <> 'affected' AND pv.vulnerability_id = m.vulnerability_id AND pv.package_id = m.package_id"
)
PUT_MATCHES: Final = text(
    "INSERT INTO package_vulnerability AS pv (package_id, vulnerability_id, state, fixed_version, severity,"
    " vendor_severity, source, related, evidence) SELECT package_id, vulnerability_id, state, fixed_version, severity,"
    " vendor_severity, source, related, evidence FROM rematch_match WHERE vulnerability_id = ANY (:flaws)"
    " AND verdict = 'affected' ORDER BY package_id, vulnerability_id"
    " ON CONFLICT (package_id, vulnerability_id, repository) DO UPDATE SET state = excluded.state,"
    " fixed_version = excluded.fixed_version, severity = excluded.severity,"
    " vendor_severity = excluded.vendor_severity, source = excluded.source, related = excluded.related,"
    " evidence = excluded.evidence"
)
MOVES: Final = text(
    "INSERT INTO pg_temp.following_move SELECT * FROM (SELECT t.resource_id, t.flaw, t.account, t.region,"  # noqa: S608
    " t.finding_id, t.first_observed_at, t.status AS was, t.grp, g.number,"
    " CASE WHEN t.status <> 'CLOSED' THEN CASE WHEN g.number IS NULL THEN 'Closed'"
    " WHEN g.digest IS DISTINCT FROM t.digest THEN 'Updated' END"
    " WHEN g.number IS NULL THEN NULL WHEN t.closed_at >= :reopening THEN 'Reopened' ELSE 'Opened' END AS change,"
    " 'ACTIVE', '', t.is_ruled FROM pg_temp.following_turn t"
    + _IN_GROUP.format("t")
    + " WHERE t.is_looked_at AND NOT t.is_odd) AS m WHERE m.change IS NOT NULL"
)
TO_ASK: Final = text(
    "SELECT r.*, m.flaw, m.change, m.was, m.fresh, m.finding_id, m.first_observed_at FROM pg_temp.following_move m"
    " JOIN resource r ON r.id = m.resource_id WHERE m.change <> 'Closed' AND (m.is_ruled OR m.was = 'SUPPRESSED')"
)
ASKED: Final = text(
    "UPDATE pg_temp.following_move m SET change = a.change, status = a.status, suppressed_by = a.filter"
    " FROM unnest(CAST(:resources AS bigint[]), CAST(:flaws AS text[]), CAST(:changes AS text[]),"
    " CAST(:statuses AS text[]), CAST(:filters AS text[])) AS a (resource_id, flaw, change, status, filter)"
    " WHERE m.resource_id = a.resource_id AND m.flaw = a.flaw"
)
ENDING: Final = text("SELECT DISTINCT grp FROM pg_temp.following_move WHERE change = 'Closed'")


def _told(changed: str) -> str:
    """The events of findings that a statement gives back in `changed`, in their order, and how many of each kind."""
    words = ", ".join(f"'{each}'" for each in SEVERITIES)
    spelt = "to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
    moments = "".join(
        f", '{name}', {spelt.format('d.' + name)}" for name in ("first_observed_at", "last_observed_at", "updated_at")
    )
    return (
        f"WITH done AS ({changed}), told AS (INSERT INTO event"  # noqa: S608  our own names
        " (account, region, kind, resource_id, created_at, finding_id, payload)"
        " SELECT d.account, d.region, 'finding', d.resource_id, :now, d.id,"
        " jsonb_build_object('change', d.change, 'type', d.type, 'key', d.key, 'title', d.title,"
        f" 'severity', (ARRAY[{words}])[d.severity + 1], 'status', d.status{moments})"
        " FROM done d ORDER BY d.resource_id, d.key RETURNING payload ->> 'change' AS change)"
        " SELECT change, count(*) FROM told GROUP BY change"
    )


_BACK: Final = (
    " RETURNING {0}account, {0}region, {0}id, {0}resource_id, {0}key, {0}type, {0}title, {0}severity, {0}status,"
    " {0}first_observed_at, {0}last_observed_at, {0}updated_at, {1} AS change"
)
_SPELT: Final = " || ".join(
    f"length({part}) || ':' || {part}"
    for part in ("r.partition", "r.region", "r.account", "r.external_id", "m.flaw", "CAST(:at AS text)")
)
OPEN: Final = text(
    _told(
        "INSERT INTO finding AS f (account, region, id, resource_id, key, type, status, first_observed_at,"  # noqa: S608
        f" last_observed_at, updated_at, vulnerability_id, suppressed_by, {', '.join(FRESH)})"  # noqa: S608
        " SELECT m.account, m.region, CAST(encode(substr(sha256(convert_to("
        + _SPELT
        + ", 'UTF8')), 1, 16), 'hex') AS uuid), m.resource_id, m.flaw, 'PACKAGE_VULNERABILITY', m.status, :now, :now,"
        f" :now, m.flaw, m.suppressed_by, {', '.join('n.' + name for name in FRESH)} FROM pg_temp.following_move m"
        " JOIN resource r ON r.id = m.resource_id JOIN pg_temp.following_fresh n ON n.number = m.fresh"
        " WHERE m.change = 'Opened' ORDER BY 1, 2, 3"  # as the indexes have them: neighbours come after each other
         + _BACK.format("f.", "'Opened'")
    )
)
CONTINUE: Final = text(
    _told(
        "UPDATE finding f SET status = m.status, suppressed_by = m.suppressed_by, last_observed_at = :now,"  # noqa: S608
        " updated_at = :now, closed_at = NULL, delete_at = NULL, close_reason = '', details = NULL, "
        + ", ".join(f"{name} = n.{name}" for name in FRESH)
        + " FROM pg_temp.following_move m JOIN pg_temp.following_fresh n ON n.number = m.fresh"
        " WHERE f.account = m.account AND f.region = m.region AND f.id = m.finding_id"
        " AND m.change NOT IN ('Opened', 'Closed')" + _BACK.format("f.", "m.change")
    )
)
CLOSE: Final = text(
    _told(
        "UPDATE finding f SET status = 'CLOSED', suppressed_by = '', updated_at = :now, closed_at = :now,"  # noqa: S608
        " delete_at = :delete_at, close_reason = 'unseen', details = e.details"
        " FROM pg_temp.following_move m JOIN pg_temp.following_ending e ON e.grp = m.grp"
        " WHERE f.account = m.account AND f.region = m.region AND f.id = m.finding_id AND m.change = 'Closed'"
        + _BACK.format("f.", "m.change")
    )
)
