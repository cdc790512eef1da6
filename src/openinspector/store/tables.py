"""The tables of the estate, of what is known about it, and of what was found. Those of accounts: account_tables.py.

Texts compare by code point everywhere (collation "C"): walks by key are then the same walk in any database, and a
prefix is a range. "" is how a text says that nothing is known; numbers and times are NULL. Times are `timestamptz`.

Tables with a column `account` are behind row security (see migrations/versions/revision_0001.sql); `package`,
`vulnerability`, `enrichment`, `package_vulnerability` and `generation` are knowledge that all accounts share, and say
of nobody what they have. An inventory is shared by the resources with the same content; an account sees those that one
of its own resources points at.

Hot tables have no foreign keys: each would be a look-up for each row of a bulk load. Findings aren't partitioned: a row
lives from days to years and is found by resource, account or id, never by time, so partitions would only multiply the
indexes to be searched; what is closed is deleted by `delete_at` in small steps. Nor are events: they leave the table
some days after they were sent.

Every sort of the API is a walk of an index that ends in a finding's id, or in what its findings are found by: those by
ECR repository, registry, push and resource type walk `resource` and then each one's findings, that by EPSS walks
`enrichment` and then each flaw's. What is missing counts as '' or -1 in these indexes, less than all that is there, so
that comparing rows of sort key and id is right for them too.
"""

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Computed,
    DateTime,
    Double,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from openinspector.store.roles import SCHEMA

WORD: Final = Text(collation="C")
WORDS: Final = ARRAY(WORD)
TIME: Final = DateTime(timezone=True)

metadata: Final = MetaData(
    schema=SCHEMA,
    naming_convention={"pk": "%(table_name)s_pkey", "uq": "%(table_name)s_%(column_0_N_name)s_key"},
)


def word(name: str, **options: Any) -> Column[str]:
    """A text that may be empty, but is never NULL."""
    return Column(name, WORD, nullable=False, server_default=text("''"), **options)


def key_word(name: str) -> Column[str]:
    """A text of the primary key, or one that must be given."""
    return Column(name, WORD, nullable=False)


def moment(name: str) -> Column[Any]:
    """A time that may not have come yet."""
    return Column(name, TIME)


def made(name: str = "created_at") -> Column[Any]:
    """A time that is now unless told otherwise."""
    return Column(name, TIME, nullable=False, server_default=func.now())


def document(name: str, default: str = "{}") -> Column[Any]:
    """A JSON value."""
    return Column(name, JSONB, nullable=False, server_default=text(f"'{default}'"))


package: Final = Table(
    "package",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("digest", UUID(as_uuid=True), nullable=False, unique=True),
    key_word("type"),
    word("namespace"),
    key_word("name"),
    key_word("canonical"),
    key_word("version"),
    word("arch"),
    word("module"),
    word("repository"),
    word("source_name"),
    word("source_version"),
    word("scheme"),
    Column("version_key", LargeBinary),
    Column("source_key", LargeBinary),
    Column("matched_generation", Integer),
    Index("package_by_name", "namespace", "canonical", "version_key"),
    Index("package_by_source", "namespace", "source_name", "source_key", postgresql_where=text("source_name <> ''")),
    Index("package_unmatched", "id", postgresql_where=text("matched_generation IS NULL")),
    comment="Each distinct package of the fleet, once. `namespace` and `canonical` are its names in the advisory file,"
    " `version_key` the sort key of its version (NULL where its scheme can't read it), `source_key` that of its source"
    " package's, so that a range of versions is a range of the index; `digest` is of all that tells packages apart.",
)

inventory: Final = Table(
    "inventory",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    key_word("kind"),
    key_word("status"),
    word("namespace"),
    word("platform"),
    word("running_kernel"),
    Column("packages", Integer, nullable=False, server_default=text("0")),
    Column("layers", WORDS, nullable=False, server_default=text("'{}'")),
    Column("repositories", WORDS, nullable=False, server_default=text("'{}'")),
    document("distribution"),
    document("problems", "[]"),
    made(),
    comment="What was found on a resource, by content: `digest` is of all of it, so equal hosts share one. `status` is"
    " whole, partial or failed; `problems` say what could not be read.",
)

