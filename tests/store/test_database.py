import os
import subprocess
import sys
import threading

import pytest
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.exc import ProgrammingError
from tests.store.fleet import OURS

from openinspector.errors import StoreError
from openinspector.store import account_tables  # noqa: F401  declares the rest of the tables
from openinspector.store.database import connect, migrate
from openinspector.store.migrations import HEAD
from openinspector.store.roles import APP_ROLE, SCHEMA, SYSTEM_ROLE
from openinspector.store.tables import metadata


@pytest.fixture
def empty(postgres, request):
    """The address of a database without a schema, as its owner."""
    name = f"empty_{abs(hash(request.node.nodeid))}"
    postgres.make_database(name)
    return postgres.url(database=name)


@pytest.fixture
def owner(empty):
    engine = create_engine(empty)
    yield engine
    engine.dispose()


def revision(engine):
    with engine.connect() as connection:
        return connection.exec_driver_sql(f"SELECT version_num FROM {SCHEMA}.alembic_version").scalars().all()


def test_migrating_twice_changes_nothing(owner):
    migrate(owner)
    with owner.connect() as connection:
        before = connection.exec_driver_sql(f"SELECT inner_pad FROM {SCHEMA}.scope_key").all()
    migrate(owner)
    with owner.connect() as connection:
        assert connection.exec_driver_sql(f"SELECT inner_pad FROM {SCHEMA}.scope_key").all() == before
    assert len(before) == 1
    assert revision(owner) == [HEAD]


def test_head_is_the_newest_revision():
    from pathlib import Path

    from alembic.config import Config
    from alembic.script import ScriptDirectory

    from openinspector.store import migrations

    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]
    assert len(HEAD) == 4
    assert HEAD.isdecimal()


def test_four_processes_that_migrate_at_once_make_one_schema(empty, owner):
    program = "import sys; from sqlalchemy import create_engine; from openinspector.store.database import migrate\n"
    program += "sys.stdin.read(1); migrate(create_engine(sys.argv[1]))"
    running = [
        subprocess.Popen([sys.executable, "-c", program, empty], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(4)
    ]
    for each in running:  # all have started when the first is let go
        each.stdin.write(b"\n")
        each.stdin.flush()
    said = [each.communicate(timeout=300)[1] for each in running]
    assert [each.returncode for each in running] == [0] * 4, said
    assert revision(owner) == [HEAD]


def test_a_newer_schema_is_refused(owner):
    migrate(owner)
    with owner.begin() as connection:
        connection.exec_driver_sql(f"UPDATE {SCHEMA}.alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match="at revision 9999, which a newer openinspector made"):
        migrate(owner)


def test_a_migration_that_fails_leaves_nothing(owner, monkeypatch):
    from openinspector.store import database

    whole = database._upgrade

    def fail(connection):
        whole(connection)
        connection.exec_driver_sql("SELECT 1 / 0")

    monkeypatch.setattr(database, "_upgrade", fail)
    with pytest.raises(StoreError, match="division by zero"):
        migrate(owner)
    assert SCHEMA not in inspect(owner).get_schema_names()


def test_the_schema_is_what_the_tables_declare(owner):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    migrate(owner)
    with owner.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_schemas": True,
                "compare_type": True,
                "compare_server_default": False,
                "include_name": lambda name, kind, parents: name == SCHEMA if kind == "schema" else True,
                "include_object": lambda one, name, kind, *_: name not in ("alembic_version", "scope_key"),
            },
        )
        assert compare_metadata(context, metadata) == []


def test_every_table_says_what_it_holds(database):
    assert [table.name for table in metadata.tables.values() if not (table.comment or "").endswith(".")] == []
    with database.system() as connection:
        assert (
            connection.exec_driver_sql(
                "SELECT c.relname FROM pg_class c WHERE relnamespace = 'openinspector'::regnamespace AND relkind = 'r'"
                " AND obj_description(c.oid) IS NULL AND relname <> 'alembic_version'"
            ).all()
            == []
        )


def test_a_transaction_is_committed_or_undone(database):
    put = text("INSERT INTO tag (account, region, arn, key) VALUES (:account, 'r', 'a', :key)")
    with database.transaction(OURS) as connection:
        connection.execute(put, {"account": OURS, "key": "kept"})
    with pytest.raises(RuntimeError, match="enough"), database.transaction(OURS) as connection:
        connection.execute(put, {"account": OURS, "key": "lost"})
        raise RuntimeError("enough")
    with database.transaction(OURS) as connection:
        assert connection.exec_driver_sql("SELECT key FROM tag").scalars().all() == ["kept"]


