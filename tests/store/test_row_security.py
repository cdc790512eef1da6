"""What SQL of a request can do about other accounts' rows: nothing. All of these try to get through."""

from argparse import Namespace

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError, ProgrammingError
from tests.store.fleet import NOW, OURS, REGION, THEIRS, add_resource, finding_row

from openinspector.cli import service
from openinspector.model.distro import Distribution
from openinspector.model.inventory import Inventory, Target
from openinspector.model.package import Location, Package
from openinspector.store import account_tables
from openinspector.store.database import connect_embedded
from openinspector.store.embedded import OWNER
from openinspector.store.organizations import (
    appoint,
    associate,
    dismiss,
    lock_organization,
    member_ids,
    read_admin,
    register_organization,
)
from openinspector.store.rows import store_findings, store_inventory
from openinspector.store.tables import metadata, resource

PROTECTED = [table.name for table in metadata.tables.values() if "account" in table.c]
SHARED = {"package", "vulnerability", "enrichment", "package_vulnerability", "generation"}
WORKERS = {"chore", "sink", "sink_lane", "delivery"}  # theirs, about no account
REMATCH = {"rematch", "rematch_package", "rematch_flaw", "rematch_match"}  # of the workers, about no account


@pytest.fixture(scope="module")
def both(postgres, template):
    """A database in which two accounts have the same things; no test changes these."""
    postgres.make_database("both", template)
    with connect_embedded(postgres, database="both", pool=2) as database:
        fill(database)
        yield database


def fill(database):
    with database.system() as connection:
        for account in (OURS, THEIRS):
            name = Package(type="deb", name=f"secret-of-{account}", version="1", location=Location(path="p"))
            seen = Inventory(
                target=Target(kind="host", name="h"),
                packages=(name,),
                distribution=Distribution(id="debian", namespace="debian:12"),
            )
            identity = store_inventory(connection, seen, lambda _: True)
            number = add_resource(connection, account, inventory_id=identity)
            store_findings(connection, [finding_row(account, number)])
            values = {"account": account, "region": REGION}
            filter_ = values | {"id": "f", "owner_id": account, "name": "n", "action": "NONE"}
            connection.execute(insert(account_tables.filter_).values(filter_))
            connection.execute(insert(account_tables.tag).values(values | {"arn": "a", "key": "k", "value": account}))
            connection.execute(
                insert(account_tables.audit).values(account=account, at=NOW, operation="CreateFilter", outcome="done")
            )


def refuse(database, statement, *accounts, match="row-level security|permission denied"):
    with pytest.raises(DBAPIError, match=match), database.transaction(*(accounts or (OURS,))) as connection:
        connection.exec_driver_sql(statement)


def test_every_table_of_accounts_is_protected_and_forced(database):
    with database.system() as connection:
        found = connection.exec_driver_sql(
            "SELECT relname, relrowsecurity AND relforcerowsecurity,"
            " (SELECT count(*) FROM pg_policy WHERE polrelid = c.oid)"
            " FROM pg_class c WHERE relnamespace = 'openinspector'::regnamespace AND relkind IN ('r', 'p')"
        ).all()
        rights = connection.exec_driver_sql(
            "SELECT table_name, string_agg(privilege_type, ' ') FROM information_schema.role_table_grants"
            " WHERE table_schema = 'openinspector' AND grantee = 'PUBLIC' GROUP BY 1"
        ).all()
    forced = {name for name, is_forced, policies in found if is_forced and policies >= 2}
    assert forced == {*PROTECTED, "inventory", "inventory_package"}
    assert {name for name, *_ in found} == forced | SHARED | REMATCH | WORKERS | {"alembic_version", "scope_key"}
    assert rights == []


def test_the_roles_own_nothing_and_evade_nothing(database):
    with database.system() as connection:
        roles = connection.exec_driver_sql(
            "SELECT rolname, rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication FROM pg_roles"
            " WHERE rolname IN ('openinspector_app', 'openinspector_system') ORDER BY 1"
        ).all()
        assert roles == [("openinspector_app", False), ("openinspector_system", False)]
        owned = connection.exec_driver_sql(
            "SELECT count(*) FROM pg_class WHERE relowner IN ('openinspector_app'::regrole,"
            " 'openinspector_system'::regrole) AND relpersistence = 'p'"
        ).scalar_one()
        assert owned == 0


