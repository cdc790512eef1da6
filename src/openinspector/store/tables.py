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

Every sort of the API is a walk of an index that ends in a finding's id, or in the id of what its findings are of: those
by ECR repository, registry, push and resource type walk `resource` and then each one's findings, that by EPSS walks
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
    word("context"),
    word("scheme"),
    Column("version_key", LargeBinary),
    Column("source_key", LargeBinary),
    Column("matched_generation", Integer),
    Index("package_by_name", "namespace", "canonical", "version_key"),
    Index("package_by_spelling", "name"),
    Index("package_by_source", "namespace", "source_name", "source_key", postgresql_where=text("source_name <> ''")),
    Index("package_provisional", "id", postgresql_where=text("matched_generation = 0")),
    comment="Each distinct package of the fleet, once. `namespace` and `canonical` are its names in the advisory file,"
    " `version_key` the sort key of its version (NULL where its scheme can't read it), `source_key` that of its source"
    " package's, so that a range of versions is a range of the index; `context` are the repositories, one a line, that"
    " are enabled where it is installed and decide which advisories concern it; `digest` is of all that tells packages"
    " apart. `matched_generation` is NULL before it was matched, 0 where that was by advisories that weren't in force,"
    " else the generation that was when it was; what came later has been followed since.",
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
    word("posture"),
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
    # That by type is the unique constraint.
    Index("resource_by_repository", "account", "region", "repository", "external_id"),
    Index("resource_by_registry", "account", "region", "registry", "external_id"),
    Index(
        "resource_by_push", "account", "region", func.coalesce(text("pushed_at"), text("'-infinity'")), "external_id"
    ),
    Index("resource_gone", "gone_at", postgresql_where=text("gone_at IS NOT NULL")),
    comment="An instance, image, function or repository. `external_id` is Inspector's (`i-…`, an ARN), `details` the"
    " noun of its kind without its tag, `posture` who can get to it (`model.environment.Posture`), `inventory_id` what"
    " was last read from it, `gone_at` when it ceased to be.",
)

