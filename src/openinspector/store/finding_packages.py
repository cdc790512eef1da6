"""The packages of a finding, as a table to be asked about inside a query that is `FROM finding JOIN resource`.

What is open has the packages of its resource's inventory that have its flaw; nothing of that is written down for each
finding. Where a look missed something, `details` keep besides what only earlier ones have seen: `packages`
(`model.finding.VulnerablePackage`) are then all of them, and those that the inventory has too are taken from there.
What is closed keeps in the same way all that it had, and `related`.
"""

from typing import Any, Final

from sqlalchemy import (
    Boolean,
    Double,
    Select,
    Text,
    and_,
    any_,
    column,
    func,
    literal_column,
    or_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.sql.selectable import Subquery

from openinspector.store.roles import SCHEMA
from openinspector.store.tables import finding, inventory, inventory_package, package_vulnerability, resource

# States whose publisher says that nobody need look after the package.
SILENT: Final = ("not_affected", "unimportant", "under_investigation", "will_not_fix")


# A function's layers have ARNs, in the order in which they were read; the code came last and has none.
def _place(kind: str, arns: str, position: str) -> str:
    return f"""
    coalesce(
        CASE WHEN {kind} = 'AWS_LAMBDA_FUNCTION' AND cardinality(i.layers) - 1 = jsonb_array_length({arns})
             THEN {arns} ->> {position}::integer END,
        i.layers[{position} + 1],
        '')"""


_PLACE: Final = _place("resource.type", "(resource.details -> 'layers')", "coalesce(ip.introduced, ip.layer)")
_HAS_FLAW: Final = f"""
                   i.id = resource.inventory_id
                   AND pv.vulnerability_id = finding.vulnerability_id AND finding.vulnerability_id <> ''
                   AND (pv.repository = '' OR pv.repository = ANY (i.repositories))
                   AND pv.state <> ALL (ARRAY['{"', '".join(SILENT)}'])"""

# Versions in parts, as model/spelling.py splits them.
_STATEMENT: Final = f"""
    SELECT name, arch, path, place, related, is_os, epoch::double precision AS epoch,
           coalesce(qualifiers, '{{}}')
               || CASE WHEN arch <> '' THEN jsonb_build_object('arch', arch) ELSE '{{}}' END
               || CASE WHEN type = 'rpm' AND version LIKE '%:%' THEN jsonb_build_object('epoch', epoch::integer::text)
                       ELSE '{{}}' END AS qualifiers,
           CASE WHEN is_os THEN regexp_replace(rest, '^(.+)-[^-]*$', '\\1') ELSE rest END AS version,
           CASE WHEN is_os THEN coalesce(substring(rest FROM '^.+-([^-]*)$'), '') ELSE '' END AS release
      FROM (
        SELECT *,
               CASE WHEN is_os AND version ~ '^[0-9]{{1,9}}:' THEN split_part(version, ':', 1) ELSE '0' END AS epoch,
               CASE WHEN is_os THEN regexp_replace(version, '^[0-9]{{1,9}}:', '') ELSE version END AS rest
          FROM (
            SELECT p.name, p.type, p.type IN ('deb', 'rpm', 'apk') AS is_os, p.version, p.arch, ip.path,
                   {_PLACE} AS place, ip.extra -> 'qualifiers' AS qualifiers, pv.related
              FROM {SCHEMA}.inventory i
              JOIN {SCHEMA}.inventory_package ip ON ip.inventory_id = i.id AND ip.is_judged
              JOIN {SCHEMA}.package p ON p.id = ip.package_id
              JOIN {SCHEMA}.package_vulnerability pv ON pv.package_id = ip.package_id
             WHERE finding.status <> 'CLOSED' AND {_HAS_FLAW}
            UNION ALL
            SELECT w #>> '{{package,name}}', w #>> '{{package,type}}',
                   w #>> '{{package,type}}' IN ('deb', 'rpm', 'apk'), w #>> '{{package,version}}',
                   coalesce(w #>> '{{package,arch}}', ''), w #>> '{{package,location,path}}',
                   coalesce(w #>> '{{package,location,introduced}}', w #>> '{{package,location,layer}}', ''),
                   (SELECT jsonb_object_agg(pair ->> 0, pair ->> 1)
                      FROM jsonb_array_elements(w #> '{{package,qualifiers}}') AS pair),
                   ARRAY(SELECT jsonb_array_elements_text(finding.details -> 'related'))
              FROM jsonb_array_elements(finding.details -> 'packages') AS w
             WHERE finding.status = 'CLOSED' OR NOT EXISTS (
                SELECT FROM {SCHEMA}.inventory i
                  JOIN {SCHEMA}.inventory_package ip ON ip.inventory_id = i.id AND ip.is_judged
                  JOIN {SCHEMA}.package p ON p.id = ip.package_id
                  JOIN {SCHEMA}.package_vulnerability pv ON pv.package_id = ip.package_id
                 WHERE {_HAS_FLAW}
                   AND p.type = w #>> '{{package,type}}' AND p.name = w #>> '{{package,name}}'
                   AND p.version = w #>> '{{package,version}}' AND p.arch = coalesce(w #>> '{{package,arch}}', '')
                   AND ip.path = w #>> '{{package,location,path}}')
          ) AS found
      ) AS split"""  # noqa: S608  our own names

_WORD: Final = Text(collation="C")
_COLUMNS: Final[tuple[Any, ...]] = (
    column("name", _WORD),
    column("arch", _WORD),
    column("path", _WORD),
    column("place", _WORD),
    column("qualifiers", JSONB),
    column("related", ARRAY(_WORD)),
    column("is_os", Boolean),
    column("epoch", Double),
    column("version", _WORD),
    column("release", _WORD),
)


def in_layers(findings: Select[Any], inventories: Any) -> Select[Any]:
    """Open findings once for each `layer` that brought a package which has theirs, as follows from the inventories.

    `findings` selects from `finding` and `resource`, `inventories` the numbers of at least the inventories of those.
    All packages of an inventory are gone through once, not for each finding again. It says nothing of packages that a
    finding keeps in `details`.
    """
    seen, lies, has = inventory.alias("i"), inventory_package.alias("ip"), package_vulnerability.alias("pv")
    is_enabled = or_(has.c.repository == "", has.c.repository == any_(seen.c.repositories))
    lying = (
        select(lies.c.inventory_id, func.coalesce(lies.c.introduced, lies.c.layer).label("position"))
        .add_columns(has.c.vulnerability_id)
        .distinct()
        .select_from(lies.join(has, has.c.package_id == lies.c.package_id).join(seen, seen.c.id == lies.c.inventory_id))
        .where(lies.c.is_judged, is_enabled, has.c.state.not_in(SILENT), lies.c.inventory_id.in_(inventories))
        .cte("lying")
        .prefix_with("MATERIALIZED")
    )
    names = [each.name for each in findings.selected_columns]
    of_resource = resource.c.inventory_id, resource.c.type.label("of_type"), resource.c.details["layers"].label("arns")
    # Materialized, for the planner thinks that there are few, and would look for each by its flaw.
    at_hand = (
        findings.add_columns(*of_resource, finding.c.vulnerability_id.label("flaw"))
        .where(finding.c.vulnerability_id != "")
        .cte("at_hand")
        .prefix_with("MATERIALIZED")
    )
    place = literal_column(_place("at_hand.of_type", "at_hand.arns", "lying.position"), _WORD).collate("C")
    return (
        select(*(at_hand.c[name] for name in names), place.label("layer"))
        .select_from(at_hand)
        .join(lying, and_(lying.c.inventory_id == at_hand.c.inventory_id, lying.c.vulnerability_id == at_hand.c.flaw))
        .join(seen, seen.c.id == at_hand.c.inventory_id)
    )


def finding_packages() -> Subquery:
    """One row for each package of the finding at hand; `place` is the layer that brought it, "" where none is known."""
    return text(_STATEMENT).columns(*_COLUMNS).subquery("vulnerable")