@pytest.mark.parametrize("table", ["finding", "resource", "filter", "tag", "audit", "inventory", "inventory_package"])
def test_only_ones_own_rows_are_read(both, table):
    with both.system() as connection:
        assert connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one() == 2
    for accounts, rows in (((OURS,), 1), ((OURS, THEIRS), 2), (("999999999999",), 0)):
        with both.transaction(*accounts) as connection:
            assert connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one() == rows


def test_an_inventory_is_seen_by_whoever_has_it_on_a_resource(both):
    with both.transaction(OURS) as connection:
        names = connection.exec_driver_sql(
            "SELECT p.name FROM inventory_package i JOIN package p ON p.id = i.package_id"
        )
        assert names.scalars().all() == [f"secret-of-{OURS}"]


@pytest.mark.parametrize(
    "statement",
    [
        f"SELECT * FROM tag WHERE account = '{THEIRS}'",
        f"SELECT t.* FROM tag mine JOIN tag t ON t.arn = mine.arn WHERE t.account = '{THEIRS}'",
        f"SELECT * FROM tag WHERE account = '{OURS}' OR account = '{THEIRS}' OFFSET 1",
        f"SELECT * FROM finding f LEFT JOIN resource r ON true WHERE f.account = '{THEIRS}' OR r.account = '{THEIRS}'",
        f"SELECT * FROM tag WHERE value IN (SELECT value FROM tag WHERE account <> '{OURS}')",
        f"WITH t AS MATERIALIZED (SELECT * FROM tag) SELECT * FROM t WHERE account = '{THEIRS}'",
        f"UPDATE tag SET value = 'x' WHERE account = '{THEIRS}' RETURNING value",
        f"DELETE FROM tag WHERE account = '{THEIRS}' RETURNING value",
        f"UPDATE tag SET value = t.value FROM tag t WHERE t.account = '{THEIRS}' RETURNING t.value",
        f"SELECT * FROM ts_stat('SELECT to_tsvector(value) FROM tag WHERE account = ''{THEIRS}''')",
    ],
)
def test_no_statement_reaches_other_rows(both, statement):
    with both.transaction(OURS) as connection:
        assert connection.exec_driver_sql(statement).all() == []
    with both.system() as connection:
        values = connection.exec_driver_sql("SELECT value FROM tag ORDER BY 1").scalars().all()
        assert values == [OURS, THEIRS]


def test_functions_that_run_sql_see_no_more(both):
    """Those that PostgreSQL brings; a request can make none."""
    with both.transaction(OURS) as connection:
        counted = "SELECT * FROM ts_stat('SELECT to_tsvector(value) FROM tag')"
        assert [row.word for row in connection.exec_driver_sql(counted)] == [OURS]


@pytest.mark.parametrize(
    "statement",
    [
        f"INSERT INTO tag (account, region, arn, key) VALUES ('{THEIRS}', 'r', 'b', 'k')",
        f"INSERT INTO tag (account, region, arn, key) SELECT '{THEIRS}', region, 'c', key FROM tag RETURNING *",
        f"UPDATE tag SET account = '{THEIRS}', arn = 'd'",
        f"INSERT INTO tag VALUES ('{THEIRS}', '{REGION}', 'a', 'k') ON CONFLICT (account, region, arn, key)"
        " DO UPDATE SET value = 'x' RETURNING *",
        f"INSERT INTO tag VALUES ('{THEIRS}', '{REGION}', 'a', 'k') ON CONFLICT DO NOTHING",
        f"MERGE INTO tag t USING (VALUES ('{THEIRS}')) s (a) ON t.account = s.a WHEN NOT MATCHED THEN"
        " INSERT (account, region, arn, key) VALUES (s.a, 'r', 'e', 'k')",
        f"COPY tag (account, region, arn, key) FROM PROGRAM 'echo {THEIRS}'",
    ],
)
def test_no_statement_writes_rows_of_others(both, statement):
    refuse(both, statement, match="row-level security|permission denied|COPY")
    with both.system() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM tag").scalar_one() == 2


def test_the_estate_is_not_a_requests_to_write(both):
    for table in ("finding", "resource", "inventory", "inventory_package", "package", "vulnerability", "usage_record"):
        refuse(both, f"DELETE FROM {table}", match="permission denied")
    refuse(both, "UPDATE coverage SET status = 'ACTIVE'", match="permission denied")
    with both.transaction(OURS) as connection:
        connection.execute(text("UPDATE coverage SET due_at = now(), due_reason = 'person'"))