inventory_package: Final = Table(
    "inventory_package",
    metadata,
    Column("inventory_id", Integer, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("package_id", Integer, nullable=False),
    Column("layer", SmallInteger),
    Column("introduced", SmallInteger),
    Column("is_judged", Boolean, nullable=False, server_default=text("true")),
    word("path"),
    word("owner"),
    Column("extra", JSONB),
    Index("inventory_package_by_package", "package_id", "inventory_id"),
    comment="A package at a place in an inventory, in the order in which it was read. Layers are positions in"
    " `inventory.layers`. What isn't judged is only listed: what an OS package owns, a kernel that isn't running."
    " `extra` is what an SBOM says besides: license, format, digest, qualifiers.",
)

resource: Final = Table(
    "resource",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    key_word("account"),
    key_word("region"),
    key_word("type"),
    key_word("external_id"),
    Column("partition", WORD, nullable=False, server_default=text("'aws'")),
    word("platform"),
    word("state"),
    document("tags"),
    document("details"),
    Column("inventory_id", Integer),
    Column("repository", WORD, Computed("coalesce(details ->> 'repository', '')", persisted=True)),
    Column("registry", WORD, Computed("coalesce(details ->> 'registry', '')", persisted=True)),
    moment("pushed_at"),
    made("first_seen_at"),
    made("last_seen_at"),
    moment("gone_at"),
    UniqueConstraint("account", "region", "type", "external_id"),
    Index("resource_by_inventory", "inventory_id", "account", postgresql_where=text("inventory_id IS NOT NULL")),
    Index("resource_by_repository", "account", "region", "repository", "id"),
    Index("resource_by_registry", "account", "region", "registry", "id"),
    Index("resource_by_push", "account", "region", func.coalesce(text("pushed_at"), text("'-infinity'")), "id"),
    Index("resource_by_type", "account", "region", "type", "id"),
    comment="An instance, image, function or repository. `external_id` is Inspector's (`i-…`, an ARN), `details` the"
    " noun of its kind without its tag, `inventory_id` what was last read from it, `gone_at` when it ceased to be.",
)

vulnerability: Final = Table(
    "vulnerability",
    metadata,
    Column("id", WORD, primary_key=True),
    Column("digest", UUID(as_uuid=True), nullable=False),
    Column("document", LargeBinary, nullable=False),
    word("severity"),
    Column("score", Double),
    word("vector"),
    word("source"),
    moment("published_at"),
    moment("modified_at"),
    comment="A flaw, merged from all who speak of it. `document` is msgpack of `model.match.Vulnerability` without its"
    " enrichments, compressed with zstd, and `digest` is of it: what is unchanged isn't written.",
)

enrichment: Final = Table(
    "enrichment",
    metadata,
    Column("vulnerability_id", WORD, primary_key=True),
    Column("epss", Double),
    Column("percentile", Double),
    word("epss_date"),
    Column("kev", JSONB),
    Column("exploits", JSONB),
    Column("is_exploitable", Boolean, nullable=False, server_default=text("false")),
    word("last_exploited_at"),
    Index("enrichment_by_epss", func.coalesce(text("epss"), text("-1")), "vulnerability_id"),
    comment="What others say of a flaw day by day: EPSS, CISA's catalogue, known exploits. Apart from the flaw, so that"
    " the daily scores rewrite neither documents nor findings.",
)

package_vulnerability: Final = Table(
    "package_vulnerability",
    metadata,
    Column("package_id", Integer, primary_key=True),
    Column("vulnerability_id", WORD, primary_key=True),
    Column("repository", WORD, primary_key=True, server_default=text("''")),
    word("state"),
    word("fixed_version"),
    word("severity"),
    word("vendor_severity"),
    word("source"),
    Column("related", WORDS, nullable=False, server_default=text("'{}'")),
    Column("evidence", LargeBinary),
    Index("package_vulnerability_by_flaw", "vulnerability_id", "package_id"),
    comment="The result of matching: a distinct package has a flaw, however many resources carry it. `repository` is"
    " one that must be enabled in the inventory for this to hold, if any; `evidence` is compressed msgpack.",
)

generation: Final = Table(
    "generation",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("digest", WORD, nullable=False, unique=True),
    key_word("state"),
    moment("built_at"),
    made("installed_at"),
    moment("matched_at"),
    document("feeds"),
    Index("generation_in_force", "state", unique=True, postgresql_where=text("state = 'in force'")),
    comment="An advisory file: being matched, in force (one at most), or replaced.",
)

finding: Final = Table(
    "finding",
    metadata,
    Column("account", WORD, primary_key=True),
    Column("region", WORD, primary_key=True),
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("resource_id", BigInteger, nullable=False),
    key_word("key"),
    key_word("type"),
    key_word("status"),
    Column("severity", SmallInteger, nullable=False),
    Column("score", Double),
    Column("exploit", Boolean),
    Column("first_observed_at", TIME, nullable=False),
    Column("last_observed_at", TIME, nullable=False),
    Column("updated_at", TIME, nullable=False),
    moment("closed_at"),
    moment("delete_at"),
    word("vulnerability_id"),
    word("vulnerability_source"),
    word("vendor_severity"),
    word("vector"),
    word("score_source"),
    word("fix"),
    word("title"),
    word("protocol"),
    word("component_type"),
    Column("first_port", Integer),
    Column("last_port", Integer),
    Column("package_names", WORDS, nullable=False, server_default=text("'{}'")),
    word("suppressed_by"),
    word("close_reason"),
    Column("digest", UUID(as_uuid=True)),
    Column("details", JSONB),
    UniqueConstraint("resource_id", "key", "closed_at", postgresql_nulls_not_distinct=True),
    Index("finding_by_severity", "account", "region", "severity", "id"),
    Index("finding_by_score", "account", "region", func.coalesce(text("score"), text("-1")), "id"),
    Index("finding_by_first", "account", "region", "first_observed_at", "id"),
    Index("finding_by_last", "account", "region", "last_observed_at", "id"),
    Index("finding_by_update", "account", "region", "updated_at", "id"),
    Index("finding_by_vulnerability", "account", "region", "vulnerability_id", "id"),
    Index("finding_by_source", "account", "region", "vulnerability_source", "id"),
    Index("finding_by_vendor", "account", "region", "vendor_severity", "id"),
    # Where one value is nearly all there is, only the others are indexed; the rest is a walk of the primary key.
    Index(
        "finding_by_type",
        *("account", "region", "type", "id"),
        postgresql_where=text("type <> 'PACKAGE_VULNERABILITY'"),
    ),
    Index("finding_by_status", "account", "region", "status", "id", postgresql_where=text("status <> 'ACTIVE'")),
    Index("finding_by_protocol", "account", "region", "protocol", "id", postgresql_where=text("protocol <> ''")),
    Index(
        "finding_by_component",
        *("account", "region", "component_type", "id"),
        postgresql_where=text("component_type <> ''"),
    ),
    Index("finding_to_delete", "delete_at", postgresql_where=text("delete_at IS NOT NULL")),
    comment="One vulnerability, or one open path, of one resource. `id` is the hexadecimal part of its ARN, `key` what"
    " tells apart the findings of a resource, of which one is open at a time; `severity` is the rank in"
    " `model.finding.SEVERITIES`, `digest` of the observation last written. `details` hold what can't be derived from"
    " inventory and matches: paths, and the packages of what is closed.",
)

coverage: Final = Table(
    "coverage",
    metadata,
    Column("resource_id", BigInteger, primary_key=True),
    Column("scan_type", WORD, primary_key=True),
    key_word("account"),
    key_word("region"),
    key_word("status"),
    key_word("reason"),
    word("scan_mode"),
    moment("last_scanned_at"),
    moment("image_pulled_at"),
    document("metadata"),
    moment("due_at"),
    word("due_reason"),
    Column("priority", SmallInteger, nullable=False, server_default=text("0")),
    Column("fence", BigInteger, nullable=False, server_default=text("0")),
    made("updated_at"),
    Index("coverage_by_account", "account", "region", "resource_id", "scan_type"),
    Index("coverage_due", "priority", "due_at", postgresql_where=text("due_at IS NOT NULL")),
    comment="Whether and how one kind of scan sees a resource, and since when and why it is due to be scanned. `fence`"
    " is raised when a scan starts; a scan that ends with an older one writes nothing.",
)

event: Final = Table(
    "event",
    metadata,
    Column("sequence", BigInteger, Identity(), primary_key=True),
    Column("id", UUID(as_uuid=True), nullable=False, server_default=func.gen_random_uuid()),
    key_word("account"),
    key_word("region"),
    key_word("kind"),
    Column("finding_id", UUID(as_uuid=True)),
    Column("resource_id", BigInteger),
    Column("payload", JSONB),
    made(),
    Column("attempts", SmallInteger, nullable=False, server_default=text("0")),
    moment("retry_at"),
    moment("sent_at"),
    Index("event_to_send", "sequence", postgresql_where=text("sent_at IS NULL")),
    Index("event_sent", "sent_at", postgresql_where=text("sent_at IS NOT NULL")),
    comment="The outbox: what the world is told, written in the transaction that made it true, under the id that it is"
    " sent with. An event about a finding names it and is put into words when it is sent; others carry their payload.",
)

chore: Final = Table(
    "chore",
    metadata,
    Column("name", WORD, primary_key=True),
    Column("due_at", TIME, nullable=False),
    Column("runs", BigInteger, nullable=False, server_default=text("0")),
    Column("failures", BigInteger, nullable=False, server_default=text("0")),
    Column("done", BigInteger, nullable=False, server_default=text("0")),
    Column("seconds", Double, nullable=False, server_default=text("0")),
    moment("last_started_at"),
    moment("last_ended_at"),
    word("last_error"),
    comment="Something that the workers do of their own accord: when it is due, and how it went, of all of them.",
)
