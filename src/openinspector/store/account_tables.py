"""The tables of accounts: who they are, what they have set, asked for and used. Conventions as in tables.py.

What the service only keeps and gives back is a document with the columns that it is looked up by.
"""

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Double,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from openinspector.store.tables import TIME, WORD, document, key_word, made, metadata, moment, word


def _account_table(name: str, comment: str, *keys: str, columns: tuple[Any, ...] = ()) -> Table:
    """A table whose primary key is account, region and `keys`."""
    primary = [Column(key, WORD, primary_key=True) for key in ("account", "region", *keys)]
    return Table(name, metadata, *primary, *columns, comment=comment)


def _documents(name: str, comment: str, *columns: Any) -> Table:
    """A table of documents, each with an id of its account."""
    kept = (document("document"), made(), made("updated_at"), *columns)
    return _account_table(name, comment, "id", columns=kept)


account: Final = _account_table(
    "account",
    "An account in a region: its state as a whole, and its settings (scan mode, rescan durations, deep inspection)."
    " `due_at` is when something next follows from its being suspended, or no longer.",
    columns=(
        word("status"),
        document("configuration"),
        document("deep_inspection"),
        moment("suspended_at"),
        moment("due_at"),
        made(),
        made("updated_at"),
        Index("account_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
    ),
)

account_scan_type: Final = _account_table(
    "account_scan_type",
    "Whether a kind of scan (`EC2`, `LAMBDA_CODE`) is on for an account, since when, and its free trial. `due_at` is"
    " when something next follows from that for its resources.",
    "scan_type",
    columns=(
        key_word("status"),
        word("error_code"),
        word("error_message"),
        moment("enabled_at"),
        moment("disabled_at"),
        moment("trial_start"),
        moment("trial_end"),
        moment("due_at"),
        made("updated_at"),
        Index("account_scan_type_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
    ),
)

encryption_key: Final = _account_table(
    "encryption_key",
    "The customer's own key for the results of a kind of scan.",
    *("scan_type", "resource_type"),
    columns=(key_word("kms_key_id"), made("updated_at")),
)

organization: Final = Table(
    "organization",
    metadata,
    Column("id", WORD, primary_key=True),
    Column("account", WORD, nullable=False, unique=True),
    document("document"),
    made(),
    comment="An organization (`o-…`) with its management account.",
)

delegated_admin: Final = _account_table(
    "delegated_admin",
    "The account that administers an organization's Inspector in a region, what it switches on for new members, and the"
    " paths that it has inspected on all of their instances.",
    columns=(
        key_word("organization_id"),
        key_word("status"),
        document("auto_enable"),
        document("package_paths", "[]"),
        Column("is_full", Boolean, nullable=False, server_default=text("false")),
        made(),
        made("updated_at"),
        UniqueConstraint("organization_id", "region"),
    ),
)

member: Final = _account_table(
    "member",
    "A member account as its delegated administrator (`account`) has it; the member sees its own row too."
    " `rules_applied_at` is NULL until its findings have been gone through with the organization's suppression rules.",
    "member",
    columns=(
        key_word("status"),
        moment("rules_applied_at"),
        document("inherits"),
        made(),
        made("updated_at"),
        Index("member_by_account", "member", "region"),
    ),
)

access_key: Final = Table(
    "access_key",
    metadata,
    Column("id", WORD, primary_key=True),
    key_word("account"),
    key_word("role"),
    Column("sealed_secret", LargeBinary, nullable=False),
    made(),
    moment("expires_at"),
    moment("disabled_at"),
    moment("last_used_at"),
    word("note"),
    Index("access_key_by_account", "account", "created_at", "id"),
    comment="An access key; its secret is sealed with a key that isn't in this database.",
)

audit: Final = Table(
    "audit",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("at", TIME, nullable=False),
    key_word("account"),
    word("region"),
    word("key_id"),
    word("role"),
    word("service"),
    word("operation"),
    word("request_id"),
    word("outcome"),
    word("error"),
    word("session_id"),
    word("source"),
    word("agent"),
    document("parameters"),
    Index("audit_by_account", "account", "at", "id"),
    Index("audit_by_age", "at"),
    comment="Every call that changed something or was meant to; rows are only added.",
)

client_token: Final = _account_table(
    "client_token",
    "What a call with an idempotency token was answered, so that its repetition is answered alike.",
    *("operation", "token"),
    columns=(
        Column("request", LargeBinary, nullable=False),
        document("answer"),
        made(),
        Index("client_token_by_age", "created_at"),
    ),
)

filter_: Final = _account_table(
    "filter",
    "A saved filter or a suppression rule. `owner_id` is the account or its organization; `applied_at` is NULL until"
    " the findings have been gone through.",
    "id",
    columns=(
        key_word("owner_id"),
        key_word("name"),
        key_word("action"),
        word("description"),
        word("reason"),
        document("criteria"),
        made(),
        made("updated_at"),
        moment("applied_at"),
        UniqueConstraint("account", "region", "name"),
        Index("filter_to_apply", "account", "region", "id", postgresql_where=text("applied_at IS NULL")),
    ),
)

tag: Final = _account_table(
    "tag",
    "A tag of something that has an ARN of ours.",
    *("arn", "key"),
    columns=(word("value"),),
)

report: Final = _account_table(
    "report",
    "A findings report or an SBOM export: what was asked for, and how far it is. One findings report runs at a time."
    " A worker does it under a claim, which is anybody's again after `claimed_until`; `is_closing` when its object is"
    " about to be seen and it can't be cancelled any more; `upload` names what may lie half-written at the"
    " destination.",
    "id",
    columns=(
        key_word("kind"),
        key_word("format"),
        key_word("status"),
        word("error_code"),
        word("error_message"),
        document("destination"),
        document("criteria"),
        made(),
        moment("finished_at"),
        Column("claim", UUID(as_uuid=True)),
        moment("claimed_until"),
        Column("attempts", SmallInteger, nullable=False, server_default=text("0")),
        Column("is_closing", Boolean, nullable=False, server_default=text("false")),
        document("upload"),
        Index("report_newest", "account", "region", "kind", "created_at"),
        Index("report_to_do", "region", "created_at", postgresql_where=text("status = 'IN_PROGRESS'")),
        Index("report_finished", "finished_at", postgresql_where=text("finished_at IS NOT NULL")),
        Index(
            "report_running",
            *("account", "region", "kind"),
            unique=True,
            postgresql_where=text("kind = 'FINDINGS' AND status = 'IN_PROGRESS'"),
        ),
    ),
)

usage_record: Final = _account_table(
    "usage_record",
    "What a resource used on a day (UTC): hours, or scans.",
    "type",
    columns=(
        Column("day", Date, primary_key=True),
        Column("resource_id", BigInteger, primary_key=True, autoincrement=False),
        Column("quantity", Double, nullable=False),
        Index("usage_record_by_day", "day"),
    ),
)

covered_period: Final = Table(
    "covered_period",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    key_word("account"),
    key_word("region"),
    Column("resource_id", BigInteger, nullable=False),
    key_word("scan_type"),
    key_word("type"),
    Column("counted_at", TIME, nullable=False),
    moment("ended_at"),
    Index("covered_period_by_account", "account", "region"),
    Index(
        "covered_period_running",
        *("resource_id", "scan_type"),
        unique=True,
        postgresql_where=text("ended_at IS NULL"),
    ),
    comment="A time in which a resource was covered and that isn't counted in whole: its hours up to `counted_at` are"
    " in `usage_record`. Triggers of `coverage` write it, so whatever changes a status or a scan mode is counted.",
)

image_use: Final = _account_table(
    "image_use",
    "A cluster in which an image ran, and when it was last seen there.",
    "cluster",
    columns=(
        Column("resource_id", BigInteger, primary_key=True, autoincrement=False),
        Column("last_seen_at", TIME, nullable=False),
        Column("running", Integer, nullable=False, server_default=text("0")),
        document("document"),
        Index("image_use_by_image", "resource_id"),
    ),
)

on_demand_scan: Final = _documents(
    "on_demand_scan",
    "A scan of a machine image that somebody asked for.",
    key_word("resource"),
    key_word("status"),
    moment("completed_at"),
    Index("on_demand_scan_by_resource", "account", "region", "resource", "created_at"),
    Index(
        "on_demand_scan_running",
        *("account", "region", "resource"),
        unique=True,
        postgresql_where=text("status = 'IN_PROGRESS'"),
    ),
)

code_snippet: Final = _account_table(
    "code_snippet",
    "The lines that a finding in code is about, with suggested fixes.",
    columns=(Column("finding_id", UUID(as_uuid=True), primary_key=True), document("document")),
)

cis_scan_configuration: Final = _documents(
    "cis_scan_configuration",
    "When which instances are checked against which level of a CIS benchmark.",
    key_word("owner_id"),
    key_word("name"),
    moment("due_at"),
    Index("cis_scan_configuration_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
)

cis_scan: Final = _documents(
    "cis_scan",
    "A run of a configuration. `account` is who scheduled it; members see what is theirs of it in `cis_result`.",
    key_word("configuration_id"),
    key_word("status"),
    made("scanned_at"),
    Column("failed_checks", Integer, nullable=False, server_default=text("0")),
    Column("total_checks", Integer, nullable=False, server_default=text("0")),
    Index("cis_scan_newest", "account", "region", "scanned_at", "id"),
)

cis_target: Final = _account_table(
    "cis_target",
    "An instance in a CIS scan: its state, and the session in which its plugin reports. `account` is the instance's.",
    *("scan_id", "resource"),
    columns=(
        word("platform"),
        word("status"),
        word("reason"),
        Column("job_id", UUID(as_uuid=True), unique=True),
        Column("token_digest", LargeBinary),
        moment("heard_at"),
        document("tags"),
        document("document"),
        Index("cis_target_by_scan", "scan_id", "account"),
    ),
)

cis_result: Final = _account_table(
    "cis_result",
    "The result of one check on one instance in a CIS scan.",
    *("scan_id", "resource", "check_id"),
    columns=(
        key_word("status"),
        word("level"),
        word("platform"),
        document("document"),
        made(),
        Index("cis_result_by_check", "scan_id", "check_id"),
        Index("cis_result_by_age", "created_at"),
    ),
)

code_security_integration: Final = _documents(
    "code_security_integration",
    "A connection with a host of repositories; its token is sealed with a key that isn't in this database.",
    key_word("name"),
    key_word("type"),
    key_word("status"),
    Column("sealed_token", LargeBinary),
    UniqueConstraint("account", "region", "name"),
)

code_security_configuration: Final = _documents(
    "code_security_configuration",
    "Which rules repositories are scanned by, and when.",
    key_word("owner_id"),
    key_word("name"),
    key_word("level"),
    Column("is_default", Boolean, nullable=False, server_default=text("false")),
    Index(
        "code_security_configuration_default",
        *("account", "region"),
        unique=True,
        postgresql_where=text("is_default"),
    ),
)

code_security_association: Final = _account_table(
    "code_security_association",
    "A repository that is scanned by a configuration.",
    *("configuration_id", "project_id"),
    columns=(made(), Index("code_security_association_by_project", "account", "region", "project_id")),
)

code_security_scan: Final = _documents(
    "code_security_scan",
    "A scan of a repository.",
    key_word("project_id"),
    key_word("status"),
    word("last_commit_id"),
    Index("code_security_scan_by_project", "account", "region", "project_id", "created_at"),
)

connector: Final = _documents(
    "connector",
    "A connection with another cloud.",
    key_word("name"),
    key_word("provider"),
    key_word("enablement"),
    word("health"),
    UniqueConstraint("account", "region", "name"),
)

connector_scan_configuration: Final = _account_table(
    "connector_scan_configuration",
    "How long the images of another cloud are scanned again.",
    "config_connector",
    columns=(Column("configuration", JSONB, nullable=False), made("updated_at")),
)