def test_the_record_of_what_was_done_is_only_added_to(both):
    for scope in (both.transaction(OURS), both.system()):
        with pytest.raises(ProgrammingError, match="permission denied"), scope as connection:
            connection.exec_driver_sql("UPDATE audit SET outcome = 'refused'")
    refuse(both, "DELETE FROM audit", match="permission denied")
    with both.transaction(OURS) as connection:
        connection.execute(insert(account_tables.audit).values(account=OURS, at=NOW))


@pytest.mark.parametrize(
    "statement",
    [
        f"SET openinspector.accounts = '{THEIRS}'",
        f"SET LOCAL openinspector.accounts = '{THEIRS}'",
        f"SET LOCAL openinspector.accounts = '{OURS},{THEIRS}'",
        f"SELECT set_config('openinspector.accounts', '{THEIRS}', true)",
        f"SELECT set_config('openinspector.accounts', '{THEIRS}', true), set_config('openinspector.seal', '', true)",
        "SET LOCAL openinspector.accounts = '*'",
        "RESET openinspector.accounts",
        "SET LOCAL openinspector.seal = ''",
    ],
)
def test_a_scope_that_is_set_by_hand_sees_nothing(both, statement):
    with both.transaction(OURS) as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM tag").scalar_one() == 1
        connection.exec_driver_sql(statement)
        assert connection.exec_driver_sql("SELECT count(*) FROM tag").scalar_one() == 0
    with both.transaction(OURS) as connection:  # and it does not last
        assert connection.exec_driver_sql("SELECT count(*) FROM tag").scalar_one() == 1


@pytest.mark.parametrize(
    "statement",
    [
        "SET ROLE openinspector_system",
        "SET LOCAL ROLE openinspector",
        "SET SESSION AUTHORIZATION openinspector",
        "SELECT inner_pad FROM scope_key",
        "SELECT * FROM access_key",
        "ALTER TABLE tag DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE tag NO FORCE ROW LEVEL SECURITY",
        "DROP POLICY scope ON tag",
        "CREATE POLICY mine ON tag USING (true)",
        "CREATE OR REPLACE FUNCTION openinspector.scope() RETURNS text[] LANGUAGE sql AS $$ SELECT '{}'::text[] $$",
        "CREATE FUNCTION openinspector.mine() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$",
        "CREATE VIEW openinspector.mine AS SELECT * FROM tag",
        "CREATE TEMPORARY TABLE tag (no text)",
        "CREATE FUNCTION pg_temp.leak(text) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN RETURN true; END $$",
        "GRANT openinspector_system TO openinspector_app",
        "ALTER ROLE openinspector_app BYPASSRLS",
        "SELECT pg_read_file('postgresql.conf')",
        "COPY tag TO PROGRAM 'cat'",
        "SELECT lo_import('/etc/passwd')",
    ],
)
def test_a_request_can_not_raise_itself(both, statement):
    refuse(both, statement, match="permission denied|must be owner|must be member|insufficient privilege")


def test_row_security_that_is_switched_off_is_an_error_not_a_way_in(both):
    with pytest.raises(ProgrammingError, match="row-level security"), both.transaction(OURS) as connection:
        connection.exec_driver_sql("SET LOCAL row_security = off")
        connection.exec_driver_sql("SELECT * FROM tag")


def test_conditions_that_fail_on_a_row_tell_nothing_of_others(both):
    """A condition runs after the policy, however cheap: a division by zero would tell of a row that isn't ours."""
    with both.transaction(OURS) as connection:
        hint = f"SELECT 1 / (CASE account WHEN '{THEIRS}' THEN 0 ELSE 1 END) FROM tag"
        assert connection.exec_driver_sql(hint).scalars().all() == [1]
        cast = f"SELECT key FROM tag WHERE CASE account WHEN '{THEIRS}' THEN value::date IS NULL ELSE true END"
        assert connection.exec_driver_sql(cast).scalars().all() == ["k"]


def test_keys_of_others_are_not_met(both):
    """The same name in another account is no conflict, and so no way to find out that it is there."""
    with both.transaction("777788889999") as connection:
        row = {"region": REGION, "id": "f", "owner_id": "o", "name": "n", "action": "NONE", "account": "777788889999"}
        connection.execute(insert(account_tables.filter_).values(row))