def test_a_statement_that_takes_too_long_is_ended(database):
    from sqlalchemy.exc import OperationalError

    for scope in (database.transaction(OURS, seconds=0.05), database.system(seconds=0.05)):
        with pytest.raises(OperationalError, match="statement timeout"), scope as connection:
            connection.exec_driver_sql("SELECT pg_sleep(10)")


def test_sessions_say_what_they_are(database):
    with database.transaction(OURS) as connection:
        told = connection.exec_driver_sql("SELECT current_setting('application_name'), current_setting('timezone')")
        assert told.one() == (f"{APP_ROLE} {os.getpid()}", "UTC")


def test_temporary_tables_hide_none_of_ours(database):
    with database.system() as connection:
        connection.exec_driver_sql("CREATE TEMPORARY TABLE finding (no text)")
        assert connection.exec_driver_sql(
            "SELECT 'finding'::regclass::oid = 'openinspector.finding'::regclass"
        ).scalar()


def test_threads_share_the_pool(database):
    seen = []

    def ask(account):
        with database.transaction(account) as connection:
            seen.append((account, connection.exec_driver_sql("SELECT openinspector.scope()").scalar_one()))

    threads = [threading.Thread(target=ask, args=(f"{number:012}",)) for number in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(seen) == [(f"{number:012}", [f"{number:012}"]) for number in range(8)]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("mysql://u:hunter2@h/d", "mysql is no database that we know"),
        ("nonsense", "makes no sense"),
        ("postgresql://u:hunter2@localhost:1/d", "the database d at localhost:1 can't be reached"),
        ("postgresql://u@localhost:1/d?password=hunter2", "the database d at localhost:1 can't be reached"),
    ],
)
def test_an_address_that_leads_nowhere_is_a_store_error_without_secrets(url, reason):
    with pytest.raises(StoreError, match=reason) as raised:
        connect(url)
    assert "hunter2" not in str(raised.value)


def test_a_database_of_ones_own_is_used_as_the_narrow_roles(postgres, empty):
    with connect(empty.replace("postgresql+psycopg", "postgresql"), pool=1) as database:
        with database.transaction(OURS) as connection:
            told = connection.exec_driver_sql("SELECT current_user::text, openinspector.scope()").one()
            assert told == (APP_ROLE, [OURS])
        with database.system() as connection:
            assert connection.exec_driver_sql("SELECT current_user::text").scalar_one() == SYSTEM_ROLE


def test_an_owner_without_special_rights_will_do(postgres, request):
    """As managed databases give it: it may make roles, and owns its database, and is no superuser."""
    name = f"plain_{abs(hash(request.node.nodeid))}"
    postgres.make_database(name)
    engine = create_engine(postgres.url(database=name), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE ROLE plain LOGIN NOSUPERUSER NOBYPASSRLS")
        connection.exec_driver_sql(f"ALTER DATABASE {name} OWNER TO plain")
    engine.dispose()
    owner = create_engine(postgres.url("plain", name))
    with pytest.raises(StoreError, match=f"its administrator can: CREATE ROLE {APP_ROLE}"):
        migrate(owner)
    engine = create_engine(postgres.url(database=name))
    with engine.begin() as connection:
        connection.exec_driver_sql(f"GRANT {APP_ROLE}, {SYSTEM_ROLE} TO plain WITH INHERIT FALSE")
    engine.dispose()
    with connect(postgres.url("plain", name), pool=1) as database:
        put = text("INSERT INTO tag (account, region, arn, key) VALUES (:account, 'r', 'a', 'k')")
        with database.transaction(OURS) as connection:
            connection.execute(put, {"account": OURS})
        with database.system() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM tag").scalar_one() == 1
    with owner.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM openinspector.tag").scalar_one() == 0  # FORCE
    owner.dispose()


def test_account_ids_hold_no_commas(database):
    for accounts in [("1,2",), ("1", ""), ("",)]:
        with pytest.raises(ValueError, match="no account ids"), database.transaction(*accounts):
            pass


def test_the_system_may_not_read_the_key(database):
    with pytest.raises(ProgrammingError, match="permission denied"), database.system() as connection:
        connection.exec_driver_sql("SELECT * FROM scope_key")