network: Final = Table(
    "network",
    metadata,
    Column("account", WORD, primary_key=True),
    Column("region", WORD, primary_key=True),
    Column("number", BigInteger, nullable=False, server_default=text("0")),
    word("status"),
    document("problems", "[]"),
    Column("instances", Integer, nullable=False, server_default=text("0")),
    moment("read_at"),
    moment("due_at"),
    word("due_reason"),
    Index("network_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
    comment="How the network of an account was read last (`status` is whole, partial or failed, and `problems` say"
    " why), and when and why it is due to be read. `number` is raised when a reading starts; one that ends with an"
    " older one writes nothing.",
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

rematch: Final = Table(
    "rematch",
    metadata,
    Column("generation", Integer, primary_key=True, autoincrement=False),
    Column("is_full", Boolean, nullable=False),
    made("started_at"),
    comment="The generation that all packages are being matched with, if any. Its lock keeps scans from writing while"
    " findings follow new matches, and the other way round.",
)

rematch_package: Final = Table(
    "rematch_package",
    metadata,
    Column("package_id", Integer, primary_key=True, autoincrement=False),
    comment="A distinct package that is yet to be judged by the new generation.",
)

rematch_flaw: Final = Table(
    "rematch_flaw",
    metadata,
    Column("vulnerability_id", WORD, primary_key=True),
    key_word("step"),
    Column("is_told", Boolean, nullable=False, server_default=text("false")),
    Index("rematch_flaw_to_do", "step", "vulnerability_id"),
    comment="A flaw of which something else may be said (`step` is `tell`), or whose findings are to follow (`follow`):"
    " where `is_told`, all of them, else those of the packages in `rematch_match`.",
)

rematch_match: Final = Table(
    "rematch_match",
    metadata,
    Column("vulnerability_id", WORD, primary_key=True),
    Column("package_id", Integer, primary_key=True),
    key_word("verdict"),
    word("state"),
    word("fixed_version"),
    word("severity"),
    word("vendor_severity"),
    word("source"),
    Column("related", WORDS, nullable=False, server_default=text("'{}'")),
    Column("evidence", LargeBinary),
    comment="What the new generation says otherwise than `package_vulnerability` does: that a package has the flaw"
    " (`verdict` is `affected`), that it hasn't (`clean`), or that nobody can tell (`undecided`).",
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
    # These two are for filters: the one has no id, so that equal titles take next to no room.
    Index("finding_by_title", "account", "region", "title"),
    Index("finding_exploitable", "account", "region", "severity", "id", postgresql_where=text("exploit")),
    Index("finding_to_delete", "delete_at", postgresql_where=text("delete_at IS NOT NULL")),
    Index(
        "finding_with_kept_packages",
        "vulnerability_id",
        postgresql_where=text("status <> 'CLOSED' AND details ? 'packages'"),
    ),
    Index("finding_by_rule", "account", "region", "suppressed_by", "id", postgresql_where=text("suppressed_by <> ''")),
    comment="One vulnerability, or one open path, of one resource. `id` is the hexadecimal part of its ARN, `key` what"
    " tells apart the findings of a resource, of which one is open at a time; `severity` is the rank in"
    " `model.finding.SEVERITIES`, `digest` of the observation last written. `details` hold what can't be derived from"
    " inventory and matches: paths, and the packages of what is closed.",
)

_COUNTED: Final = ("untriaged", "informational", "low", "medium", "high", "critical", "exploitable", "fixable")


def _counts() -> list[Column[Any]]:
    """How many active findings there are, of each severity, and of those with an exploit and with a fix."""
    return [Column(name, Integer, nullable=False, server_default=text("0")) for name in ("total", *_COUNTED)]


resource_tally: Final = Table(
    "resource_tally",
    metadata,
    Column("resource_id", BigInteger, primary_key=True),
    Column("type", WORD, primary_key=True),
    key_word("account"),
    key_word("region"),
    key_word("resource_type"),
    *_counts(),
    Index("resource_tally_by_account", "account", "region", "resource_id"),
    postgresql_with={"fillfactor": 80},
    comment="How many active findings of a type a resource has; triggers of `finding` keep it.",
)

layer_tally: Final = Table(
    "layer_tally",
    metadata,
    Column("resource_id", BigInteger, primary_key=True),
    Column("layer", WORD, primary_key=True),
    key_word("type"),
    key_word("account"),
    key_word("region"),
    key_word("resource_type"),
    *_counts(),
    Index("layer_tally_by_account", "account", "region", "resource_type", "resource_id"),
    comment="How many active findings a resource has in each of its layers; counted by a chore, and out of date where"
    " `layer_recount` says so.",
)

layer_recount: Final = Table(
    "layer_recount",
    metadata,
    Column("resource_id", BigInteger, primary_key=True),
    key_word("account"),
    key_word("region"),
    Index("layer_recount_by_account", "account", "region", "resource_id"),
    comment="Resources whose layers are to be counted anew; triggers of `finding` and `resource` say so.",
)

flaw_tally: Final = Table(
    "flaw_tally",
    metadata,
    key_word("account"),
    key_word("region"),
    key_word("resource_type"),
    key_word("type"),
    key_word("vulnerability_id"),
    key_word("title"),
    *_counts(),
    Column("is_new", Boolean, nullable=False, server_default=text("true")),
    Column(
        "digest",
        UUID(as_uuid=True),
        Computed(
            "CAST(md5(account || length(vulnerability_id) || ':' || vulnerability_id || title) AS uuid)", persisted=True
        ),
    ),
    Index(
        "flaw_tally_whole",
        *("account", "region", "digest", "resource_type", "type"),
        unique=True,
        postgresql_where=text("NOT is_new"),
    ),
    Index("flaw_tally_by_digest", "account", "region", "digest"),
    Index("flaw_tally_new", "account", postgresql_where=text("is_new")),
    Index("flaw_tally_critical", "account", "region", postgresql_where=text("critical <> 0")),
    Index("flaw_tally_empty", "account", postgresql_where=text("total = 0 AND NOT is_new")),
    comment="How many active findings of one title there are in an account: the sum of rows with the same key. Triggers"
    " of `finding` add rows of what has changed, which wait for nobody, and a chore adds those up (`is_new`).",
)

package_tally: Final = Table(
    "package_tally",
    metadata,
    key_word("account"),
    key_word("region"),
    key_word("resource_type"),
    key_word("type"),
    key_word("name"),
    *_counts(),
    Column("is_new", Boolean, nullable=False, server_default=text("true")),
    Column("digest", UUID(as_uuid=True), Computed("CAST(md5(account || name) AS uuid)", persisted=True)),
    Index(
        "package_tally_whole",
        *("account", "region", "digest", "resource_type", "type"),
        unique=True,
        postgresql_where=text("NOT is_new"),
    ),
    Index("package_tally_by_digest", "account", "region", "digest"),
    Index("package_tally_new", "account", postgresql_where=text("is_new")),
    Index("package_tally_critical", "account", "region", postgresql_where=text("critical <> 0")),
    Index("package_tally_empty", "account", postgresql_where=text("total = 0 AND NOT is_new")),
    comment="How many active findings there are that name a package, as in `flaw_tally`.",
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
    moment("handed_at"),
    Index("event_to_hand_out", "sequence", postgresql_where=text("handed_at IS NULL")),
    Index("event_handed_out", "handed_at", postgresql_where=text("handed_at IS NOT NULL")),
    comment="The outbox: what the world is told, written in the transaction that made it true, under the id that it is"
    " sent with. An event about a finding names it and is put into words when it is sent; others carry their payload."
    " `handed_at` is when a `delivery` was made of it for each sink.",
)

sink: Final = Table(
    "sink",
    metadata,
    Column("name", WORD, primary_key=True),
    key_word("kind"),
    made("registered_at"),
    Column("seen_at", TIME, nullable=False),
    moment("sent_at"),
    Column("failures", Integer, nullable=False, server_default=text("0")),
    moment("retry_at"),
    word("reason"),
    comment="Where events are sent to, as the workers' settings name them; `seen_at` is when one last did. While it"
    " takes nothing, `failures` counts the attempts, `reason` says why, and nothing is tried before `retry_at`.",
)

sink_lane: Final = Table(
    "sink_lane",
    metadata,
    Column("sink", WORD, primary_key=True),
    Column("lane", SmallInteger, primary_key=True),
    Column("lease", UUID(as_uuid=True)),
    moment("leased_until"),
    comment="A part of what a sink is sent: all events of some resources. One worker sends those of a lane at a time,"
    " under a `lease` that is anybody's again after `leased_until`, and so in their order.",
)

delivery: Final = Table(
    "delivery",
    metadata,
    Column("sequence", BigInteger, primary_key=True),
    Column("sink", WORD, primary_key=True),
    Column("lane", SmallInteger, nullable=False),
    Column("attempts", SmallInteger, nullable=False, server_default=text("0")),
    moment("retry_at"),
    moment("dead_at"),
    word("reason"),
    Index("delivery_waiting", "sink", "lane", "sequence", postgresql_where=text("dead_at IS NULL")),
    Index("delivery_held_back", "sink", "lane", postgresql_where=text("retry_at IS NOT NULL AND dead_at IS NULL")),
    Index("delivery_dead", "sink", "dead_at", postgresql_where=text("dead_at IS NOT NULL")),
    comment="An event that a sink has yet to acknowledge; once it has, the row is gone. One that it will never take is"
    " a dead letter, kept with the reason since `dead_at`.",
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