def test_statistics_tell_nothing(both):
    with both.system() as connection:
        assert connection.execute(select(resource.c.id)).all()
    with both.transaction(OURS) as connection:
        assert connection.exec_driver_sql("SELECT * FROM pg_stats WHERE schemaname = 'openinspector'").all() == []
        told = connection.exec_driver_sql("SELECT query FROM pg_stat_activity WHERE query LIKE '%%seal%%'").scalars()
        assert not any(THEIRS in query for query in told)


def test_a_member_sees_its_own_row_of_its_administrators_table(database):
    admin, other = "123412341234", "555566667777"
    with database.system() as connection:
        for member in (OURS, other):
            row = {"account": admin, "region": REGION, "member": member, "status": "ENABLED"}
            connection.execute(insert(account_tables.member).values(row))
    for account, seen in ((OURS, [OURS]), (admin, [OURS, other]), (THEIRS, [])):
        with database.transaction(account) as connection:
            assert connection.exec_driver_sql("SELECT member FROM member ORDER BY 1").scalars().all() == seen
    with database.transaction(OURS) as connection:
        assert connection.exec_driver_sql("UPDATE member SET status = 'REMOVED'").rowcount == 0
    refuse(database, f"INSERT INTO member (account, region, member, status) VALUES ('{admin}', 'r', '{OURS}', 'X')")


def test_the_scope_is_worked_out_once_a_query(both):
    with both.transaction(OURS) as connection:
        plan = "\n".join(connection.exec_driver_sql("EXPLAIN SELECT * FROM tag").scalars())
    assert "InitPlan" in plan
    assert "account = ANY ((InitPlan 1).col1)" in plan


# What the workers have


WORKERS_TABLES = sorted(WORKERS | REMATCH)
QUEUE_TABLES = [
    f"openinspector_queue.procrastinate_{name}" for name in ("jobs", "events", "workers", "periodic_defers")
]


@pytest.mark.parametrize("table", [*WORKERS_TABLES, *QUEUE_TABLES, "openinspector_queue.openinspector_history"])
def test_what_the_workers_have_is_not_a_requests_to_see_or_change(both, table):
    for statement in (
        f"SELECT count(*) FROM {table}",
        f"DELETE FROM {table}",
        f"INSERT INTO {table} DEFAULT VALUES",
        f"TRUNCATE {table}",
        f"LOCK TABLE {table} IN ACCESS SHARE MODE",
        f"COPY {table} TO STDOUT",
    ):
        refuse(both, statement, match="permission denied")


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT forget_audit(now(), 1000)",
        "SELECT openinspector_queue.procrastinate_retry_job_v1(1, now(), 0, '', '')",
        "SELECT nextval('openinspector_queue.procrastinate_jobs_id_seq')",
        "SELECT setval('covered_period_id_seq', 1)",
        "SELECT nextval('covered_period_id_seq')",
        "NOTIFY procrastinate_any_queue; SELECT openinspector_queue.procrastinate_notify_queue_job_inserted_v1()",
    ],
)
def test_functions_and_numbers_of_the_workers_are_not_a_requests(both, statement):
    refuse(both, statement, match="permission denied")


def test_the_log_is_forgotten_by_age_alone_whoever_asks(both):
    with both.system() as connection:
        before = connection.exec_driver_sql("SELECT count(*) FROM audit").scalar_one()
        connection.exec_driver_sql("SELECT forget_audit('infinity', 1000000)")
        kept = connection.exec_driver_sql("SELECT count(*) FROM audit WHERE at >= now() - interval '90 days'")
        young = kept.scalar_one()
        assert connection.exec_driver_sql("SELECT count(*) FROM audit").scalar_one() == young <= before
        connection.rollback()


@pytest.mark.parametrize("table", ["covered_period", "resource_tally", "flaw_tally", "package_tally"])
def test_what_triggers_count_is_read_by_whom_it_is_about_and_written_by_no_request(both, table):
    with both.system() as connection:
        if table == "covered_period":
            connection.exec_driver_sql(
                "INSERT INTO covered_period (account, region, resource_id, scan_type, type, counted_at)"
                " SELECT account, region, id, 'PACKAGE', 'EC2_INSTANCE_HOURS', now() FROM resource"
                " ON CONFLICT DO NOTHING"
            )
        if table == "package_tally":
            connection.exec_driver_sql(
                "INSERT INTO package_tally (account, region, resource_type, type, name)"
                " SELECT account, region, type, 'PACKAGE_VULNERABILITY', 'secret-of-' || account FROM resource"
            )
        accounts = set(connection.exec_driver_sql(f"SELECT account FROM {table}").scalars())
    assert accounts == {OURS, THEIRS}
    for asked, seen in (((OURS,), {OURS}), ((OURS, THEIRS), {OURS, THEIRS}), (("999999999999",), set())):
        with both.transaction(*asked) as connection:
            assert set(connection.exec_driver_sql(f"SELECT account FROM {table}").scalars()) == seen
    for statement in (
        f"INSERT INTO {table} DEFAULT VALUES",
        f"UPDATE {table} SET account = account",
        f"DELETE FROM {table}",
        f"TRUNCATE {table}",
        f"SELECT * FROM {table} FOR UPDATE",
    ):
        refuse(both, statement, match="permission denied")


def test_functions_that_run_as_their_owner_are_few_pinned_and_not_everybodys(both):
    with both.system() as connection:
        found = connection.exec_driver_sql(
            "SELECT p.oid::regprocedure::text, p.proconfig,"
            " has_function_privilege('openinspector_app', p.oid, 'EXECUTE'),"
            " p.proacl::text LIKE '{=%%' OR p.proacl::text LIKE '%%,=%%' OR p.proacl IS NULL"
            " FROM pg_proc p WHERE prosecdef AND pronamespace::regnamespace::text LIKE 'openinspector%%'"
        ).all()
    assert {name.rpartition(".")[2]: by_app for name, _, by_app, _ in found} == {
        "scope()": True,
        "forget_audit(timestamp with time zone,integer)": False,
    }
    for name, settings, _, everybodys in found:
        assert any(each.startswith("search_path=pg_catalog") for each in settings or ()), name
        assert not everybodys, name


def test_every_function_of_ours_knows_where_its_names_are(both):
    """One that doesn't would take a temporary table, or an operator, of whoever makes it run."""
    with both.system() as connection:
        loose = connection.exec_driver_sql(
            "SELECT p.oid::regprocedure::text FROM pg_proc p"
            " WHERE pronamespace::regnamespace::text LIKE 'openinspector%%'"
            " AND NOT EXISTS (SELECT FROM unnest(proconfig) c WHERE c LIKE 'search_path=%%')"
        )
        assert loose.scalars().all() == []


def test_with_a_login_of_its_own_a_request_can_not_step_back_to_the_owner(postgres, both, monkeypatch):
    """With the owner's it can: PostgreSQL lets whoever logged in be itself again."""
    stolen = "SET ROLE NONE", "SELECT inner_pad FROM scope_key"
    owner = postgres.url(OWNER, "both").replace("postgresql+psycopg", "postgresql")
    app = postgres.url("openinspector_app", "both").replace("postgresql+psycopg", "postgresql")
    chosen = Namespace(database_url=owner)
    with service.database(chosen) as narrowed, narrowed.transaction(OURS) as connection:
        assert [connection.exec_driver_sql(each) for each in stolen][-1].one()
    monkeypatch.setenv("OPENINSPECTOR_APP_DATABASE_URL", app)
    with service.database(chosen) as separate:
        with separate.transaction(OURS) as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM tag").scalar_one() == 1
            connection.exec_driver_sql("SET ROLE NONE")
            assert connection.exec_driver_sql("SELECT count(*) FROM tag").scalar_one() == 1
        refuse(separate, "SET ROLE NONE; SELECT inner_pad FROM scope_key", match="permission denied")


# Who administers whom


MANAGEMENT, ADMIN, THIRD = "100000000001", "100000000002", "100000000003"


@pytest.fixture
def organized(database):
    """An organization of three accounts, one of which administers it, and which another has left."""
    of = "o-abcdefghij"
    with database.system() as connection:
        whole = dict.fromkeys((ADMIN, THIRD, THEIRS), "ACTIVE")
        register_organization(connection, of, MANAGEMENT, whole, NOW)
    with database.transaction(MANAGEMENT, ADMIN) as connection:
        appoint(connection, REGION, lock_organization(connection, MANAGEMENT), ADMIN, NOW)
    with database.transaction(ADMIN, THIRD) as connection:
        associate(connection, REGION, read_admin(connection, REGION, ADMIN), THIRD, NOW)
    with database.transaction(ADMIN, THEIRS) as connection:
        associate(connection, REGION, read_admin(connection, REGION, ADMIN), THEIRS, NOW)
    with database.system() as connection:
        register_organization(connection, of, MANAGEMENT, {ADMIN: "ACTIVE", THIRD: "ACTIVE"}, NOW)
    return database


MEMBER = "INSERT INTO member (account, region, member, status) VALUES"
ADMINISTRATOR = "INSERT INTO delegated_admin (account, region, organization_id, status) VALUES"


@pytest.mark.parametrize(
    ("account", "statement"),
    [
        (OURS, f"{MEMBER} ('{OURS}', '{REGION}', '{THEIRS}', 'ENABLED')"),
        (OURS, f"{MEMBER} ('{OURS}', '{REGION}', '{THEIRS}', 'CREATED')"),
        (OURS, f"{ADMINISTRATOR} ('{OURS}', '{REGION}', 'o-abcdefghij', 'ENABLED')"),
        (OURS, f"{ADMINISTRATOR} ('{OURS}', 'us-west-2', 'o-0000000000', 'ENABLED')"),
        (OURS, f"INSERT INTO organization (id, account, document) VALUES ('o-0000000000', '{OURS}', '{{}}')"),
        (ADMIN, f"{MEMBER} ('{ADMIN}', '{REGION}', '{OURS}', 'CREATED')"),
        (ADMIN, f"UPDATE member SET member = '{OURS}' WHERE member = '{THIRD}'"),
        (ADMIN, "UPDATE delegated_admin SET organization_id = 'o-0000000000'"),
        (MANAGEMENT, f"{ADMINISTRATOR} ('{MANAGEMENT}', '{REGION}', 'o-0000000000', 'ENABLED')"),
        (MANAGEMENT, "DELETE FROM organization"),
        (MANAGEMENT, f"UPDATE organization SET account = '{OURS}'"),
        (
            MANAGEMENT,
            "UPDATE organization SET document ="
            f" jsonb_set(document, '{{accounts,{OURS}}}', CAST('\"ACTIVE\"' AS jsonb))",
        ),
        (
            MANAGEMENT,
            "UPDATE organization SET document ="
            f" jsonb_set(document, '{{admins,us-west-2}}', CAST('\"{OURS}\"' AS jsonb))",
        ),
    ],
)
def test_no_statement_makes_an_administrator_or_a_member(organized, account, statement):
    refuse(organized, statement, account)


def test_who_has_left_an_organization_is_not_fetched_back(organized):
    with organized.transaction(ADMIN) as connection:
        assert member_ids(connection, REGION, ADMIN) == [THIRD]
        connection.exec_driver_sql(f"UPDATE member SET status = 'ENABLED' WHERE member <> '{MANAGEMENT}'")
        assert member_ids(connection, REGION, ADMIN) == [THIRD]
        states = connection.exec_driver_sql("SELECT member, status FROM member ORDER BY 1").all()
    assert [tuple(each) for each in states] == [(MANAGEMENT, "CREATED"), (THIRD, "ENABLED"), (THEIRS, "DELETED")]


def test_an_organization_is_still_administered_by_its_own(organized):
    with organized.transaction(MANAGEMENT, ADMIN, THIRD) as connection:
        managed = lock_organization(connection, MANAGEMENT)
        dismiss(connection, REGION, managed, ADMIN, NOW)
        appoint(connection, REGION, lock_organization(connection, MANAGEMENT), THIRD, NOW)
        assert lock_organization(connection, MANAGEMENT).admins == {REGION: THIRD}
        assert connection.exec_driver_sql("SELECT member FROM member ORDER BY 1").scalars().all() == [MANAGEMENT, ADMIN]


def test_of_a_report_a_request_says_that_it_is_wanted_or_not(both):
    for change in ("upload = '{}'", "claim = NULL", "attempts = 0", "account = account", "destination = '{}'"):
        refuse(both, f"UPDATE report SET {change}", match="permission denied")
    refuse(both, "DELETE FROM report", match="permission denied")
    with both.transaction(OURS) as connection:
        connection.exec_driver_sql("UPDATE report SET status = 'CANCELLED', finished_at = now()")


# What there is, as the catalog has it: a table, view or right that somebody adds has to be added here as well


def test_nothing_with_an_account_is_without_row_security_in_any_schema(both):
    """Views and partitions have none of what they are made of; row security of each relation counts for itself."""
    with both.system() as connection:
        open_ones = connection.exec_driver_sql(
            "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname NOT LIKE 'pg\\_%%' AND n.nspname <> 'information_schema'"
            " AND (c.relkind IN ('v', 'm', 'f') OR c.relkind IN ('r', 'p')"
            " AND NOT (c.relrowsecurity AND c.relforcerowsecurity) AND EXISTS (SELECT FROM pg_attribute a"
            " WHERE a.attrelid = c.oid AND NOT a.attisdropped AND a.attname ~ '(account|member)'))"
        )
        assert open_ones.scalars().all() == []
        policies = connection.exec_driver_sql(
            "SELECT tablename, policyname, permissive, roles::text, qual FROM pg_policies"
            " WHERE schemaname = 'openinspector'"
        ).all()
    by_account = "(account = ANY (( SELECT scope() AS scope)::text[]))"  # search_path has our schema
    for table, name, permissive, roles, condition in policies:
        if name == "scope" and table not in ("inventory", "inventory_package"):
            assert condition == by_account, table
        elif permissive == "PERMISSIVE":
            expected = {
                ("member", "member_scope"),
                ("audit", "forgetting"),
                ("inventory", "scope"),
                ("inventory_package", "scope"),
            }
            assert (table, name) in expected or (name, roles) == ("system", "{openinspector_system}")


OWN = {
    *("account", "account_scan_type", "cis_result", "cis_scan", "cis_scan_configuration", "cis_target", "client_token"),
    *("code_security_association", "code_security_configuration", "code_security_integration", "code_security_scan"),
    *("connector", "connector_scan_configuration", "encryption_key", "filter", "on_demand_scan", "tag"),
}


def test_what_requests_may_write_is_this(both):
    with both.system() as connection:
        rows = connection.exec_driver_sql(
            "SELECT c.relname, string_agg(p.name, ' ' ORDER BY p.name) FROM pg_class c,"
            " unnest(ARRAY['DELETE', 'INSERT', 'UPDATE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) AS p (name)"
            " WHERE c.relkind IN ('r', 'p', 'v', 'm') AND c.relnamespace::regnamespace::text LIKE 'openinspector%%'"
            " AND has_table_privilege('openinspector_app', c.oid, p.name) GROUP BY 1"
        ).all()
        columns = connection.exec_driver_sql(
            "SELECT c.relname, string_agg(a.attname, ' ' ORDER BY a.attname) FROM pg_class c"
            " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
            " WHERE c.relkind IN ('r', 'p') AND c.relnamespace::regnamespace::text LIKE 'openinspector%%'"
            " AND NOT has_table_privilege('openinspector_app', c.oid, 'UPDATE')"
            " AND has_column_privilege('openinspector_app', c.oid, a.attnum, 'UPDATE') GROUP BY 1"
        ).all()
        unread = connection.exec_driver_sql(
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'openinspector'::regnamespace"
            " AND NOT has_table_privilege('openinspector_app', oid, 'SELECT')"
        ).scalars()
        assert set(unread) == {"access_key", "alembic_version", "scope_key", *WORKERS, *REMATCH}
        given = connection.exec_driver_sql("SELECT count(*) FROM pg_default_acl").scalar_one()
    assert dict(map(tuple, rows)) == {
        **dict.fromkeys(OWN, "DELETE INSERT UPDATE"),
        **dict.fromkeys(("audit", "event", "report"), "INSERT"),
        **dict.fromkeys(("delegated_admin", "member"), "DELETE INSERT"),
    }
    assert dict(map(tuple, columns)) == {
        "coverage": "due_at due_reason priority updated_at",
        "delegated_admin": "auto_enable package_paths updated_at",
        "member": "inherits rules_applied_at status updated_at",
        "organization": "document",
        "report": "finished_at status",
    }
    assert given == 0


def test_what_is_sealed_of_an_account_is_no_others(database):
    with database.system() as connection:
        row = {"account": THEIRS, "id": "AKIATHEIRS", "role": "admin", "sealed_secret": b"sealed"}
        connection.execute(insert(account_tables.access_key).values(row))
        values = {"account": THEIRS, "region": REGION, "id": "i", "name": "n", "type": "GITLAB", "status": "ACTIVE"}
        connection.execute(insert(account_tables.code_security_integration).values(values | {"sealed_token": b"t"}))
    refuse(database, "SELECT sealed_secret FROM access_key", match="permission denied")
    with database.transaction(OURS) as connection:
        assert connection.exec_driver_sql("SELECT sealed_token FROM code_security_integration").all() == []
